//! A graph as plain lists of JSON objects.

use integration_query::graph::AccountGraph;
use serde_json::{Map, Value};

use crate::support::graph;

pub type Object = Map<String, Value>;

/// A relationship with the positions of its ends.
#[derive(Debug, Clone)]
pub struct Relationship {
    pub from: usize,
    pub to: usize,
    pub object: Object,
}

/// The entities and relationships of one snapshot, each sorted by type and key.
#[derive(Debug, Clone)]
pub struct Model {
    pub entities: Vec<Object>,
    pub relationships: Vec<Relationship>,
    objects: Vec<Value>,
}

impl Model {
    /// Creates a model of exported objects. Every relationship has both ends.
    pub fn new(entities: Vec<Value>, relationships: Vec<Value>) -> Self {
        let objects = entities.iter().chain(&relationships).cloned().collect();
        let mut entities: Vec<Object> = entities.into_iter().map(complete).collect();
        entities.sort_by_key(name);
        let position = |key: &Value| entities.iter().position(|entity| entity["_key"] == *key).expect("an end exists");
        let end = |value: Value| {
            let mut object = complete(value);
            let (from, to) = (position(&object["_fromEntityKey"]), position(&object["_toEntityKey"]));
            object.insert("_fromEntityId".to_owned(), id(&object["_fromEntityKey"]));
            object.insert("_toEntityId".to_owned(), id(&object["_toEntityKey"]));
            Relationship { from, to, object }
        };
        let mut relationships: Vec<Relationship> = relationships.into_iter().map(end).collect();
        relationships.sort_by_key(|relationship| name(&relationship.object));
        Self { entities, relationships, objects }
    }

    /// Returns the same graph for the engine.
    pub fn open(&self) -> AccountGraph {
        graph(self.objects.clone())
    }
}

/// Adds the properties that the account graph adds.
fn complete(value: Value) -> Object {
    let Value::Object(mut object) = value else { panic!("an object") };
    let id = id(&object["_key"]);
    let added = [
        ("_id", id),
        ("_integrationInstanceId", "default".into()),
        ("_integrationName", "default".into()),
        ("_integrationType", "acme".into()),
        ("_createdOn", 0.into()),
        ("_beginOn", 0.into()),
    ];
    object.extend(added.map(|(name, value)| (name.to_owned(), value)));
    object
}

/// Returns the id of the object with a key.
fn id(key: &Value) -> Value {
    format!("acme/default/{}", key.as_str().expect("a text")).into()
}

fn name(object: &Object) -> (String, String) {
    let text = |name: &str| object[name].as_str().expect("a text").to_owned();
    (text("_type"), text("_key"))
}
