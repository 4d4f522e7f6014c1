//! Indicators (IOCs) and what the process did with them.

use serde::Serialize;

macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$inner])* $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|it| it.name() == name)
            }
            pub fn from_code(code: u8) -> Option<Self> {
                Self::ALL.get(usize::from(code)).copied()
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        }
    };
}
pub(crate) use names;

names!(
    /// The kinds of the findings contract.
    IndicatorKind {
        Url = "url",
        Domain = "domain",
        Ip = "ip",
        IpPort = "ip_port",
        Hash = "hash",
        FilePath = "file_path",
        Wallet = "wallet",
        Pool = "pool",
        SshKey = "ssh_key",
        Email = "email",
        UserAgent = "user_agent",
        Cron = "cron",
        Account = "account",
        Image = "image",
        Paste = "paste",
    }
);

names!(
    /// What the process did with the indicator. What it killed or deleted belongs to its rivals.
    Context {
        Downloaded = "downloaded",
        Connected = "connected",
        Written = "written",
        Executed = "executed",
        Configured = "configured",
        Killed = "killed",
        Mentioned = "mentioned",
    }
);

/// One indicator as it stands in one text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Indicator {
    pub kind: IndicatorKind,
    /// Normalised: lower-case hosts, no trailing dot, a wallet without the worker's suffix.
    pub value: String,
    pub context: Context,
    /// Found only after decoding (base64, hex, URL-encoding).
    pub decoded: bool,
}
