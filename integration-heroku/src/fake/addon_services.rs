//! The services of the catalogue from which add-ons come.

use serde_json::{Value, json};

use super::{
    bodies::{Listed, dates, named},
    catalogue::{PLANS, human_name},
    ids::AddonServiceId,
    organisation::Organisation,
    resources::Text,
    table::rows,
};

/// A service of the catalogue.
#[derive(Debug, Clone, PartialEq)]
pub struct AddonService {
    /// The id of the service.
    pub id: AddonServiceId,
    /// The name of the service, such as `heroku-postgresql`.
    pub name: String,
    /// The name for people, such as `Heroku Postgres`.
    pub human_name: String,
    /// The state: `alpha`, `beta`, `ga`, or `shutdown`.
    pub state: Text,
    /// Whether apps can use add-ons of other apps.
    pub supports_sharing: bool,
    /// Whether an app can have several add-ons of the service.
    pub supports_multiple_installations: bool,
}

impl AddonService {
    /// Creates a service that is generally available.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        let is_of_heroku = name.starts_with("heroku-");
        Self {
            id: AddonServiceId::derived(&name),
            human_name: human_name(&name),
            state: "ga".into(),
            supports_sharing: is_of_heroku,
            supports_multiple_installations: is_of_heroku,
            name,
        }
    }
}

impl Organisation {
    /// Adds the services of all known plans to the catalogue, whether the organisation has add-ons of them or not.
    pub(super) fn add_known_services(&mut self) {
        for plan in &PLANS {
            let service = plan.name.split(':').next().unwrap_or(plan.name);
            self.add_addon_service(AddonService::new(service));
        }
    }
}

impl Listed for AddonService {
    fn body(&self, _: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "cli_plugin_name": null,
            "created_at": created,
            "human_name": self.human_name,
            "state": self.state,
            "supported_generations": [named("generation", "cedar")],
            "supports_multiple_installations": self.supports_multiple_installations,
            "supports_sharing": self.supports_sharing,
            "updated_at": updated,
        })
    }
}

rows! {
    AddonService of (): |service| &service.name, |_| ();
}
