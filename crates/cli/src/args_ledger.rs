//! The command line of what analysts decide: gangs, the allow-list, cases, the ledger, notifications.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

/// Which ledger.
#[derive(Debug, ClapArgs)]
pub(crate) struct LedgerArgs {
    /// The ledger: a file, or postgres://user@host/database
    #[arg(
        long,
        env = "RINGLEADER_LEDGER",
        default_value = "ringleader.db",
        value_name = "PATH|URL",
        hide_env_values = true
    )]
    pub ledger: String,
    /// Machine-readable output
    #[arg(long)]
    pub json: bool,
}

/// Who decides, and why.
#[derive(Debug, ClapArgs)]
pub(crate) struct DecideArgs {
    /// Why; it is kept with the decision
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    #[command(flatten)]
    pub by: ByArgs,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ByArgs {
    /// Who decides [default: the user's name]
    #[arg(long, env = "RINGLEADER_WHO", value_name = "NAME", hide_env_values = true)]
    pub who: Option<String>,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GangCommand {
    /// The gangs that the ledger knows, latest first
    List {
        /// Also those that were dismissed, merged, or taken in by others
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Everything that is remembered and was decided of one gang
    Show {
        /// A name, or the first characters of an id
        gang: String,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Give a gang a name; a former one stays as an alias
    Name {
        gang: String,
        name: String,
        /// Add a further name and leave the first as it is
        #[arg(long)]
        alias: bool,
        /// Why; it is kept with the decision
        #[arg(long, default_value = "", value_name = "TEXT", hide_default_value = true)]
        why: String,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Show several gangs as one from now on
    Merge {
        /// The gang that takes the others in
        into: String,
        #[arg(required = true)]
        gangs: Vec<String>,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// Show some campaigns of a gang as a gang of their own
    Split {
        gang: String,
        /// Campaign ids (the first characters are enough); `gang show` lists them
        #[arg(required = true)]
        campaigns: Vec<String>,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// It is no gang: show it no more
    Dismiss {
        gang: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// A new method of a gang was looked at and is real
    Confirm {
        gang: String,
        /// An id of `list methods`
        method: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// Take a decision back
    Undo {
        /// Its number, as `gang log` shows it
        decision: i64,
        #[command(flatten)]
        decide: DecideArgs,
    },
    /// All decisions, latest first
    Log {
        #[command(flatten)]
        ledger: LedgerArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AllowWhat {
    /// A value of any kind: an address, a domain, a hash
    Indicator,
    /// A command template, as campaigns.jsonl writes it
    Template,
    /// Host names; * stands for any characters
    HostGroup,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct AllowValueArgs {
    pub value: String,
    /// Until when: 2026-06-30, or a time with its zone
    #[arg(long, value_name = "DATE")]
    pub until: String,
    #[command(flatten)]
    pub decide: DecideArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AllowCommand {
    /// A value is nobody's: it stands in no gang and no blocklist
    Indicator(AllowValueArgs),
    /// A command is honest here: what shows nothing else is no gang's
    Template(AllowValueArgs),
    /// On these hosts nothing is anybody's
    HostGroup(AllowValueArgs),
    /// What is allowed now
    List {
        /// Also what ended
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Take an entry back
    Remove {
        /// Its number, as `allow list` shows it, or its value
        entry: String,
        #[command(flatten)]
        decide: DecideArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CaseCommand {
    /// Open a case on gangs, hosts, or both
    Open {
        title: String,
        #[arg(long = "gang", value_name = "GANG")]
        gangs: Vec<String>,
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Open cases
    List {
        /// Also closed ones
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// One case with its notes
    Show {
        case: i64,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Add a note
    Note {
        case: i64,
        text: String,
        #[command(flatten)]
        by: ByArgs,
    },
    /// Close a case
    Close {
        case: i64,
        /// What it came to
        outcome: String,
        #[command(flatten)]
        by: ByArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// What the ledger holds
    Status {
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Make it, or bring its tables up to date
    Migrate {
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Whether its file is whole, and its decisions hold together
    Check {
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Copy it while others may write
    Backup {
        /// The copy; it must not be there yet
        to: PathBuf,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Say which hosts are whose and where: a CSV file with the columns pattern, tenant, region, sector, service
    Places {
        /// The file; without it, what is known is listed
        file: Option<PathBuf>,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PeriodLength {
    Week,
    Month,
    Quarter,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct ReportArgs {
    /// How long; it stands beside the same time before
    #[arg(long, value_enum, default_value_t = PeriodLength::Month)]
    pub period: PeriodLength,
    /// Only of this gang, with what it is known by: a name, or the first characters of an id
    #[arg(long, value_name = "GANG")]
    pub gang: Option<String>,
    /// The first day, 2026-04-01 [default: the calendar's week, month or quarter of the latest activity]
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,
    /// Where trend.html, trend.md and trend.json go
    #[arg(long, default_value = "trend", value_name = "DIR")]
    pub out: PathBuf,
    /// Language of the report
    #[arg(long, value_enum, default_value_t = crate::args::Lang::En)]
    pub lang: crate::args::Lang,
    #[command(flatten)]
    pub ledger: LedgerArgs,
}

/// Which channels.
#[derive(Debug, ClapArgs)]
pub(crate) struct ChannelsArgs {
    /// The channels: docs/notify.md has the fields
    #[arg(long, env = "RINGLEADER_NOTIFY", default_value = "notify.toml", value_name = "FILE", hide_env_values = true)]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NotifyCommand {
    /// Send a message that says that it is a test
    Test {
        /// The channel's name
        channel: String,
        #[command(flatten)]
        channels: ChannelsArgs,
    },
    /// Send what waits in the outbox, as far as each channel's limits allow
    Send {
        #[command(flatten)]
        channels: ChannelsArgs,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// What waits, was sent, and was given up
    Status {
        #[command(flatten)]
        ledger: LedgerArgs,
    },
    /// Put what was given up back into the outbox
    Revive {
        /// The channel's name
        channel: String,
        #[command(flatten)]
        ledger: LedgerArgs,
    },
}
