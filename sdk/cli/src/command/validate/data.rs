//! Checks the graph of a job, or a graph in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use integration_sdk::dataset::{self, Wrapper};
use integration_sdk::graph::run::JobState;
use integration_sdk::input;
use integration_sdk::prelude::TryStreamExt;
use integration_sdk::schema::Schemas;
use integration_sdk::store::{Kind, Selection, Snapshot};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;

use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup;
use crate::report::text::counted;
use crate::report::{Findings, Group, Rule};
use crate::style::printable_path;
use crate::visible::{lossy_list, lossy_option};

use super::allowance::Allowance;
use super::graph::Graph;
use super::pool::{self, Feed, Raw};
use super::{Check, Report, Validate};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "lossy_option")]
    input: Option<PathBuf>,
    entities: u64,
    relationships: u64,
    /// The files of the graph folder that are not files of a graph.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "lossy_list")]
    unread: Vec<PathBuf>,
    /// The number of findings.
    total: u64,
    /// The number of kinds of findings.
    kinds: usize,
    /// The kinds with the most findings, up to `--max-findings`.
    findings: Vec<Group>,
    #[serde(skip)]
    all: Findings,
    #[serde(skip)]
    shown: usize,
}

pub(super) async fn check(context: &Context<'_>, args: &Validate, named: bool) -> Result<Outcome, Failure> {
    let schemas = context.integration.schemas(context.class_schemas(args.schemas.as_deref())?)?;
    if let Some(folder) = &args.input {
        let graph = tokio::task::block_in_place(|| of_files(folder, &schemas, &args.allow))?;
        let unread = dataset::unread(folder)?;
        if graph.counts() == (0, 0) && !(unread.is_empty() && is_said_empty(folder)) {
            return Err(Failure::NothingChecked { folder: folder.clone(), unread });
        }
        return Ok(Outcome { input: Some(folder.clone()), unread, ..Outcome::default() }.conclude(graph, args));
    }
    match job_lookup::find_graph(&context.globals.data_dir, context.integration.id(), args.job.as_deref()).await {
        Ok((_, row, snapshot)) => {
            let graph = tokio::task::block_in_place(|| of_job(&snapshot, &schemas, &args.allow))?;
            Ok(Outcome { job: Some(row.id.to_string()), ..Outcome::default() }.conclude(graph, args))
        }
        Err(error @ Failure::NoJobs(_)) if !named => Ok(Outcome::skipped(&error.to_string())),
        Err(error) => Err(error),
    }
}

fn of_files(folder: &Path, schemas: &Schemas, allowed: &[Allowance]) -> Result<Graph, Failure> {
    pool::look(schemas, allowed, |feed| {
        let mut current: Option<(PathBuf, Arc<Path>)> = None;
        dataset::read_text(folder, |found| {
            let shown = match &current {
                Some((path, shown)) if path == found.file => Arc::clone(shown),
                _ => {
                    let shown: Arc<Path> = found.file.strip_prefix(folder).unwrap_or(found.file).into();
                    current = Some((found.file.to_owned(), Arc::clone(&shown)));
                    shown
                }
            };
            feed.add(Raw { file: Some(shown), wrapper: found.wrapper, json: found.object });
        })?;
        Ok(())
    })
}

/// The totals of a summary. The rest of the file may be in the form of another version.
#[derive(Deserialize)]
struct Totals {
    state: JobState,
    entities: u64,
    relationships: u64,
}

/// Returns whether the summary in a folder is that of a complete job without objects.
fn is_said_empty(folder: &Path) -> bool {
    let text = input::read(&folder.join("summary.json"), input::DOCUMENT);
    let totals = text.ok().and_then(|text| serde_json::from_slice::<Totals>(&text).ok());
    totals.is_some_and(|of| of.state == JobState::Complete && of.entities == 0 && of.relationships == 0)
}

fn of_job(snapshot: &Snapshot, schemas: &Schemas, allowed: &[Allowance]) -> Result<Graph, Failure> {
    pool::look(schemas, allowed, |feed| Handle::current().block_on(feed_job(snapshot, feed)))
}

/// Feeds entities first, so that the ends of relationships are known.
async fn feed_job(snapshot: &Snapshot, feed: &mut Feed) -> Result<(), Failure> {
    for kind in [Kind::Entity, Kind::Relationship, Kind::MappedRelationship] {
        let wrapper = if kind == Kind::Entity { Wrapper::Entities } else { Wrapper::Relationships };
        let mut batches = snapshot.scan(Selection::of_kind(kind).with_raw());
        while let Some(batch) = batches.try_next().await? {
            for object in batch {
                feed.add(Raw { file: None, wrapper, json: object.json().joined().into_owned().into() });
            }
        }
    }
    Ok(())
}

impl Outcome {
    pub(super) fn skipped(reason: &str) -> Self {
        Self { skipped: Some(reason.to_owned()), ..Self::default() }
    }

    fn conclude(mut self, graph: Graph, args: &Validate) -> Self {
        (self.entities, self.relationships) = graph.counts();
        self.shown = args.shown();
        self.all = graph.findings();
        self.total = self.all.total();
        self.kinds = self.all.kinds();
        self.findings = self.all.groups(self.shown).into_iter().cloned().collect();
        self
    }
}

impl Check for Outcome {
    const TITLE: &'static str = "Data";
    const RULES: &'static [Rule] = &Rule::OF_DATA;

    fn findings(&self) -> u64 {
        self.total
    }

    fn skipped(&self) -> Option<&str> {
        self.skipped.as_deref()
    }

    fn sentence(&self) -> String {
        let place = match (&self.input, &self.job) {
            (Some(folder), _) => printable_path(folder),
            (None, job) => format!("job {}", job.as_deref().unwrap_or_default()),
        };
        let entities = counted(self.entities, "entity", "entities");
        let relationships = counted(self.relationships, "relationship", "relationships");
        let unread = match self.unread.as_slice() {
            [] => String::new(),
            [first] => format!(" The file {} was not read.", printable_path(first)),
            [first, ..] => format!(" {} files were not read, such as {}.", self.unread.len(), printable_path(first)),
        };
        format!("Checked {entities} and {relationships} of {place}.{unread}")
    }

    fn details(&self, width: usize) -> String {
        self.all.advice(self.shown, width)
    }

    fn reports(&self) -> Vec<Report> {
        let report = |group: &Group| Report {
            rule: group.rule,
            count: group.count,
            message: match group.first.schema.as_str() {
                "" => group.first.reason.clone(),
                schema => format!("{} (schema {schema})", group.first.reason),
            },
            file: group.file.as_ref().map(|file| self.input.as_deref().unwrap_or(Path::new("")).join(file)),
            object_type: Some(group.first.object_type.clone()),
            key: Some(group.first.key.clone()),
            pointer: group.first.pointer.clone(),
        };
        self.findings.iter().map(report).collect()
    }
}
