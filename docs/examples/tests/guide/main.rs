//! The guides' code runs, their blocks are that code, and what the README prints is what is printed.

mod acme;
mod blocks;
mod readme;
mod spaces;

use std::path::{Path, PathBuf};
use std::time::Duration;

use integration_sdk::config::Values;
use integration_sdk::graph::{ObjectKey, Properties, StepId};
use integration_sdk::store::{JobStore, Kind, Store};
use integration_sdk::{Integration, Job, Summary};
use tempfile::TempDir;

/// The folder of the workspace.
fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The job of a test, with the folder that holds it.
struct Collected {
    summary: Summary,
    job: JobStore,
    _folder: TempDir,
}

/// Runs an integration, or the named steps of it and what they need.
async fn collect(integration: &Integration, values: &Values, steps: &[&'static str], sources: &[&str]) -> Collected {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path()).expect("a store");
    let steps = steps.iter().map(|id| StepId::literal(id)).collect();
    let job = Job::new(integration, &store).select(steps, Duration::ZERO);
    let job = sources.iter().fold(job, |job, source| job.source(*source, true));
    let summary = job.run(values, Default::default()).await.expect("a job that begins");
    let row = store.job(Some(summary.job.as_str())).await.expect("a store").expect("a job");
    Collected { summary, job: store.open_job(&row), _folder: folder }
}

impl Collected {
    async fn entity(&self, key: &str) -> Option<Properties> {
        self.find(Kind::Entity, key).await
    }

    async fn relationship(&self, key: &str) -> Option<Properties> {
        self.find(Kind::Relationship, key).await
    }

    async fn find(&self, kind: Kind, key: &str) -> Option<Properties> {
        self.job.find(kind, ObjectKey::new(key).expect("a key")).await.expect("a store")
    }
}
