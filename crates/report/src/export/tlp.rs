//! How far what leaves may travel: the Traffic Light Protocol, version 2.0, as each consumer writes it.

/// From the widest audience to the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Tlp {
    /// The world.
    Clear,
    /// The community.
    Green,
    /// The organisation and its clients, who need to know.
    Amber,
    /// The organisation alone.
    #[default]
    AmberStrict,
    /// Those who are told, and nobody else: the only level that names victims.
    Red,
}

impl Tlp {
    pub const ALL: &'static [Self] = &[Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// As on the command line, and in MISP's `tlp:…`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.name() == name)
    }

    /// As people write it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// Where `+` is no part of a word: Sigma's tags, Suricata's metadata.
    pub const fn word(self) -> &'static str {
        match self {
            Self::AmberStrict => "amber-strict",
            it => it.name(),
        }
    }

    /// The id under which OASIS published it for STIX 2.1.
    pub(crate) const fn stix(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// Whether victims are named.
    pub const fn names_victims(self) -> bool {
        matches!(self, Self::Red)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_is_found_by_its_name_and_red_alone_names_victims() {
        for it in Tlp::ALL {
            assert_eq!(Tlp::from_name(it.name()), Some(*it));
            assert_eq!(it.names_victims(), *it == Tlp::Red);
            assert_eq!(it.label().to_ascii_lowercase(), format!("tlp:{}", it.name()));
        }
        assert_eq!(Tlp::from_name("white"), None);
    }
}
