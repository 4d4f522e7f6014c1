//! Figures of a small truth and small findings, each worked out by hand.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;

use ringleader_engine::score::{Score, beside, score};
use ringleader_model::findings::{Findings, Grade, MemberRow, ParentStatus, Permille, ProcessRow, RepairRow, Summary};
use ringleader_model::time::Timestamp;
use ringleader_model::{EventId, Rows};
use ringleader_report::{Folder, Options};

/// Gang A: i1 (a1, a2, a3; L1 was lost), i2 (a4, a5), i4 (a6), i5 (a7); gang B: i3 (b1, b2); n1 to n4 are nobody's.
const EVENTS: &str = "\
a1\tA\ti1\t-\t0\tbefore_log\t-
a2\tA\ti1\ta1\t0\tobserved\ta1
L1\tA\ti1\ta1\t1\tobserved\ta1
a3\tA\ti1\tL1\t0\tmissing\tL1
a4\tA\ti2\t-\t0\tbefore_log\t-
a5\tA\ti2\ta4\t0\tobserved\ta4
a6\tA\ti4\t-\t0\tbefore_log\t-
a7\tA\ti5\t-\t0\tbefore_log\t-
b1\tB\ti3\t-\t0\tbefore_log\t-
b2\tB\ti3\t-\t0\tbefore_log\t-
n1\t-\t-\t-\t0\tbefore_log\t-
n2\t-\t-\tn1\t0\tobserved\tn1
n3\t-\t-\t-\t0\tforked\tn1
n4\t-\t-\t-\t0\tbefore_log\t-
";
const INCIDENTS: &str = "i1\tA\t0\th1\t0\ni2\tA\t0\th1\t1\ni3\tB\t0\th1\t1\ni4\tA\t1\th1\t0\ni5\tA\t1\th1\t0\n";
const BOTS: &str = "\
a1\ti1\tentry.0\t2026-03-01T00:00:01.000Z\t/bin/sh\tsh x
a2\ti1\tentry.1\t2026-03-01T00:00:02.000Z\t/usr/bin/id\tid
L1\ti1\tentry.2\t2026-03-01T00:00:03.000Z\t/bin/bash\tbash -c \\\"id  -u\\\"
a3\ti1\tentry.3\t2026-03-01T00:00:04.000Z\t/usr/bin/id\tid -u
a4\ti2\tentry.2\t2026-03-01T00:00:05.000Z\t/bin/bash\tbash -c x
a6\ti4\tentry.2\t2026-03-01T00:00:06.000Z\t/bin/bash\tbash -c y
a7\ti5\tentry.2\t2026-03-01T00:00:07.000Z\t/bin/bash\tbash -c z
";

fn event(name: &str) -> EventId {
    EventId(u128::from_be_bytes(std::array::from_fn(|at| name.as_bytes().get(at).copied().unwrap_or(b'.'))))
}

fn member(name: &str, gang: &str) -> MemberRow {
    MemberRow {
        host: "h1".into(),
        event_id: event(name),
        source_event_id: Some(name.into()),
        source: "log".into(),
        offset: 0,
        length: 1,
        time: None,
        pid: None,
        process_uid: None,
        parent_event_id: None,
        ancestor_event_id: None,
        parent_status: ParentStatus::Unresolved,
        episode_id: "e".into(),
        campaign_id: "c".into(),
        gang_id: Some(gang.into()),
    }
}

fn process(name: &str, parent: Option<&str>, ancestor: Option<&str>, status: ParentStatus, how: &str) -> ProcessRow {
    ProcessRow {
        host: "h1".into(),
        event_id: event(name),
        source_event_id: Some(name.into()),
        source: "log".into(),
        offset: 0,
        length: 1,
        time: None,
        pid: None,
        process_uid: None,
        parent_event_id: parent.map(event),
        ancestor_event_id: ancestor.map(event),
        parent_status: status,
        episode_id: None,
        campaign_id: None,
        gang_id: None,
        how: how.into(),
    }
}

fn repair(template: &str, file_path: Option<&str>, child: Option<&str>, confidence: u16) -> RepairRow {
    RepairRow {
        host: "h1".into(),
        episode_id: "e".into(),
        campaign_id: "c".into(),
        node_id: template.into(),
        parent_node_id: None,
        template: template.into(),
        file_path: file_path.map(Into::into),
        grade: if child.is_some() { Grade::Structural } else { Grade::Statistical },
        child_event_id: child.map(event),
        parent_event_id: Some(event("a1")),
        siblings: 4,
        support: 3,
        confidence: Permille::new(confidence),
        not_before: Some(Timestamp::from_secs(1_772_323_200)),
        not_after: None,
    }
}

fn rows() -> Rows {
    use ParentStatus::{BeforeLog, Missing, Observed};
    let mut members: Vec<MemberRow> = ["a1", "a2", "a3", "b1", "n4"].map(|it| member(it, "G1")).to_vec();
    members.extend(["a4", "a5"].map(|it| member(it, "G2")));
    members.sort_by_key(|it| it.event_id);
    let mut processes = vec![
        process("a2", Some("a1"), None, Observed, "pid"),
        process("a3", None, Some("a1"), Missing, "inferred"),
        process("a5", None, None, BeforeLog, "none"),
        process("n2", Some("n4"), None, Observed, "pid"),
        process("n3", None, None, BeforeLog, "none"),
    ];
    processes
        .extend(["a1", "a4", "a6", "a7", "b1", "b2", "n1", "n4"].map(|it| process(it, None, None, BeforeLog, "none")));
    processes.sort_by_key(|it| it.event_id);
    Rows {
        members,
        processes,
        repairs: vec![repair("bash -c <text>", Some("bash"), Some("a3"), 900), repair("id", None, None, 600)],
        ..Rows::default()
    }
}

fn write(rows: Rows, processes: bool, dir: &Path) {
    let summary = Summary { nodes_edges_before: 90, nodes_edges_after: 20, ..Summary::default() };
    let mut folder = Folder::new(dir, processes);
    rows.give(&mut folder).unwrap();
    folder.write(&Findings { summary, ..Findings::default() }, &Options::default()).unwrap();
}

fn scored(dir: &Path, rows: Rows) -> Score {
    let truth = dir.join("x.truth.tsv");
    std::fs::write(&truth, EVENTS).unwrap();
    std::fs::write(beside(&truth, "incidents"), INCIDENTS).unwrap();
    std::fs::write(beside(&truth, "bots"), BOTS).unwrap();
    write(rows, true, &dir.join("out"));
    score(&truth, &dir.join("out"), None).unwrap()
}

#[test]
fn every_figure_of_a_small_case_is_as_worked_out_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let score = scored(dir.path(), rows());
    let found = &score.findings;

    // Links: a5 lacks its parent, n2 has another's; none is right for all but those and a2.
    let links = found.links.as_ref().unwrap();
    assert_eq!((links.all.events, links.all.right, links.all.wrong, links.all.missed), (13, 11, 1, 1));
    let observed = links.by_truth["observed"];
    assert_eq!((observed.events, observed.right, observed.wrong, observed.missed), (3, 1, 1, 1));
    assert_eq!((links.by_how["pid"].right, links.by_how["pid"].wrong), (1, 1));
    // Above the lost L1 is a1; above the fork is n1.
    assert_eq!((links.ancestors["missing"].right, links.ancestors["forked"].missed), (1, 1));
    assert_eq!((links.statuses["forked"]["before_log"], links.absent), (1, 0));
    // Wrong of 13: a5, n3.
    assert_eq!(links.status_right_share, Some(0.846154));

    // Events: six of the gangs' nine, and n4 of the four others.
    let events = &found.events;
    assert_eq!((events.bot, events.found, events.bot_found, events.benign_swallowed), (9, 7, 6, 1));
    assert_eq!((events.precision, events.recall), (Some(0.857143), Some(0.666667)));
    assert_eq!(events.benign_swallowed_per_100_000, Some(25_000.0));
    // A: G1 and G2 hold five of it among seven; B: no found gang is mostly of it. Recall 5 of 7, and 1 of 2.
    assert_eq!((events.macro_precision, events.macro_recall), (Some(0.714286), Some(0.607143)));

    // Incidents: i1 and i3 are in G1, i2 in G2, i4 and i5 in none. No pair is right, of one found and six true ones;
    // by chance 6 · 1 / 10.
    let all = &found.incidents.all;
    assert_eq!((all.things, all.pair_precision, all.pair_recall, all.pair_f1), (5, Some(0.0), Some(0.0), Some(0.0)));
    assert_eq!(all.ari, Some(-0.206897));
    assert_eq!((all.b_cubed_precision, all.b_cubed_recall), (Some(0.8), Some(0.4)));
    // i2 and i3 apart: i1, i4, i5 of one gang, in three.
    assert_eq!(found.incidents.without_one_off.unwrap().ari, Some(0.0));
    let one_off = found.incidents.one_off.unwrap();
    assert_eq!((one_off.incidents, one_off.attached, one_off.wrong, one_off.alone), (2, 0, 1, 1));

    // One event of B is a fifth of G1; A is in G1 and G2.
    let gangs = &found.gangs;
    assert_eq!((gangs.truth, gangs.found, gangs.of_benign_only, gangs.fused, gangs.torn), (2, 2, 0, 1, 1));
    assert_eq!(gangs.fused_which, [("G1".to_owned(), vec!["A".to_owned(), "B".to_owned()])]);

    // Repairs: L1 above a3; no `id` was lost. Of three other incidents entry.2 was logged.
    let repairs = score.repairs.as_ref().unwrap();
    let structural = &repairs.structural;
    assert_eq!((repairs.lost, structural.claims, structural.right), (1, 1, 1));
    assert_eq!((structural.lost, structural.lost_found, structural.recall), (1, 1, Some(1.0)));
    assert_eq!(structural.calibration_error, Some(0.1));
    let statistical = &repairs.statistical;
    assert_eq!((statistical.claims, statistical.right, statistical.nothing_lost, statistical.lost), (1, 0, 1, 0));
    assert_eq!((statistical.precision, statistical.calibration_error), (Some(0.0), Some(0.6)));
    assert_eq!(score.compression.ratio, Some(4.5));
    assert_eq!(score.not_measured, ["the baseline: give the log as `--log`"]);
}

#[test]
fn a_repair_must_name_the_lost_process_itself() {
    let judged = |row: RepairRow| {
        let dir = tempfile::tempdir().unwrap();
        let score = scored(dir.path(), Rows { repairs: vec![row], ..rows() });
        score.repairs.unwrap()
    };
    assert_eq!(judged(repair("bash", Some("/bin/bash"), Some("a3"), 900)).structural.other_command_line, 1);
    assert_eq!(judged(repair("", Some("sh"), Some("a3"), 900)).structural.other_program, 1);
    assert_eq!(judged(repair("", Some("sh"), Some("a2"), 900)).structural.nothing_lost, 1);
    assert_eq!(judged(repair("bash -c <text>", None, None, 900)).statistical.right, 1);
    let late = RepairRow { not_before: Some(Timestamp::from_secs(1_772_323_204)), ..repair("bash <a>", None, None, 9) };
    assert_eq!(judged(late).statistical.outside_its_times, 1);
    let elsewhere = RepairRow { parent_event_id: Some(event("a4")), ..repair("bash <a>", None, None, 9) };
    assert_eq!(judged(elsewhere).statistical.nothing_lost, 1);
}

#[test]
fn what_cannot_be_measured_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let truth = dir.path().join("truth");
    std::fs::write(&truth, EVENTS).unwrap();
    let out = dir.path().join("out");
    let error = score(&truth, &out, None).unwrap_err().to_string();
    assert!(error.contains("summary.json") && error.contains("is this a findings folder?"), "{error}");
    write(Rows { processes: Vec::new(), ..rows() }, false, &out);
    let score = score(&truth, &out, None).unwrap();
    assert!(score.findings.links.is_none() && score.repairs.is_none() && score.findings.incidents.one_off.is_none());
    assert!(score.not_measured[0].contains("run --processes"), "{:?}", score.not_measured);
    assert!(score.not_measured[2].contains("bots.tsv"), "{:?}", score.not_measured);
}
