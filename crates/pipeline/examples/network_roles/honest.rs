//! What a fleet does when nobody attacks it. Figures are those of the programs' own manuals (NTP polls every 64 to 1024 s,
//! Prometheus scrapes every 15 to 60 s, Zabbix and Nagios check every one to five minutes, apt looks twice a day …).

use std::net::IpAddr;

use super::traffic::*;

pub(crate) fn fleet(world: &mut World) {
    let shared = Shared::new(world);
    for n in 0..HOSTS {
        everyone(world, &shared, own(n));
    }
    monitoring(world);
    balancer(world);
    file_server(world);
    resolver(world);
    mail(world);
    crawler(world);
    builds(world, &shared);
    swarm(world);
    admin(world);
    applications(world);
    backups(world);
    phones(world);
    strangers(world);
}

/// Services outside that the whole fleet uses.
struct Shared {
    clocks: Vec<IpAddr>,
    mirrors: Vec<IpAddr>,
    telemetry: IpAddr,
    cloud: Vec<IpAddr>,
}

impl Shared {
    fn new(world: &mut World) -> Self {
        let mut some = |n: usize| (0..n).map(|_| world.random.outside()).collect::<Vec<_>>();
        Self { clocks: some(4), mirrors: some(3), telemetry: some(1)[0], cloud: some(12) }
    }
}

/// Calls by a timer with its own jitter, percent.
fn timer(world: &mut World, src: IpAddr, dst: IpAddr, to: To, period: i64, jitter: i64, bytes: (u64, u64)) {
    let mut now = world.random.time(0, period);
    while now < DAYS * DAY {
        let sent = world.random.around(bytes.0);
        let back = world.random.around(bytes.1);
        world.call(src, dst, to, now, (sent, back));
        now += period + world.random.time(-period * jitter / 200, period * jitter / 200 + 1);
    }
}

fn everyone(world: &mut World, shared: &Shared, src: IpAddr) {
    for clock in &shared.clocks {
        let poll = world.random.pick(&[64, 256, 1024]);
        timer(world, src, *clock, udp(123), poll * SECOND, 2, (76, 76));
    }
    // Each agent: telemetry by the minute, updates twice a day.
    timer(world, src, shared.telemetry, tcp(443), MINUTE, 10, (2_000, 600));
    let mirror = world.random.pick(&shared.mirrors);
    timer(world, src, mirror, tcp(80), 12 * HOUR, 50, (3_000, 400_000));
    // People and programs at any time.
    for _ in 0..world.random.within(100, 400) {
        let dst = if world.random.chance(60) { world.random.pick(&shared.cloud) } else { world.random.outside() };
        let mut now = world.random.time(0, DAYS * DAY);
        for _ in 0..world.random.within(1, 9) {
            now += world.random.time(SECOND / 10, 40 * SECOND);
            let bytes = (world.random.around(2_000), world.random.around(60_000));
            world.call(src, dst, tcp(443), now, bytes);
        }
    }
}

fn monitoring(world: &mut World) {
    let server = own(0);
    for n in 1..HOSTS {
        timer(world, server, own(n), tcp(9100), MINUTE, 1, (300, 40_000));
        timer(world, server, own(n), tcp(22), 5 * MINUTE, 2, (60, 120));
        timer(world, own(n), server, tcp(10051), MINUTE, 5, (900, 100));
    }
    // One that was switched off and is still asked for.
    let gone = own(HOSTS + 7);
    let mut now = 0;
    while now < DAYS * DAY {
        world.call(server, gone, tcp(9100), now, (60, 0));
        now += 15 * SECOND;
    }
}

fn balancer(world: &mut World) {
    for n in 20..26 {
        timer(world, own(1), own(n), tcp(8080), 20 * SECOND, 1, (120, 400));
    }
}

fn file_server(world: &mut World) {
    for n in 2..HOSTS {
        for _ in 0..world.random.within(10, 40) {
            let at = world.random.time(0, DAYS * DAY);
            let bytes = (world.random.around(80_000), world.random.around(3_000_000));
            world.call(own(n), own(2), tcp(445), at, bytes);
        }
        let at = world.random.time(0, DAYS * DAY);
        world.call(own(n), own(3), tcp(389), at, (2_000, 9_000));
    }
}

fn resolver(world: &mut World) {
    for _ in 0..30_000 {
        let (dst, at) = (world.random.outside(), world.random.time(0, DAYS * DAY));
        let back = if world.random.chance(6) { 0 } else { 220 };
        world.call(own(3), dst, udp(53), at, (80, back));
    }
}

/// A mail server meets dead, slow and refusing ones, and tries again.
fn mail(world: &mut World) {
    for _ in 0..2_000 {
        let dst = world.random.outside();
        let dead = world.random.chance(15);
        let mut at = world.random.time(0, DAYS * DAY - 3 * HOUR);
        for _ in 0..if dead { world.random.within(2, 6) } else { 1 } {
            let bytes = if dead { (60, 0) } else { (world.random.around(30_000), 900) };
            world.call(own(4), dst, tcp(25), at, bytes);
            at += 30 * MINUTE;
        }
    }
}

fn crawler(world: &mut World) {
    for _ in 0..4_000 {
        let (dst, at) = (world.random.outside(), world.random.time(0, DAY));
        let dead = world.random.chance(7);
        let port = if world.random.chance(85) { 443 } else { 80 };
        for n in 0..if dead { 2 } else { world.random.within(1, 20) as i64 } {
            let bytes = if dead { (60, 0) } else { (800, world.random.around(50_000)) };
            world.call(own(5), dst, tcp(port), at + n * 2 * SECOND, bytes);
        }
    }
}

/// A build host: bursts of downloads, fetches of the sources by SSH each minute.
fn builds(world: &mut World, shared: &Shared) {
    let forge = world.random.outside();
    timer(world, own(6), forge, tcp(22), MINUTE, 3, (4_000, 5_000));
    for _ in 0..300 {
        let start = world.random.time(0, DAYS * DAY);
        for n in 0..world.random.within(20, 120) as i64 {
            let dst = world.random.pick(&shared.cloud);
            let bytes = (900, world.random.around(800_000));
            world.call(own(6), dst, tcp(443), start + n * SECOND / 4, bytes);
        }
    }
    // Images are pushed to a registry that others pull from.
    let registry = shared.cloud[0];
    for _ in 0..40 {
        let at = world.random.time(0, DAYS * DAY);
        let sent = world.random.within(20 << 20, 400 << 20);
        world.call(own(6), registry, tcp(443), at, (sent, 90_000));
    }
}

/// A peer of a swarm: any port, half of the peers gone.
fn swarm(world: &mut World) {
    for _ in 0..3_000 {
        let dst = world.random.outside();
        let port = if world.random.chance(12) { 6881 } else { world.random.within(1_025, 65_000) as u16 };
        let to = if world.random.chance(70) { udp(port) } else { tcp(port) };
        let at = world.random.time(0, 8 * HOUR);
        let back = if world.random.chance(55) { 0 } else { world.random.around(200_000) };
        world.call(own(7), dst, to, at, (150, back));
    }
}

/// A controller runs playbooks over SSH; a person works on some hosts; a password was mistyped.
fn admin(world: &mut World) {
    for run in 0..6 {
        let start = run * 14 * HOUR + world.random.time(0, HOUR);
        for n in 10..HOSTS {
            for step in 0..world.random.within(4, 18) as i64 {
                let bytes = (world.random.around(30_000), world.random.around(20_000));
                world.call(own(8), own(n), tcp(22), start + step * 3 * SECOND + n as i64 * SECOND, bytes);
            }
        }
    }
    for try_ in 0..5 {
        world.call(own(9), own(30), tcp(22), HOUR + try_ * 6 * SECOND, (2_600, 3_100));
    }
    for _ in 0..20 {
        let (at, n) = (world.random.time(0, DAYS * DAY), world.random.within(10, 60) as usize);
        let bytes = (world.random.around(200_000), world.random.around(900_000));
        world.call(own(9), own(n), tcp(22), at, bytes);
    }
}

/// An application that opens a connection for each query, and a cache that is asked thousands of times.
fn applications(world: &mut World) {
    for n in 0..20_000 {
        let at = n * 2 * SECOND + world.random.time(0, SECOND);
        let bytes = (world.random.around(900), world.random.around(2_500));
        world.call(own(20), own(27), tcp(3306), at, bytes);
    }
    for n in 0..40_000 {
        world.call(own(21), own(28), tcp(6379), n * SECOND / 20, (120, 300));
    }
}

/// Each night, to a store outside that only this host uses; and within, by SSH.
fn backups(world: &mut World) {
    for (n, src) in [own(11), own(12)].into_iter().enumerate() {
        let store = if n == 0 { world.random.outside() } else { own(29) };
        for night in 0..DAYS {
            let at = night * DAY + 2 * HOUR + world.random.time(0, 20 * MINUTE);
            for part in 0..6 {
                let bytes = (world.random.within(200 << 20, 900 << 20), 2 << 20);
                world.call(src, store, tcp(if n == 0 { 443 } else { 22 }), at + part * 3 * MINUTE, bytes);
            }
        }
    }
}

/// Calls: both ways the same; a conference is watched, and reports come back. Logs to a collector go one way.
fn phones(world: &mut World) {
    for n in 13..18 {
        for _ in 0..30 {
            let (dst, at) = (world.random.outside(), world.random.time(0, DAYS * DAY));
            let sent = world.random.within(5 << 20, 90 << 20);
            let port = world.random.within(10_000, 20_000) as u16;
            let back = if world.random.chance(70) { sent } else { sent / 40 };
            world.call(own(n), dst, udp(port), at, (sent, back));
        }
    }
    for n in 10..HOSTS {
        for hour in 0..DAYS * 24 {
            world.call(own(n), own(3), udp(514), hour * HOUR, (6 << 20, 0));
        }
    }
}

/// Single hosts with habits of their own: a licence check, a big upload to a customer.
fn strangers(world: &mut World) {
    let licence = world.random.outside();
    timer(world, own(18), licence, tcp(443), 10 * MINUTE, 5, (700, 500));
    let customer = world.random.outside();
    world.call(own(19), customer, tcp(443), DAY, (900 << 20, 3 << 20));
}
