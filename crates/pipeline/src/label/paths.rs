//! A path or URL → what its shape tells. Deliberately absent: the file system, and lists of bad names.

use super::command::base_name;

const TEMP: &[&str] = &["/tmp/", "/var/tmp/", "/dev/shm/", "/run/shm/", "/run/lock/", "/dev/mqueue/", "/mnt/tmp/"];
const WINDOWS_TEMP: &[&str] = &[
    "\\windows\\temp\\",
    "\\appdata\\local\\temp\\",
    "\\users\\public\\",
    "\\programdata\\",
    "\\perflogs\\",
    "\\$recycle.bin\\",
];
/// Hidden folders that software, not bots, keeps programs in.
const USUAL_HIDDEN: &[&str] = &[
    ".ansible",
    ".asdf",
    ".bun",
    ".bundle",
    ".cache",
    ".cargo",
    ".claude",
    ".composer",
    ".conda",
    ".config",
    ".cursor-server",
    ".deno",
    ".docker",
    ".dotnet",
    ".gem",
    ".git",
    ".github",
    ".gradle",
    ".helm",
    ".jenkins",
    ".krew",
    ".kube",
    ".linuxbrew",
    ".local",
    ".m2",
    ".node-gyp",
    ".npm",
    ".nvm",
    ".oh-my-zsh",
    ".pyenv",
    ".rbenv",
    ".rustup",
    ".rvm",
    ".sdkman",
    ".terraform.d",
    ".tmux",
    ".venv",
    ".tox",
    ".virtualenvs",
    ".vscode",
    ".vscode-server",
    ".yarn",
    ".sonar",
    ".m2e",
    ".build",
    ".next",
];

/// In a folder that everyone may write to.
pub(crate) fn in_temp(path: &str) -> bool {
    if TEMP.iter().any(|temp| path.starts_with(temp)) {
        return true;
    }
    if !path.contains('\\') {
        return false;
    }
    let lower = path.to_ascii_lowercase();
    WINDOWS_TEMP.iter().any(|temp| lower.contains(temp))
}

/// Its name or a folder above it begins with a dot, and it is none that software makes.
pub(crate) fn is_hidden(path: &str) -> bool {
    path.split('/').any(|part| {
        part.len() > 1
            && part.starts_with('.')
            && part != ".."
            && !USUAL_HIDDEN.contains(&part)
            && !part.starts_with(".mount_")
    })
}

/// Where bots put what they bring.
pub(crate) fn is_dropzone(path: &str) -> bool {
    in_temp(path) || (path.starts_with('/') && is_hidden(path))
}

/// `http://u:p@[::1]:80/x` → scheme, host, path with its slash. A URL may lack its scheme.
pub(crate) fn url_parts(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let (authority, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    (scheme, host, path)
}

pub(crate) fn is_ip(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

pub(crate) fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The name under which a URL is saved when none is given.
pub(crate) fn url_file_name(url: &str) -> &str {
    let (_, _, path) = url_parts(url);
    base_name(path.split(['?', '#']).next().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_and_paths() {
        assert_eq!(url_parts("http://a:b@192.0.2.1:8080/.y/x?q"), ("http", "192.0.2.1", "/.y/x?q"));
        assert_eq!(url_parts("192.0.2.1/x.sh"), ("", "192.0.2.1", "/x.sh"));
        assert_eq!(url_parts("http://[2001:db8::1]:80"), ("http", "2001:db8::1", ""));
        assert_eq!(url_file_name("http://a.test/b/c.sh?x=1"), "c.sh");
        assert!(is_dropzone("/dev/shm/x") && is_dropzone("/root/.x/y") && is_dropzone(r"C:\Users\Public\a.exe"));
        assert!(
            !is_dropzone("/root/.cargo/bin/x") && !is_dropzone("/usr/bin/x") && !is_dropzone("./x") && !is_dropzone("")
        );
    }
}
