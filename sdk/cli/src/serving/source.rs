//! The configured instances, read again when their file or one of their secrets changes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::BoxFuture;
use integration_instances::{FILE, Instance};
use integration_scheduler::Settings as Schedule;
use integration_secrets::{Resolver, SecretReference};
use integration_server::{Source, SourceError, WatchedFile};
use tokio::time::Instant;

use super::key::key_of;
use super::settings::Settings;
use crate::{instances, secrets};

/// The time between two checks of the files of secrets.
const SECRETS: Duration = Duration::from_secs(30);

/// The instances of a data directory.
pub(super) struct ConfiguredInstances {
    settings: Settings,
    file: WatchedFile,
    /// The file of entered secrets.
    vault: WatchedFile,
    resolver: Resolver,
    /// The references to files, with the states of the files.
    places: BTreeMap<String, (SecretReference, Option<String>)>,
    checked: Instant,
    /// The instances whose problems are logged already.
    warned: BTreeSet<String>,
}

impl ConfiguredInstances {
    pub(super) fn new(settings: Settings) -> Self {
        let file = WatchedFile::new(settings.data_dir.join(FILE));
        let vault = WatchedFile::new(secrets::vault(&settings.data_dir).path());
        let resolver = instances::resolver(&settings.data_dir);
        let (places, warned) = (BTreeMap::new(), BTreeSet::new());
        Self { settings, file, vault, resolver, places, checked: Instant::now(), warned }
    }

    fn has_changed(&mut self) -> bool {
        // All files are checked, so that one change does not hide another one from this call.
        self.file.has_changed() | self.vault.has_changed() | self.has_other_secret()
    }

    fn has_other_secret(&mut self) -> bool {
        if self.checked.elapsed() < SECRETS {
            return false;
        }
        self.checked = Instant::now();
        self.places.values().any(|(reference, state)| self.resolver.state_of(reference) != *state)
    }

    async fn read(&mut self) -> Result<BTreeMap<String, Schedule>, SourceError> {
        let (settings, resolver) = (self.settings.clone(), self.resolver.clone());
        let read = move || {
            let instances = integration_instances::read(&settings.data_dir, settings.default_integration());
            let instances = instances.map_err(|error| SourceError(error.to_string()))?;
            let scheduled = |instance: Instance| {
                // The states come first. A secret that is replaced in between then differs at the next check.
                let places = files_of(&instance, &resolver);
                let revision = instance.revision(&resolver);
                (instance, places, revision)
            };
            Ok(instances.into_iter().map(scheduled).collect::<Vec<_>>())
        };
        // Reading the states of many secrets takes time.
        let instances: Result<_, SourceError> =
            tokio::task::spawn_blocking(read).await.map_err(|error| SourceError(error.to_string()))?;
        let mut schedules = BTreeMap::new();
        self.places.clear();
        for (instance, places, revision) in instances? {
            let key = key_of(&instance);
            let problem = match (self.settings.integration(&instance.integration), instance.polling.cadence()) {
                (None, _) => format!("this program has no integration `{}`", instance.integration),
                (_, Err(error)) => error.to_string(),
                (Some(_), Ok(cadence)) => {
                    self.places.extend(places);
                    schedules.insert(key, Schedule { cadence, revision });
                    continue;
                }
            };
            if self.warned.insert(format!("{key}: {problem}")) {
                tracing::warn!(instance = %key, problem, "the instance is not scheduled");
            }
        }
        Ok(schedules)
    }
}

/// Returns the references of an instance to files, with the states of the files.
fn files_of(instance: &Instance, resolver: &Resolver) -> BTreeMap<String, (SecretReference, Option<String>)> {
    let files = instance.secrets().filter(|(_, reference)| matches!(reference, SecretReference::File(_)));
    let noted = |(_, reference): (_, &SecretReference)| {
        (reference.to_string(), (reference.clone(), resolver.state_of(reference)))
    };
    files.map(noted).collect()
}

impl Source for ConfiguredInstances {
    fn poll(&mut self) -> BoxFuture<'_, Result<Option<BTreeMap<String, Schedule>>, SourceError>> {
        Box::pin(async move {
            if !self.has_changed() {
                return Ok(None);
            }
            match self.read().await {
                Ok(schedules) => Ok(Some(schedules)),
                Err(error) => {
                    // The next poll reads again, even if nothing changes.
                    self.file.forget();
                    Err(error)
                }
            }
        })
    }
}
