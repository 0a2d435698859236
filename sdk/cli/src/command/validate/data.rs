//! Where the graph that is checked comes from: a job of the store, or files.

use std::path::{Path, PathBuf};

use integration_sdk::dataset::{self, Wrapper};
use integration_sdk::schema::Schemas;
use integration_sdk::store::{JobStore, Kind, StoreError};
use serde::Serialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::history;
use crate::report::words::counted;
use crate::report::{Findings, Group};
use crate::session::Session;

use super::graph::Graph;
use super::{Check, Validate};

/// Objects in memory at once.
const PAGE: usize = 1_000;

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<PathBuf>,
    entities: u64,
    relationships: u64,
    /// How many findings there are.
    total: u64,
    /// How many kinds of findings there are.
    kinds: usize,
    /// The kinds with the most findings, as many as were asked for.
    findings: Vec<Group>,
    #[serde(skip)]
    all: Findings,
    #[serde(skip)]
    shown: usize,
}

pub(super) async fn check(session: &Session<'_>, order: &Validate, named: bool) -> Result<Outcome, Failure> {
    let schemas = session.integration.schemas(session.class_schemas(order.schemas.as_deref())?)?;
    if let Some(folder) = &order.input {
        let outcome = Outcome { input: Some(folder.clone()), ..Outcome::default() };
        return Ok(outcome.conclude(of_files(folder, &schemas)?, order));
    }
    match history::find(&session.globals.data_dir, session.integration.id(), order.job.as_deref()).await {
        Ok((store, row)) => {
            let outcome = Outcome { job: Some(row.id.to_string()), ..Outcome::default() };
            Ok(outcome.conclude(of_job(&store.open_job(&row), &schemas).await?, order))
        }
        Err(error @ Failure::NoJobs(_)) if !named => Ok(Outcome::passed_over(&error.to_string())),
        Err(error) => Err(error),
    }
}

fn of_files<'a>(folder: &Path, schemas: &'a Schemas) -> Result<Graph<'a>, Failure> {
    let mut graph = Graph::new(schemas);
    dataset::read(folder, |found| {
        let file = found.file.strip_prefix(folder).unwrap_or(found.file);
        graph.add(&found.object, found.wrapper == Wrapper::Entities, Some(file));
    })?;
    Ok(graph)
}

/// Entities first: the ends of relationships are then known when they are met.
async fn of_job<'a>(job: &JobStore, schemas: &'a Schemas) -> Result<Graph<'a>, Failure> {
    let mut graph = Graph::new(schemas);
    let mut types: Vec<_> = job.census().await?.into_iter().map(|count| (count.kind, count.object_type)).collect();
    types.sort();
    types.dedup();
    for (kind, object_type) in types {
        let mut after = None;
        loop {
            let page = job.json_page(object_type.clone(), after, PAGE).await?;
            for (key, json) in &page {
                let object: Value = serde_json::from_str(json)
                    .map_err(|error| StoreError::Corrupt(format!("{object_type} {key}: {error}")))?;
                graph.add(&object, kind == Kind::Entity, None);
            }
            if page.len() < PAGE {
                break;
            }
            after = page.into_iter().next_back().map(|(key, _)| key);
        }
    }
    Ok(graph)
}

impl Outcome {
    pub(super) fn passed_over(reason: &str) -> Self {
        Self { passed_over: Some(reason.to_owned()), ..Self::default() }
    }

    fn conclude(mut self, graph: Graph<'_>, order: &Validate) -> Self {
        (self.entities, self.relationships) = graph.counts();
        self.all = graph.findings();
        self.total = self.all.total();
        self.kinds = self.all.kinds();
        self.findings = self.all.groups(order.max_findings).into_iter().cloned().collect();
        self.shown = order.max_findings;
        self
    }
}

impl Check for Outcome {
    const TITLE: &'static str = "Data";

    fn findings(&self) -> u64 {
        self.total
    }

    fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    fn sentence(&self) -> String {
        let place = match (&self.input, &self.job) {
            (Some(folder), _) => folder.display().to_string(),
            (None, job) => format!("job {}", job.as_deref().unwrap_or_default()),
        };
        let entities = counted(self.entities, "entity", "entities");
        let relationships = counted(self.relationships, "relationship", "relationships");
        format!("{entities} and {relationships} of {place} are checked.")
    }

    fn details(&self, width: usize) -> String {
        self.all.text(self.shown, width)
    }
}
