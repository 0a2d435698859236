//! Rust types whose values become graph objects.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Value, json};

use crate::RawJson;

use super::{
    Class, Direction, Entity, ObjectKey, ObjectType, ObjectWriter, Properties, PropertyError, RawData,
    RelationshipClass, Tags, relationship_type, written,
};

/// The treatment of two objects of a type with one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OnDuplicateKey {
    /// An error: the second object is rejected.
    #[default]
    Reject,
    /// The objects describe one thing and are merged, so several steps may emit the type.
    Merge,
}

/// An entity type as declared by an integration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityDeclaration {
    /// The name for people, such as `Add-on`.
    pub resource: String,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_class`.
    pub classes: Vec<Class>,
    /// The description: the first sentence of the type's documentation.
    pub description: String,
    /// The treatment of equal keys.
    pub on_duplicate_key: OnDuplicateKey,
    /// The JSON Schema of the type's own properties.
    pub schema: Value,
}

impl EntityDeclaration {
    /// Declares a type at run time. Any property is allowed until a schema is set.
    pub fn new(resource: impl Into<String>, object_type: ObjectType, class: Class) -> Self {
        Self {
            resource: resource.into(),
            object_type,
            classes: vec![class],
            description: String::new(),
            on_duplicate_key: OnDuplicateKey::Reject,
            schema: json!({"type": "object"}),
        }
    }
}

/// A relationship type as declared by an integration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelationshipDeclaration {
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_class`.
    pub class: RelationshipClass,
    /// The type of the source entity.
    pub from: ObjectType,
    /// The type of the target entity.
    pub to: ObjectType,
    /// The JSON Schema of the type's own properties.
    pub schema: Value,
}

impl RelationshipDeclaration {
    /// Declares a type whose `_type` follows the rule of [`relationship_type`].
    pub fn new(from: ObjectType, class: RelationshipClass, to: ObjectType) -> Self {
        Self { object_type: relationship_type(&from, class, &to), class, from, to, schema: json!({"type": "object"}) }
    }
}

/// A mapped relationship type as declared by an integration.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappedRelationshipDeclaration {
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_class`.
    pub class: RelationshipClass,
    /// The type of the entity of this integration.
    pub source: ObjectType,
    /// The type of the target, such as `person`.
    pub target: ObjectType,
    /// The direction of the relationship.
    pub direction: Direction,
}

/// A Rust type whose values become entities.
///
/// Derive it:
///
/// ```
/// use integration_sdk::prelude::*;
///
/// /// A team inside an enterprise account.
/// #[derive(Debug, Clone, EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// struct Team {
///     #[entity(key)]
///     id: String,
///     name: String,
///     created_on: Timestamp,
/// }
/// let team = Team { id: "team-0000001".into(), name: "Ops".into(), created_on: Timestamp::from_millis(0) };
/// assert_eq!(team.to_entity().into_json()["createdOn"], 0);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an entity type",
    label = "not an entity type",
    note = "derive `EntityKind`, and describe the type with `#[entity(type = \"...\", class = \"...\", resource = \"...\")]`"
)]
pub trait EntityKind: Sized + Send + Sync + 'static {
    /// Returns type, classes, and schema.
    fn declaration() -> EntityDeclaration;
    /// Returns the `_key`.
    fn key(&self) -> String;
    /// Returns the `displayName`.
    fn display_name(&self) -> String;
    /// Writes `displayName` and the flat properties into an object.
    fn write(&self, object: &mut ObjectWriter);
    /// Reads an entity from its stored JSON: names sorted, no spaces.
    ///
    /// # Errors
    /// The property that does not match its type.
    fn from_json(json: &str) -> Result<Self, PropertyError>;

    /// Returns the flat properties.
    fn properties(&self) -> Properties {
        let mut properties = written(|object| self.write(object));
        properties.remove("displayName");
        properties
    }

    /// Returns the `_type`.
    fn object_type() -> ObjectType {
        Self::declaration().object_type
    }

    /// Returns the entity as plain data, without raw data.
    ///
    /// # Panics
    /// Never for keys that [`ObjectKey::new`] accepts; steps use the checked path.
    fn to_entity(&self) -> Entity {
        let declaration = Self::declaration();
        let key = ObjectKey::new(self.key()).expect("an entity's key is not empty");
        entity_of(self, key, &declaration)
    }

    /// Attaches the provider's JSON under the name `default`.
    fn with_raw(self, raw: impl Into<RawJson>) -> Draft<Self> {
        Draft::from(self).with_raw_named("default", raw)
    }
}

/// A readable form of entities: the type itself, or a view of some of its properties.
///
/// Derive a view:
///
/// ```
/// use integration_sdk::prelude::*;
///
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// pub struct Team { #[entity(key)] id: String, name: String, created_on: Timestamp, lead: Option<String> }
///
/// /// The lead of a team: a step with the parameter `Follow<Lead>` or `Read<Lead>` reads nothing else of it.
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// pub struct Lead { #[entity(key)] id: String, lead: Option<String> }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither an entity type nor a view of one",
    label = "a step cannot read this type from the graph",
    note = "derive `EntityKind` for an entity type, or `EntityView` for some of its properties"
)]
pub trait EntityView: Sized + Send + Sync + 'static {
    /// The type of the entities.
    type Entity: EntityKind;

    /// Returns the `_type` of the entities.
    fn entity_type() -> ObjectType;
    /// Returns the `_key` of the entity.
    fn entity_key(&self) -> String;
    /// Reads the value from an entity's stored JSON: names sorted, no spaces.
    ///
    /// # Errors
    /// The property that does not match its type.
    fn read(json: &str) -> Result<Self, PropertyError>;
}

#[diagnostic::do_not_recommend]
impl<E: EntityKind> EntityView for E {
    type Entity = E;

    fn entity_type() -> ObjectType {
        E::object_type()
    }
    fn entity_key(&self) -> String {
        self.key()
    }
    fn read(json: &str) -> Result<Self, PropertyError> {
        E::from_json(json)
    }
}

/// Returns the `_type` of the entities of a view.
///
/// # Panics
/// If the entities lack one of these properties: an error of the integration, raised at the first start.
pub fn viewed_type<E: EntityKind>(names: &[&str]) -> ObjectType {
    let declaration = E::declaration();
    let properties = &declaration.schema["properties"];
    for name in names {
        assert!(properties.get(name).is_some(), "{} has no property `{name}`", declaration.object_type);
    }
    declaration.object_type
}

fn entity_of<E: EntityKind>(kind: &E, key: ObjectKey, declaration: &EntityDeclaration) -> Entity {
    Entity {
        key,
        object_type: declaration.object_type.clone(),
        classes: declaration.classes.clone(),
        display_name: kind.display_name(),
        properties: kind.properties(),
        raw_data: Vec::new(),
    }
}

/// An entity to be emitted: the typed value, its raw data, and its tags.
#[derive(Debug, Clone)]
pub struct Draft<E> {
    /// The typed value.
    pub value: E,
    /// The provider's JSON.
    pub raw_data: Vec<RawData>,
    /// The tags of the source.
    pub tags: Tags,
}

impl<E> From<E> for Draft<E> {
    fn from(value: E) -> Self {
        Self { value, raw_data: Vec::new(), tags: Tags::new() }
    }
}

impl<E> Draft<E> {
    /// Attaches the provider's JSON under a name that is unique within the entity.
    #[must_use]
    pub fn with_raw_named(mut self, name: impl Into<String>, raw: impl Into<RawJson>) -> Self {
        self.raw_data.push(RawData { name: name.into(), raw_data: raw.into() });
        self
    }

    /// Returns the value, and its form as plain data.
    pub fn into_entity(self, key: ObjectKey, declaration: &EntityDeclaration) -> (E, Entity)
    where
        E: EntityKind,
    {
        let Self { value, raw_data, tags } = self;
        let mut entity = Entity { raw_data, ..entity_of(&value, key, declaration) };
        entity.properties.extend(tags.into_iter().map(|(name, text)| (format!("tag.{name}"), text.into())));
        (value, entity)
    }

    /// Attaches tags of the source as `tag.<name>` properties.
    #[must_use]
    pub fn with_tags(mut self, tags: Tags) -> Self {
        self.tags.extend(tags);
        self
    }
}

/// The key of an entity of a known type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntityRef<E>(String, PhantomData<fn() -> E>);

impl<E: EntityKind> EntityRef<E> {
    /// Creates a reference from a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into(), PhantomData)
    }

    /// Returns the key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the key.
    pub fn into_key(self) -> String {
        self.0
    }
}

/// One end of a relationship: an entity, a view of it, or its key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an end of type `{E}`",
    label = "expected a `{E}`, a view of it, or `EntityRef<{E}>`",
    note = "`EntityRef::new(key)` refers to an entity by its key"
)]
pub trait AsEntityRef<E: EntityKind> {
    /// The key of the entity.
    fn related_key(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<R: EntityView> AsEntityRef<R::Entity> for R {
    fn related_key(&self) -> String {
        self.entity_key()
    }
}

impl<E: EntityKind> AsEntityRef<E> for EntityRef<E> {
    fn related_key(&self) -> String {
        self.as_str().to_owned()
    }
}

/// A Rust type that represents a relationship type; declare it with
/// `relationship!` of integration-sdk.
pub trait RelationshipKind: Send + Sync + 'static {
    /// The type of the source.
    type From: EntityKind;
    /// The type of the target.
    type To: EntityKind;
    /// The additional properties: `()`, or the type itself.
    type Properties: RelationshipProperties;
    /// The `_class`.
    const CLASS: RelationshipClass;

    /// Returns type, ends, and schema.
    fn declaration() -> RelationshipDeclaration {
        let mut declaration =
            RelationshipDeclaration::new(Self::From::object_type(), Self::CLASS, Self::To::object_type());
        declaration.schema = Self::Properties::schema();
        declaration
    }
}

/// The properties of a relationship type.
pub trait RelationshipProperties {
    /// Returns their JSON Schema.
    fn schema() -> Value;
    /// Writes them into an object.
    fn write(&self, object: &mut ObjectWriter);
}

impl RelationshipProperties for () {
    fn schema() -> Value {
        json!({"type": "object"})
    }
    fn write(&self, _: &mut ObjectWriter) {}
}

/// A Rust type that represents a mapped relationship type; declare it with
/// `mapped_relationship!` of integration-sdk.
pub trait MappedRelationshipKind: Send + Sync + 'static {
    /// The type of the entity of this integration.
    type Source: EntityKind;
    /// The `_class`.
    const CLASS: RelationshipClass;
    /// The direction of the relationship.
    const DIRECTION: Direction;
    /// The `_type` of the target.
    const TARGET_TYPE: &'static str;
    /// The `_class` of the target.
    const TARGET_CLASS: &'static str;
    /// The properties that identify the target, in addition to its class.
    const MATCH_ON: &'static [&'static str];

    /// Returns type and ends.
    fn declaration() -> MappedRelationshipDeclaration {
        let source = Self::Source::object_type();
        let target = ObjectType::literal(Self::TARGET_TYPE);
        let object_type = match Self::DIRECTION {
            Direction::Forward => relationship_type(&source, Self::CLASS, &target),
            Direction::Reverse => relationship_type(&target, Self::CLASS, &source),
        };
        MappedRelationshipDeclaration { object_type, class: Self::CLASS, source, target, direction: Self::DIRECTION }
    }
}
