//! What a step says of itself before it runs.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::graph::{
    EntityDeclaration, EqualKeys, MappedRelationshipDeclaration, ObjectType, RelationshipDeclaration, StepId,
};

/// All that is known of a step without running it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Declaration {
    /// The step's id, unique in the integration.
    pub id: StepId,
    /// For people.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Types read from the graph: the step waits for their producers.
    pub reads: BTreeSet<ObjectType>,
    /// Types read item by item, as they are added: the step begins when their producers do.
    pub follows: BTreeSet<ObjectType>,
    /// Entities that may be added.
    pub entities: Vec<EntityDeclaration>,
    /// Relationships that may be added.
    pub relationships: Vec<RelationshipDeclaration>,
    /// Mapped relationships that may be added.
    pub mapped_relationships: Vec<MappedRelationshipDeclaration>,
    /// Types whose entities of other steps get further properties.
    pub amends: BTreeSet<ObjectType>,
    /// Names of job data that the step publishes.
    pub publishes: BTreeSet<String>,
    /// Names of job data that the step uses: it waits for their publishers.
    pub uses: BTreeSet<String>,
    /// Steps to wait for beside those that follow from the reads.
    pub after: BTreeSet<StepId>,
    /// OAuth scopes or permissions of the provider that the step needs.
    pub scopes: BTreeSet<String>,
    /// The ingestion source that the step belongs to.
    pub source: Option<String>,
}

impl Declaration {
    /// A step that reads and emits nothing.
    pub fn new(id: StepId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            description: String::new(),
            reads: BTreeSet::new(),
            follows: BTreeSet::new(),
            entities: Vec::new(),
            relationships: Vec::new(),
            mapped_relationships: Vec::new(),
            amends: BTreeSet::new(),
            publishes: BTreeSet::new(),
            uses: BTreeSet::new(),
            after: BTreeSet::new(),
            scopes: BTreeSet::new(),
            source: None,
        }
    }

    /// Every `_type` that the step may add, in order of name.
    pub fn emits(&self) -> BTreeSet<ObjectType> {
        let entities = self.entities.iter().map(|declared| &declared.object_type);
        let relationships = self.relationships.iter().map(|declared| &declared.object_type);
        let mapped = self.mapped_relationships.iter().map(|declared| &declared.object_type);
        entities.chain(relationships).chain(mapped).cloned().collect()
    }

    /// Every type whose entities are joined from several descriptions.
    pub fn merges(&self) -> BTreeSet<ObjectType> {
        let merged = self.entities.iter().filter(|declared| declared.equal_keys == EqualKeys::Merge);
        merged.map(|declared| declared.object_type.clone()).collect()
    }
}

/// A part of an integration's data that a user may switch off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestionSource {
    /// Named by the steps of it.
    pub id: String,
    /// For people.
    pub title: String,
    /// One sentence.
    pub description: String,
    /// Collected unless switched off.
    pub on_by_default: bool,
}

impl IngestionSource {
    /// A source that is on by default.
    pub fn new(id: impl Into<String>, title: impl Into<String>, description: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), description: description.into(), on_by_default: true }
    }

    /// Collected only where asked for.
    #[must_use]
    pub fn off_by_default(mut self) -> Self {
        self.on_by_default = false;
        self
    }
}

/// Why a step does not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// It is not said.
    None,
    /// The credentials do not allow it.
    Permission,
    /// Not released yet.
    Beta,
    /// The integration's configuration switches it off.
    Config,
    /// The user switched its source off.
    UserConfig,
    /// The provider's version lacks it.
    ApiVersion,
    /// A step that it needs is disabled.
    ParentDisabled,
}

impl DisabledReason {
    /// As people and summaries read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Permission => "permission",
            Self::Beta => "beta",
            Self::Config => "config",
            Self::UserConfig => "user_config",
            Self::ApiVersion => "api_version",
            Self::ParentDisabled => "parent_disabled",
        }
    }
}
