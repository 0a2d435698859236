//! Recordings as a test keeps them: made where the environment asks for it, replayed everywhere else, free of secrets.

use std::fs;
use std::path::{Path, PathBuf};

use integration_sdk::config::Values;
use integration_sdk::recording::{RecordOptions, Recorder, Replay, find_secrets};
use integration_sdk::{Integration, Job, Summary};

use crate::RunError;

/// Asks for new recordings.
const VARIABLE: &str = "RECORD";
const FOLDER: &str = "tests/recordings";

/// Where a run's answers come from.
#[derive(Debug, Clone)]
pub(crate) enum Tape {
    /// From the provider alone.
    Off,
    /// From the provider, into this folder.
    Record(PathBuf),
    /// From this folder.
    Replay(PathBuf),
}

pub(crate) fn asked_to_record() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| matches!(value.as_str(), "1" | "true" | "yes"))
}

/// Below the package whose tests run, which is the working directory of tests.
pub(crate) fn folder_of(name: &str) -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    package.join(FOLDER).join(name)
}

/// The variables of the integration's fields that the environment sets.
pub(crate) fn environment(integration: &Integration) -> Vec<(String, String)> {
    let names = Values::new(integration.id(), []);
    let variables = integration.fields().iter().flat_map(|field| names.variables_of(field.name));
    variables.filter_map(|name| std::env::var(&name).ok().map(|value| (name, value))).collect()
}

pub(crate) async fn run(job: Job<'_>, values: &Values, tape: &Tape) -> Result<Summary, RunError> {
    match tape {
        Tape::Off => Ok(job.run(values, Default::default()).await?),
        Tape::Record(folder) => record(job, values, folder).await,
        Tape::Replay(path) => {
            if !path.exists() {
                return Err(RunError::NotRecorded { folder: path.clone() });
            }
            let replay = Replay::open(path)?;
            free_of_secrets(path)?;
            Ok(job.replay(replay).run(values, Default::default()).await?)
        }
    }
}

/// Records beside the folder, and takes its place when all is well.
async fn record(job: Job<'_>, values: &Values, folder: &Path) -> Result<Summary, RunError> {
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(RunError::file(parent))?;
    let fresh = tempfile::Builder::new().prefix(".recording-").tempdir_in(parent).map_err(RunError::file(parent))?;
    keep_pseudonyms(folder, fresh.path())?;
    let recorder = Recorder::open(fresh.path(), RecordOptions { pseudonymise_emails: true, append: false })?;
    let summary = job.record(recorder.clone()).run(values, Default::default()).await?;
    recorder.finish()?;
    free_of_secrets(fresh.path())?;
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(RunError::file(folder))?;
    }
    fs::rename(fresh.keep(), folder).map_err(RunError::file(folder))?;
    Ok(summary)
}

/// The same addresses get the same pseudonyms again: what recorders keep beside recordings is no recording.
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

/// Fails the test where the recordings below a folder hold something that looks like a credential.
///
/// # Panics
/// Where there is such a thing, or the folder cannot be read.
#[track_caller]
pub fn assert_no_secrets(path: impl AsRef<Path>) {
    if let Err(error) = free_of_secrets(path.as_ref()) {
        panic!("{error}");
    }
}
