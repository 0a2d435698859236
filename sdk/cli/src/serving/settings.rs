//! The settings of a server, which do not change while it runs.

use std::path::PathBuf;
use std::sync::Arc;

use integration_instances::Instance;
use integration_sdk::Integration;
use integration_sdk::http::Network;
use integration_server::Clock;

use super::key::key_of;
use super::rules::RulePlaces;

/// The settings that all parts of a server share.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) data_dir: PathBuf,
    /// The integrations of the program. Instances without one belong to the first.
    pub(crate) integrations: Vec<Integration>,
    pub(crate) network: Network,
    pub(crate) allow_http: bool,
    pub(crate) rules: RulePlaces,
    /// Whether `RUN_COMMAND` may run the programs that `delivery.yaml` lists.
    pub(crate) allow_commands: bool,
    /// The name of the program for the receivers of deliveries.
    pub(crate) agent: String,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Settings {
    /// Returns the integration with an id.
    pub(crate) fn integration(&self, id: &str) -> Option<&Integration> {
        self.integrations.iter().find(|integration| integration.id() == id)
    }

    /// Returns the id of the integration to which instances without one belong.
    pub(crate) fn default_integration(&self) -> &str {
        self.integrations.first().map_or("", Integration::id)
    }

    /// Reads the current configuration of an instance. The error is a text for people.
    pub(super) async fn instance(&self, key: &str) -> Result<Instance, String> {
        let (settings, key) = (self.clone(), key.to_owned());
        let find = move || {
            let instances = integration_instances::read(&settings.data_dir, settings.default_integration());
            let mut instances = instances.map_err(|error| error.to_string())?.into_iter();
            let found = instances.find(|instance| key_of(instance) == key);
            found.ok_or_else(|| "the instance is not configured any more".to_owned())
        };
        tokio::task::spawn_blocking(find).await.map_err(|error| error.to_string())?
    }
}
