//! Runs of configured instances: the configuration is read, the job runs to its end, and the retention is applied.
//!
//! Nothing here uses the terminal, so that `instances run` and the scheduler of `serve` share it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use integration_instances::{Instance, KeptJobs};
use integration_scheduler::RunEnd;
use integration_sdk::config::Values;
use integration_sdk::graph::run::ErrorCode;
use integration_sdk::http::Network;
use integration_sdk::runtime::EventStream;
use integration_sdk::store::{JobRow, JobState, Retention, Store};
use integration_sdk::{Integration, Job, JobError, Summary, Timestamp};
use tokio_util::sync::CancellationToken;

use super::{fitting, resolver, values};
use crate::failure::Failure;

/// Runs the jobs of configured instances of one integration.
#[derive(Clone)]
pub(crate) struct InstanceRunner {
    integration: Integration,
    store: Store,
    data_dir: PathBuf,
    network: Network,
    allow_http: bool,
}

/// A run that has ended.
pub(crate) struct Ran {
    /// The end, for the scheduler.
    pub(crate) end: RunEnd,
    /// The summary of the job, or the reason why none began. The message of the reason contains no secrets.
    pub(crate) result: Result<Summary, Failure>,
}

/// A run whose configuration was read.
pub(crate) struct Prepared {
    job: Job,
    values: Values,
    instance: Instance,
    store: Store,
}

impl InstanceRunner {
    /// Creates a runner.
    pub(crate) fn new(
        integration: &Integration,
        store: &Store,
        data_dir: &Path,
        network: Network,
        allow_http: bool,
    ) -> Self {
        let (integration, store, data_dir) = (integration.clone(), store.clone(), data_dir.to_owned());
        Self { integration, store, data_dir, network, allow_http }
    }

    /// Runs a new job of an instance to its end.
    ///
    /// A cancelled run ends with [`RunEnd::Interrupted`], and its job can be resumed.
    pub(crate) async fn run(&self, instance: &Instance, cancel: CancellationToken) -> Ran {
        match self.begin(instance, None).await {
            Ok(prepared) => prepared.run(cancel).await,
            Err(failure) => Ran::of(Err(failure)),
        }
    }

    /// Reads the configuration of an instance for a new job, or to resume an unfinished one.
    pub(crate) async fn begin(&self, instance: &Instance, unfinished: Option<&JobRow>) -> Result<Prepared, Failure> {
        let instance = fitting(&self.integration, instance.clone())?;
        let mut values = values(&self.integration, &instance, &resolver(&self.data_dir), &BTreeMap::new()).await?;
        if self.allow_http {
            values.allow_plain_http();
        }
        let job = Job::new(&self.integration, &self.store).network(self.network.clone());
        let mut job = configured(job, &instance);
        if let Some(row) = unfinished {
            job = job.resume(row);
        }
        Ok(Prepared { job, values, instance, store: self.store.clone() })
    }

    /// Returns the newest job of an instance if it was interrupted, so that it is continued rather than repeated.
    pub(crate) async fn unfinished(&self, instance: &Instance) -> Result<Option<JobRow>, Failure> {
        let jobs = self.store.jobs().await?.into_iter();
        let mut ours = jobs.filter(|job| job.is_of(self.integration.id(), &instance.name));
        Ok(ours.next().filter(|job| matches!(job.state, JobState::Interrupted | JobState::Cancelled)))
    }
}

/// Applies the settings of an instance to a job.
pub(crate) fn configured(job: Job, instance: &Instance) -> Job {
    let job = job.instance(instance.name.clone()).account_name(instance.account_name.clone());
    let job = job.only_changed(instance.only_changed);
    instance.ingestion_sources.iter().fold(job, |job, (source, on)| job.source(source, *on))
}

impl Prepared {
    /// Subscribes to the events of the job.
    pub(crate) fn events(&self) -> EventStream {
        self.job.events()
    }

    /// Runs the job to its end, and applies the retention of the instance.
    pub(crate) async fn run(self, cancel: CancellationToken) -> Ran {
        let Self { job, values, instance, store } = self;
        let ran = Ran::of(job.run(&values, cancel).await.map_err(Failure::from));
        if ran.end == RunEnd::Published {
            retain(&store, &instance).await;
        }
        ran
    }
}

impl Ran {
    fn of(result: Result<Summary, Failure>) -> Self {
        let end = match &result {
            Ok(summary) => end_of(summary),
            Err(failure) => end_of_failure(failure),
        };
        Self { end, result }
    }
}

fn end_of(summary: &Summary) -> RunEnd {
    let is_refused = summary.error.as_ref().is_some_and(|error| error.code == ErrorCode::ProviderAuthentication);
    match summary.state {
        _ if is_refused => RunEnd::CredentialsRefused,
        JobState::Complete | JobState::Partial => RunEnd::Published,
        JobState::Cancelled => RunEnd::Interrupted,
        _ => RunEnd::Failed,
    }
}

fn end_of_failure(failure: &Failure) -> RunEnd {
    match failure {
        Failure::Job(JobError::Cancelled) => RunEnd::Interrupted,
        Failure::Job(JobError::Setup(error)) if error.code() == ErrorCode::ProviderAuthentication => {
            RunEnd::CredentialsRefused
        }
        _ => RunEnd::Failed,
    }
}

/// Removes the jobs of an instance that its retention does not keep, after a job that published.
///
/// A failure is a warning: the graph of the job is there, and the next job removes the old ones.
pub(crate) async fn retain(store: &Store, instance: &Instance) {
    if instance.retention.is_unlimited() {
        return;
    }
    let retention = retention(&instance.retention, Timestamp::now());
    if let Err(error) = store.prune_instance(&instance.integration, &instance.name, retention).await {
        tracing::warn!(instance = %instance.name, %error, "old jobs could not be removed");
    }
}

/// The limits of the store. A limit that is not set keeps no job.
fn retention(kept: &KeptJobs, now: Timestamp) -> Retention {
    Retention {
        keep: kept.newest.map_or(0, |jobs| usize::try_from(jobs).unwrap_or(usize::MAX)),
        older_than: kept.younger_than.as_ref().map(|age| now.before(age.duration())),
    }
}

#[cfg(test)]
mod tests {
    use integration_sdk::graph::{InstanceId, JobId};

    use super::*;

    fn summary(state: JobState) -> Summary {
        Summary::new(JobId::generate(), "space", InstanceId::default(), state)
    }

    #[test]
    fn every_end_of_a_job_has_a_meaning_for_the_scheduler() {
        assert_eq!(end_of(&summary(JobState::Complete)), RunEnd::Published);
        assert_eq!(end_of(&summary(JobState::Partial)), RunEnd::Published);
        assert_eq!(end_of(&summary(JobState::Cancelled)), RunEnd::Interrupted);
        assert_eq!(end_of(&summary(JobState::Failed)), RunEnd::Failed);
        assert_eq!(end_of_failure(&Failure::Job(JobError::Cancelled)), RunEnd::Interrupted);
        assert_eq!(end_of_failure(&Failure::NoSample), RunEnd::Failed);
    }

    #[test]
    fn a_limit_that_is_not_set_keeps_no_job() {
        let now = Timestamp::from_millis(10_000_000);
        let kept = KeptJobs { newest: Some(3), younger_than: None };
        assert_eq!(retention(&kept, now), Retention::newest(3));
        let kept = KeptJobs { newest: None, younger_than: Some("1h".parse().expect("an age")) };
        let older_than = Some(Timestamp::from_millis(6_400_000));
        assert_eq!(retention(&kept, now), Retention { keep: 0, older_than });
    }
}
