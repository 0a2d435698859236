//! Objects before validation, written once from Rust values or from run-time data.

use std::sync::Arc;

use serde_json::Value;

use crate::graph::{
    Class, Draft, Entity, EntityDeclaration, EntityKind, MappedRelationship, ObjectKey, ObjectText, ObjectType,
    ObjectWriter, OnDuplicateKey, Parted, Properties, RawData, Relationship, RelationshipClass,
    RelationshipDeclaration, RelationshipProperties,
};
use crate::store::{Kind, StoredObject};

use super::Partition;

/// The properties of a relationship without properties of its own, in order.
const RELATIONSHIP: [&str; 6] = ["_class", "_fromEntityKey", "_key", "_toEntityKey", "_type", "displayName"];

/// An object that has not been validated.
pub(super) struct PendingObject {
    pub(super) kind: Kind,
    pub(super) key: ObjectKey,
    pub(super) object_type: ObjectType,
    /// The classes, joined by commas.
    pub(super) class: Arc<str>,
    pub(super) partition: Option<Arc<Partition>>,
    /// The parent of an object of an earlier job, whose partition is not known.
    pub(super) parent: Option<ObjectKey>,
    pub(super) ends: Option<(ObjectKey, ObjectKey)>,
    pub(super) merge: bool,
    /// Whether the object is quarantined even if it matches its schemas. The gap is reported elsewhere.
    pub(super) apart: bool,
    /// The text of the properties.
    pub(super) text: ObjectText,
    pub(super) raw_data: Vec<RawData>,
}

impl PendingObject {
    /// Creates an object from a value of a declared type, and returns the value to the caller.
    pub(super) fn value<E: EntityKind>(draft: Draft<E>, key: ObjectKey, declaration: &EntityDeclaration) -> (E, Self) {
        let Draft { value, raw_data, tags } = draft;
        let EntityDeclaration { object_type, classes, on_duplicate_key, .. } = declaration;
        let object = entity(key, object_type.clone(), classes, *on_duplicate_key, raw_data, |object| {
            value.write(object);
            tags.iter().for_each(|(name, text)| object.text(&format!("tag.{name}"), text));
        });
        (value, object)
    }

    /// Creates an entity from data created at run time.
    pub(super) fn entity(data: Entity, on_duplicate_key: OnDuplicateKey) -> Self {
        let Entity { key, object_type, classes, display_name, properties, raw_data } = data;
        entity(key, object_type, &classes, on_duplicate_key, raw_data, |object| {
            object.text("displayName", &display_name);
            properties.iter().for_each(|(name, value)| object.value(name, value));
        })
    }

    /// Creates a relationship of a declared type.
    pub(super) fn between<P: RelationshipProperties>(
        declaration: &RelationshipDeclaration,
        from: ObjectKey,
        to: ObjectKey,
        properties: &P,
    ) -> Self {
        let write = |object: &mut ObjectWriter| properties.write(object);
        relationship(declaration.class, declaration.object_type.clone(), from, to, write)
    }

    /// Creates a relationship from data created at run time.
    pub(super) fn relationship(data: Relationship) -> Self {
        let Relationship { class, object_type, from, to, properties } = data;
        let write = |object: &mut ObjectWriter| properties.iter().for_each(|(name, value)| object.value(name, value));
        relationship(class, object_type, from, to, write)
    }

    pub(super) fn mapped(mapped: MappedRelationship) -> Self {
        let (class, key, object_type) = (mapped.class.as_str().into(), mapped.key(), mapped.object_type.clone());
        let (kind, text) = (Kind::MappedRelationship, ObjectText::from(&mapped.into_properties()));
        let (partition, raw_data) = (Partition::current(), Vec::new());
        let parent = None;
        Self {
            kind,
            key,
            object_type,
            class,
            partition,
            parent,
            ends: None,
            merge: false,
            apart: false,
            text,
            raw_data,
        }
    }

    /// Returns the keys of which the text consists, apart from constants; `None` if it contains other properties.
    pub(super) fn only_keys(&self) -> Option<[&ObjectKey; 3]> {
        let (from, to) = self.ends.as_ref()?;
        self.text.members().map(|(name, _)| name).eq(RELATIONSHIP).then_some([&self.key, from, to])
    }

    /// Creates an object from an object of an earlier job.
    pub(super) fn stored(object: StoredObject, merge: bool) -> serde_json::Result<Self> {
        let parted = Parted::read(object.json())?;
        let class = joined_class(&parted.properties);
        let StoredObject { kind, key, object_type, parent, ends, .. } = object;
        let (partition, text, raw_data) = (Partition::current(), parted.properties(), parted.into_raw_data());
        Ok(Self { kind, key, object_type, class, partition, parent, ends, merge, apart: false, text, raw_data })
    }
}

/// Returns the classes of an object, joined by commas.
fn joined_class(properties: &Properties) -> Arc<str> {
    match properties.get("_class") {
        Some(Value::Array(classes)) => classes.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",").into(),
        Some(Value::String(class)) => class.as_str().into(),
        _ => "".into(),
    }
}

fn entity(
    key: ObjectKey,
    object_type: ObjectType,
    classes: &[Class],
    on_duplicate_key: OnDuplicateKey,
    raw_data: Vec<RawData>,
    write: impl FnOnce(&mut ObjectWriter),
) -> PendingObject {
    let mut object = ObjectWriter::new();
    object.texts("_class", classes.iter().map(Class::as_str));
    object.text("_key", key.as_str());
    object.text("_type", object_type.as_str());
    write(&mut object);
    let (class, merge) = (Class::joined(classes), on_duplicate_key == OnDuplicateKey::Merge);
    let (kind, ends, text) = (Kind::Entity, None, object.finish());
    PendingObject {
        kind,
        key,
        object_type,
        class,
        partition: Partition::current(),
        parent: None,
        ends,
        merge,
        apart: false,
        text,
        raw_data,
    }
}

fn relationship(
    class: RelationshipClass,
    object_type: ObjectType,
    from: ObjectKey,
    to: ObjectKey,
    write: impl FnOnce(&mut ObjectWriter),
) -> PendingObject {
    let key = Relationship::key_between(&from, class, &to);
    let mut object = ObjectWriter::of_relationship();
    object.text("_class", class.as_str());
    object.text("_fromEntityKey", from.as_str());
    object.text("_key", key.as_str());
    object.text("_toEntityKey", to.as_str());
    object.text("_type", object_type.as_str());
    object.text("displayName", class.as_str());
    write(&mut object);
    let (kind, class, ends, text) = (Kind::Relationship, class.as_str().into(), Some((from, to)), object.finish());
    let (partition, merge, apart, raw_data) = (Partition::current(), false, false, Vec::new());
    PendingObject { kind, key, object_type, class, partition, parent: None, ends, merge, apart, text, raw_data }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn relationship(properties: Value) -> PendingObject {
        let key = |text: &str| ObjectKey::new(text).expect("a key");
        PendingObject::relationship(Relationship {
            class: RelationshipClass::HAS,
            object_type: ObjectType::literal("acme_team_has_user"),
            from: key("a"),
            to: key("b"),
            properties: serde_json::from_value(properties).expect("properties"),
        })
    }

    #[test]
    fn only_a_relationship_without_properties_of_its_own_consists_of_keys() {
        let plain = relationship(json!({}));
        assert_eq!(plain.only_keys().map(|keys| keys.map(ObjectKey::as_str)), Some(["a|has|b", "a", "b"]));
        for properties in [json!({"note": "x"}), json!({"Note": "x"}), json!({"zone": null})] {
            let is_plain = relationship(properties.clone()).only_keys().is_some();
            assert_eq!(is_plain, relationship(properties.clone()).text.len() == plain.text.len(), "{properties}");
        }
        let text = ObjectText::from(&serde_json::from_value(json!({"_key": "a"})).expect("properties"));
        assert!(PendingObject { ends: None, text, ..relationship(json!({})) }.only_keys().is_none());
    }
}
