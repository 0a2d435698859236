//! The rules that schemas, configuration and graphs are held to: what each is called, and what to do where it is broken.

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::{Serialize, Serializer};

/// A rule.
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

/// How grave it is to break a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Whatever reads the graph goes wrong.
    Error,
    /// It may be meant.
    Warning,
}

impl Rule {
    /// Those of a graph.
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

    /// What programs know it by.
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

    /// What it asks for.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Schema => "An object satisfies the schemas of its classes and its type",
            Self::Unreadable => "An object is JSON that can be read",
            Self::Misplaced => "Entities stand among entities, relationships among relationships",
            Self::DuplicateKey => "No two objects have one key",
            Self::MissingEnd => "Both ends of a relationship are there",
            Self::RelationshipClass => "The class of a relationship is a known verb",
            Self::RelationshipType => "The type of a relationship follows from its ends and its class",
            Self::UndeclaredType => "A step declares the type",
            Self::UnknownClass => "There is a schema of the class",
            Self::PropertyName => "Names of properties are letters, digits, dots, dashes and spaces",
            Self::NestedObject => "A property is a scalar or a list of scalars",
            Self::TimeUnit => "Times are milliseconds since the epoch",
            Self::RawDataName => "The names of raw data are unique within an object",
            Self::MappingFilter => "What a mapped relationship is found by is known of its target",
            Self::Secret => "Nothing in the graph looks like a secret",
            Self::BrokenSchema => "A schema is valid, and what it refers to is there",
            Self::DriftedSchema => "The type schemas on disk are those of the program",
            Self::Configuration => "The configuration is complete, and the provider accepts it",
        }
    }

    /// What to do where it is broken.
    pub(crate) fn advice(self) -> &'static str {
        match self {
            Self::Schema => "write the value that the schema asks for, or leave the property out where it is not known",
            Self::Unreadable => "write objects as JSON text in UTF-8, nested less than 128 deep",
            Self::Misplaced => {
                "put it under `relationships` if it joins two keys or has a `_mapping`, else under `entities`"
            }
            Self::DuplicateKey => {
                "build `_key` from an id that is unique over all types, or join what describes one thing"
            }
            Self::MissingEnd => {
                "emit the entity at that end, leave the relationship out, or map it if another source owns the entity"
            }
            Self::RelationshipClass => "use one of the verbs of the data model, in upper case, such as HAS or OWNS",
            Self::RelationshipType => {
                "name it FROM_verb_TO, TO without the leading words that it shares with FROM: \
                 acme_account HAS acme_account_user is acme_account_has_user"
            }
            Self::UndeclaredType => {
                "declare it on the step that emits it: whoever reads the graph deletes nothing of types it does not know"
            }
            Self::UnknownClass => "correct the name of the class, or add its schema with --schemas",
            Self::PropertyName => "write names in camel case, such as `createdOn`; tags as `tag.Name`",
            Self::NestedObject => "make each inner value a property of its own, and leave the rest to `_rawData`",
            Self::TimeUnit => "multiply seconds by 1,000, divide microseconds by 1,000",
            Self::RawDataName => "give each source of the entity a name of its own; `default` is for one",
            Self::MappingFilter => {
                "set each property of `targetFilterKeys` in `targetEntity`, or filter by another one"
            }
            Self::Secret => {
                "mark the field as secret, so that it never enters the graph, and change the secret: whoever reads the graph has it"
            }
            Self::BrokenSchema => "correct the schema at that place; references name loaded classes, such as #Entity",
            Self::DriftedSchema => {
                "write them anew with `validate schemas --write`, and look at what changed before you commit"
            }
            Self::Configuration => "see `validate config`: it shows every field and the variables that set it",
        }
    }

    /// How grave it is.
    pub(crate) fn level(self) -> Level {
        match self {
            Self::RelationshipType | Self::UndeclaredType | Self::UnknownClass | Self::TimeUnit => Level::Warning,
            _ => Level::Error,
        }
    }
}

/// On the command line, those of a graph.
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
