//! The report of an upload.

use std::collections::BTreeSet;
use std::path::PathBuf;

use indicatif::HumanCount;
use integration_sdk::Summary;
use integration_sdk::graph::JobId;
use integration_sdk::graph::history::SnapshotGap;
use integration_sdk::graph::run::ErrorCode;
use integration_sdk::store::Kind;
use integration_sink::Manifest;
use integration_sink_jupiterone::SyncOutcome;
use serde::Serialize;

use crate::console;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::job_lookup::short;
use crate::options::Format;
use crate::report::text::{counted, list, paragraph};
use crate::style::printable_path;

use super::code_of;
use super::destination::Receiver;
use super::folder::FolderGraph;

/// The counts of the service that a report shows.
const COUNTS: [(&str, &str); 6] = [
    ("numEntitiesCreated", "entities created"),
    ("numEntitiesUpdated", "entities updated"),
    ("numEntitiesDeleted", "entities deleted"),
    ("numRelationshipsCreated", "relationships created"),
    ("numRelationshipsUpdated", "relationships updated"),
    ("numRelationshipsDeleted", "relationships deleted"),
];

/// The uploaded graph.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Origin {
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobId>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "crate::visible::lossy_option")]
    folder: Option<PathBuf>,
    entities: u64,
    relationships: u64,
    partial_types: BTreeSet<String>,
    /// The partial types that the job did not collect on purpose.
    #[serde(skip)]
    omitted_types: BTreeSet<String>,
    #[serde(skip)]
    code: u8,
}

/// Returns the types of which only steps are missing that did not run on purpose.
fn omitted_types(gaps: &[SnapshotGap]) -> BTreeSet<String> {
    let is_omitted = |gap: &&SnapshotGap| {
        matches!(gap.code, ErrorCode::StepDisabled | ErrorCode::StepNotSelected | ErrorCode::ParentsExcluded)
    };
    let (omitted, missing): (Vec<_>, Vec<_>) = gaps.iter().partition(is_omitted);
    let types = |gaps: Vec<&SnapshotGap>| -> BTreeSet<String> {
        gaps.into_iter().flat_map(|gap| &gap.types).map(ToString::to_string).collect()
    };
    let missing = types(missing);
    types(omitted).into_iter().filter(|of| !missing.contains(of)).collect()
}

impl Origin {
    pub(super) fn of_job(manifest: &Manifest, summary: &Summary) -> Self {
        let count = |is_wanted: fn(Kind) -> bool| -> u64 {
            manifest.types.iter().filter(|of_type| is_wanted(of_type.kind)).map(|of_type| of_type.objects).sum()
        };
        Self {
            job: Some(summary.job.clone()),
            folder: None,
            entities: count(|kind| kind == Kind::Entity),
            relationships: count(|kind| kind != Kind::Entity),
            partial_types: manifest.partial_types().into_iter().map(ToString::to_string).collect(),
            omitted_types: omitted_types(&SnapshotGap::of(summary)),
            code: code_of(Some(summary), false),
        }
    }

    pub(super) fn of_folder(graph: &FolderGraph) -> Self {
        let partial_types = graph.summary.partial_types.clone();
        Self {
            job: None,
            folder: Some(graph.path().to_owned()),
            entities: graph.entities,
            relationships: graph.relationships,
            omitted_types: graph
                .summary
                .own
                .as_ref()
                .map(|own| omitted_types(&SnapshotGap::of(own)))
                .unwrap_or_default(),
            code: code_of(graph.summary.own.as_ref(), !partial_types.is_empty()),
            partial_types,
        }
    }

    fn words(&self) -> String {
        let name = match (&self.job, &self.folder) {
            (Some(job), _) => format!("job {}", short(job.as_str())),
            (None, Some(folder)) => printable_path(folder),
            (None, None) => "the graph".to_owned(),
        };
        let entities = counted(self.entities, "entity", "entities");
        format!("{name}, {entities} and {}", counted(self.relationships, "relationship", "relationships"))
    }
}

/// The result of an upload, or the plan of one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Synced {
    #[serde(flatten)]
    pub(super) receiver: Receiver,
    #[serde(rename = "graph")]
    pub(super) origin: Origin,
    /// The result; `None` of a dry run.
    #[serde(rename = "upload")]
    pub(super) outcome: Option<SyncOutcome>,
    /// The objects that were not uploaded, because another object has their key.
    pub(super) refused: u64,
}

impl Synced {
    pub(super) fn planned(receiver: Receiver, origin: Origin, refused: u64) -> Self {
        Self { receiver, origin, outcome: None, refused }
    }

    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        let errors = self.outcome.as_ref().map_or(0, |outcome| outcome.job.errors());
        if self.outcome.is_some() && self.refused + errors > 0 { exit::INCOMPLETE } else { self.origin.code }
    }

    /// Writes the report to stdout.
    pub(super) fn print(&self, context: &Context<'_>, format: Format) -> Result<(), Failure> {
        match format {
            Format::Json => context.print_json(self),
            Format::Text => context.print(&self.text(console::width())),
        }
    }

    /// Renders the report for people.
    pub(crate) fn text(&self, width: usize) -> String {
        let verb = if self.outcome.is_some() { "Uploaded" } else { "Would upload" };
        let mut lines = vec![format!("{verb} {}, to {}.", self.origin.words(), self.receiver.words())];
        if let Some(outcome) = &self.outcome {
            lines.push(of_service(outcome));
            lines.extend(outcome.remarks().into_iter().skip(1).map(|remark| format!("Remark: {remark}.")));
        }
        if self.refused > 0 {
            let objects = match self.outcome {
                Some(_) => counted(self.refused, "object was not", "objects were not"),
                None => counted(self.refused, "object would not be", "objects would not be"),
            };
            lines.push(format!("{objects} uploaded, because another object has the same key."));
        }
        let (missing, omitted): (BTreeSet<_>, BTreeSet<_>) =
            self.origin.partial_types.iter().partition(|of| !self.origin.omitted_types.contains(*of));
        for (reason, types) in
            [("Data is missing", missing), ("The job did not select some steps, or they are switched off", omitted)]
        {
            if !types.is_empty() {
                lines.push(format!("{reason}, so JupiterOne deletes no object of these types: {}.", list(&types)));
            }
        }
        lines.iter().map(|line| paragraph(line, width, 0, 2)).collect()
    }
}

fn of_service(outcome: &SyncOutcome) -> String {
    let SyncOutcome { job, uploaded, .. } = outcome;
    let counts = COUNTS.iter().map(|(name, words)| (job.count(name), words)).filter(|(count, _)| *count > 0);
    let counts: Vec<String> = counts.map(|(count, words)| format!("{} {words}", HumanCount(count))).collect();
    let counts = if counts.is_empty() { "no changes".to_owned() } else { counts.join(", ") };
    let batches = counted(uploaded.batches, "request", "requests");
    if job.status.is_final() {
        format!("Synchronization job {} ({batches}): {}, {counts}.", job.id, job.status)
    } else {
        format!("Synchronization job {} ({batches}) is open: {}.", job.id, job.status)
    }
}
