//! Pipelines with their stages, and the attachments of add-ons to apps.

use serde_json::{Value, json};

use super::{
    bodies::{Listed, app_reference, dates, named},
    ids::{AddonId, AppId, AttachmentId, CouplingId, PersonId, PipelineId, TeamId},
    organisation::Organisation,
    resources::{Addon, Text},
    table::rows,
};

/// The owner of a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PipelineOwner {
    /// A team.
    Team(TeamId),
    /// A person.
    Person(PersonId),
}

/// A pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Pipeline {
    /// The id of the pipeline.
    pub id: PipelineId,
    /// The name of the pipeline.
    pub name: String,
    /// The owner of the pipeline.
    pub owner: Option<PipelineOwner>,
}

impl Pipeline {
    /// Creates a pipeline.
    pub fn new(name: impl Into<String>, owner: PipelineOwner) -> Self {
        let name = name.into();
        Self { id: PipelineId::derived(&name), name, owner: Some(owner) }
    }
}

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

/// The place of an app in a pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Coupling {
    /// The id of the coupling.
    pub id: CouplingId,
    /// The pipeline.
    pub pipeline: PipelineId,
    /// The app, which is in one pipeline at most.
    pub app: AppId,
    /// The stage: `test`, `review`, `development`, `staging`, or `production`.
    pub stage: Text,
}

impl Coupling {
    /// Creates a coupling.
    pub fn new(pipeline: &Pipeline, app: AppId, stage: impl Into<Text>) -> Self {
        Self { id: CouplingId::derived(&app.to_string()), pipeline: pipeline.id, app, stage: stage.into() }
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

/// The attachment of an add-on to an app: its own one, or another one that shares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment {
    /// The id of the attachment.
    pub id: AttachmentId,
    /// The name, with which config vars begin.
    pub name: String,
    /// The app that uses the add-on.
    pub app: AppId,
    /// The add-on.
    pub addon: AddonId,
    /// The credential of the add-on, if it is not the default one.
    pub namespace: Option<Text>,
    /// The address for the app's log, if the add-on takes logs. It contains a credential.
    pub log_input_url: Option<String>,
}

impl Attachment {
    /// Creates the attachment of an add-on to an app under a name.
    pub fn new(app: AppId, addon: &Addon, name: impl Into<String>) -> Self {
        let name = name.into();
        let id = AttachmentId::derived(&format!("{app}/{}/{name}", addon.id));
        Self { id, name, app, addon: addon.id, namespace: None, log_input_url: None }
    }

    /// Creates the attachment of an add-on to the app that it belongs to.
    pub(super) fn own(addon: &Addon) -> Self {
        let variable = addon.config_vars.first().map_or("ADDON", |variable| variable);
        let name = variable.rsplit_once('_').map_or(variable, |(name, _)| name);
        Self::new(addon.app, addon, name)
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

rows! {
    Pipeline of (): |pipeline| &pipeline.name, |_| ();
    Coupling of PipelineId: |_| "", |coupling| coupling.pipeline;
    Attachment of AppId: |attachment| &attachment.name, |attachment| attachment.app;
}
