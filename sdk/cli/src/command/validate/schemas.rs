//! Whether all class and type schemas compile.

use std::collections::BTreeSet;

use integration_sdk::schema::SchemaError;
use serde::Serialize;

use crate::failure::Failure;
use crate::report::words::{list, paragraph};
use crate::session::Session;

use super::{Check, Validate};

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    classes: usize,
    types: usize,
    /// The first schema that cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Classes of entities that have no schema: their entities are checked as plain entities.
    classes_without_schema: BTreeSet<String>,
}

pub(super) fn check(session: &Session<'_>, order: &Validate) -> Result<Outcome, Failure> {
    let classes = session.class_schemas(order.schemas.as_deref())?;
    let schemas = match session.integration.schemas(classes) {
        Ok(schemas) => schemas,
        Err(error @ SchemaError::Invalid { .. }) => return Ok(Outcome::broken(0, 0, &error)),
        Err(error) => return Err(error.into()),
    };
    let (classes, types) = (schemas.classes().len(), schemas.types().len());
    if let Err(error) = schemas.check_all() {
        return Ok(Outcome::broken(classes, types, &error));
    }
    let declared = session.integration.steps().iter().flat_map(|step| &step.declaration().entities);
    let named = declared.flat_map(|entity| &entity.classes).map(ToString::to_string);
    let classes_without_schema = named.filter(|class| !schemas.classes().contains_key(class)).collect();
    Ok(Outcome { classes, types, problem: None, classes_without_schema })
}

impl Outcome {
    fn broken(classes: usize, types: usize, error: &SchemaError) -> Self {
        Self { classes, types, problem: Some(error.to_string()), classes_without_schema: BTreeSet::new() }
    }
}

impl Check for Outcome {
    const TITLE: &'static str = "Schemas";

    fn findings(&self) -> u64 {
        self.problem.is_some().into()
    }

    fn passed_over(&self) -> Option<&str> {
        None
    }

    fn sentence(&self) -> String {
        match &self.problem {
            Some(problem) => format!("{problem}."),
            None => format!("{} classes and {} types compile.", self.classes, self.types),
        }
    }

    fn details(&self, width: usize) -> String {
        if self.classes_without_schema.is_empty() {
            return String::new();
        }
        let names = list(&self.classes_without_schema);
        paragraph(&format!("No schema of these classes, so only the rules of all entities hold: {names}"), width, 2, 2)
    }
}
