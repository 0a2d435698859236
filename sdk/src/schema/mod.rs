//! Class and type schemas, compiled once, and what they find.
//!
//! An object must satisfy the schema of each of its classes and that of its type. Class schemas are
//! `integration-schemas`' own or a folder's; type schemas come with the integration's declarations. References between class
//! schemas are resolved among the loaded files only: nothing is ever fetched.

mod load;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use jsonschema::{Registry, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::graph::{EntityDeclaration, MappedRelationshipDeclaration, ObjectType, RelationshipDeclaration};
use load::BASE;
pub use load::{SchemaError, load_directory};

/// Something about an object that its schema forbids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// `_type` of the object.
    #[serde(rename = "type")]
    pub object_type: String,
    /// `_key` of the object.
    pub key: String,
    /// Where in the object, as a JSON pointer.
    pub pointer: String,
    /// What is wrong there.
    pub reason: String,
    /// The schema that says so: a class or a type.
    pub schema: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = if self.pointer.is_empty() { "the object" } else { &self.pointer };
        write!(f, "{place}: {} (schema {})", self.reason, self.schema)
    }
}

/// What is done with findings while collecting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Nothing is checked but key, type and class.
    Off,
    /// Findings are reported; the object stays in the graph.
    #[default]
    Warn,
    /// Findings are reported; the object is kept apart.
    Quarantine,
    /// A finding ends the step.
    Fail,
}

/// The schemas of a run, each compiled when it is first needed.
pub struct Schemas {
    registry: Registry<'static>,
    classes: BTreeMap<String, Value>,
    types: BTreeMap<ObjectType, Value>,
    compiled: RwLock<HashMap<String, Arc<Validator>>>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schemas({} classes, {} types)", self.classes.len(), self.types.len())
    }
}

impl Schemas {
    /// Our own class schemas, with `others` added or in their place.
    ///
    /// # Errors
    /// [`SchemaError`] where a schema is not one or refers to one that is not there.
    pub fn new(others: BTreeMap<String, Value>) -> Result<Self, SchemaError> {
        let mut classes = load::own()?;
        classes.extend(others);
        let registry = load::registry(&classes)?;
        Ok(Self { registry, classes, types: BTreeMap::new(), compiled: RwLock::default() })
    }

    /// Adds the type schema of an entity.
    pub fn entity(&mut self, declaration: &EntityDeclaration) {
        let mut schema = declaration.schema.clone();
        describe(&mut schema, &declaration.object_type, &declaration.description);
        self.types.insert(declaration.object_type.clone(), schema);
    }

    /// Adds the type schema of a relationship.
    pub fn relationship(&mut self, declaration: &RelationshipDeclaration) {
        let mut schema = declaration.schema.clone();
        let sentence = format!("{} {} {}.", declaration.from, declaration.class, declaration.to);
        describe(&mut schema, &declaration.object_type, &sentence);
        schema["properties"]["_class"] = json!({"const": declaration.class.as_str()});
        self.types.insert(declaration.object_type.clone(), schema);
    }

    /// Adds the type schema of a mapped relationship.
    pub fn mapped_relationship(&mut self, declaration: &MappedRelationshipDeclaration) {
        let mut schema = json!({"type": "object", "properties": {"_class": {"const": declaration.class.as_str()}}});
        describe(
            &mut schema,
            &declaration.object_type,
            &format!("{} {} {}.", declaration.source, declaration.class, declaration.target),
        );
        self.types.insert(declaration.object_type.clone(), schema);
    }

    /// The type schemas, as documents that stand on their own.
    pub fn types(&self) -> &BTreeMap<ObjectType, Value> {
        &self.types
    }

    /// The class schemas by name.
    pub fn classes(&self) -> &BTreeMap<String, Value> {
        &self.classes
    }

    /// Compiles every schema.
    ///
    /// # Errors
    /// The first that is not a valid schema.
    pub fn check_all(&self) -> Result<usize, SchemaError> {
        let names = self.classes.keys().cloned().chain(self.types.keys().map(ToString::to_string));
        let mut checked = 0;
        for name in names {
            self.validator(&name)?;
            checked += 1;
        }
        Ok(checked)
    }

    /// Everything that the schemas of its classes and its type find wrong with an object.
    pub fn check(&self, object: &Value) -> Vec<Finding> {
        let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
        let base = if object.get("_mapping").is_some() {
            "MappedRelationship"
        } else if object.get("_fromEntityKey").is_some() {
            "Relationship"
        } else {
            "Entity"
        };
        let classes = match object.get("_class") {
            Some(Value::Array(classes)) => {
                classes.iter().filter_map(Value::as_str).filter(|class| self.classes.contains_key(*class)).collect()
            }
            _ => Vec::new(),
        };
        let mut schemas = if classes.is_empty() { vec![base] } else { classes };
        if self.types.contains_key(text("_type")) {
            schemas.push(text("_type"));
        }
        let mut findings: Vec<Finding> = Vec::new();
        for schema in schemas {
            let Ok(validator) = self.validator(schema) else { continue };
            if validator.is_valid(object) {
                continue;
            }
            for error in validator.iter_errors(object) {
                let finding = Finding {
                    object_type: text("_type").to_owned(),
                    key: text("_key").to_owned(),
                    pointer: error.instance_path().to_string(),
                    reason: error.masked().to_string(),
                    schema: schema.to_owned(),
                };
                if !findings.iter().any(|known| known.pointer == finding.pointer && known.reason == finding.reason) {
                    findings.push(finding);
                }
            }
        }
        findings
    }

    fn validator(&self, name: &str) -> Result<Arc<Validator>, SchemaError> {
        if let Some(validator) = self.compiled.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Arc::clone(validator));
        }
        let schema = match ObjectType::new(name).ok().and_then(|name| self.types.get(&name)) {
            Some(schema) => schema.clone(),
            None => json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": format!("{BASE}{name}.json")}),
        };
        let compiled = jsonschema::options()
            .with_registry(&self.registry)
            .offline()
            .should_validate_formats(true)
            .build(&schema)
            .map_err(|error| SchemaError::Invalid { name: name.to_owned(), reason: error.to_string() })?;
        let compiled = Arc::new(compiled);
        self.compiled.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }
}

fn describe(schema: &mut Value, object_type: &ObjectType, description: &str) {
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["$id"] = format!("{object_type}.json").into();
    schema["title"] = object_type.as_str().into();
    if !description.is_empty() {
        schema["description"] = description.into();
    }
    schema["properties"]["_type"] = json!({"const": object_type.as_str()});
}
