//! Relationships as plain data, the rules for their keys and types, and the known classes.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{ObjectKey, ObjectType, Properties};

macro_rules! classes {
    ($($name:ident)*) => {
        /// The class of a relationship; the known ones of the JupiterOne data model.
        #[allow(missing_docs)]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum RelationshipClass { $($name),* }

        impl RelationshipClass {
            /// Every known class.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// Returns the class as written in `_class`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => stringify!($name)),* }
            }
        }
    };
}

classes! {
    ALLOWS APPROVED ASSIGNED CONNECTS CONTAINS COMPLETED CREATED DEFINES DENIES DEPLOYED ENFORCES EVALUATES
    EXPLOITS EXTENDS GENERATED HAS HOSTS IDENTIFIED IMPLEMENTS INSTALLED IS KNOWS LIMITS LOGS MANAGES MITIGATES
    MONITORS NOTIFIES OPENED OVERRIDES OWNS PERFORMED PROTECTS PROVIDES PUBLISHED PUBLISHES REPORTED RESTRICTS
    REVIEWED RUNS SCANS SENDS TRIGGERS TRUSTS UPDATED USES VIOLATES
}

impl fmt::Display for RelationshipClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Returns `<from>|<class in lower case>|<to>`.
pub fn relationship_key(from: &ObjectKey, class: RelationshipClass, to: &ObjectKey) -> String {
    let (from, class, to) = (from.as_str(), class.as_str(), to.as_str());
    let mut key = String::with_capacity(from.len() + class.len() + to.len() + 2);
    key.extend([from, "|", class, "|", to]);
    key[from.len() + 1..][..class.len()].make_ascii_lowercase();
    key
}

/// Returns `<from>_<class in lower case>_<to without the leading words it shares with from>`. The last word of
/// `to` is always kept.
///
/// ```
/// use integration_graph::{ObjectType, RelationshipClass, relationship_type};
/// let name = |text| ObjectType::literal(text);
/// let member = name("heroku_account_member");
/// assert_eq!(relationship_type(&name("heroku_account"), RelationshipClass::HAS, &member), name("heroku_account_has_member"));
/// assert_eq!(relationship_type(&name("heroku_team"), RelationshipClass::HAS, &member), name("heroku_team_has_account_member"));
/// ```
pub fn relationship_type(from: &ObjectType, class: RelationshipClass, to: &ObjectType) -> ObjectType {
    let ours: Vec<&str> = from.as_str().split('_').collect();
    let theirs: Vec<&str> = to.as_str().split('_').collect();
    let shared = ours.iter().zip(&theirs).take_while(|(a, b)| a == b).count();
    let rest = theirs[shared.min(theirs.len() - 1)..].join("_");
    let text = format!("{from}_{}_{rest}", class.as_str().to_ascii_lowercase());
    ObjectType::new(text).expect("two type names joined by a lower-case verb are a type name")
}

/// A direct relationship: both ends are entities of this graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Relationship {
    /// The `_class`.
    pub class: RelationshipClass,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The `_fromEntityKey`.
    pub from: ObjectKey,
    /// The `_toEntityKey`.
    pub to: ObjectKey,
    /// Flat properties.
    pub properties: Properties,
}

impl Relationship {
    /// Returns the `_key` by the rule of [`relationship_key`].
    pub fn key(&self) -> ObjectKey {
        Self::key_between(&self.from, self.class, &self.to)
    }

    /// Returns the `_key` of a relationship of a class between two entities.
    pub fn key_between(from: &ObjectKey, class: RelationshipClass, to: &ObjectKey) -> ObjectKey {
        ObjectKey::new(relationship_key(from, class, to)).expect("two keys joined by a verb are a key")
    }

    /// Returns the exported object.
    pub fn into_json(self) -> Value {
        let key = self.key();
        let mut object = self.properties;
        object.insert("_key".into(), key.as_str().into());
        object.insert("_type".into(), self.object_type.as_str().into());
        object.insert("_class".into(), self.class.as_str().into());
        object.insert("_fromEntityKey".into(), self.from.as_str().into());
        object.insert("_toEntityKey".into(), self.to.as_str().into());
        object.insert("displayName".into(), self.class.as_str().into());
        Value::Object(object)
    }
}

/// The direction of a mapped relationship, seen from the entity of this integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Direction {
    /// From this entity to the target.
    Forward,
    /// From the target to this entity.
    Reverse,
}

/// A relationship to an entity of another source, identified by properties instead of a key.
#[derive(Debug, Clone, PartialEq)]
pub struct MappedRelationship {
    /// The `_class`.
    pub class: RelationshipClass,
    /// The `_type`.
    pub object_type: ObjectType,
    /// The key of the entity of this integration.
    pub source: ObjectKey,
    /// The direction.
    pub direction: Direction,
    /// Alternative sets of properties that identify the target.
    pub target_filter_keys: Vec<Vec<String>>,
    /// The known properties of the target, including the filter properties.
    pub target_entity: Properties,
    /// Whether to omit the relationship if no target exists, instead of creating one.
    pub skip_target_creation: bool,
    /// Flat properties.
    pub properties: Properties,
}

impl MappedRelationship {
    /// Returns the `_key`: source key, class, direction, and the values of the first filter.
    pub fn key(&self) -> ObjectKey {
        let filter = self.target_filter_keys.first().into_iter().flatten();
        let values: Vec<String> = filter
            .map(|name| match &self.target_entity.get(name) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => String::new(),
            })
            .collect();
        let direction = match self.direction {
            Direction::Forward => "forward",
            Direction::Reverse => "reverse",
        };
        let class = self.class.as_str().to_ascii_lowercase();
        let text = format!("{}|{class}|{direction}:{}", self.source, values.join(":"));
        let printable: String = text.chars().filter(|c| !c.is_control()).collect();
        ObjectKey::new(printable).expect("a key and printable text are a key")
    }

    /// Returns the exported object.
    pub fn into_json(self) -> Value {
        Value::Object(self.into_properties())
    }

    /// Returns the members of the exported object.
    pub fn into_properties(self) -> Properties {
        let key = self.key();
        let mut object = self.properties;
        object.insert("_key".into(), key.as_str().into());
        object.insert("_type".into(), self.object_type.as_str().into());
        object.insert("_class".into(), self.class.as_str().into());
        object.insert("displayName".into(), self.class.as_str().into());
        let mut mapping = json!({
            "relationshipDirection": self.direction,
            "sourceEntityKey": self.source,
            "targetFilterKeys": self.target_filter_keys,
            "targetEntity": self.target_entity,
        });
        if self.skip_target_creation {
            mapping["skipTargetCreation"] = true.into();
        }
        object.insert("_mapping".into(), mapping);
        object
    }
}
