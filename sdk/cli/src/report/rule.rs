//! The rules that `validate` checks, with an id, a title, and advice for each.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::{Serialize, Serializer};

/// A rule for schemas, the configuration, or a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    Schema,
    Unreadable,
    Misplaced,
    DuplicateKey,
    MissingEnd,
    RelationshipClass,
    RelationshipType,
    UndeclaredType,
    UnknownClass,
    PropertyName,
    NestedObject,
    TimeUnit,
    RawDataName,
    MappingFilter,
    Secret,
    BrokenSchema,
    DriftedSchema,
    Configuration,
}

/// The severity of a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Readers of the graph fail or return wrong results.
    Error,
    /// The violation may be intentional.
    Warning,
    /// The violation is information.
    Note,
}

impl Rule {
    /// The rules for a graph.
    pub(crate) const OF_DATA: [Self; 15] = [
        Self::Schema,
        Self::Unreadable,
        Self::Misplaced,
        Self::DuplicateKey,
        Self::MissingEnd,
        Self::RelationshipClass,
        Self::RelationshipType,
        Self::UndeclaredType,
        Self::UnknownClass,
        Self::PropertyName,
        Self::NestedObject,
        Self::TimeUnit,
        Self::RawDataName,
        Self::MappingFilter,
        Self::Secret,
    ];

    /// The identifier in options and in output for programs.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Unreadable => "unreadable",
            Self::Misplaced => "misplaced",
            Self::DuplicateKey => "duplicate-key",
            Self::MissingEnd => "missing-end",
            Self::RelationshipClass => "relationship-class",
            Self::RelationshipType => "relationship-type",
            Self::UndeclaredType => "undeclared-type",
            Self::UnknownClass => "unknown-class",
            Self::PropertyName => "property-name",
            Self::NestedObject => "nested-object",
            Self::TimeUnit => "time-unit",
            Self::RawDataName => "raw-data-name",
            Self::MappingFilter => "mapping-filter",
            Self::Secret => "secret",
            Self::BrokenSchema => "broken-schema",
            Self::DriftedSchema => "drifted-schema",
            Self::Configuration => "configuration",
        }
    }

    /// The requirement, in one sentence.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Schema => "Objects match the schemas of their classes and their type",
            Self::Unreadable => "Objects are valid JSON",
            Self::Misplaced => "Entities and relationships are in separate lists",
            Self::DuplicateKey => "Keys are unique",
            Self::MissingEnd => "Both ends of a relationship exist",
            Self::RelationshipClass => "The class of a relationship is known",
            Self::RelationshipType => "The type of a relationship matches its ends and its class",
            Self::UndeclaredType => "A step declares the type",
            Self::UnknownClass => "The class has a schema",
            Self::PropertyName => "Property names consist of letters, digits, dots, dashes and spaces",
            Self::NestedObject => "A property is a scalar or a list of scalars",
            Self::TimeUnit => "Times are in milliseconds since the epoch",
            Self::RawDataName => "Names of raw data are unique within an object",
            Self::MappingFilter => "The target of a mapped relationship has all filter properties",
            Self::Secret => "The graph contains no secrets",
            Self::BrokenSchema => "Schemas and their references are valid",
            Self::DriftedSchema => "The type schemas on disk are up to date",
            Self::Configuration => "The configuration is complete, and the provider accepts the credentials",
        }
    }

    /// The action that fixes a violation.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Schema => "set a value that the schema allows, or omit the property if its value is unknown",
            Self::Unreadable => "write objects as JSON in UTF-8, with less than 128 levels of nesting",
            Self::Misplaced => {
                "list objects with two ends or a `_mapping` under `relationships`, and all others under `entities`"
            }
            Self::DuplicateKey => {
                "build `_key` from an id that is unique across all types, or merge objects that describe the same thing"
            }
            Self::MissingEnd => {
                "emit the entity at that end, omit the relationship, or use a mapped relationship if the entity belongs to another integration"
            }
            Self::RelationshipClass => "use a relationship class of the data model, in upper case, such as HAS or OWNS",
            Self::RelationshipType => {
                "name the type FROM_verb_TO, without the leading words that TO shares with FROM: \
                 acme_account HAS acme_account_user is acme_account_has_user"
            }
            Self::UndeclaredType => {
                "declare the type on the step that emits it; readers of the graph never delete objects of undeclared types"
            }
            Self::UnknownClass => "correct the name of the class, or add its schema with --schemas",
            Self::PropertyName => "use camel case, such as `createdOn`, or `tag.Name` for tags",
            Self::NestedObject => {
                "turn inner values into separate properties, and keep the complete object in `_rawData`"
            }
            Self::TimeUnit => "multiply seconds by 1,000, or divide microseconds by 1,000",
            Self::RawDataName => "give each source of the entity a different name; `default` is for a single source",
            Self::MappingFilter => {
                "set each property of `targetFilterKeys` in `targetEntity`, or filter by another property"
            }
            Self::Secret => {
                "mark the field as secret, so that it never enters the graph, and rotate the secret, because it was exposed"
            }
            Self::BrokenSchema => {
                "correct the schema at this place; references must name loaded classes, such as #Entity"
            }
            Self::DriftedSchema => {
                "regenerate the schemas with `validate schemas --write`, and review the changes before you commit them"
            }
            Self::Configuration => "run `validate config` to list all fields and the variables that set them",
        }
    }

    /// The severity of a violation.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::RelationshipType | Self::UndeclaredType | Self::UnknownClass | Self::TimeUnit => Level::Warning,
            _ => Level::Error,
        }
    }
}

/// The option values of the rules for a graph.
impl ValueEnum for Rule {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::OF_DATA
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.id()).help(self.title()))
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.id())
    }
}
