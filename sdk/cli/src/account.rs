//! The origin of a job's data: an account of the provider, the fake provider, or recordings.
//!
//! Jobs of different origins belong to different instances. Sample and recorded data are therefore never reused for,
//! compared with, or counted with the data of a real account. Account names contain no colon, and the names of the
//! other origins are reserved.

use crate::shell::quoted;

/// The instance of an account without a name.
const DEFAULT: &str = "default";
const SAMPLE: &str = "sample";
const REPLAY: &str = "replay";

/// Names that are not allowed for accounts.
pub(crate) const RESERVED: [&str; 2] = [SAMPLE, REPLAY];

/// The origin of data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Provider,
    Sample,
    Replay,
}

/// An account of the provider, or its replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) origin: Origin,
    /// The name given with `--instance`.
    pub(crate) name: Option<String>,
}

impl Account {
    /// The account with this name, of the provider or of the fake provider.
    ///
    /// The name `default` stands for the account without a name.
    pub(crate) fn new(sample: bool, name: Option<&str>) -> Self {
        let origin = if sample { Origin::Sample } else { Origin::Provider };
        Self { origin, name: name.filter(|name| *name != DEFAULT).map(str::to_owned) }
    }

    /// The account of an instance.
    pub(crate) fn of(instance: &str) -> Self {
        let (word, name) = match instance.split_once(':') {
            Some((word, name)) => (word, Some(name.to_owned())),
            None => (instance, None),
        };
        match word {
            SAMPLE => Self { origin: Origin::Sample, name },
            REPLAY => Self { origin: Origin::Replay, name },
            DEFAULT => Self { origin: Origin::Provider, name: None },
            _ => Self { origin: Origin::Provider, name: Some(instance.to_owned()) },
        }
    }

    /// The instance that the account's jobs belong to.
    pub(crate) fn instance(&self) -> String {
        let word = match self.origin {
            Origin::Provider => return self.name.clone().unwrap_or_else(|| DEFAULT.to_owned()),
            Origin::Sample => SAMPLE,
            Origin::Replay => REPLAY,
        };
        match &self.name {
            Some(name) => format!("{word}:{name}"),
            None => word.to_owned(),
        }
    }

    /// The command-line options that select the account, each preceded by a space.
    pub(crate) fn options(&self) -> String {
        let origin = match self.origin {
            Origin::Provider => "",
            Origin::Sample => " --sample",
            Origin::Replay => " --replay DIR",
        };
        match &self.name {
            Some(name) => format!("{origin} --instance {}", quoted(name)),
            None => origin.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_origin_and_name_has_a_distinct_instance_and_is_found_by_it() {
        let names = [None, Some("east".to_owned())];
        let mut instances = Vec::new();
        for origin in [Origin::Provider, Origin::Sample, Origin::Replay] {
            for name in names.clone() {
                let account = Account { origin, name };
                assert_eq!(Account::of(&account.instance()), account);
                instances.push(account.instance());
            }
        }
        assert_eq!(instances, ["default", "east", "sample", "sample:east", "replay", "replay:east"]);
        for origin in [false, true] {
            let named = Account::new(origin, Some("default"));
            assert_eq!((&Account::of(&named.instance()), &Account::new(origin, None)), (&named, &named));
        }
        assert_eq!(Account::of("sample:east").options(), " --sample --instance east");
        assert_eq!(
            (Account::of("default").options(), Account::of("east").options()),
            (String::new(), " --instance east".into())
        );
    }
}
