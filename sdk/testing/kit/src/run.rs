//! One run of an integration in a test: its options and its source of responses.

use std::fmt;
use std::future::IntoFuture;
use std::panic::Location;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use integration_recording::{RecordingError, SecretFinding};
use integration_sdk::config::Values;
use integration_sdk::graph::{InvalidName, StepId};
use integration_sdk::store::{Store, StoreError};
use integration_sdk::{Integration, Job, JobError, Summary};
use tempfile::TempDir;

use crate::Collected;
use crate::recordings::{self, RecordingMode};

type Adjust<'a> = Box<dyn Fn(Job) -> Job + Send + Sync + 'a>;

/// An error that prevents a run, or a result that a test must not accept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The job cannot start: the plan, the configuration, or the credentials.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The selected step does not exist.
    #[error(transparent)]
    Step(#[from] InvalidName),
    /// Recordings cannot be written or read.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The folder contains no recordings.
    #[error(
        "{folder} contains no recordings: set the integration's variables (such as its API key) and run the test once \
         with RECORD=1",
        folder = folder.display()
    )]
    NotRecorded {
        /// The expected folder.
        folder: PathBuf,
    },
    /// A recording may contain credentials. A new one has been discarded.
    #[error("the recording may contain credentials:\n{}", lines(.0))]
    Secrets(Vec<SecretFinding>),
    /// A file or folder cannot be used.
    #[error("cannot use {path}: {source}", path = path.display())]
    File {
        /// The path of the file or folder.
        path: PathBuf,
        /// The cause of the failure.
        source: std::io::Error,
    },
    /// Objects violate their schemas.
    #[error("collected objects violate their schemas:\n{}", .0.join("\n"))]
    Findings(Vec<String>),
}

impl RunError {
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }
}

fn lines<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(|item| format!("  {item}")).collect::<Vec<_>>().join("\n")
}

/// A run that has not started. Await it to obtain its result.
///
/// Awaiting panics, like an assertion, if the run cannot start or objects violate their schemas;
/// [`attempt`](Self::attempt) returns these as errors.
#[must_use = "a run starts only when it is awaited"]
pub struct Run<'a> {
    integration: &'a Integration,
    given: Vec<(String, String)>,
    steps: Vec<String>,
    sources: Vec<(String, bool)>,
    recording: RecordingMode,
    adjust: Vec<Adjust<'a>>,
    findings_allowed: bool,
    place: &'static Location<'static>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("integration", &self.integration)
            .field("steps", &self.steps)
            .finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    #[track_caller]
    pub(crate) fn new(integration: &'a Integration, given: Vec<(String, String)>) -> Self {
        Self {
            integration,
            given,
            steps: Vec::new(),
            sources: Vec::new(),
            recording: RecordingMode::Off,
            adjust: Vec::new(),
            findings_allowed: false,
            place: Location::caller(),
        }
    }

    /// Selects steps; their dependencies run as well.
    pub fn steps<S: Into<String>>(mut self, ids: impl IntoIterator<Item = S>) -> Self {
        self.steps.extend(ids.into_iter().map(Into::into));
        self
    }

    /// Switches an ingestion source on or off.
    pub fn source(mut self, id: impl Into<String>, on: bool) -> Self {
        self.sources.push((id.into(), on));
        self
    }

    /// Replays the recordings in `tests/recordings/NAME` of the package. With `RECORD=1` in the environment, it
    /// contacts the provider and records again.
    ///
    /// While recording, the variables of the integration are read from the environment unless the run sets them.
    /// Secrets and e-mail addresses are removed, and a recording in which
    /// [`find_secrets`](integration_recording::find_secrets) finds anything is discarded. A replay needs no
    /// credentials and no network.
    pub fn recorded(mut self, name: &str) -> Self {
        let folder = recordings::folder_of(name);
        self.recording =
            if recordings::asked_to_record() { RecordingMode::Record(folder) } else { RecordingMode::Replay(folder) };
        self
    }

    /// Records into a folder regardless of the environment, replacing the recordings there.
    pub fn record_to(mut self, folder: impl Into<PathBuf>) -> Self {
        self.recording = RecordingMode::Record(folder.into());
        self
    }

    /// Replays the recordings of a folder, or one `.har` file.
    pub fn replay_from(mut self, path: impl Into<PathBuf>) -> Self {
        self.recording = RecordingMode::Replay(path.into());
        self
    }

    /// Changes the job in any other way, such as `|job| job.concurrency(1)`.
    pub fn with_job(mut self, adjust: impl Fn(Job) -> Job + Send + Sync + 'a) -> Self {
        self.adjust.push(Box::new(adjust));
        self
    }

    /// Accepts objects that violate their schemas; the summary reports them.
    pub fn allow_findings(mut self) -> Self {
        self.findings_allowed = true;
        self
    }

    /// Runs the job and returns failures as errors.
    ///
    /// # Errors
    /// Returns [`RunError`] if the run cannot start or objects violate their schemas. Failures of steps are part of the
    /// summary instead.
    pub async fn attempt(self) -> Result<Collected, RunError> {
        let folder = tempfile::tempdir().map_err(RunError::file(std::env::temp_dir()))?;
        let store = Store::open(folder.path())?;
        let summary = self.job(&store).await?;
        if let Some(findings) = findings(&summary).filter(|_| !self.findings_allowed) {
            return Err(RunError::Findings(findings));
        }
        collect(self.integration, &store, summary, folder).await
    }

    async fn job(&self, store: &Store) -> Result<Summary, RunError> {
        let mut job = Job::new(self.integration, store);
        if !self.steps.is_empty() {
            let ids = self.steps.iter().map(StepId::new).collect::<Result<_, _>>()?;
            job = job.select(ids, Duration::ZERO);
        }
        job = self.sources.iter().fold(job, |job, (id, on)| job.source(id, *on));
        job = self.adjust.iter().fold(job, |job, adjust| adjust(job));
        let mut variables = match &self.recording {
            RecordingMode::Record(_) => recordings::environment(self.integration),
            _ => Vec::new(),
        };
        variables.extend(self.given.iter().cloned());
        let values = Values::new(self.integration.id(), variables);
        recordings::run(job, &values, &self.recording).await
    }
}

impl<'a> IntoFuture for Run<'a> {
    type Output = Collected;
    type IntoFuture = Pin<Box<dyn Future<Output = Collected> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let place = self.place;
        Box::pin(async move {
            match self.attempt().await {
                Ok(collected) => collected,
                Err(error) => panic!("the run at {place} failed: {error}"),
            }
        })
    }
}

/// Returns the findings with one line per kind.
fn findings(summary: &Summary) -> Option<Vec<String>> {
    let found = summary.integration_step_results.iter().flat_map(|step| {
        step.findings.iter().map(move |finding| {
            let (count, example) = (finding.count, &finding.example);
            let more = if count > 1 { format!(", and {} objects more", count - 1) } else { String::new() };
            format!("  {}: {} {:?}: {example}{more}", step.id, example.object_type, example.key)
        })
    });
    let found: Vec<String> = found.collect();
    (!found.is_empty()).then_some(found)
}

async fn collect(
    integration: &Integration,
    store: &Store,
    summary: Summary,
    folder: TempDir,
) -> Result<Collected, RunError> {
    let row = store.job(Some(summary.job.as_str())).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt("the store does not contain the finished job".to_owned()))?;
    let graph = store.snapshot_of(&row).await?;
    let graph = graph.ok_or_else(|| StoreError::Corrupt("the finished job has published no graph".to_owned()))?;
    Collected::read(integration, graph.collected(), summary, folder).await
}
