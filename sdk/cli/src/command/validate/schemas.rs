//! Checks that all schemas are valid and that the type schemas on disk are current.

use std::collections::BTreeSet;

use integration_sdk::schema::{SchemaError, SchemaProblem, Schemas};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::report::Rule;
use crate::report::text::{counted, list, paragraph};
use crate::style::printable;

use super::types::{self, Drift, Written};
use super::{Check, Report, Validate};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    classes: usize,
    types: usize,
    /// The defects of schemas.
    problems: Vec<SchemaProblem>,
    /// The type schema files that differ from the program's declarations.
    #[serde(skip_serializing_if = "Option::is_none")]
    drifted: Option<Vec<Drift>>,
    /// The type schema files that were written.
    #[serde(skip_serializing_if = "Option::is_none")]
    written: Option<Written>,
    /// Entity classes without a schema; their entities are checked against the base schema only.
    classes_without_schema: BTreeSet<String>,
}

pub(super) fn check(context: &Context<'_>, args: &Validate) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    match usable(context, args) {
        Ok(schemas) => outcome.compare(context, args, &schemas)?,
        Err(Failure::Job(integration_sdk::JobError::Schema(SchemaError::Invalid(problems)))) => {
            outcome.problems = problems
        }
        Err(error) => return Err(error),
    }
    Ok(outcome)
}

fn usable(context: &Context<'_>, args: &Validate) -> Result<Schemas, Failure> {
    let schemas = context.integration.schemas(context.class_schemas(args.schemas.as_deref())?)?;
    schemas.check_all()?;
    Ok(schemas)
}

impl Outcome {
    fn compare(&mut self, context: &Context<'_>, args: &Validate, schemas: &Schemas) -> Result<(), Failure> {
        (self.classes, self.types) = (schemas.classes().len(), schemas.types().len());
        let declared = context.integration.steps().iter().flat_map(|step| &step.declaration().entities);
        let named = declared.flat_map(|entity| &entity.classes).map(ToString::to_string);
        self.classes_without_schema = named.filter(|class| !schemas.classes().contains_key(class)).collect();
        if let Some(folder) = &args.write {
            self.written = Some(types::write(schemas, folder)?);
        }
        if let Some(folder) = &args.check {
            self.drifted = Some(types::check(schemas, folder)?);
        }
        Ok(())
    }

    fn drifted(&self) -> &[Drift] {
        self.drifted.as_deref().unwrap_or_default()
    }
}

impl Check for Outcome {
    const TITLE: &'static str = "Schemas";
    const RULES: &'static [Rule] = &[Rule::BrokenSchema, Rule::DriftedSchema];

    fn findings(&self) -> u64 {
        (self.problems.len() + self.drifted().len()) as u64
    }

    fn skipped(&self) -> Option<&str> {
        None
    }

    fn sentence(&self) -> String {
        if !self.problems.is_empty() {
            return "The schemas are invalid.".to_owned();
        }
        let types = counted(self.types as u64, "type", "types");
        let mut text = format!("{} classes and {types} are valid", self.classes);
        if let Some(written) = &self.written {
            text += &format!("; {written}");
        }
        if self.drifted.as_ref().is_some_and(Vec::is_empty) {
            text += "; the type schemas on disk are up to date";
        }
        text + "."
    }

    fn details(&self, width: usize) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            text += &paragraph(&printable(&problem.to_string()), width, 2, 2);
        }
        for drift in self.drifted() {
            text += &paragraph(&printable(&drift.to_string()), width, 2, 2);
        }
        for (broken, rule) in
            [(!self.problems.is_empty(), Rule::BrokenSchema), (!self.drifted().is_empty(), Rule::DriftedSchema)]
        {
            if broken {
                text += &paragraph(&format!("to do: {}", rule.advice()), width, 2, 2);
            }
        }
        if !self.classes_without_schema.is_empty() {
            let (names, count) = (list(&self.classes_without_schema), self.classes_without_schema.len() as u64);
            let classes = counted(count, "class has", "classes have");
            let line = format!("{classes} no schema and are checked against the base schema only: {names}");
            text += &paragraph(&line, width, 2, 2);
        }
        text
    }

    fn reports(&self) -> Vec<Report> {
        let problems = self.problems.iter().map(|problem| Report {
            rule: Rule::BrokenSchema,
            count: 1,
            message: problem.to_string(),
            file: problem.file.clone(),
            object_type: None,
            key: None,
            pointer: problem.pointer.clone(),
        });
        let drifted = self.drifted().iter().map(|drift| Report {
            rule: Rule::DriftedSchema,
            count: 1,
            message: drift.to_string(),
            file: Some(drift.file.clone()),
            object_type: None,
            key: None,
            pointer: String::new(),
        });
        problems.chain(drifted).collect()
    }
}
