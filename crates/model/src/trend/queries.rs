//! A period → the SQL that gives each number of its report again, over the ledger's own tables. Gangs that were merged,
//! superseded or dismissed stand in those tables by their own ids: the report counts them to who took them in.

use super::Period;

/// What it gives, in English and in Chinese, and the statement.
pub struct Query {
    pub en: &'static str,
    pub zh: &'static str,
    pub sql: String,
}

pub fn queries(period: &Period) -> Vec<Query> {
    let known = "gang_id IN (SELECT gang_id FROM facts WHERE kind = 'infrastructure')";
    let span = format!("day >= '{}' AND day < '{}' AND {known}", period.from, period.to);
    let (from, to) = (period.from.start().0, period.to.start().0);
    let before = period.before.start().0;
    let query = |en: &'static str, zh: &'static str, sql: String| Query { en, zh, sql };
    vec![
        query(
            "all gangs",
            "全部团伙",
            format!(
                "SELECT COUNT(DISTINCT gang_id), COUNT(DISTINCT host), SUM(episodes), SUM(events) FROM activity WHERE {span}"
            ),
        ),
        query(
            "each gang",
            "各团伙",
            format!(
                "SELECT gang_id, COUNT(DISTINCT host), SUM(episodes), SUM(events) FROM activity WHERE {span} GROUP BY gang_id ORDER BY gang_id"
            ),
        ),
        query(
            "each day",
            "逐日",
            format!("SELECT day, COUNT(DISTINCT host) FROM activity WHERE {span} GROUP BY day ORDER BY day"),
        ),
        query(
            "each method",
            "各攻击方式",
            format!(
                "SELECT method, COUNT(DISTINCT host), COUNT(DISTINCT gang_id) FROM activity WHERE {span} GROUP BY method ORDER BY method"
            ),
        ),
        query(
            "first use of each method, microseconds since 1970",
            "各攻击方式的首次使用，1970 年起的微秒数",
            format!(
                "SELECT value, MIN(first_seen) FROM facts WHERE kind = 'method' AND {known} GROUP BY value ORDER BY value"
            ),
        ),
        query(
            "indicators in use, new, gone",
            "在用、新增、消失的指标",
            format!(
                "SELECT COUNT(DISTINCT CASE WHEN first_seen < {to} AND last_seen >= {from} THEN value END), \
                 COUNT(DISTINCT CASE WHEN first_seen >= {from} AND first_seen < {to} THEN value END), \
                 COUNT(DISTINCT CASE WHEN last_seen >= {before} AND last_seen < {from} THEN value END) \
                 FROM (SELECT value, MIN(first_seen) AS first_seen, MAX(last_seen) AS last_seen FROM facts WHERE kind = 'infrastructure' GROUP BY value) AS lives"
            ),
        ),
        query(
            "warnings that were sent",
            "已发出的预警",
            format!(
                "SELECT kind, COUNT(*) FROM warnings WHERE seen >= {from} AND seen < {to} AND held = 0 GROUP BY kind ORDER BY kind"
            ),
        ),
    ]
}
