//! Objects as properties and labels.

use integration_graph::{Values, json_string};
use integration_sink::Record;
use integration_store::{Kind, SnapshotId};

use crate::cypher::plain;
use crate::value::{PropertyValue, property_value};

/// The properties that are no properties of the provider. One of such a name gets the ending `_2`.
const OWN: [&str; 5] = ["_integrationType", "_integrationInstanceID", "_transfer", "_stale", "_rawData"];

/// The properties of nodes besides those of the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layout {
    /// Whether objects have the properties `id`, `firstseen`, and `lastupdated`, as Cartography has them.
    pub stamps: bool,
}

/// Returns the name of a snapshot. A resumed job publishes again, with another number.
pub(crate) fn mark(snapshot: &SnapshotId) -> String {
    format!("{}/{}", snapshot.job, snapshot.number)
}

impl Layout {
    /// Returns all properties of an object, in the order of their names except for the last ones.
    ///
    /// `transfer` names the transfer that writes the object; see [`crate::sweep`].
    pub(crate) fn properties(
        self,
        record: &Record,
        snapshot: &SnapshotId,
        transfer: &str,
    ) -> Vec<(String, PropertyValue)> {
        let object = &record.object;
        let (mut properties, mut has_id) = (Vec::new(), false);
        let mut tokens = Values::within(&object.properties);
        while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
            let name = property_name(&json_string(name).unwrap_or_default());
            let value = match (name.as_str(), object.kind) {
                // The class of an entity is always a list.
                ("_class", Kind::Entity) if !value.starts_with('[') => {
                    property_value(value).map(|class| PropertyValue::List(vec![class]))
                }
                _ => property_value(value),
            };
            has_id |= name == "id" && value.is_some();
            properties.extend(value.map(|value| (name, value)));
        }
        let own = [
            ("_integrationType", snapshot.integration.as_str()),
            ("_integrationInstanceID", snapshot.instance.as_str()),
            ("_transfer", transfer),
        ];
        let own = own.map(|(name, text)| (name.to_owned(), PropertyValue::Text(text.to_owned())));
        properties.extend(own);
        if object.is_stale {
            properties.push(("_stale".to_owned(), PropertyValue::Boolean(true)));
        }
        if let Some(raw) = &object.raw {
            properties.push(("_rawData".to_owned(), PropertyValue::Text(raw.clone())));
        }
        if self.stamps {
            if !has_id {
                properties.push(("id".to_owned(), PropertyValue::Text(object.key.to_string())));
            }
            let stamps = [("firstseen", object.created.millis()), ("lastupdated", snapshot.published.millis() / 1_000)];
            for (name, value) in stamps {
                properties.retain(|(other, _)| other != name);
                properties.push((name.to_owned(), PropertyValue::Integer(value)));
            }
        }
        properties
    }
}

/// Returns a name of a property that the database accepts, and that is none of the sink's own.
fn property_name(name: &str) -> String {
    match name {
        "" => "_".to_owned(),
        name if OWN.contains(&name) => format!("{name}_2"),
        name => name.replace('\0', "_"),
    }
}

/// Returns the classes of an object.
pub(crate) fn classes(record: &Record) -> Vec<String> {
    let mut tokens = Values::within(&record.object.properties);
    while let (Some(name), Some(value)) = (tokens.next(), tokens.next()) {
        if name == "\"_class\"" {
            return match property_value(value) {
                Some(PropertyValue::Text(class)) => vec![class],
                Some(PropertyValue::List(classes)) => {
                    let text = |class| if let PropertyValue::Text(class) = class { Some(class) } else { None };
                    classes.into_iter().filter_map(text).collect()
                }
                _ => Vec::new(),
            };
        }
    }
    Vec::new()
}

/// Returns the labels of an entity besides the common one: its type and its classes.
pub(crate) fn entity_labels(record: &Record) -> Vec<String> {
    let mut labels = vec![plain(record.object.object_type.as_str())];
    for class in classes(record) {
        let class = plain(&class);
        if !labels.contains(&class) {
            labels.push(class);
        }
    }
    labels
}

/// Returns the type of a relationship: its class, or its `_type` if it has none.
pub(crate) fn relationship_type(record: &Record) -> String {
    let class = classes(record).into_iter().next().filter(|class| !class.is_empty());
    plain(&class.unwrap_or_else(|| record.object.object_type.to_string()))
}
