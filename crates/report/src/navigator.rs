//! Gangs → an ATT&CK Navigator layer (4.5): techniques scored by the gangs that use them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use ringleader_model::findings::Findings;
use serde_json::json;

use crate::escape::{Shape, visible};
use crate::mask::mask;
use crate::stix::techniques;
use crate::{Options, Report, escape};

/// Names in a technique's comment; the rest are counted.
const NAMED: usize = 20;

pub(crate) struct Navigator;

impl Report for Navigator {
    fn file(&self) -> &'static str {
        "navigator.json"
    }
    fn summary(&self) -> &'static str {
        "an ATT&CK Navigator layer: techniques by how many gangs use them"
    }
    fn write(&self, findings: &Findings, _: &Options, out: &mut (dyn Write + Send)) -> io::Result<()> {
        let mut used: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for gang in &findings.gangs {
            for id in techniques(gang) {
                used.entry(id).or_default().push(&gang.name);
            }
        }
        let most = used.values().map(Vec::len).max().unwrap_or(1);
        let techniques: Vec<_> = used
            .iter()
            .map(|(id, gangs)| {
                let mut comment = visible(&mask(&gangs[..gangs.len().min(NAMED)].join(", "))).into_owned();
                if gangs.len() > NAMED {
                    comment.push_str(&format!(" and {} more", gangs.len() - NAMED));
                }
                json!({ "techniqueID": id, "score": gangs.len(), "comment": comment, "enabled": true,
                        "showSubtechniques": id.contains('.') })
            })
            .collect();
        let layer = json!({
            "name": "Ringleader",
            "versions": { "attack": "17", "navigator": "5.1.0", "layer": "4.5" },
            "domain": "enterprise-attack",
            "description": format!("{} gangs; the score is the number of gangs that use a technique", findings.gangs.len()),
            "sorting": 3,
            "hideDisabled": false,
            "techniques": techniques,
            "gradient": { "colors": ["#fff3e0ff", "#e65100ff"], "minValue": 0, "maxValue": most },
            "legendItems": [],
            "metadata": [],
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
