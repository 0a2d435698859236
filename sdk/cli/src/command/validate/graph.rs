//! The rules of a graph: objects keep their schemas, types are declared, keys are unique, relationships have both ends.
//!
//! Objects come one by one in any order. What stays in memory is a digest of each key, and of each end that has not been
//! met yet, never an object.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

use integration_sdk::graph::ObjectType;
use integration_sdk::schema::{Finding, Schemas};
use serde_json::Value;

use crate::report::Findings;

/// Stands for a key: two keyed hashes, so that two keys of one digest need not be expected.
type Digest = (u64, u64);

/// Where each kind of relationship says what it joins.
const ENDS: [&str; 3] = ["/_fromEntityKey", "/_toEntityKey", "/_mapping/sourceEntityKey"];

/// A graph while it is looked through.
pub(super) struct Graph<'a> {
    schemas: &'a Schemas,
    hashers: (RandomState, RandomState),
    /// Whether the key is an entity's.
    keys: HashMap<Digest, bool>,
    /// Ends that no entity has had so far, by type and place of the relationship.
    awaited: HashMap<(Digest, String, &'static str), Awaited>,
    findings: Findings,
    entities: u64,
    relationships: u64,
}

/// The first relationship that leads to an end, and how many do.
struct Awaited {
    count: u64,
    key: String,
    file: Option<PathBuf>,
}

impl<'a> Graph<'a> {
    pub(super) fn new(schemas: &'a Schemas) -> Self {
        Self {
            schemas,
            hashers: (RandomState::new(), RandomState::new()),
            keys: HashMap::new(),
            awaited: HashMap::new(),
            findings: Findings::default(),
            entities: 0,
            relationships: 0,
        }
    }

    /// Entities and relationships so far.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.entities, self.relationships)
    }

    /// Looks at an object; `is_entity` says where it was found.
    pub(super) fn add(&mut self, object: &Value, is_entity: bool, file: Option<&Path>) {
        *(if is_entity { &mut self.entities } else { &mut self.relationships }) += 1;
        for finding in self.schemas.check(object) {
            self.findings.add(1, finding, file);
        }
        self.check_type(object, file);
        self.check_key(object, is_entity, file);
        let mut ends = 0;
        for place in ENDS {
            if let Some(end) = object.pointer(place).and_then(Value::as_str) {
                ends += 1;
                self.check_end(object, place, end, file);
            }
        }
        match (is_entity, ends) {
            (true, 1..) => self.find(object, "", "it stands among the entities and is a relationship", file),
            (false, 0) => self.find(object, "", "it stands among the relationships and joins nothing", file),
            _ => {}
        }
    }

    /// All findings, once there are no more objects.
    pub(super) fn findings(mut self) -> Findings {
        let missing = self.awaited.into_iter().filter(|((end, _, _), _)| self.keys.get(end) != Some(&true));
        let mut missing: Vec<_> = missing.collect();
        // Hashing is by chance; the example of each kind is the same each time.
        missing.sort_by(|(_, a), (_, b)| a.key.cmp(&b.key));
        for ((_, object_type, place), awaited) in missing {
            let finding = finding(&object_type, &awaited.key, place, "there is no entity of this key");
            self.findings.add(awaited.count, finding, awaited.file.as_deref());
        }
        self.findings
    }

    fn check_type(&mut self, object: &Value, file: Option<&Path>) {
        let declared = |name| ObjectType::new(name).is_ok_and(|name| self.schemas.types().contains_key(&name));
        if object["_type"].as_str().is_some_and(|name| !declared(name)) {
            self.find(object, "/_type", "no step declares this type", file);
        }
    }

    fn check_key(&mut self, object: &Value, is_entity: bool, file: Option<&Path>) {
        let Some(key) = object["_key"].as_str() else { return };
        if self.keys.insert(self.digest(key), is_entity).is_some() {
            self.find(object, "/_key", "another object has this key", file);
        }
    }

    fn check_end(&mut self, object: &Value, place: &'static str, end: &str, file: Option<&Path>) {
        let digest = self.digest(end);
        if self.keys.get(&digest) == Some(&true) {
            return;
        }
        let awaited = self.awaited.entry((digest, text(object, "_type"), place));
        let first = || Awaited { count: 0, key: text(object, "_key"), file: file.map(Path::to_owned) };
        awaited.or_insert_with(first).count += 1;
    }

    fn find(&mut self, object: &Value, place: &str, reason: &str, file: Option<&Path>) {
        let finding = finding(&text(object, "_type"), &text(object, "_key"), place, reason);
        self.findings.add(1, finding, file);
    }

    fn digest(&self, key: &str) -> Digest {
        (self.hashers.0.hash_one(key), self.hashers.1.hash_one(key))
    }
}

fn text(object: &Value, name: &str) -> String {
    object[name].as_str().unwrap_or_default().to_owned()
}

fn finding(object_type: &str, key: &str, pointer: &str, reason: &str) -> Finding {
    Finding {
        object_type: object_type.to_owned(),
        key: key.to_owned(),
        pointer: pointer.to_owned(),
        reason: reason.to_owned(),
        schema: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use integration_sdk::graph::{Class, EntityDeclaration, RelationshipClass, RelationshipDeclaration};
    use serde_json::json;

    use super::*;

    fn planet(key: &str) -> Value {
        json!({"_key": key, "_type": "space_planet", "_class": ["Site"], "name": key, "displayName": key})
    }

    fn orbit(from: &str, to: &str) -> Value {
        json!({"_key": format!("{from}|has|{to}"), "_type": "space_planet_has_planet", "_class": "HAS",
               "displayName": "HAS", "_fromEntityKey": from, "_toEntityKey": to})
    }

    /// What is found, as `pointer: reason`.
    fn found(objects: &[(Value, bool)]) -> Vec<String> {
        let mut schemas = Schemas::new(BTreeMap::new()).expect("our own schemas");
        let name = ObjectType::literal("space_planet");
        schemas.entity(&EntityDeclaration::new("Planet", name.clone(), Class::literal("Site")));
        schemas.relationship(&RelationshipDeclaration::new(name.clone(), RelationshipClass::HAS, name));
        let mut graph = Graph::new(&schemas);
        objects.iter().for_each(|(object, is_entity)| graph.add(object, *is_entity, None));
        let findings = graph.findings();
        let mut lines: Vec<String> = findings
            .groups(10)
            .into_iter()
            .map(|group| format!("{} x {}: {}", group.count, group.first.pointer, group.first.reason))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn a_whole_graph_has_no_findings_in_whichever_order_it_comes() {
        let (earth, moon) = (planet("planet:earth"), planet("planet:moon0"));
        let orbit = orbit("planet:earth", "planet:moon0");
        assert_eq!(found(&[(orbit, false), (earth, true), (moon, true)]), Vec::<String>::new());
    }

    #[test]
    fn a_missing_end_is_counted_by_the_relationships_that_lead_to_it() {
        let objects = [
            (planet("planet:earth"), true),
            (orbit("planet:earth", "planet:gone1"), false),
            (orbit("planet:earth", "planet:gone2"), false),
        ];
        assert_eq!(found(&objects), ["2 x /_toEntityKey: there is no entity of this key"]);
    }

    #[test]
    fn a_key_is_unique_and_a_type_declared() {
        let mut comet = planet("comet:halley");
        comet["_type"] = "space_comet".into();
        let objects = [(planet("planet:earth"), true), (planet("planet:earth"), true), (comet, true)];
        assert_eq!(
            found(&objects),
            ["1 x /_key: another object has this key", "1 x /_type: no step declares this type"]
        );
    }

    #[test]
    fn an_object_stands_where_it_belongs() {
        let stray = found(&[(planet("planet:earth"), false)]);
        assert_eq!(stray, ["1 x : it stands among the relationships and joins nothing"]);
    }
}
