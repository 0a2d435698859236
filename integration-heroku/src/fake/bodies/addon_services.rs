//! Bodies of services of the catalogue.

use serde_json::{Value, json};

use super::fields::{dates, named};
use super::listed::Listed;
use crate::fake::addon_services::AddonService;
use crate::fake::organisation::Organisation;

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
