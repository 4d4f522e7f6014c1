//! The command line of `hunt`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};

use crate::args::ResourceArgs;

/// Shown by `hunt --help`.
pub(crate) const EXAMPLES: &str =
    "A ready question, narrowed by --host and a stretch of time; or SQL over the lake's table `events`, its views
(process_activity, network_activity, file_activity, authentication, http_activity, detection_finding) and the tables of
the findings (members, episodes, behaviours, repairs, processes). docs/hunt.md has more.

Examples:
  ringleader hunt --lake lake --tables                              what is in it: tables, columns, hosts, times
  ringleader hunt --lake lake --path /tmp/.x                        who ran this?
  ringleader hunt --lake lake --path svchost.exe --host ws-07       a name alone will do; so will *
  ringleader hunt --lake lake --port 445 --around 2026-03-01T08:21:40Z --within 1h      who talked to port 445 then?
  ringleader hunt --lake lake --host web-07 --tree --around 2026-03-01T08:21:40Z        its processes as a tree
  ringleader hunt --lake lake --account deploy                      what else did this account do?
  ringleader hunt --lake lake --ioc 203.0.113.7                     an address, domain, URL, hash, path …
  ringleader hunt --lake lake --technique T1053 --out findings      who did this? (with findings: behaviours, too)
  ringleader hunt --lake lake --gang 3f2a91c0 --elsewhere           who else has to do with this gang's servers?
  ringleader hunt --lake lake --account deploy --sql                the SQL of a question, to adapt
  ringleader hunt --lake lake \"SELECT host_uid, count(*) FROM process_activity GROUP BY host_uid ORDER BY 2 DESC\"";

#[derive(Debug, ClapArgs)]
#[cfg_attr(not(feature = "lake"), allow(dead_code, reason = "a build without a lake only refuses"))]
#[command(group(ArgGroup::new("question").multiple(false).args([
    "statement", "ioc", "gang", "technique", "path", "port", "account", "tree", "tables",
])))]
pub(crate) struct HuntArgs {
    /// A question in SQL; it can only read
    #[arg(value_name = "SQL")]
    pub statement: Option<String>,
    /// The lake's folder
    #[arg(long, value_name = "DIR")]
    pub lake: PathBuf,
    /// Where does this indicator stand: an address, domain, URL, hash, path …; defanged will do
    #[arg(long, value_name = "X", value_parser = asked)]
    pub ioc: Option<String>,
    /// What did this gang do (needs findings)
    #[arg(long, value_name = "ID|NAME", value_parser = asked)]
    pub gang: Option<String>,
    /// With --gang: hosts that are not the gang's and have to do with its servers, hashes or keys
    #[arg(long, requires = "gang")]
    pub elsewhere: bool,
    /// Who did this: an ATT&CK technique as T1053 or T1053.003, or a behaviour's name
    #[arg(long, value_name = "T", value_parser = asked)]
    pub technique: Option<String>,
    /// Who ran this path: a whole one, a file's name, or with * for anything
    #[arg(long, value_name = "P", value_parser = asked)]
    pub path: Option<String>,
    /// Who talked to this port
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// What did this account do: alone, as DOMAIN\NAME, or as NAME@DOMAIN
    #[arg(long, value_name = "A", value_parser = asked)]
    pub account: Option<String>,
    /// What happened on this host (a name, short or full, or an address); narrows every other question
    #[arg(long, value_name = "H", value_parser = asked)]
    pub host: Option<String>,
    /// With --host: its processes as a tree
    #[arg(long, requires = "host")]
    pub tree: bool,
    /// With --tree: only branches with this in a path or command
    #[arg(long, value_name = "TEXT", requires = "tree", value_parser = asked)]
    pub about: Option<String>,
    /// With --tree: only branches with this process
    #[arg(long, value_name = "N", requires = "tree")]
    pub pid: Option<u32>,
    /// What there is to ask: tables, columns, classes with their hosts and times
    #[arg(long)]
    pub tables: bool,
    /// Only around this time (RFC 3339)
    #[arg(long, value_name = "T", conflicts_with_all = ["since", "until"])]
    pub around: Option<String>,
    /// With --around: how far before and after, as 90s, 30m, 1h or 2d
    #[arg(long, value_name = "TIME", default_value = "1h", requires = "around")]
    pub within: String,
    /// Only from this time on (RFC 3339)
    #[arg(long, value_name = "T")]
    pub since: Option<String>,
    /// Only before this time (RFC 3339)
    #[arg(long, value_name = "T")]
    pub until: Option<String>,
    /// The findings folder [default: that of the lake's last `analyze`]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Rows at most; 0 is all of them
    #[arg(long, default_value_t = 100, value_name = "N")]
    pub limit: usize,
    /// Print the SQL of a ready question instead of asking it
    #[arg(long, visible_alias = "explain", conflicts_with_all = ["statement", "tree", "tables"])]
    pub sql: bool,
    /// A line of JSON for each row
    #[arg(long, conflicts_with = "csv")]
    pub json: bool,
    /// CSV that a spreadsheet can open
    #[arg(long, conflicts_with_all = ["tree", "tables"])]
    pub csv: bool,
    /// Give up after so long, as 90s, 5m or 1h
    #[arg(long, default_value = "5m", value_name = "TIME")]
    pub timeout: String,
    #[command(flatten)]
    pub resources: ResourceArgs,
}

/// Longer values are no indicators of anything.
const MAX_ASKED: usize = 4096;

fn asked(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("it is empty".to_owned()),
        it if it.len() > MAX_ASKED => Err(format!("it is longer than {MAX_ASKED} bytes")),
        it => Ok(it.to_owned()),
    }
}
