//! Bodies of pipelines, their stages, and attachments.

use serde_json::{Value, json};

use super::fields::{dates, named};
use super::listed::Listed;
use super::references::app_reference;
use crate::fake::ids::AppId;
use crate::fake::organisation::Organisation;
use crate::fake::pipelines::{Attachment, Coupling, Pipeline, PipelineOwner};
use crate::fake::resources::Addon;

impl Listed for Pipeline {
    fn body(&self, _: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let owner = self.owner.map(|owner| match owner {
            PipelineOwner::Team(team) => json!({"id": team.to_string(), "type": "team"}),
            PipelineOwner::Person(person) => json!({"id": person.to_string(), "type": "user"}),
        });
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "created_at": created,
            "generation": named("generation", "cedar"),
            "owner": owner,
            "updated_at": updated,
        })
    }
}

impl Listed for Coupling {
    fn body(&self, _: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        json!({
            "id": self.id.to_string(),
            "app": {"id": self.app.to_string()},
            "created_at": created,
            "pipeline": {"id": self.pipeline.to_string()},
            "stage": self.stage,
            "updated_at": updated,
        })
    }
}

impl Listed for Attachment {
    fn body(&self, organisation: &Organisation) -> Value {
        let (created, updated) = dates(self.id.uuid());
        let app = |id: AppId| app_reference(id, organisation.app(id));
        let addon = organisation.addons.get(self.addon.uuid());
        json!({
            "id": self.id.to_string(),
            "name": self.name,
            "addon": {
                "id": self.addon.to_string(),
                "name": addon.map(|addon| &addon.name),
                "app": addon.map(|addon| app(addon.app)),
            },
            "app": app(self.app),
            "created_at": created,
            "log_input_url": self.log_input_url,
            "namespace": self.namespace,
            "updated_at": updated,
            "web_url": addon.and_then(Addon::web_url),
        })
    }
}
