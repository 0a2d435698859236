//! The services of the catalogue from which add-ons come.

use super::{catalogue::human_name, ids::AddonServiceId, table::rows, text::Text};

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

rows! {
    AddonService of (): |service| &service.name, |_| ();
}
