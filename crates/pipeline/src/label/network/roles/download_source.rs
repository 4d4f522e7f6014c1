//! one pair of a process of an intrusion → whether it fetched from there.

use super::{About, Found, Kind};
use crate::label::network::NetworkRole;
use crate::label::network::sums::{Pair, Talks};
use crate::label::network::thresholds::*;

/// Of a whole host, fetching says nothing: everybody fetches.
pub(super) fn of(pair: &Pair, talks: &Talks, about: &About<'_>) -> Option<Found> {
    let talk = &talks.answered;
    if !about.of_process || talk.count == 0 || talk.count > DOWNLOAD_CALLS {
        return None;
    }
    let received = talk.received >= DOWNLOAD_BYTES && talk.received >= talk.sent.saturating_mul(DOWNLOAD_TIMES);
    let by_program = about.fetches && (talk.measured == 0 || received);
    let by_bytes = received && DOWNLOAD.contains(&pair.port);
    if !by_program && !by_bytes {
        return None;
    }
    let mut it = Found::new(NetworkRole::DownloadSource, Kind::Fetch, pair, talks);
    it.confidence_permille = if by_program { 800 } else { 600 };
    it.why = match talk.measured {
        0 => format!("a program that fetches called port {}", pair.port),
        _ => format!("{} bytes fetched from port {}", talk.received, pair.port),
    };
    Some(it)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::*;

    #[test]
    fn of_a_process_that_fetches_or_receives() {
        let told = |of_process: bool, fetches: bool, port: u16, received: u64| {
            let mut it = Traffic::default();
            it.call(&format!("203.0.113.8:{port}"), 0, 300, received);
            let about = About { suspicious: true, of_process, fetches, ..About::default() };
            it.found(&about).iter().any(|it| it.role() == Some(NetworkRole::DownloadSource))
        };
        assert!(told(true, true, 9191, 50_000) && told(true, false, 80, 50_000));
        assert!(!told(true, false, 9191, 50_000) && !told(true, true, 80, 200) && !told(false, false, 80, 50_000));
    }
}
