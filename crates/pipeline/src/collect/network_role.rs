//! the wording of a network alert → what it says of the process. Deliberately absent: judging a flow by itself.

/// The first phrase that stands in the text wins, so the narrow ones come first. Latin phrases match whole words.
const PHRASES: &[(&str, &str)] = &[
    ("恶意下载源", "download_source"),
    ("恶意下载", "download_source"),
    ("下载源", "download_source"),
    ("malicious download", "download_source"),
    ("download source", "download_source"),
    ("矿池", "mining_pool"),
    ("挖矿通信", "mining_pool"),
    ("挖矿活动", "mining_pool"),
    ("mining pool", "mining_pool"),
    ("miner pool", "mining_pool"),
    ("mining communication", "mining_pool"),
    ("反弹shell", "reverse_shell"),
    ("reverse shell", "reverse_shell"),
    ("中控", "c2"),
    ("主控", "c2"),
    ("远控", "c2"),
    ("控制端", "c2"),
    ("控制服务器", "c2"),
    ("命令与控制", "c2"),
    ("command and control", "c2"),
    ("c&c", "c2"),
    ("c2", "c2"),
    ("cnc", "c2"),
    ("暴力破解", "brute_force"),
    ("爆破", "brute_force"),
    ("brute force", "brute_force"),
    ("brute-force", "brute_force"),
    ("ddos", "ddos"),
    ("拒绝服务", "ddos"),
    ("denial of service", "ddos"),
    ("端口扫描", "scan"),
    ("扫描", "scan"),
    ("port scan", "scan"),
    ("network scan", "scan"),
    ("scanning", "scan"),
    ("恶意域名", "malicious_domain"),
    ("malicious domain", "malicious_domain"),
];

/// What an alert's title says of the process that it is about, if it says anything.
pub(crate) fn network_role(title: &str) -> Option<&'static str> {
    let title = title.to_lowercase();
    PHRASES.iter().find(|(phrase, _)| stands_in(&title, phrase)).map(|(_, role)| *role)
}

/// `c2` must not be found in `ec2`, nor `cnc` in a name. Family names such as `XorDDoS` do count for `ddos`.
fn stands_in(title: &str, phrase: &str) -> bool {
    if !phrase.is_ascii() || phrase == "ddos" {
        return title.contains(phrase);
    }
    title.match_indices(phrase).any(|(at, _)| {
        let word = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        !word(title[..at].chars().next_back()) && !word(title[at + phrase.len()..].chars().next())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_and_english_titles() {
        for (title, role) in [
            ("异常网络连接-主动连接恶意下载源", Some("download_source")),
            ("Unusual Network Connection-Malicious Download Source", Some("download_source")),
            ("异常网络连接-主机与中控通信", Some("c2")),
            ("C2 communication", Some("c2")),
            ("恶意进程-与矿池通信", Some("mining_pool")),
            ("ECS暴力破解成功", Some("brute_force")),
            ("异常网络连接-对外DDoS攻击", Some("ddos")),
            ("Port Scan Detected", Some("scan")),
            ("Unusual Logon-EC2 Unusual Account", None),
            ("异常登录-ECS异地登录", None),
        ] {
            assert_eq!(network_role(title), role, "{title}");
        }
    }
}
