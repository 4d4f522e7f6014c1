//! `notify`: what waits in the outbox is sent, a channel is tried, what was given up is shown.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, anyhow, bail};
use ringleader_notify::Config;
use serde_json::json;

use super::show::{self, minute};
use super::with_ledger::look;
use crate::args_ledger::{ChannelsArgs, LedgerArgs, NotifyCommand};
use crate::commands::{Done, now};
use crate::terminal::{count, grouped, safe, short};

/// Dead letters that are told one by one.
const TOLD: u64 = 10;

pub(in crate::commands) fn notify(command: &NotifyCommand) -> Result<Done> {
    match command {
        NotifyCommand::Test { channel, channels } => test(channel, channels),
        NotifyCommand::Send { channels, ledger } => send(channels, ledger),
        NotifyCommand::Status { ledger } => status(ledger),
        NotifyCommand::Revive { channel, ledger } => {
            let revived = look(ledger)?.revive(channel, now())?;
            anstream::println!("{} again", count(revived, "message waits", "messages wait"));
            Ok(Done::Clean)
        }
    }
}

pub(super) fn config(path: &Path) -> Result<Config> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Config::parse(&text).map_err(|error| anyhow!("{}: {error}", path.display()))
}

fn test(name: &str, args: &ChannelsArgs) -> Result<Done> {
    let config = config(&args.config)?;
    let Some(channel) = config.channel(name) else {
        let all: Vec<&str> = config.channels.iter().map(|it| it.name.as_str()).collect();
        bail!("no channel is called {name}: {} has {}", args.config.display(), all.join(", "));
    };
    ringleader_notify::test(channel, now()).map_err(|error| anyhow!("channel {name}: {error}"))?;
    anstream::println!("channel {}: taken", safe(name));
    Ok(Done::Clean)
}

fn send(channels: &ChannelsArgs, args: &LedgerArgs) -> Result<Done> {
    let config = config(&channels.config)?;
    let mut ledger = look(args)?;
    let reports = ringleader_notify::send(&mut ledger, &config, &now)?;
    if args.json {
        let rows: Vec<_> = reports
            .iter()
            .map(|it| {
                json!({ "channel": it.channel, "sent": it.sent, "posts": it.posts, "given_up": it.given_up,
                    "error": it.error, "waits_because": it.waits_because })
            })
            .collect();
        return show::json(&rows);
    }
    let mut to = anstream::stdout().lock();
    for it in &reports {
        let error = it.error.as_deref().map(|it| format!(": {}", short(it, 100))).unwrap_or_default();
        let waits = it.waits_because.map(|it| format!(", the rest waits: {it}")).unwrap_or_default();
        writeln!(
            to,
            "{}: {} sent in {}, {} given up{waits}{error}",
            safe(&it.channel),
            count(it.sent, "warning", "warnings"),
            count(it.posts, "post", "posts"),
            it.given_up
        )?;
    }
    Ok(Done::Clean)
}

fn status(args: &LedgerArgs) -> Result<Done> {
    let mut ledger = look(args)?;
    let (channels, dead) = (ledger.outbox()?, ledger.dead(TOLD)?);
    if args.json {
        let rows: Vec<_> = channels
            .iter()
            .map(|it| {
                json!({ "channel": it.channel, "waiting": it.waiting, "sent": it.sent, "given_up": it.dead, "error": it.error })
            })
            .collect();
        return show::json(&rows);
    }
    let mut to = anstream::stdout().lock();
    for it in &channels {
        let error = if it.error.is_empty() { String::new() } else { format!(": {}", short(&it.error, 80)) };
        writeln!(
            to,
            "{}: {} wait, {} sent, {} given up{error}",
            safe(&it.channel),
            grouped(it.waiting),
            grouped(it.sent),
            grouped(it.dead)
        )?;
    }
    for it in &dead {
        let at = minute(it.message.not_before.0);
        writeln!(to, "  given up {at} on {}: {}", safe(&it.message.channel), short(&it.error, 80))?;
    }
    if channels.is_empty() {
        writeln!(to, "nothing was put into the outbox: give run and analyze --notify notify.toml")?;
    }
    Ok(Done::Clean)
}
