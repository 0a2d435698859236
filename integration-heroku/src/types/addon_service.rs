//! The type `heroku_addon_service`.

use integration_sdk::{EntityKind, Timestamp};

use super::addon::function_of;
use crate::resource;

/// A service in Heroku's catalogue, of which applications have add-ons.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_addon_service", class = "Service", resource = "Add-on Service")]
pub struct AddonService {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name, such as `heroku-postgresql`, which begins the names of plans.
    pub name: String,
    /// The name for people, such as `Heroku Postgres`; the name if the API returns none.
    pub display_name: String,
    /// The state of the service: `alpha`, `beta`, `ga` (generally available), or `shutdown`.
    pub state: Option<String>,
    /// Whether applications can use add-ons of other applications.
    pub supports_sharing: Option<bool>,
    /// Whether an application can have several add-ons of the service.
    pub supports_multiple_installations: Option<bool>,
    /// The generations of the platform on which the service is available, such as `cedar` and `fir`.
    pub supported_generations: Vec<String>,
    /// The category of the service; always `platform`.
    pub category: Vec<String>,
    /// The function of the service, such as `database`, derived from its name.
    pub function: Vec<String>,
    /// The address of the service in Heroku's catalogue.
    pub web_link: String,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::AddonService> for AddonService {
    fn from(service: resource::AddonService) -> Self {
        let generations = service.supported_generations.unwrap_or_default();
        Self {
            display_name: service.human_name.unwrap_or_else(|| service.name.clone()),
            state: service.state,
            supports_sharing: service.supports_sharing,
            supports_multiple_installations: service.supports_multiple_installations,
            supported_generations: generations.into_iter().filter_map(|generation| generation.name).collect(),
            category: vec!["platform".to_owned()],
            function: vec![function_of(&service.name).to_owned()],
            web_link: format!("https://elements.heroku.com/addons/{}", service.name),
            created_on: service.created_at,
            updated_on: service.updated_at,
            id: service.id,
            name: service.name,
        }
    }
}
