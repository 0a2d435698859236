//! The summary of an export, which another program may have written.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::graph::StepId;
use crate::graph::run::{ErrorCode, Summary};
use crate::input;

use super::change::CoveringGap;
use super::coverage::Coverage;
use super::files_error::FilesError;

/// The name of the file.
const SUMMARY: &str = "summary.json";

/// The members that other programs write.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignSummary {
    #[serde(default)]
    integration_step_results: Vec<ForeignStep>,
    #[serde(default)]
    metadata: ForeignMetadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignStep {
    id: String,
    #[serde(default)]
    status: String,
    #[serde(default)]
    declared_types: Vec<String>,
    #[serde(default)]
    partial_types: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignMetadata {
    #[serde(default)]
    partial_datasets: ForeignPartialDatasets,
}

#[derive(Default, Deserialize)]
struct ForeignPartialDatasets {
    #[serde(default)]
    types: Vec<String>,
}

/// Reads the summary of a folder: the gaps, and the summary itself if this program wrote it.
///
/// A folder without a summary has no known gaps.
pub(super) fn read(folder: &Path) -> Result<(Coverage, Option<Summary>), FilesError> {
    let path = folder.join(SUMMARY);
    let bytes = match input::read(&path, input::DOCUMENT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&path).is_err() => {
            return Ok((Coverage::default(), None));
        }
        Err(source) => return Err(FilesError::Unreadable { path, source }),
    };
    if let Ok(summary) = serde_json::from_slice::<Summary>(&bytes) {
        return Ok((Coverage::of(&summary), Some(summary)));
    }
    parse(&bytes, path).map(|summary| (coverage(&summary), None))
}

fn parse(bytes: &[u8], path: PathBuf) -> Result<ForeignSummary, FilesError> {
    serde_json::from_slice(bytes).map_err(|source| FilesError::Summary { path, source })
}

fn coverage(summary: &ForeignSummary) -> Coverage {
    let mut coverage = Coverage::default();
    let mut explained = BTreeSet::new();
    for step in &summary.integration_step_results {
        let id = StepId::new(&step.id).ok();
        let (types, code, cause) = match step.status.as_str() {
            "disabled" => (&step.declared_types, ErrorCode::StepDisabled, "the step is disabled"),
            "pending_evaluation" => (&step.declared_types, ErrorCode::NotCollected, "the step did not run"),
            "failure" if step.partial_types.is_empty() => {
                (&step.declared_types, ErrorCode::StepFailed, "the step failed")
            }
            _ => (&step.partial_types, ErrorCode::PartialDataset, "the summary lists the type in partialTypes"),
        };
        for name in types {
            coverage.lacks_foreign(name, CoveringGap::whole(id.clone(), code.clone(), cause));
            explained.insert(name);
        }
    }
    let listed = summary.metadata.partial_datasets.types.iter();
    listed
        .filter(|name| !explained.contains(name))
        .for_each(|name| coverage.lacks_foreign(name, CoveringGap::listed()));
    coverage
}
