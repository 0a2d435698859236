//! The origin of a job's data: an account of the provider, the fake provider, or recordings.
//!
//! Jobs of different origins belong to different instances. Sample and recorded data are therefore never reused for,
//! compared with, or counted with the data of a real account. Account names contain no colon, and the names of the
//! other origins are reserved.

use integration_sdk::graph::InstanceId;

use crate::shell::quoted;

// The names of the other origins are not allowed for accounts.
const SAMPLE: &str = integration_instances::RESERVED[0];
const REPLAY: &str = integration_instances::RESERVED[1];

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
    pub(crate) name: Option<InstanceId>,
}

impl Account {
    /// The account with this name, of the provider or of the fake provider.
    ///
    /// The name `default` stands for the account without a name.
    pub(crate) fn new(sample: bool, name: Option<&InstanceId>) -> Self {
        let origin = if sample { Origin::Sample } else { Origin::Provider };
        Self { origin, name: name.filter(|name| **name != InstanceId::default()).cloned() }
    }

    /// The account of an instance.
    pub(crate) fn of(instance: &InstanceId) -> Self {
        let (word, name) = match instance.as_str().split_once(':') {
            Some((word, name)) => (word, InstanceId::new(name).ok()),
            None => (instance.as_str(), None),
        };
        match word {
            SAMPLE => Self { origin: Origin::Sample, name },
            REPLAY => Self { origin: Origin::Replay, name },
            _ => Self::new(false, Some(instance)),
        }
    }

    /// The instance that the account's jobs belong to.
    pub(crate) fn instance(&self) -> InstanceId {
        let word = match self.origin {
            Origin::Provider => return self.name.clone().unwrap_or_default(),
            Origin::Sample => SAMPLE,
            Origin::Replay => REPLAY,
        };
        match &self.name {
            Some(name) => name.prefixed(word),
            None => InstanceId::literal(word),
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
            Some(name) => format!("{origin} --instance {}", quoted(name.as_str())),
            None => origin.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_origin_and_name_has_a_distinct_instance_and_is_found_by_it() {
        let of = |text: &'static str| Account::of(&InstanceId::literal(text));
        let names = [None, Some(InstanceId::literal("east"))];
        let mut instances = Vec::new();
        for origin in [Origin::Provider, Origin::Sample, Origin::Replay] {
            for name in names.clone() {
                let account = Account { origin, name };
                assert_eq!(Account::of(&account.instance()), account);
                instances.push(account.instance());
            }
        }
        assert_eq!(
            instances.iter().map(InstanceId::as_str).collect::<Vec<_>>(),
            ["default", "east", "sample", "sample:east", "replay", "replay:east"]
        );
        for origin in [false, true] {
            let named = Account::new(origin, Some(&InstanceId::default()));
            assert_eq!((&Account::of(&named.instance()), &Account::new(origin, None)), (&named, &named));
        }
        assert_eq!(of("sample:east").options(), " --sample --instance east");
        assert_eq!((of("default").options(), of("east").options()), (String::new(), " --instance east".into()));
    }
}
