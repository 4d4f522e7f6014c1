//! Every number that decides about a network role, in one place, each with its reason. Deliberately absent: anything
//! learned from a sample; the figures of `docs/network-roles.md` are measured with these as they stand.

macro_rules! thresholds {
    ($($name:ident: $type:ty = $value:expr, $why:literal;)+) => {
        $(#[doc = $why] pub const $name: $type = $value;)+
        /// Name, value and reason, for the page of documentation.
        pub const TABLE: &[(&str, u64, &str)] = &[$((stringify!($name), $value as u64, $why)),+];
    };
}

const SECOND: i64 = 1_000_000;

thresholds!(
    SCAN_TARGETS: u64 = 20, "addresses tried on one port: more than the dead entries of anybody's list of servers";
    SCAN_TARGETS_ALIVE: u64 = 100, "the same where most of them answer, or where the sensor does not say";
    SCAN_LEAST: usize = 8, "pairs that a scan is told from: fewer that stay of many cannot be counted up";
    SCAN_DEAD_PERCENT: u64 = 60, "of those, so many never answer: who works from a list mostly meets servers";
    SCAN_VISITS: u64 = 5, "a scan tries each address a few times; monitoring comes back";
    SCAN_ONE_PORT_PERCENT: u64 = 50, "on a port of no known service: peers of a swarm are on any port, a scan stays on one";
    SCAN_REPLY: u64 = 600, "bytes of one connection of a scan that is answered: a banner, no work";
    SCAN_PORTS: u64 = 15, "dead ports of one address: a client knows where its server listens";
    GUESS_TRIES: u64 = 20, "logins at one server: beyond what people who forgot a password do in a row";
    GUESS_GAP: i64 = 20 * SECOND, "median time between guesses; checks and polls come once in half a minute at most";
    GUESS_RHYTHM: i64 = 5 * SECOND, "regular and slower than this is a check";
    GUESS_BYTES: u64 = 16 << 10, "median size of a guess: key exchange and some attempts; sessions at work are larger";
    GUESS_SPREAD_PERCENT: u64 = 50, "guesses are alike: half of them are within this of the median size";
    GUESS_SPREAD_APPS_PERCENT: u64 = 10, "the same where applications log on for each query: answers differ, refusals do not";
    SPRAY_SERVERS: u64 = 10, "servers that are guessed at a few times each";
    SPRAY_TRIES: u64 = 3, "times each, on average";
    SUCCESS_AFTER: usize = 10, "guesses that came before the session that got in";
    SUCCESS_TIMES: u64 = 4, "that session is so many times larger than a guess";
    SUCCESS_BYTES: u64 = 4 << 10, "and larger by this at least";
    LOGONS_FAILED: u64 = 10, "failed logons in a row from one address that a host's own log tells of: people get in between";
    LOGONS_SUCCESS_AFTER: u64 = 5, "failed logons before the one that got in";
    FLOOD_CALLS: u64 = 1_000, "calls at one service that get no answer";
    FLOOD_CALLS_ALIVE: u64 = 5_000, "calls at one service that are answered with next to nothing";
    FLOOD_RATE: u64 = 10, "calls a second: a client that retries is slower by far";
    FLOOD_RATE_ALIVE: u64 = 50, "calls a second where they are answered: pools and proxies stay below";
    FLOOD_BYTES: u64 = 20 << 20, "bytes one way, without connection: not a stream anybody asked for";
    FLOOD_BACK: u64 = 100, "less than one byte in so many comes back; receivers of streams report more";
    FLOOD_PACKET: u64 = 400, "bytes of a call at a random port: a scan's are empty";
    BEACON_CALLS: usize = 8, "check-ins of a regular beacon: fewer are regular by chance";
    BEACON_CALLS_JITTER: usize = 24, "check-ins where the rhythm is loose: of so many random ones some are close together";
    BEACON_TIGHT_PERCENT: i64 = 8, "regular: half of the gaps are within this of the period or a multiple";
    BEACON_TAIL_PERCENT: i64 = 15, "and three quarters within this: eight random calls pass both once in fifty times";
    BEACON_LOOSE_PERCENT: i64 = 30, "loose: the same, up to half of jitter with samples missing";
    BEACON_CLOSE_PERCENT: i64 = 33, "a gap shorter than this of the median: one in five of random calls, none of a timer's";
    BEACON_CLOSE_ONE_IN: usize = 20, "so few of a regular rhythm may be that close";
    BEACON_CLOSE_ONE_IN_LOOSE: usize = 50, "and so few of a loose one";
    BEACON_MULTIPLE: i64 = 4, "a gap of more periods than this is a pause, and says nothing of the rhythm";
    BEACON_SPAN: i64 = 600 * SECOND, "from first to last: a conversation is over by then";
    BEACON_BYTES: i64 = 256 << 10, "median bytes of a check-in: more is work";
    BEACON_SHORTEST: i64 = SECOND, "periods below it are a conversation";
    BEACON_LONGEST: i64 = 86_400 * SECOND, "periods above it do not repeat within a log";
    PREVALENT: u64 = 2, "hosts that show nothing else and talk to the same service: it is the fleet's";
    PREVALENT_INSIDE: u64 = 5, "the same of remote control within: a monitor, a controller and admins call every host";
    EXFIL_BYTES: u64 = 10 << 20, "bytes sent to one address outside: more than forms, queries and telemetry";
    EXFIL_TIMES: u64 = 5, "times more sent than received: browsing and downloads are the other way round";
    EXFIL_DAYS: usize = 3, "on so many days it is a habit, such as a backup";
    LATERAL_BYTES: u64 = 2 << 10, "bytes of a session that did something, over a look at the banner";
    DOWNLOAD_BYTES: u64 = 4 << 10, "bytes received of a program or script; less is a page that says no";
    DOWNLOAD_TIMES: u64 = 4, "times more received than sent";
    DOWNLOAD_CALLS: u64 = 16, "a dropper fetches a few times";
);

/// Time, names, addresses, discovery: every host does that, at regular times.
pub const ORDINARY: &[u16] = &[53, 67, 68, 123, 137, 138, 161, 162, 514, 546, 547, 1900, 5353, 5355];
/// Services at which one logs on, and which nobody calls twice a second for work.
pub const LOGIN: &[u16] = &[21, 22, 23, 139, 445, 2222, 2323, 3389, 5900];
/// Services at which applications log on for each query: guessing looks like work, so the source must be suspicious.
pub const LOGIN_OF_APPS: &[u16] =
    &[25, 110, 143, 389, 465, 587, 636, 993, 995, 1433, 3306, 5432, 5985, 5986, 6379, 27017];
/// Services by which one goes on to the next host.
pub const REMOTE_CONTROL: &[u16] = &[22, 23, 135, 139, 445, 2222, 3389, 5900, 5985, 5986];
/// Ports that public mining pools give for Stratum in their instructions.
pub const POOL: &[u16] = &[
    1314, 2020, 3032, 3333, 3334, 3335, 3336, 4444, 5555, 5556, 6666, 7777, 8888, 9000, 9999, 10001, 10032, 10128,
    10300, 10343, 13333, 14433, 14444, 18080, 18081, 18089, 20128, 20580, 33333, 45560, 45700,
];
/// Where programs are fetched from.
pub const DOWNLOAD: &[u16] = &[20, 21, 69, 80, 443, 8000, 8001, 8080, 8081, 8443, 8888, 9000, 9090];
/// One-way streams that an operator sets up: logs, flow records, metrics, tunnels.
pub const ONE_WAY: &[u16] = &[514, 500, 1194, 2055, 4500, 4739, 4789, 5004, 6343, 8125, 9995, 9996, 12201, 51820];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_every_threshold() {
        let page = include_str!("../../../../../docs/network-roles.md");
        for (name, value, why) in TABLE {
            let row = format!("| `{name}` | {value} | {why} |");
            assert!(page.contains(&row), "docs/network-roles.md lacks\n{row}");
        }
        let lists =
            [("LOGIN", LOGIN), ("LOGIN_OF_APPS", LOGIN_OF_APPS), ("REMOTE_CONTROL", REMOTE_CONTROL), ("POOL", POOL)];
        for (name, ports) in lists {
            let row: Vec<String> = ports.iter().map(u16::to_string).collect();
            assert!(page.contains(&format!("| `{name}` | {} |", row.join(", "))), "docs/network-roles.md lacks {name}");
        }
    }
}
