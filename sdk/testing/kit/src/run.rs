//! One run of an integration in a test: its options and its source of responses.

use std::fmt;
use std::future::IntoFuture;
use std::panic::Location;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use integration_sdk::config::Values;
use integration_sdk::graph::StepId;
use integration_sdk::store::{Store, StoreError};
use integration_sdk::{Integration, Job, Summary};
use tempfile::TempDir;

use crate::collected::Collected;
use crate::error::RunError;
use crate::recordings::{self, RecordingMode};

type Adjust<'a> = Box<dyn Fn(Job) -> Job + Send + Sync + 'a>;

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

impl Collected {
    /// Starts a run of an integration with the variables of its configuration; await it.
    ///
    /// ```no_run
    /// # async fn test(acme: &integration_sdk::Integration, provider: &integration_testing_kit::fake::Running) {
    /// use integration_testing_kit::Collected;
    ///
    /// let url = provider.url();
    /// let values = [("ACME_API_TOKEN", "any"), ("ACME_API_URL", url.as_str())];
    /// let collected = Collected::run(acme, values).steps(["fetch-teams"]).await;
    /// # }
    /// ```
    #[track_caller]
    pub fn run<K: Into<String>, V: Into<String>>(
        integration: &Integration,
        values: impl IntoIterator<Item = (K, V)>,
    ) -> Run<'_> {
        Run::new(integration, values.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }

    /// Starts a run that replays the recordings in `tests/recordings/NAME`: see [`Run::recorded`].
    #[track_caller]
    pub fn recorded<'a>(integration: &'a Integration, name: &str) -> Run<'a> {
        Run::new(integration, Vec::new()).recorded(name)
    }

    /// Starts a run without variables, for an integration without a provider.
    #[track_caller]
    pub fn run_without_values(integration: &Integration) -> Run<'_> {
        Run::new(integration, Vec::new())
    }
}

impl<'a> Run<'a> {
    #[track_caller]
    fn new(integration: &'a Integration, given: Vec<(String, String)>) -> Self {
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
