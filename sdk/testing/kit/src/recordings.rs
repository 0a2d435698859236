//! Recordings of tests: the environment decides between recording and replay.

use std::fs;
use std::path::{Path, PathBuf};

use integration_recording::{RecordOptions, Recorder, Replay, find_secrets};
use integration_sdk::config::Values;
use integration_sdk::{Integration, Job, Summary};

use crate::error::RunError;

/// The variable that requests new recordings.
const VARIABLE: &str = "RECORD";
const FOLDER: &str = "tests/recordings";

/// The source of the responses of a run.
#[derive(Debug, Clone)]
pub(crate) enum RecordingMode {
    /// The provider, without a recording.
    Off,
    /// The provider, with a recording into this folder.
    Record(PathBuf),
    /// A replay of the recordings in this folder.
    Replay(PathBuf),
}

pub(crate) fn asked_to_record() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| matches!(value.as_str(), "1" | "true" | "yes"))
}

/// The folder of a recording. It is relative to the tested package, which is the working directory of tests.
pub(crate) fn folder_of(name: &str) -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    package.join(FOLDER).join(name)
}

/// Returns the configuration variables of the integration that the environment sets.
pub(crate) fn environment(integration: &Integration) -> Vec<(String, String)> {
    let names = Values::new(integration.id(), []);
    let variables = integration.fields().iter().flat_map(|field| names.variables_of(field.name));
    variables.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value))).collect()
}

pub(crate) async fn run(job: Job, values: &Values, recording: &RecordingMode) -> Result<Summary, RunError> {
    match recording {
        RecordingMode::Off => Ok(job.run(values, Default::default()).await?),
        RecordingMode::Record(folder) => record(job, values, folder).await,
        RecordingMode::Replay(path) => {
            if !path.exists() {
                return Err(RunError::NotRecorded { folder: path.clone() });
            }
            let replay = Replay::open(path)?;
            free_of_secrets(path)?;
            Ok(job.transport(replay).run(values, Default::default()).await?)
        }
    }
}

/// Records into a temporary folder, which replaces the target after success.
async fn record(job: Job, values: &Values, folder: &Path) -> Result<Summary, RunError> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(RunError::file(parent))?;
    let fresh = tempfile::Builder::new().prefix(".recording-").tempdir_in(parent).map_err(RunError::file(parent))?;
    keep_pseudonyms(folder, fresh.path())?;
    let recorder = Recorder::open(fresh.path(), RecordOptions { pseudonymise_emails: true, append: false })?;
    let summary = job.transport(recorder.clone()).run(values, Default::default()).await?;
    recorder.finish()?;
    free_of_secrets(fresh.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(RunError::file(folder))?;
    }
    fs::rename(fresh.keep(), folder).map_err(RunError::file(folder))?;
    Ok(summary)
}

/// Keeps the pseudonyms of the previous recording, so that equal addresses stay equal.
fn keep_pseudonyms(from: &Path, to: &Path) -> Result<(), RunError> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    for entry in entries.filter_map(Result::ok) {
        let path = entry.path();
        let is_recording = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("har"));
        if path.is_file() && !is_recording {
            fs::copy(&path, to.join(entry.file_name())).map_err(RunError::file(&path))?;
        }
    }
    Ok(())
}

fn free_of_secrets(path: &Path) -> Result<(), RunError> {
    match find_secrets(path)? {
        found if found.is_empty() => Ok(()),
        found => Err(RunError::Secrets(found)),
    }
}

/// Asserts that the recordings below a folder contain nothing that looks like a credential.
///
/// # Panics
/// Panics if they contain such a text or cannot be read.
#[track_caller]
pub fn assert_no_secrets(path: impl AsRef<Path>) {
    if let Err(error) = free_of_secrets(path.as_ref()) {
        panic!("{error}");
    }
}
