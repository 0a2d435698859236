//! Rust types whose values become graph objects.

use std::marker::PhantomData;

use serde::Serialize;
use serde_json::{Value, json};

use crate::RawJson;

use super::{
    Class, Direction, Entity, ObjectKey, ObjectType, ObjectWriter, Properties, PropertyError, RawData,
    RelationshipClass, Tags, relationship_type, written,
};

/// What happens when two objects of a type have one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EqualKeys {
    /// An error: the second is refused and its step fails.
    #[default]
    Refuse,
    /// They describe one thing and are joined; several steps may then produce the type.
    Merge,
}

/// An entity type as an integration declares it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EntityDeclaration {
    /// What people call it, such as `Add-on`.
    pub resource: String,
    /// `_type`.
    pub object_type: ObjectType,
    /// `_class`.
    pub classes: Vec<Class>,
    /// One sentence, from the type's documentation.
    pub description: String,
    /// What equal keys mean.
    pub equal_keys: EqualKeys,
    /// The JSON Schema of the type's own properties.
    pub schema: Value,
}

impl EntityDeclaration {
    /// A declaration made at run time; any properties are allowed until a schema is given.
    pub fn new(resource: impl Into<String>, object_type: ObjectType, class: Class) -> Self {
        Self {
            resource: resource.into(),
            object_type,
            classes: vec![class],
            description: String::new(),
            equal_keys: EqualKeys::Refuse,
            schema: json!({"type": "object"}),
        }
    }
}

/// A relationship type as an integration declares it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RelationshipDeclaration {
    /// `_type`.
    pub object_type: ObjectType,
    /// The verb.
    pub class: RelationshipClass,
    /// The type of the entity it starts at.
    pub from: ObjectType,
    /// The type of the entity it ends at.
    pub to: ObjectType,
    /// The JSON Schema of the type's own properties.
    pub schema: Value,
}

impl RelationshipDeclaration {
    /// A declaration whose `_type` follows the rule of [`relationship_type`].
    pub fn new(from: ObjectType, class: RelationshipClass, to: ObjectType) -> Self {
        Self { object_type: relationship_type(&from, class, &to), class, from, to, schema: json!({"type": "object"}) }
    }
}

/// A mapped relationship type as an integration declares it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MappedRelationshipDeclaration {
    /// `_type`.
    pub object_type: ObjectType,
    /// The verb.
    pub class: RelationshipClass,
    /// The type of our end.
    pub source: ObjectType,
    /// The type of the target, such as `person`.
    pub target: ObjectType,
    /// Which way it points.
    pub direction: Direction,
}

/// A Rust type whose values become entities. Derive it:
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
pub trait EntityKind: Sized + Send + Sync + 'static {
    /// Type, classes and schema.
    fn declaration() -> EntityDeclaration;
    /// `_key`.
    fn key(&self) -> String;
    /// `displayName`.
    fn display_name(&self) -> String;
    /// Adds `displayName` and the flat properties to an object.
    fn write(&self, object: &mut ObjectWriter);
    /// Reads an entity back from its JSON as the store holds it: names in order, no spaces.
    ///
    /// # Errors
    /// The property that does not fit.
    fn from_json(json: &str) -> Result<Self, PropertyError>;

    /// The flat properties.
    fn properties(&self) -> Properties {
        let mut properties = written(|object| self.write(object));
        properties.remove("displayName");
        properties
    }

    /// The `_type`.
    fn object_type() -> ObjectType {
        Self::declaration().object_type
    }

    /// The entity as data, without raw data.
    ///
    /// # Panics
    /// Never for keys that [`ObjectKey::new`] accepts; steps go through the checked path.
    fn to_entity(&self) -> Entity {
        let declaration = Self::declaration();
        let key = ObjectKey::new(self.key()).expect("an entity's key is not empty");
        entity_of(self, key, &declaration)
    }

    /// Attaches what the provider said, under the name `default`.
    fn with_raw(self, raw: impl Into<RawJson>) -> Draft<Self> {
        Draft::from(self).with_raw_named("default", raw)
    }
}

/// What a step can read of entities: values of the type itself, or a view of some of their properties. Derive a view:
///
/// ```
/// use integration_sdk::prelude::*;
///
/// #[derive(EntityKind)]
/// #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// pub struct Team { #[entity(key)] id: String, name: String, created_on: Timestamp, lead: Option<String> }
///
/// /// Who leads a team: the parameter `Each<Lead>` or `Read<Lead>` of a step reads no more of it.
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// pub struct Lead { #[entity(key)] id: String, lead: Option<String> }
/// ```
///
/// A field that the entity does not have, or has of another type, does not compile:
///
/// ```compile_fail,E0609
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # pub struct Team { #[entity(key)] id: String, lead: Option<String> }
/// #[derive(EntityView)]
/// #[entity(of = Team)]
/// pub struct Lead { #[entity(key)] id: String, leader: Option<String> }
/// ```
pub trait Readable: Sized + Send + Sync + 'static {
    /// The type of the entities.
    type Entity: EntityKind;

    /// The `_type` of the entities.
    fn entity_type() -> ObjectType;
    /// The `_key` of the entity.
    fn entity_key(&self) -> String;
    /// Reads it from an entity's JSON as the store holds it: names in order, no spaces.
    ///
    /// # Errors
    /// The property that does not fit.
    fn read(json: &str) -> Result<Self, PropertyError>;
}

impl<E: EntityKind> Readable for E {
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

/// The `_type` of entities that are viewed by some of their properties.
///
/// # Panics
/// When the entities have no property of one of these names: a mistake of the integration's author, seen at the first start.
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

/// An entity on its way into the graph: the typed value, its raw data and its tags.
#[derive(Debug, Clone)]
pub struct Draft<E> {
    pub(crate) value: E,
    pub(crate) raw_data: Vec<RawData>,
    pub(crate) tags: Tags,
}

impl<E> From<E> for Draft<E> {
    fn from(value: E) -> Self {
        Self { value, raw_data: Vec::new(), tags: Tags::new() }
    }
}

impl<E> Draft<E> {
    /// Attaches what the provider said, under a name that no other source of the entity has.
    #[must_use]
    pub fn with_raw_named(mut self, name: impl Into<String>, raw: impl Into<RawJson>) -> Self {
        self.raw_data.push(RawData { name: name.into(), raw_data: raw.into() });
        self
    }

    /// The value, and what it is as data.
    pub(crate) fn into_entity(self, key: ObjectKey, declaration: &EntityDeclaration) -> (E, Entity)
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

/// The key of an entity of a known type, where the entity itself is not at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyOf<E>(pub(crate) String, PhantomData<fn() -> E>);

impl<E: EntityKind> KeyOf<E> {
    /// The key that an entity of this type has.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into(), PhantomData)
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A Rust type that stands for a relationship type; declare it with
/// [`relationship!`](crate::relationship).
pub trait RelationshipKind: Send + Sync + 'static {
    /// Where it starts.
    type From: EntityKind;
    /// Where it ends.
    type To: EntityKind;
    /// Properties beside the standard ones: `()`, or the type itself.
    type Properties: RelationshipProperties;
    /// The verb.
    const CLASS: RelationshipClass;

    /// Type, ends and schema.
    fn declaration() -> RelationshipDeclaration {
        let mut declaration =
            RelationshipDeclaration::new(Self::From::object_type(), Self::CLASS, Self::To::object_type());
        declaration.schema = Self::Properties::schema();
        declaration
    }
}

/// The properties of a relationship type.
pub trait RelationshipProperties {
    /// Their JSON Schema.
    fn schema() -> Value;
    /// Adds them to an object.
    fn write(&self, object: &mut ObjectWriter);
}

impl RelationshipProperties for () {
    fn schema() -> Value {
        json!({"type": "object"})
    }
    fn write(&self, _: &mut ObjectWriter) {}
}

/// A Rust type that stands for a mapped relationship type; declare it with
/// [`mapped_relationship!`](crate::mapped_relationship).
pub trait MappedRelationshipKind: Send + Sync + 'static {
    /// Our end.
    type Source: EntityKind;
    /// The verb.
    const CLASS: RelationshipClass;
    /// Which way it points.
    const DIRECTION: Direction;
    /// The `_type` of the target.
    const TARGET_TYPE: &'static str;
    /// The `_class` of the target.
    const TARGET_CLASS: &'static str;
    /// The properties that identify the target, beside its class.
    const MATCH_ON: &'static [&'static str];

    /// Type and ends.
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

/// Declares a relationship type between two entity types, with properties where it has any.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_team", class = "Team", resource = "Team")]
/// # pub struct Team { #[entity(key)] id: String, name: String }
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_user", class = "User", resource = "User")]
/// # pub struct User { #[entity(key)] id: String, name: String }
/// relationship!(
///     /// A person works in a team.
///     pub TeamHasUser: Team -[HAS]-> User { role: String }
/// );
/// assert_eq!(TeamHasUser::declaration().object_type.as_str(), "acme_team_has_user");
/// ```
#[macro_export]
macro_rules! relationship {

    ($(#[$doc:meta])* $vis:vis $name:ident : $from:ident -[$class:ident]-> $to:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;
        impl $crate::graph::RelationshipKind for $name {
            type From = $from;
            type To = $to;
            type Properties = ();
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
        }
        impl $crate::step::Emitted for $name {
            type Emitter = $crate::step::RelationshipEmitter<Self>;
        }
    };
    ($(#[$doc:meta])* $vis:vis $name:ident : $from:ident -[$class:ident]-> $to:ident { $($(#[$fdoc:meta])* $field:ident : $ty:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, $crate::RelationshipProperties)]
        $vis struct $name { $($(#[$fdoc])* pub $field: $ty),+ }
        impl $crate::graph::RelationshipKind for $name {
            type From = $from;
            type To = $to;
            type Properties = Self;
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
        }
        impl $crate::step::Emitted for $name {
            type Emitter = $crate::step::RelationshipEmitter<Self>;
        }
    };
}

/// Declares a relationship to an entity that another source owns, found by properties.
///
/// `Source -[CLASS]-> "type" Class by [properties]` points to the target,
/// `Source <-[CLASS]- "type" Class by [properties]` from it.
///
/// ```
/// # use integration_sdk::prelude::*;
/// # #[derive(EntityKind)]
/// # #[entity(type = "acme_user", class = "User", resource = "User")]
/// # pub struct User { #[entity(key)] id: String, name: String }
/// mapped_relationship!(pub UserIsPerson: User -[IS]-> "person" Person by ["email"]);
/// assert_eq!(UserIsPerson::declaration().object_type.as_str(), "acme_user_is_person");
/// ```
#[macro_export]
macro_rules! mapped_relationship {
    ($(#[$doc:meta])* $vis:vis $name:ident : $source:ident -[$class:ident]-> $target:literal $tclass:ident by [$($key:literal),+]) => {
        $crate::mapped_relationship!(@make [$(#[$doc])*] $vis $name $source $class Forward $target $tclass $($key)+);
    };
    ($(#[$doc:meta])* $vis:vis $name:ident : $source:ident <-[$class:ident]- $target:literal $tclass:ident by [$($key:literal),+]) => {
        $crate::mapped_relationship!(@make [$(#[$doc])*] $vis $name $source $class Reverse $target $tclass $($key)+);
    };
    (@make [$(#[$doc:meta])*] $vis:vis $name:ident $source:ident $class:ident $direction:ident $target:literal $tclass:ident $($key:literal)+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        $vis struct $name;
        impl $crate::graph::MappedRelationshipKind for $name {
            type Source = $source;
            const CLASS: $crate::graph::RelationshipClass = $crate::graph::RelationshipClass::$class;
            const DIRECTION: $crate::graph::Direction = $crate::graph::Direction::$direction;
            const TARGET_TYPE: &'static str = $target;
            const TARGET_CLASS: &'static str = stringify!($tclass);
            const MATCH_ON: &'static [&'static str] = &[$($key),+];
        }
        impl $crate::step::Emitted for $name {
            type Emitter = $crate::step::MappedRelationshipEmitter<Self>;
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{EntityKind, EntityView};

    use super::*;

    #[derive(EntityKind)]
    #[entity(type = "acme_team", class = "Team", resource = "Team")]
    struct Team {
        #[entity(key)]
        id: String,
        name: String,
        #[entity(rename = "leadId")]
        lead: Option<String>,
    }

    #[derive(EntityView)]
    #[entity(of = Team)]
    struct Lead {
        #[entity(key)]
        id: String,
        #[entity(rename = "leadId")]
        lead: Option<String>,
    }

    #[derive(EntityView)]
    #[entity(of = Team)]
    struct Forgotten {
        #[entity(key)]
        id: String,
        lead: Option<String>,
    }

    #[test]
    fn a_view_reads_what_the_entity_would() {
        let team = Team { id: "team-1".into(), name: "Ops".into(), lead: Some("user-1".into()) };
        let json = team.to_entity().into_json().to_string();
        let (team, lead) = (Team::read(&json).unwrap(), Lead::read(&json).unwrap());
        assert_eq!((team.entity_key(), &team.lead), (lead.entity_key(), &lead.lead));
        assert_eq!((lead.id.as_str(), lead.lead.as_deref()), ("team-1", Some("user-1")));
        assert_eq!(Lead::entity_type(), Team::object_type());
    }

    #[test]
    #[should_panic(expected = "acme_team has no property `lead`")]
    fn a_view_of_what_is_not_there_is_a_mistake_of_the_first_start() {
        assert!(Forgotten::read(r#"{"id":"team-1"}"#).is_ok_and(|view| view.lead.is_none() && view.id == "team-1"));
        Forgotten::entity_type();
    }
}
