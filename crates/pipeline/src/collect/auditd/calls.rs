//! System call numbers → what they do, for the four machines that clouds and routers run.

/// The calls that become events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    Exec,
    Fork,
    Exit,
    Kill,
    Connect,
    Accept,
    Bind,
    /// The position of the flags among the arguments.
    Open(usize),
    Delete,
    Rename,
    Chmod,
}

/// One line a call: its name, then its numbers on x86-64, i386, arm64 and arm; -1 where it has none.
const CALLS: &[(&str, Call, [i32; 4])] = &[
    ("execve", Call::Exec, [59, 11, 221, 11]),
    ("execveat", Call::Exec, [322, 358, 281, 387]),
    ("fork", Call::Fork, [57, 2, -1, 2]),
    ("vfork", Call::Fork, [58, 190, -1, 190]),
    ("clone", Call::Fork, [56, 120, 220, 120]),
    ("clone3", Call::Fork, [435, 435, 435, 435]),
    ("exit_group", Call::Exit, [231, 252, 94, 248]),
    ("kill", Call::Kill, [62, 37, 129, 37]),
    ("connect", Call::Connect, [42, 362, 203, 283]),
    ("accept", Call::Accept, [43, -1, 202, 285]),
    ("accept4", Call::Accept, [288, 364, 242, 366]),
    ("bind", Call::Bind, [49, 361, 200, 282]),
    ("creat", Call::Open(usize::MAX), [85, 8, -1, 8]),
    ("open", Call::Open(1), [2, 5, -1, 5]),
    ("openat", Call::Open(2), [257, 295, 56, 322]),
    ("unlink", Call::Delete, [87, 10, -1, 10]),
    ("unlinkat", Call::Delete, [263, 301, 35, 328]),
    ("rename", Call::Rename, [82, 38, -1, 38]),
    ("renameat", Call::Rename, [264, 302, 38, 329]),
    ("renameat2", Call::Rename, [316, 353, 276, 382]),
    ("chmod", Call::Chmod, [90, 15, -1, 15]),
    ("fchmodat", Call::Chmod, [268, 306, 53, 333]),
];

/// The call by its number on a machine (`arch` as the kernel writes it, or by name), or by its name.
pub(super) fn call(arch: &str, syscall: &str, first_argument: Option<u64>) -> Option<(Call, &'static str)> {
    let Ok(number) = syscall.parse::<i32>() else {
        return CALLS.iter().find(|(name, ..)| *name == syscall).map(|(name, call, _)| (*call, *name));
    };
    let machine = match arch {
        "c000003e" | "x86_64" => 0,
        "40000003" | "i386" => 1,
        "c00000b7" | "aarch64" => 2,
        "40000028" | "arm" => 3,
        _ => return None,
    };
    // The i386 of old kernels has one call for all of sockets, told apart by its first argument.
    if machine == 1 && number == 102 {
        return match first_argument {
            Some(2) => Some((Call::Bind, "bind")),
            Some(3) => Some((Call::Connect, "connect")),
            Some(5 | 18) => Some((Call::Accept, "accept")),
            _ => None,
        };
    }
    CALLS.iter().find(|(_, _, numbers)| numbers[machine] == number).map(|(name, call, _)| (*call, *name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_means_another_call_on_another_machine() {
        assert_eq!(call("c000003e", "59", None), Some((Call::Exec, "execve")));
        assert_eq!(call("40000003", "11", None), Some((Call::Exec, "execve")));
        assert_eq!(call("c000003e", "11", None), None);
        assert_eq!(call("c00000b7", "221", None), Some((Call::Exec, "execve")));
        assert_eq!(call("40000003", "102", Some(3)), Some((Call::Connect, "connect")));
        assert_eq!(call("x86_64", "execve", None), Some((Call::Exec, "execve")));
        assert_eq!(call("deadbeef", "59", None), None);
    }

    #[test]
    fn numbers_and_names_are_unique() {
        for machine in 0..4 {
            let mut seen: Vec<i32> = CALLS.iter().map(|it| it.2[machine]).filter(|it| *it >= 0).collect();
            seen.sort_unstable();
            assert!(seen.windows(2).all(|it| it[0] != it[1]), "machine {machine}");
        }
    }
}
