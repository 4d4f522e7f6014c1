//! → an ATT&CK Navigator layer (4.5): techniques scored by the gangs that use them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::json;

use super::Export;
use super::shared::Shared;
use crate::escape::{self, Shape};

/// Names in a technique's comment; the rest are counted.
const NAMED: usize = 20;

pub(super) struct Navigator;

impl Export for Navigator {
    fn name(&self) -> &'static str {
        "navigator"
    }
    fn file(&self) -> &'static str {
        "navigator.json"
    }
    fn summary(&self) -> &'static str {
        "an ATT&CK Navigator layer: techniques by how many gangs use them"
    }
    fn write(&self, shared: &Shared, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut used: BTreeMap<&str, (usize, Vec<&str>)> = BTreeMap::new();
        for gang in &shared.gangs {
            for id in &gang.techniques {
                let (n, named) = used.entry(id).or_default();
                *n += 1;
                if named.len() < NAMED {
                    named.push(&gang.name);
                }
            }
        }
        let most = used.values().map(|it| it.0).max().unwrap_or(1);
        let techniques: Vec<_> = used
            .iter()
            .map(|(id, (n, named))| {
                let mut comment = escape::visible(&named.join(", ")).into_owned();
                if *n > NAMED {
                    comment.push_str(&format!(" and {} more", n - NAMED));
                }
                json!({ "techniqueID": id, "score": n, "comment": comment, "enabled": true,
                        "showSubtechniques": id.contains('.') })
            })
            .collect();
        let gangs = shared.gangs.len();
        let layer = json!({
            "name": "Ringleader",
            "versions": { "attack": "17", "navigator": "5.1.0", "layer": "4.5" },
            "domain": "enterprise-attack",
            "description": format!("{}. {gangs} gangs; the score is the number of gangs that use a technique", shared.tlp.label()),
            "sorting": 3,
            "hideDisabled": false,
            "techniques": techniques,
            "gradient": { "colors": ["#fff3e0ff", "#e65100ff"], "minValue": 0, "maxValue": most },
            "legendItems": [],
            "metadata": [{ "name": "TLP", "value": shared.tlp.label() }],
            "links": [],
            "showTacticRowBackground": true,
            "tacticRowBackground": "#37474f",
            "selectTechniquesAcrossTactics": false,
            "selectSubtechniquesWithParent": false,
        });
        escape::json(&layer, out, Shape::Pretty)?;
        out.write_all(b"\n")
    }
}
