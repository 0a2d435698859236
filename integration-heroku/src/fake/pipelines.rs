//! Pipelines with their stages, and the attachments of add-ons to apps.

use super::{
    ids::{AddonId, AppId, AttachmentId, CouplingId, PersonId, PipelineId, TeamId},
    resources::Addon,
    table::rows,
    text::Text,
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

rows! {
    Pipeline of (): |pipeline| &pipeline.name, |_| ();
    Coupling of PipelineId: |_| "", |coupling| coupling.pipeline;
    Attachment of AppId: |attachment| &attachment.name, |attachment| attachment.app;
}
