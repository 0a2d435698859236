//! The declaration of a step: its properties before it runs.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::graph::{
    EntityDeclaration, MappedRelationshipDeclaration, ObjectType, OnDuplicateKey, RelationshipDeclaration, StepId,
};

/// The static description of a step.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Declaration {
    /// The id of the step, unique in the integration.
    pub id: StepId,
    /// The display name.
    pub name: String,
    /// One sentence that describes the step.
    pub description: String,
    /// The types that the step reads after their producers have ended.
    pub reads: BTreeSet<ObjectType>,
    /// The types that the step reads while their producers add them.
    pub follows: BTreeSet<ObjectType>,
    /// The types of which the step looks up keys after their emitters have ended.
    pub knows: BTreeSet<ObjectType>,
    /// The entities that the step may add.
    pub entities: Vec<EntityDeclaration>,
    /// The relationships that the step may add.
    pub relationships: Vec<RelationshipDeclaration>,
    /// The mapped relationships that the step may add.
    pub mapped_relationships: Vec<MappedRelationshipDeclaration>,
    /// The types whose entities get further properties from this step.
    pub amends: BTreeSet<ObjectType>,
    /// The amended types of which no step reads the additions, so that no step waits for them.
    pub annotates: BTreeSet<ObjectType>,
    /// The names of the job data that the step publishes.
    pub publishes: BTreeSet<String>,
    /// The names of the job data that the step uses after their publishers have ended.
    pub uses: BTreeSet<String>,
    /// Steps to wait for in addition to the producers of the input.
    pub after: BTreeSet<StepId>,
    /// The OAuth scopes or permissions that the step needs.
    pub scopes: BTreeSet<String>,
    /// The ingestion source of the step.
    pub source: Option<String>,
    /// The sign that the data under a parent has changed, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes_with: Option<ChangeSign>,
}

/// The properties of a parent that change together with the data under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSign {
    /// The type of the parent.
    pub object_type: ObjectType,
    /// The names of the properties. A parent without the first one counts as changed.
    pub properties: Vec<String>,
}

impl Declaration {
    /// Creates the declaration of a step that reads and emits nothing.
    pub fn new(id: StepId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            description: String::new(),
            reads: BTreeSet::new(),
            follows: BTreeSet::new(),
            knows: BTreeSet::new(),
            entities: Vec::new(),
            relationships: Vec::new(),
            mapped_relationships: Vec::new(),
            amends: BTreeSet::new(),
            annotates: BTreeSet::new(),
            publishes: BTreeSet::new(),
            uses: BTreeSet::new(),
            after: BTreeSet::new(),
            scopes: BTreeSet::new(),
            source: None,
            changes_with: None,
        }
    }

    /// Returns every `_type` that the step may add, in order of name.
    pub fn emits(&self) -> BTreeSet<ObjectType> {
        let entities = self.entities.iter().map(|declared| &declared.object_type);
        let relationships = self.relationships.iter().map(|declared| &declared.object_type);
        let mapped = self.mapped_relationships.iter().map(|declared| &declared.object_type);
        entities.chain(relationships).chain(mapped).cloned().collect()
    }

    /// Returns every type whose entities are merged from several descriptions.
    pub fn merges(&self) -> BTreeSet<ObjectType> {
        let merged = self.entities.iter().filter(|declared| declared.on_duplicate_key == OnDuplicateKey::Merge);
        merged.map(|declared| declared.object_type.clone()).collect()
    }
}

/// A group of steps that a user can switch on or off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IngestionSource {
    /// The id that steps refer to.
    pub id: String,
    /// The display name.
    pub title: String,
    /// One sentence that describes the source.
    pub description: String,
    /// Whether the source is collected by default.
    pub on_by_default: bool,
}

impl IngestionSource {
    /// Creates a source that is on by default.
    pub fn new(id: impl Into<String>, title: impl Into<String>, description: impl Into<String>) -> Self {
        Self { id: id.into(), title: title.into(), description: description.into(), on_by_default: true }
    }

    /// Switches the source off by default.
    #[must_use]
    pub fn off_by_default(mut self) -> Self {
        self.on_by_default = false;
        self
    }
}
