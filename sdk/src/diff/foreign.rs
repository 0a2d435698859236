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
    let Some(bytes) = bytes(&path)? else { return Ok((Coverage::default(), None)) };
    if let Ok(summary) = serde_json::from_slice::<Summary>(&bytes) {
        return Ok((Coverage::of(&summary), Some(summary)));
    }
    parse(&bytes, path).map(|summary| (coverage(&summary), None))
}

/// The completeness of a graph in files, according to its summary.
#[derive(Debug, Default)]
pub struct FolderSummary {
    /// The types of which objects may be missing. Those of other programs can have any names.
    pub partial_types: BTreeSet<String>,
    /// The causes, for people.
    pub causes: Vec<String>,
    /// The summary itself, if this program wrote it.
    pub own: Option<Summary>,
}

/// Reads the summary of a folder in the exchange layout; `None` if there is none.
///
/// # Errors
/// [`FilesError`] if the file cannot be read, or if it is not a summary.
pub fn folder_summary(folder: &Path) -> Result<Option<FolderSummary>, FilesError> {
    let path = folder.join(SUMMARY);
    let Some(bytes) = bytes(&path)? else { return Ok(None) };
    // The types of a job are listed in its summary, whatever program wrote it.
    let foreign = parse(&bytes, path)?;
    let mut found = FolderSummary { own: serde_json::from_slice(&bytes).ok(), ..FolderSummary::default() };
    found.partial_types.extend(foreign.metadata.partial_datasets.types.iter().cloned());
    for Missing { types, step, cause, .. } in foreign.missing().filter(|missing| !missing.types.is_empty()) {
        found.partial_types.extend(types.iter().cloned());
        found.causes.push(format!("{}: {cause} ({})", types.join(", "), step.unwrap_or_default()));
    }
    Ok(Some(found))
}

/// Reads the file; `None` if it does not exist.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>, FilesError> {
    match input::read(path, input::DOCUMENT) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(path).is_err() => Ok(None),
        Err(source) => Err(FilesError::Unreadable { path: path.to_owned(), source }),
    }
}

fn parse(bytes: &[u8], path: PathBuf) -> Result<ForeignSummary, FilesError> {
    serde_json::from_slice(bytes).map_err(|source| FilesError::Summary { path, source })
}

/// Data that a summary marks as missing.
struct Missing<'a> {
    types: &'a [String],
    step: Option<&'a str>,
    code: ErrorCode,
    cause: &'static str,
}

impl ForeignSummary {
    /// Returns the missing data of each step, without the types that only the list of the job names.
    fn missing(&self) -> impl Iterator<Item = Missing<'_>> {
        self.integration_step_results.iter().map(|step| {
            let (types, code, cause) = match step.status.as_str() {
                "disabled" => (&step.declared_types, ErrorCode::StepDisabled, "the step is disabled"),
                "pending_evaluation" => (&step.declared_types, ErrorCode::NotCollected, "the step did not run"),
                "failure" if step.partial_types.is_empty() => {
                    (&step.declared_types, ErrorCode::StepFailed, "the step failed")
                }
                _ => (&step.partial_types, ErrorCode::PartialDataset, "the summary lists the type in partialTypes"),
            };
            Missing { types, step: Some(&step.id), code, cause }
        })
    }
}

fn coverage(summary: &ForeignSummary) -> Coverage {
    let mut coverage = Coverage::default();
    let mut explained = BTreeSet::new();
    for Missing { types, step, code, cause } in summary.missing() {
        let id = step.and_then(|id| StepId::new(id).ok());
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
