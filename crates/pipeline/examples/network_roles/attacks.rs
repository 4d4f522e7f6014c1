//! What attackers do, from what is public of their tools: defaults of Nmap, Hydra and Cobalt Strike, the paper and the code on
//! Mirai (scanner at 23 and 2323, a dictionary of 62 pairs, floods of 512 bytes), incident reports on miners, rclone, PsExec.
//! Each on a host that goes on with its honest work, and on which something else raised suspicion.

use std::net::IpAddr;

use ringleader_pipeline::label::network::NetworkRole;

use super::traffic::*;

/// Hosts from here on are infected; below are servers.
const FIRST: usize = 30;

pub(crate) fn infect(world: &mut World) {
    let mut hosts: Vec<usize> = (FIRST..HOSTS).collect();
    for at in (1..hosts.len()).rev() {
        let other = world.random.below(at as u64 + 1) as usize;
        hosts.swap(at, other);
    }
    let mut hosts = hosts.into_iter().map(own);
    let mut next = || hosts.next().expect("fewer attacks than hosts");
    for scan in [worm, sweep, slow_sweep] {
        let src = next();
        let start = world.random.time(0, 2 * DAY);
        scan(world, src, start);
    }
    for pace in [SECOND / 200, 400 * SECOND / 1000, 3 * SECOND] {
        ports(world, next(), pace);
    }
    for (port, gets_in, gap) in
        [(22, false, 2), (22, true, 3), (3389, false, 1), (445, true, 1), (21, false, 2), (22, true, 12)]
    {
        guess(world, next(), port, gets_in, gap * SECOND);
    }
    spray(world, next());
    for (jitter, missing) in [(0, 0), (0, 30), (20, 0), (20, 30), (50, 0), (50, 30)] {
        beacon(world, next(), jitter, missing);
    }
    for flood in [syn_flood, udp_flood, random_ports] {
        flood(world, next());
    }
    for parts in [1, 40] {
        upload(world, next(), parts);
    }
    for port in [445, 22] {
        moves_on(world, next(), port);
    }
    for port in [3333, 14_444] {
        mine(world, next(), port);
    }
    fetch(world);
    // Something is wrong with this one, and its traffic is honest.
    world.suspicious.insert(own(18));
    world.suspicious.insert(own(11));
    world.suspicious.insert(own(6));
    world.suspicious.insert(own(20));
    world.lose(2);
}

/// Any address, most of them dead; the few that answer are guessed at.
fn worm(world: &mut World, src: IpAddr, start: i64) {
    world.claim(src, NetworkRole::Scan, "worm, any address");
    for n in 0..20_000 {
        let dst = world.random.outside();
        let port = if n % 10 == 0 { 2323 } else { 23 };
        let back = if world.random.chance(1) { 120 } else { 0 };
        world.call(src, dst, tcp(port), start + n * SECOND / 160, (60, back));
    }
}

/// A /24 of one's own, some of which lives.
fn sweep(world: &mut World, src: IpAddr, start: i64) {
    world.claim(src, NetworkRole::Scan, "sweep of a /24");
    let port = world.random.pick(&[445, 22, 6379, 2375]);
    for n in 1..255u8 {
        let back = if n < 60 && world.random.chance(40) { 60 } else { 0 };
        world.call(src, IpAddr::from([10, 20, 0, n]), tcp(port), start + i64::from(n) * SECOND / 20, (60, back));
    }
}

fn slow_sweep(world: &mut World, src: IpAddr, start: i64) {
    world.claim(src, NetworkRole::Scan, "sweep, one in 15 s");
    for n in 1..200u8 {
        world.call(src, IpAddr::from([10, 20, 1, n]), tcp(8080), start + i64::from(n) * 15 * SECOND, (60, 0));
    }
}

fn ports(world: &mut World, src: IpAddr, pace: i64) {
    world.claim(src, NetworkRole::Scan, "ports of one host");
    let (dst, start) = (own(world.random.within(20, 29) as usize), world.random.time(0, DAY));
    for n in 0..1000u64 {
        let port = 1 + (n * 7919 % 9_973) as u16;
        let back = if world.random.chance(1) { 200 } else { 0 };
        world.call(src, dst, tcp(port), start + n as i64 * pace, (60, back));
    }
}

fn guess(world: &mut World, src: IpAddr, port: u16, gets_in: bool, gap: i64) {
    let kind = match (gets_in, gap > 10 * SECOND) {
        (_, true) => "guesses, slow, gets in",
        (true, _) => "guesses, gets in",
        _ => "guesses",
    };
    world.claim(src, NetworkRole::BruteForce, kind);
    let dst = if world.random.chance(50) { world.random.outside() } else { own(26) };
    let tries = world.random.within(60, 900) as i64;
    let start = world.random.time(0, DAY);
    let mut at = start;
    for _ in 0..tries {
        let logins = world.random.within(1, 7);
        world.call(src, dst, tcp(port), at, (1_400 + logins * 150, 1_900 + logins * 120));
        at += gap / 2 + world.random.time(0, gap);
    }
    if gets_in {
        let bytes = (world.random.within(30_000, 400_000), world.random.within(40_000, 900_000));
        world.call(src, dst, tcp(port), at + 5 * SECOND, bytes);
        if let IpAddr::V4(it) = dst
            && it.is_private()
        {
            world.truth.insert((src, NetworkRole::Lateral));
        }
    }
}

fn spray(world: &mut World, src: IpAddr) {
    world.claim(src, NetworkRole::BruteForce, "some at each of many");
    let start = world.random.time(0, DAY);
    for n in 0..80 {
        let dst = world.random.outside();
        for try_ in 0..world.random.within(4, 12) as i64 {
            world.call(src, dst, tcp(22), start + n * 9 * SECOND + try_ * 2 * SECOND, (1_900, 2_300));
        }
    }
}

fn beacon(world: &mut World, src: IpAddr, jitter: i64, missing: u64) {
    let kind = match (jitter, missing) {
        (0, 0) => "beacon",
        (0, _) => "beacon, 30% missing",
        (20, 0) => "beacon, 20% jitter",
        (20, _) => "beacon, 20% jitter, 30% missing",
        (_, 0) => "beacon, 50% jitter",
        _ => "beacon, 50% jitter, 30% missing",
    };
    world.claim(src, NetworkRole::C2, kind);
    let dst = world.random.outside();
    let period = world.random.pick(&[10, 30, 60, 300, 900]) * SECOND;
    let port = world.random.pick(&[443, 80, 8080, 4443]);
    let mut at = world.random.time(0, DAY);
    let end = at + world.random.time(24 * HOUR, 48 * HOUR);
    while at < end {
        if !world.random.chance(missing) {
            let bytes = (world.random.around(400), world.random.around(300));
            world.call(src, dst, tcp(port), at, bytes);
        }
        at += period - world.random.time(0, period * jitter / 100 + 1);
        // A laptop is shut for a night.
        if world.random.below(2_000) == 0 {
            at += 8 * HOUR;
        }
    }
}

fn syn_flood(world: &mut World, src: IpAddr) {
    world.claim(src, NetworkRole::Ddos, "calls without answer");
    let (dst, start) = (world.random.outside(), world.random.time(0, 2 * DAY));
    for n in 0..20_000 {
        world.call(src, dst, tcp(80), start + n * SECOND / 700, (60, 0));
    }
}

fn udp_flood(world: &mut World, src: IpAddr) {
    world.claim(src, NetworkRole::Ddos, "datagrams one way");
    let (dst, start) = (world.random.outside(), world.random.time(0, 2 * DAY));
    let port = world.random.pick(&[27_015, 3_074, 53_413, 25_565]);
    for part in 0..3 {
        let sent = world.random.within(60 << 20, 2_000 << 20);
        world.call(src, dst, udp(port), start + part * MINUTE, (sent, 0));
    }
}

fn random_ports(world: &mut World, src: IpAddr) {
    world.claim(src, NetworkRole::Ddos, "datagrams at any port");
    let (dst, start) = (world.random.outside(), world.random.time(0, 2 * DAY));
    for n in 0..20_000 {
        let port = world.random.within(1, 65_535) as u16;
        world.call(src, dst, udp(port), start + n * SECOND / 400, (540, 0));
    }
}

fn upload(world: &mut World, src: IpAddr, parts: i64) {
    world.claim(src, NetworkRole::Exfiltration, if parts == 1 { "upload" } else { "upload in parts" });
    let (dst, start) = (world.random.outside(), world.random.time(0, 2 * DAY));
    let all = world.random.within(60 << 20, 3_000 << 20);
    for part in 0..parts {
        world.call(src, dst, tcp(443), start + part * 20 * SECOND, (all / parts as u64, all / parts as u64 / 60));
    }
}

fn moves_on(world: &mut World, src: IpAddr, port: u16) {
    world.claim(src, NetworkRole::Lateral, if port == 445 { "service over a share" } else { "login with a key" });
    let start = world.random.time(DAY, 3 * DAY);
    for n in 0..world.random.within(1, 4) as i64 {
        let dst = own(40 + (n as usize * 7 + start as usize % 5) % 20);
        if dst == src {
            continue;
        }
        let bytes = (world.random.within(60_000, 900_000), world.random.within(8_000, 90_000));
        world.call(src, dst, tcp(port), start + n * MINUTE, bytes);
    }
}

fn mine(world: &mut World, src: IpAddr, port: u16) {
    world.claim(src, NetworkRole::MiningPool, "pool by its port");
    let (dst, start) = (world.random.outside(), world.random.time(0, DAY));
    for n in 0..world.random.within(1, 6) as i64 {
        let bytes = (world.random.within(20_000, 400_000), world.random.within(60_000, 900_000));
        let later = n * world.random.time(HOUR, 9 * HOUR);
        world.call(src, dst, tcp(port), start + later, bytes);
    }
}

/// As the host's own sensor logs it, without bytes: curl and a second stage.
fn fetch(world: &mut World) {
    let dst = world.random.outside();
    let port = world.random.pick(&[80, 8080, 9191]);
    world.call(own(45), dst, tcp(port), DAY, (0, 1));
    if let Some(flow) = world.flows.pop() {
        let outcome = ringleader_pipeline::label::network::flow::Outcome::Unknown;
        world.fetched.push(ringleader_pipeline::label::network::flow::Flow {
            sent: None,
            received: None,
            outcome,
            ..flow
        });
    }
}
