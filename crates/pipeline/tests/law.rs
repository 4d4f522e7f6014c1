//! The law: one merge. Any split and any order of the same episodes gives the same sketch, to the byte, and so the
//! same views of it.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use ringleader_model::hash::{hash64, hash128};
use ringleader_model::{Context, IndicatorKind, Timestamp};
use ringleader_pipeline::merge::background::BACKGROUND_PATHS;
use ringleader_pipeline::merge::campaigns::campaigns;
use ringleader_pipeline::merge::distinct::Distinct;
use ringleader_pipeline::merge::sketch::{
    EpisodeFacts, FEATURES_PER_EPISODE, Feature, Key, NODES_PER_EPISODE, NODES_PER_GROUP, NodeFacts, Part, Sketch,
};
use ringleader_pipeline::merge::stop::StopList;
use ringleader_pipeline::partition::{Registry, partition};

/// Few of each, so that episodes share them.
const TEMPLATES: &[&str] =
    &["sh -c <text>", "wget -O <path:tmp> <url>", "chmod +x <path:tmp>", "<path:tmp>", "id", "ps aux"];

#[derive(Debug, Clone)]
struct NodePlan {
    above: usize,
    template: usize,
    sample: u8,
    inferred: bool,
    fragment: bool,
    time: Option<i64>,
    behaviours: Vec<u16>,
    network_roles: Vec<u8>,
}

fn node_plan() -> impl Strategy<Value = NodePlan> {
    let times = proptest::option::of(-5i64..5);
    let labels = (proptest::collection::vec(0u16..4, 0..3), proptest::collection::vec(0u8..3, 0..2));
    (0usize..6, 0..TEMPLATES.len(), 0u8..4, any::<bool>(), proptest::bool::weighted(0.2), times, labels).prop_map(
        |(above, template, sample, inferred, fragment, time, (behaviours, network_roles))| NodePlan {
            above,
            template,
            sample,
            inferred,
            fragment,
            time,
            behaviours,
            network_roles,
        },
    )
}

/// Paths are hashes of the chain of templates, as the labeller makes them.
fn nodes(plan: &[NodePlan]) -> Vec<NodeFacts> {
    let mut made: Vec<NodeFacts> = Vec::new();
    for it in plan {
        let above = it.above.checked_sub(1).and_then(|at| made.get(at));
        let parent = above.map(|it| it.path);
        let fragment = above.map_or(it.fragment, |it| it.fragment);
        let template = TEMPLATES[it.template].to_owned();
        let seed = parent.map_or(u64::from(fragment), |it| hash64(&it.to_le_bytes()));
        made.push(NodeFacts {
            path: hash128(template.as_bytes(), seed),
            parent,
            sample: if it.sample == 0 { "".into() } else { format!("{template} #{}", it.sample).into() },
            template: template.into(),
            inferred: it.inferred,
            fragment,
            time: it.time.map(Timestamp),
            part: Part::of(it.time.map(Timestamp), Some(Timestamp(-9)), Some(Timestamp(9))),
            behaviours: it.behaviours.clone(),
            network_roles: it.network_roles.clone(),
        });
    }
    made
}

fn feature() -> impl Strategy<Value = Feature> {
    (0..IndicatorKind::ALL.len(), 0u8..4, 0..Context::ALL.len()).prop_map(|(kind, value, context)| {
        let kind = IndicatorKind::ALL[kind];
        let value = match kind {
            IndicatorKind::Ip => format!("203.0.113.{value}"),
            IndicatorKind::IpPort => format!("203.0.113.{value}:443"),
            IndicatorKind::Url => format!("http://evil{value}.example/x"),
            IndicatorKind::Domain if value == 0 => "github.com".to_owned(),
            IndicatorKind::Domain => format!("evil{value}.example"),
            _ => format!("value {value}"),
        };
        Feature { kind, value, context: Context::ALL[context] }
    })
}

fn episode() -> impl Strategy<Value = EpisodeFacts> {
    let parts = (proptest::collection::vec(node_plan(), 0..6), proptest::collection::vec(feature(), 0..4));
    let times = (proptest::option::of(-9i64..9), proptest::option::of(-9i64..9));
    let said = (any::<bool>(), proptest::bool::weighted(0.3), proptest::option::of((0u16..3, 0u16..1000)));
    (0u128..1000, 0u64..5, 0u64..3, times, parts, said, 0u64..9).prop_map(
        |(id, host, tenant, (first, last), (plan, features), (suspicious, honeypot, method), n)| EpisodeFacts {
            id: hash128(&id.to_le_bytes(), 7),
            host: hash64(&host.to_le_bytes()),
            tenant: hash64(&tenant.to_le_bytes()),
            first: first.map(Timestamp),
            last: last.map(Timestamp),
            nodes: nodes(&plan),
            n_indicator_edges: features.len() as u64,
            features,
            suspicious,
            honeypot,
            method,
            n_processes: n,
            n_inferred: n / 3,
        },
    )
}

fn sketch<'a>(episodes: impl IntoIterator<Item = &'a EpisodeFacts>) -> Sketch {
    let mut sketch = Sketch::default();
    for it in episodes {
        sketch.add(it.clone());
    }
    sketch
}

/// Every view that findings are made of, as text.
fn views(sketch: &Sketch) -> String {
    let list = StopList::builtin().with_own(["203.0.113.3".to_owned()]);
    let campaigns = campaigns(sketch, &list);
    let gangs = partition(sketch, &campaigns, &Registry::new());
    format!("{campaigns:#?}\n{gangs:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_split_and_any_order_give_the_same_bytes_and_views(
        (episodes, shuffled) in proptest::collection::vec((episode(), 0usize..5), 0..24)
            .prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
        backwards in any::<bool>(),
    ) {
        let whole = sketch(episodes.iter().map(|it| &it.0));
        let parts = (0..5).map(|part| sketch(shuffled.iter().filter(|it| it.1 == part).map(|it| &it.0)));
        let mut parts: Vec<Sketch> = parts.collect();
        if backwards {
            parts.reverse();
        }
        // Once as a list, once as a tree.
        let listed = parts.iter().cloned().fold(Sketch::default(), Sketch::merge);
        while parts.len() > 1 {
            let (a, b) = (parts.remove(0), parts.remove(0));
            parts.push(a.merge(b));
        }
        prop_assert_eq!(listed.to_bytes(), whole.to_bytes());
        prop_assert_eq!(parts[0].to_bytes(), whole.to_bytes());
        prop_assert_eq!(views(&listed), views(&whole));
    }

    #[test]
    fn merging_is_associative_and_commutative_with_an_empty_element(
        lists in proptest::array::uniform3(proptest::collection::vec(episode(), 0..8)),
    ) {
        let [a, b, c] = lists.map(|it| sketch(&it));
        let left = a.clone().merge(b.clone()).merge(c.clone());
        let right = a.clone().merge(b.clone().merge(c));
        prop_assert_eq!(left.to_bytes(), right.to_bytes());
        prop_assert_eq!(a.clone().merge(b.clone()).to_bytes(), b.merge(a.clone()).to_bytes());
        prop_assert_eq!(a.clone().merge(Sketch::default()).to_bytes(), a.to_bytes());
        prop_assert_eq!(Sketch::default().merge(a.clone()).to_bytes(), a.to_bytes());
    }

    #[test]
    fn bytes_come_back_as_the_same_sketch(episodes in proptest::collection::vec(episode(), 0..12)) {
        let made = sketch(&episodes);
        let back = Sketch::from_bytes(&made.to_bytes()).unwrap();
        prop_assert_eq!(&back, &made);
        prop_assert_eq!(views(&back), views(&made));
    }

    #[test]
    fn damaged_bytes_are_an_error_or_a_sketch_never_a_panic(
        episodes in proptest::collection::vec(episode(), 0..4),
        cut in 0usize..2000,
        changes in proptest::collection::vec((0usize..4000, any::<u8>()), 0..6),
    ) {
        let mut bytes = sketch(&episodes).to_bytes();
        for (at, byte) in changes {
            if let Some(it) = bytes.get_mut(at) {
                *it = byte;
            }
        }
        bytes.truncate(bytes.len().saturating_sub(cut % 7));
        let _ = Sketch::from_bytes(&bytes);
    }

    #[test]
    fn the_smallest_few_of_a_union_do_not_depend_on_the_split(
        (values, shuffled) in proptest::collection::vec((any::<u64>(), 0usize..4), 0..60)
            .prop_flat_map(|it| (Just(it.clone()), Just(it).prop_shuffle())),
    ) {
        let of = |part: &dyn Fn(usize) -> bool, from: &[(u64, usize)]| {
            let mut made = Distinct::<5>::default();
            from.iter().filter(|it| part(it.1)).for_each(|it| made.insert(it.0));
            made
        };
        let whole = of(&|_| true, &values);
        let mut merged = Distinct::<5>::default();
        for part in [2, 0, 3, 1] {
            merged.merge(&of(&|it| it == part, &shuffled));
        }
        prop_assert_eq!(&merged, &whole);
        let mut sorted: Vec<u64> = values.iter().map(|it| it.0).collect();
        sorted.sort_unstable();
        sorted.dedup();
        prop_assert!(sorted.iter().take(5).all(|it| whole.contains(*it)));
        prop_assert!(sorted.iter().skip(5).all(|it| !whole.contains(*it)));
        prop_assert!(whole.count() >= sorted.len().min(5) as u64);
    }
}

fn url(value: &str) -> Feature {
    Feature { kind: IndicatorKind::Url, value: value.to_owned(), context: Context::Downloaded }
}

/// Nodes `from..to`, each with its own path.
fn many_nodes(from: usize, to: usize) -> Vec<NodeFacts> {
    (from..to)
        .map(|n| NodeFacts {
            path: hash128(&n.to_le_bytes(), 1),
            template: format!("run{n} <url>").into(),
            sample: format!("run{n}").into(),
            ..NodeFacts::default()
        })
        .collect()
}

fn check_truncation(episodes: &[EpisodeFacts]) -> Sketch {
    let whole = sketch(episodes);
    let (left, right) = episodes.split_at(episodes.len() / 3);
    let split = sketch(right.iter().rev()).merge(sketch(left));
    assert!(split.to_bytes() == whole.to_bytes(), "a truncated sketch depends on the split");
    // Merging with nothing changes nothing, so everything was trimmed when it was added.
    assert!(whole.clone().merge(Sketch::default()).to_bytes() == whole.to_bytes(), "not trimmed when it was added");
    whole
}

#[test]
fn a_group_keeps_the_nodes_with_the_smallest_keys() {
    // Nine episodes of one group, each with as many nodes as an episode may have, every path in two of them.
    let episodes: Vec<EpisodeFacts> = (0..9)
        .map(|n| EpisodeFacts {
            id: n as u128,
            nodes: many_nodes(n * NODES_PER_EPISODE / 2, n * NODES_PER_EPISODE / 2 + NODES_PER_EPISODE),
            features: vec![url("http://evil.example/x")],
            ..EpisodeFacts::default()
        })
        .collect();
    let whole = check_truncation(&episodes);
    let group = whole.groups.values().next().unwrap();
    let mut paths: Vec<Key> = many_nodes(0, 5 * NODES_PER_EPISODE).iter().map(|it| it.path).collect();
    paths.sort_unstable();
    paths.truncate(NODES_PER_GROUP);
    assert_eq!(group.nodes.keys().copied().collect::<Vec<_>>(), paths);
    assert!(group.nodes.values().all(|it| it.episodes <= 2));
    assert_eq!(group.other_nodes, 0);
}

#[test]
fn what_an_episode_has_too_much_of_is_counted() {
    let flood = EpisodeFacts {
        nodes: many_nodes(0, NODES_PER_EPISODE + 40),
        features: (0..FEATURES_PER_EPISODE + 40).map(|n| url(&format!("http://evil.example/{n}"))).collect(),
        ..EpisodeFacts::default()
    };
    let whole = check_truncation(&[flood]);
    let group = whole.groups.values().next().unwrap();
    assert_eq!((group.nodes.len(), group.other_nodes), (NODES_PER_EPISODE, 40));
    assert_eq!((whole.features.len(), group.features.len()), (FEATURES_PER_EPISODE, FEATURES_PER_EPISODE));
    let mut keys: Vec<Key> =
        (0..FEATURES_PER_EPISODE + 40).map(|n| url(&format!("http://evil.example/{n}")).key()).collect();
    keys.sort_unstable();
    assert_eq!(group.features, keys[..FEATURES_PER_EPISODE]);
}

/// A flood of random names in background episodes must not exhaust memory, whether they are merged or only added.
#[test]
fn the_background_is_bounded_and_does_not_depend_on_the_split() {
    let each = BACKGROUND_PATHS / 4 + 100;
    let episodes: Vec<EpisodeFacts> = (0..5)
        .map(|n| EpisodeFacts { id: n as u128, nodes: many_nodes(n * each, (n + 1) * each), ..EpisodeFacts::default() })
        .collect();
    let whole = check_truncation(&episodes);
    assert_eq!(whole.background.len(), BACKGROUND_PATHS);
    assert_eq!(whole.counts.background_episodes, 5);
}
