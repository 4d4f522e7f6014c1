//! What the ledger knows, and what was decided → the same in the engine's words.

use std::collections::{BTreeMap, BTreeSet};

use ringleader_engine::assemble::{self, Known};
use ringleader_ledger::{Allowable, Decided, Registry};
use ringleader_model::{IndicatorKind, Timestamp};
use ringleader_pipeline::merge::sketch::feature_key;

/// `now`: entries of the allow-list that ended before it say nothing.
pub(super) fn known(registry: &Registry, decided: &Decided, now: Timestamp) -> Known {
    let id = |text: &str| u128::from_str_radix(text, 16).ok();
    // A gang that was named, and taken in by another since, is spoken of by that one's id.
    let standing = |text: &str| id(registry.superseded.get(text).map_or(text, String::as_str));
    let mut known = Known::default();
    for (gang, features) in &registry.features {
        let Some(gang) = id(gang) else { continue };
        let keys = features.iter().filter_map(|it| Some(feature_key(IndicatorKind::from_name(&it.0)?, &it.1)));
        known.registry.insert(gang, keys.collect());
    }
    for (gang, methods) in &registry.methods {
        known.methods.extend(id(gang).map(|it| (it, methods.clone())));
    }
    let mut view = assemble::Decided::default();
    for (gang, (name, _)) in &decided.names {
        view.names.extend(standing(gang).map(|it| (it, name.clone())));
    }
    let mut aliases: BTreeMap<u128, Vec<String>> = BTreeMap::new();
    for (gang, names) in &decided.aliases {
        if let Some(gang) = standing(gang) {
            aliases.entry(gang).or_default().extend(names.iter().map(|it| it.0.clone()));
        }
    }
    view.aliases = aliases;
    for gang in decided.merged.keys() {
        if let (Some(from), Some(into)) = (standing(gang), standing(decided.standing(gang)))
            && from != into
        {
            view.merged.insert(from, into);
        }
    }
    view.dismissed = decided.dismissed.keys().filter_map(|it| standing(it)).collect();
    for split in &decided.splits {
        let (Some(gang), Some(new_gang)) = (standing(&split.gang), id(&split.new_gang)) else { continue };
        let signatures = split.campaigns.iter().flat_map(|it| &it.signature);
        let features: BTreeSet<_> =
            signatures.filter_map(|it| Some(feature_key(IndicatorKind::from_name(&it.0)?, &it.1))).collect();
        let campaigns = split.campaigns.iter().filter_map(|it| id(&it.campaign)).collect();
        view.splits.push(assemble::Split { gang, new_gang, campaigns, features });
    }
    for it in decided.allowed_at(now) {
        match it.what {
            Allowable::Indicator => drop(view.allowed.insert(it.value.clone())),
            Allowable::Template => drop(view.templates.insert(it.value.clone())),
            // Hosts are looked at row by row.
            Allowable::HostGroup => {}
        }
    }
    known.decided = view;
    known
}
