//! Class and type schemas, compiled once, and the validation of objects against them.
//!
//! An object must satisfy the schema of each of its classes and that of its type. Class schemas are the built-in ones
//! of `integration-schemas` or those of a folder. Type schemas are part of the integration's declarations. References
//! between class schemas are resolved among the loaded files only; nothing is ever fetched.
//!
//! ```
//! use integration_schema::Schemas;
//! use serde_json::json;
//!
//! let schemas = Schemas::new(Default::default())?;
//! let team = json!({"_key": "team:1", "_type": "acme_team", "_class": ["Team"], "name": "Ops", "displayName": 7});
//! let findings = schemas.check(&team);
//! assert!(findings.iter().any(|finding| finding.pointer == "/displayName"));
//! # Ok::<(), integration_schema::SchemaError>(())
//! ```
//!
//! This crate depends on the data model of `integration-graph`, and on no store and no network. Authors of integrations
//! use it as `integration_sdk::schema`.
#![deny(missing_docs)]

mod address;
mod expansion;
mod fast_path;
mod formats;
mod json_text;
mod load;
mod problem;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use jsonschema::error::ValidationErrorKind;
use jsonschema::json::Json;
use jsonschema::{Registry, ValidationError, Validator};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use address::{address, class_at, escaped};
use fast_path::PropertyRules;
pub use integration_graph::run::Finding;
use integration_graph::{
    EntityDeclaration, MappedRelationshipDeclaration, ObjectText, ObjectType, RelationshipDeclaration,
};
use json_text::{JsonText, Text};
pub use load::load_directory;
use problem::problem;
pub use problem::{SchemaError, SchemaProblem};

/// The treatment of findings during collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validation {
    /// Only key, type, and class are validated.
    Off,
    /// Findings are reported, and the object is added to the graph.
    #[default]
    Warn,
    /// Findings are reported, and the object is quarantined.
    Quarantine,
    /// A finding fails the step.
    Fail,
}

/// The maximum number of alternatives in the text of a finding.
const ALTERNATIVES: usize = 4;

/// The schemas of a job, each compiled on first use.
pub struct Schemas {
    registry: Registry<'static>,
    classes: BTreeMap<String, Value>,
    types: BTreeMap<ObjectType, Value>,
    compiled: RwLock<HashMap<String, Arc<Validator>>>,
    of_texts: RwLock<HashMap<SchemaSetKey, Arc<CompiledSet>>>,
}

/// The cache key of a compiled schema set: object type, classes joined by commas, and base schema.
type SchemaSetKey = (ObjectType, Arc<str>, &'static str);

/// The compiled schemas for objects of one kind.
struct CompiledSet {
    /// Rules by property, if the schemas can be split.
    members: Option<PropertyRules>,
    whole: OnceLock<Result<Vec<Validator<JsonText>>, SchemaProblem>>,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schemas({} classes, {} types)", self.classes.len(), self.types.len())
    }
}

impl Schemas {
    /// Combines the built-in class schemas with `others`, which take precedence.
    ///
    /// # Errors
    /// [`SchemaError`] with every reference that cannot be resolved.
    pub fn new(others: BTreeMap<String, Value>) -> Result<Self, SchemaError> {
        let mut classes = load::own()?;
        classes.extend(others);
        let problems = reference::resolve(&mut classes);
        if !problems.is_empty() {
            return Err(SchemaError::Invalid(problems));
        }
        let registry = load::registry(&classes)?;
        Ok(Self { registry, classes, types: BTreeMap::new(), compiled: RwLock::default(), of_texts: RwLock::default() })
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

    /// The type schemas, as self-contained documents.
    pub fn types(&self) -> &BTreeMap<ObjectType, Value> {
        &self.types
    }

    /// The class schemas by name.
    pub fn classes(&self) -> &BTreeMap<String, Value> {
        &self.classes
    }

    /// Compiles every schema and returns their number.
    ///
    /// # Errors
    /// [`SchemaError`] with all errors of all schemas.
    pub fn check_all(&self) -> Result<usize, SchemaError> {
        let types = self.types.iter().map(|(name, schema)| (name.as_str(), schema));
        let all: Vec<(&str, &Value)> =
            self.classes.iter().map(|(name, schema)| (name.as_str(), schema)).chain(types).collect();
        let against = |(name, schema): &(&str, &Value)| load::against_the_draft(name, None, schema);
        let mut problems: Vec<SchemaProblem> = all.iter().flat_map(against).collect();
        // An invalid schema does not compile, nor does any schema that refers to it. Compiling all of them would report
        // one error twice.
        if problems.is_empty() {
            problems = all.iter().filter_map(|(name, _)| self.validator(name).err()).collect();
        }
        if problems.is_empty() { Ok(all.len()) } else { Err(SchemaError::Invalid(problems)) }
    }

    /// Returns all violations of the schemas of the object's classes and type.
    pub fn check(&self, object: &Value) -> Vec<Finding> {
        let mut findings: Vec<Finding> = Vec::new();
        for schema in self.schemas_of(object) {
            let validator = match self.validator(schema) {
                Ok(validator) => validator,
                Err(problem) => {
                    findings.push(finding(object, schema, String::new(), problem.to_string()));
                    continue;
                }
            };
            if validator.is_valid(object) {
                continue;
            }
            for error in validator.iter_errors(object) {
                let (pointer, reason) = describe_error(&error);
                if !findings.iter().any(|known| known.pointer == pointer && known.reason == reason) {
                    findings.push(finding(object, schema, pointer, reason));
                }
            }
        }
        findings
    }

    /// Returns all findings on an object in text form. Only an invalid object is parsed into a tree.
    #[doc(hidden)]
    pub fn check_text(&self, object: &ObjectText, object_type: &ObjectType, class: &Arc<str>) -> Vec<Finding> {
        let sort = (object_type.clone(), Arc::clone(class), base(|name| object.get(name).is_some()));
        if self.allow_text(sort, object) {
            return Vec::new();
        }
        match object.to_properties() {
            Ok(properties) => self.check(&Value::Object(properties)),
            Err(error) => {
                let key = object.get("_key").and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
                let (object_type, pointer, schema) = (object_type.to_string(), String::new(), "GraphObject".to_owned());
                vec![Finding { object_type, key, pointer, reason: error.to_string(), schema }]
            }
        }
    }

    fn allow_text(&self, sort: SchemaSetKey, object: &ObjectText) -> bool {
        let asked = self.of_texts.read().unwrap_or_else(PoisonError::into_inner).get(&sort).map(Arc::clone);
        let asked = asked.unwrap_or_else(|| self.ask_texts(&sort));
        let members = asked.members.as_ref();
        if members.is_some_and(|members| members.allow(object, &|schema| self.build(schema).ok()).unwrap_or(false)) {
            return true;
        }
        let (object_type, class, base) = &sort;
        let names = || self.names(base, class.split(','), Some(object_type.as_str())).into_iter();
        let whole = asked.whole.get_or_init(|| names().map(|name| self.compile(name)).collect());
        whole.as_ref().is_ok_and(|whole| whole.iter().all(|validator| validator.is_valid(Text::Object(object))))
    }

    fn ask_texts(&self, sort: &SchemaSetKey) -> Arc<CompiledSet> {
        let (object_type, class, base) = sort;
        // A schema without `$schema` may belong to a draft that is not split here.
        let says_its_draft = |schema: &&Value| schema.get("$schema").is_some();
        let schema = |name: &str| self.types.get(name).or_else(|| self.classes.get(name)).filter(says_its_draft);
        let names = self.names(base, class.split(','), Some(object_type.as_str()));
        let schemas: Option<Vec<&Value>> = names.into_iter().map(schema).collect();
        let follow = |reference: &str| self.classes.get(class_at(reference)?).filter(says_its_draft);
        let members = schemas.and_then(|schemas| PropertyRules::of(schemas, &follow));
        let asked = CompiledSet { members, whole: OnceLock::new() };
        let mut of_texts = self.of_texts.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(of_texts.entry(sort.clone()).or_insert(Arc::new(asked)))
    }

    /// Returns the names of the schemas that an object must satisfy.
    fn schemas_of<'a>(&self, object: &'a Value) -> Vec<&'a str> {
        let base = base(|name| object.get(name).is_some());
        let classes = match object.get("_class") {
            Some(Value::Array(classes)) => classes.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(class)) => vec![class.as_str()],
            _ => Vec::new(),
        };
        self.names(base, classes, text(object, "_type"))
    }

    fn names<'a>(
        &self,
        base: &'a str,
        classes: impl IntoIterator<Item = &'a str>,
        object_type: Option<&'a str>,
    ) -> Vec<&'a str> {
        let mut schemas: Vec<&str> = classes.into_iter().filter(|class| self.classes.contains_key(*class)).collect();
        // The schema of a relationship class adds to the rules of all relationships.
        if schemas.is_empty() || base != "Entity" {
            schemas.push(base);
        }
        schemas.extend(object_type.filter(|name| self.types.contains_key(*name)));
        schemas
    }

    fn validator(&self, name: &str) -> Result<Arc<Validator>, SchemaProblem> {
        if let Some(validator) = self.compiled.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(Arc::clone(validator));
        }
        let compiled = Arc::new(self.compile(name)?);
        self.compiled.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), Arc::clone(&compiled));
        Ok(compiled)
    }

    fn compile<F: Json>(&self, name: &str) -> Result<Validator<F>, SchemaProblem> {
        let schema = match self.types.get(name) {
            Some(schema) => schema.clone(),
            None => json!({"$schema": "http://json-schema.org/draft-07/schema#", "$ref": address(name)}),
        };
        self.build(&schema).map_err(|error| {
            problem(name, None::<PathBuf>, error.schema_path().as_str(), format!("it does not compile: {error}"))
        })
    }

    fn build<F: Json>(&self, schema: &Value) -> Result<Validator<F>, ValidationError<'static>> {
        formats::checked(jsonschema::options_for::<F>().with_registry(&self.registry).offline()).build(schema)
    }
}

/// Returns the base schema of an object, determined by its members.
fn base(has: impl Fn(&str) -> bool) -> &'static str {
    if has("_mapping") {
        "MappedRelationship"
    } else if has("_fromEntityKey") {
        "Relationship"
    } else {
        "Entity"
    }
}

fn finding(object: &Value, schema: &str, pointer: String, reason: String) -> Finding {
    let text = |name| text(object, name).unwrap_or_default().to_owned();
    Finding { object_type: text("_type"), key: text("_key"), pointer, reason, schema: schema.to_owned() }
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str)
}

/// Returns the location and the reason of an error without the value, which may be secret.
fn describe_error(error: &ValidationError<'_>) -> (String, String) {
    let place = error.instance_path().as_str();
    match error.kind() {
        ValidationErrorKind::PropertyNames { error } => {
            let name = error.instance().as_str().map(escaped).unwrap_or_default();
            (format!("{place}/{name}"), error.masked_with("the name of the property").to_string())
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let first = |errors: &Vec<ValidationError<'_>>| Some(errors.first()?.masked_with("it").to_string());
            let reasons: Vec<String> = context.iter().filter_map(first).take(ALTERNATIVES).collect();
            (place.to_owned(), format!("value fits none of the alternatives: {}", reasons.join("; ")))
        }
        _ => (place.to_owned(), error.masked().to_string()),
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
