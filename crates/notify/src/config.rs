//! notify.toml → channels, checked: what is wrong is told with the channel's name.

use ringleader_model::Timestamp;
use ringleader_model::findings::WarningKind;
use serde::Deserialize;

/// Channels of one file.
const MAX_CHANNELS: usize = 64;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    #[serde(default, rename = "channel")]
    pub channels: Vec<Channel>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Dingtalk,
    /// Lark, too.
    #[serde(alias = "lark")]
    Feishu,
    Wecom,
    Slack,
    Teams,
    Webhook,
    Mail,
    Syslog,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    #[default]
    En,
    Zh,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub name: String,
    pub kind: Kind,
    /// `https://…`; `smtp://`, `smtps://` and `starttls://host:port`; `tcp://` and `udp://host:port` for syslog.
    #[serde(default)]
    pub url: String,
    /// The environment's variable that holds the URL: where the URL itself is the secret.
    pub url_env: Option<String>,
    pub secret: Option<String>,
    pub secret_env: Option<String>,
    #[serde(default)]
    pub lang: Lang,
    /// Only warnings of this rank and more.
    #[serde(default)]
    pub least_rank: u16,
    /// Only warnings of these kinds; all where there are none.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// DingTalk: telephone numbers; Feishu: open ids; WeCom: members or telephone numbers; Slack: member ids; Teams: addresses.
    #[serde(default)]
    pub mention: Vec<String>,
    #[serde(default)]
    pub mention_all: bool,
    #[serde(default = "per_minute")]
    pub per_minute: u64,
    /// From so many waiting on, they are sent as one message.
    #[serde(default = "digest")]
    pub digest: usize,
    /// `22:00-07:00`: nothing is sent then, but what is as urgent as `urgent_rank`.
    pub quiet: Option<String>,
    /// Of the quiet hours: `+08:00`.
    #[serde(default = "utc")]
    pub timezone: String,
    #[serde(default = "urgent_rank")]
    pub urgent_rank: u16,
    /// Lets it send to private addresses: an inner relay, a SIEM.
    pub allow_internal: Option<bool>,
    /// Mail: the sender, the receivers, the account (its password is the secret).
    pub from: Option<String>,
    #[serde(default)]
    pub to: Vec<String>,
    pub user: Option<String>,
}

fn per_minute() -> u64 {
    20
}
fn digest() -> usize {
    5
}
fn utc() -> String {
    "+00:00".to_owned()
}
fn urgent_rank() -> u16 {
    90
}

impl Config {
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        if config.channels.len() > MAX_CHANNELS {
            return Err(format!("more than {MAX_CHANNELS} channels"));
        }
        for (at, channel) in config.channels.iter().enumerate() {
            channel.check().map_err(|error| format!("channel {}: {error}", channel.name))?;
            if config.channels[..at].iter().any(|it| it.name == channel.name) {
                return Err(format!("two channels are called {}", channel.name));
            }
        }
        Ok(config)
    }

    pub fn channel(&self, name: &str) -> Option<&Channel> {
        self.channels.iter().find(|it| it.name == name)
    }
}

impl Channel {
    fn check(&self) -> Result<(), String> {
        if self.name.is_empty() || self.name.chars().count() > 40 || self.name.chars().any(char::is_control) {
            return Err("its name is empty, or too long".to_owned());
        }
        if self.url.is_empty() == self.url_env.is_none() {
            return Err("give one of url and url_env".to_owned());
        }
        if self.secret.is_some() && self.secret_env.is_some() {
            return Err("give one of secret and secret_env".to_owned());
        }
        if let Some(kind) = self.kinds.iter().find(|it| WarningKind::from_name(it).is_none()) {
            let all: Vec<&str> = WarningKind::ALL.iter().map(|it| it.name()).collect();
            return Err(format!("no warning is of kind {kind}: there are {}", all.join(", ")));
        }
        if self.per_minute == 0 || self.digest == 0 {
            return Err("per_minute and digest must be at least 1".to_owned());
        }
        // A robot that sends more is shut out.
        let most = match self.kind {
            Kind::Dingtalk => Some(("DingTalk", 20)),
            Kind::Wecom => Some(("WeCom", 20)),
            Kind::Feishu => Some(("Feishu", 100)),
            _ => None,
        };
        if let Some((name, most)) = most.filter(|(_, most)| self.per_minute > *most) {
            return Err(format!("{name} takes at most {most} messages a minute"));
        }
        if matches!(self.kind, Kind::Wecom | Kind::Teams) && (self.secret.is_some() || self.secret_env.is_some()) {
            return Err("its address is the secret: use url_env, and no secret".to_owned());
        }
        if let Some(quiet) = &self.quiet {
            hours(quiet).ok_or_else(|| format!("quiet = {quiet:?}: write it as 22:00-07:00"))?;
        }
        offset(&self.timezone).ok_or_else(|| format!("timezone = {:?}: write it as +08:00", self.timezone))?;
        if self.kind == Kind::Mail && (self.from.is_none() || self.to.is_empty()) {
            return Err("mail needs from and to".to_owned());
        }
        Ok(())
    }

    pub fn takes(&self, kind: WarningKind, rank: u16) -> bool {
        rank >= self.least_rank && (self.kinds.is_empty() || self.kinds.iter().any(|it| it == kind.name()))
    }

    /// Whether those who read it want to sleep.
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let (Some(quiet), Some(offset)) = (&self.quiet, offset(&self.timezone)) else { return false };
        let Some((from, to)) = hours(quiet) else { return false };
        let minute = (now.0.div_euclid(60_000_000) + offset).rem_euclid(24 * 60);
        if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
    }

    pub(crate) fn url(&self) -> Result<String, String> {
        match &self.url_env {
            Some(name) => std::env::var(name).map_err(|_| format!("the variable {name} is not set")),
            None => Ok(self.url.clone()),
        }
    }

    pub(crate) fn secret(&self) -> Result<Option<String>, String> {
        match &self.secret_env {
            Some(name) => std::env::var(name).map(Some).map_err(|_| format!("the variable {name} is not set")),
            None => Ok(self.secret.clone()),
        }
    }

    /// Chats are outside; relays and SIEMs mostly stand inside.
    pub(crate) fn internal(&self) -> bool {
        self.allow_internal.unwrap_or(matches!(self.kind, Kind::Mail | Kind::Syslog))
    }
}

/// Minutes of the day.
fn hours(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split_once('-')?;
    let minutes = |it: &str| {
        let (hour, minute) = it.trim().split_once(':')?;
        let (hour, minute): (i64, i64) = (hour.parse().ok()?, minute.parse().ok()?);
        ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some(hour * 60 + minute)
    };
    Some((minutes(from)?, minutes(to)?))
}

/// Minutes east of UTC.
fn offset(text: &str) -> Option<i64> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hour, minute) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    Some(sign * (hour.parse::<i64>().ok()? * 60 + minute.parse::<i64>().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_told_with_the_channel() {
        let check = |text: &str, part: &str| {
            let error = Config::parse(text).unwrap_err();
            assert!(error.contains(part), "{error}");
        };
        let head = "[[channel]]\nname = 'a'\nkind = 'dingtalk'\n";
        check(head, "channel a: give one of url and url_env");
        check(&format!("{head}url = 'https://x.test'\nper_minute = 30"), "at most 20 messages a minute");
        let wecom = head.replace("dingtalk", "wecom");
        check(&format!("{wecom}url = 'https://x.test'\nper_minute = 21"), "WeCom takes at most 20 messages a minute");
        check(&format!("{wecom}url = 'https://x.test'\nsecret = 's'"), "its address is the secret");
        check(&format!("{head}url = 'https://x.test'\nquiet = 'night'"), "22:00-07:00");
        check(&format!("{head}url = 'https://x.test'\nkinds = ['rain']"), "no warning is of kind rain");
        check(&format!("{head}url = 'https://x.test'\n{head}url = 'https://x.test'"), "two channels are called a");
        check("[[channel]]\nname = 'a'\nkind = 'pigeon'", "pigeon");
        check("[[channel]]\nname = 'a'\nkind = 'mail'\nurl = 'smtp://x.test'", "mail needs from and to");
    }

    #[test]
    fn quiet_hours_go_over_midnight_in_their_own_zone() {
        let text = "[[channel]]\nname = 'a'\nkind = 'slack'\nurl = 'https://x.test'\nquiet = '22:00-07:00'\ntimezone = '+08:00'";
        let config = Config::parse(text).unwrap();
        let at = |hour: i64| config.channels[0].is_quiet(Timestamp::from_secs(hour * 3600));
        assert!(at(14) && at(22) && !at(23) && !at(13));
    }
}
