//! Pipelines, and the attachments of add-ons to applications.

use std::fmt;

use integration_sdk::Timestamp;
use integration_sdk::serde::de::value::MapAccessDeserializer;
use integration_sdk::serde::de::{MapAccess, Visitor};
use integration_sdk::serde::{Deserialize, Deserializer};

use super::{Mention, Named, Resource};

objects! { PipelineOwner AttachedAddon }

resources! {
    /// An element of `/pipelines`.
    Pipeline {
        name: String,
        owner: Option<PipelineOwner>,
        generation: Option<Named>,
        created_at: Option<Timestamp>,
        updated_at: Option<Timestamp>,
    }
    /// An element of `/pipeline-couplings`: an application in a stage of a pipeline.
    PipelineCoupling { app: Option<Mention>, pipeline: Option<Mention>, stage: Option<String> }
    /// An element of `/addon-attachments`.
    AddonAttachment {
        name: String,
        app: Option<Mention>,
        addon: Option<AttachedAddon>,
        namespace: Option<String>,
        web_url: Option<String>,
        log_input_url: Option<String>,
    }
}

/// The owner of a pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct PipelineOwner {
    /// The id of the owner.
    pub id: Option<String>,
    /// `team` or `user`.
    pub r#type: Option<String>,
}

/// The add-on of an attachment.
#[derive(Debug, Clone, Deserialize)]
#[serde(crate = "integration_sdk::serde", remote = "Self")]
pub struct AttachedAddon {
    /// The id of the add-on.
    pub id: String,
    /// The application that the add-on belongs to.
    pub app: Option<Mention>,
}
