//! The type `heroku_pipeline`.

use integration_sdk::{EntityKind, Timestamp};

use crate::resource::{self, name_of};

/// A pipeline, in which applications follow one another from review to production.
#[derive(Debug, Clone, EntityKind)]
#[entity(type = "heroku_pipeline", class = "Workflow", resource = "Pipeline")]
pub struct Pipeline {
    /// The id that Heroku assigned.
    #[entity(key)]
    pub id: String,
    /// The name of the pipeline.
    pub name: String,
    /// The id of the team or the person that owns the pipeline.
    pub owner_id: Option<String>,
    /// The kind of owner: `team` or `user`.
    pub owner_type: Option<String>,
    /// The generation of the platform: `cedar` or `fir`.
    pub generation: Option<String>,
    /// The address of the pipeline in Heroku's dashboard.
    pub web_link: String,
    /// The time of its creation.
    pub created_on: Option<Timestamp>,
    /// The time of its last update.
    pub updated_on: Option<Timestamp>,
}

impl From<resource::Pipeline> for Pipeline {
    fn from(pipeline: resource::Pipeline) -> Self {
        let (owner_id, owner_type) = pipeline.owner.map(|owner| (owner.id, owner.r#type)).unwrap_or_default();
        Self {
            web_link: format!("https://dashboard.heroku.com/pipelines/{}", pipeline.id),
            id: pipeline.id,
            name: pipeline.name,
            owner_id,
            owner_type,
            generation: name_of(pipeline.generation),
            created_on: pipeline.created_at,
            updated_on: pipeline.updated_at,
        }
    }
}
