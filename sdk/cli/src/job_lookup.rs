//! Finds jobs in the data directory by the beginning of their ids.

use std::path::Path;

use integration_sdk::Summary;
use integration_sdk::graph::InstanceId;
use integration_sdk::store::{JobRow, Snapshot, Store, StoreError};

use crate::failure::Failure;
use crate::shell::quoted;

/// The length of a short job id: the part of the id that encodes the creation time.
const SHORT: usize = 13;

/// The largest number of edits by which a mistyped id differs from the id that was meant.
const MISTYPED: usize = 2;

/// Opens the store for reading, if it exists; never creates one.
///
/// A store that no process can write is copied, because SQLite writes even to read.
pub(crate) fn store(directory: &Path) -> Result<Option<Store>, StoreError> {
    match writable_store(directory) {
        Err(StoreError::ReadOnly { path, is_final: true }) => {
            let folder = tempfile::Builder::new().prefix("integration-").tempdir();
            let folder = folder.map_err(|source| StoreError::Directory { path, source })?;
            Store::open_copy(directory, folder).map(Some)
        }
        opened => opened,
    }
}

/// Opens the store for changes, if it exists; never creates one.
pub(crate) fn writable_store(directory: &Path) -> Result<Option<Store>, StoreError> {
    if directory.is_dir() { Store::open(directory).map(Some) } else { Ok(None) }
}

/// Returns the jobs of an integration, newest first; there is at least one.
///
/// It is an error if one of the names is the beginning of the id of another integration's job alone.
pub(crate) async fn jobs_named<'a>(
    directory: &Path,
    integration: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Result<(Store, Vec<JobRow>), Failure> {
    let no_jobs = || Failure::NoJobs(directory.to_owned());
    let store = store(directory)?.ok_or_else(no_jobs)?;
    let (ours, others): (Vec<_>, Vec<_>) =
        store.jobs().await?.into_iter().partition(|job| job.integration == integration);
    for name in names {
        let is_named = |job: &&JobRow| job.id.as_str().starts_with(name);
        if let (None, Some(job)) = (ours.iter().find(is_named), others.iter().find(is_named)) {
            let (job, integration) = (job.id.to_string(), job.integration.clone());
            return Err(Failure::OtherIntegration { job, integration });
        }
    }
    if ours.is_empty() { Err(no_jobs()) } else { Ok((store, ours)) }
}

/// Returns the jobs of an integration whose ids begin with `wanted`, or all of its jobs; there is at least one.
async fn candidates(
    directory: &Path,
    integration: &str,
    wanted: Option<&str>,
) -> Result<(Store, Vec<JobRow>), Failure> {
    let (store, ours) = jobs_named(directory, integration, wanted).await?;
    match wanted {
        Some(wanted) => Ok((store, vec![matching(ours, wanted)?])),
        None => Ok((store, ours)),
    }
}

/// Returns the job whose id begins with `wanted`, or the newest job.
pub(crate) async fn find(
    directory: &Path,
    integration: &str,
    wanted: Option<&str>,
) -> Result<(Store, JobRow), Failure> {
    let (store, mut jobs) = candidates(directory, integration, wanted).await?;
    Ok((store, jobs.swap_remove(0)))
}

/// Returns the graph of a job.
pub(crate) async fn snapshot(store: &Store, job: &JobRow) -> Result<Snapshot, Failure> {
    store.snapshot_of(job).await?.ok_or_else(|| unpublished(job))
}

fn unpublished(job: &JobRow) -> Failure {
    Failure::Unpublished { job: job.id.to_string(), ended: job.ended.is_some() }
}

/// Returns the job whose id begins with `wanted`, or the newest job with a graph, together with its graph.
pub(crate) async fn find_graph(
    directory: &Path,
    integration: &str,
    wanted: Option<&str>,
) -> Result<(Store, JobRow, Snapshot), Failure> {
    let (store, jobs) = candidates(directory, integration, wanted).await?;
    for job in &jobs {
        if let Some(snapshot) = store.snapshot_of(job).await? {
            return Ok((store, job.clone(), snapshot));
        }
    }
    Err(unpublished(&jobs[0]))
}

/// Returns the job with a graph whose id begins with `wanted`, or the newest one, of any or of one instance.
pub(crate) async fn find_graph_of(
    directory: &Path,
    integration: &str,
    wanted: Option<&str>,
    instance: Option<&InstanceId>,
) -> Result<(Store, JobRow), Failure> {
    let (store, job, _) = find_graph(directory, integration, wanted).await?;
    match instance {
        Some(instance) if *instance != job.instance && wanted.is_some() => Err(Failure::Usage(format!(
            "job {} belongs to the instance {:?}; use --instance {}",
            job.id,
            job.instance,
            quoted(job.instance.as_str())
        ))),
        Some(instance) if *instance != job.instance => {
            let newest = store.snapshots(integration, instance).await?.into_iter().next();
            let newest = newest.ok_or_else(|| Failure::NoJobs(directory.to_owned()))?;
            let job = store.job(Some(newest.job.as_str())).await?;
            job.map(|job| (store, job)).ok_or_else(|| Failure::NoJobs(directory.to_owned()))
        }
        _ => Ok((store, job)),
    }
}

fn matching(mut jobs: Vec<JobRow>, wanted: &str) -> Result<JobRow, Failure> {
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    let at = position(&ids, wanted)?;
    Ok(jobs.swap_remove(at))
}

/// Returns the position of the only id that begins with `wanted`.
pub(crate) fn position(ids: &[&str], wanted: &str) -> Result<usize, Failure> {
    let found: Vec<usize> = (0..ids.len()).filter(|&at| ids[at].starts_with(wanted)).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => {
            // All ids begin with the time. A measure that prefers common beginnings would find every id similar.
            let edits = |id: &str| strsim::osa_distance(id.get(..wanted.len()).unwrap_or(id), wanted);
            let nearest = ids.iter().copied().filter(|id| edits(id) <= MISTYPED).min_by_key(|id| edits(id));
            Err(Failure::UnknownJob { wanted: wanted.to_owned(), nearest: nearest.map(|id| short(id).to_owned()) })
        }
        several => {
            let matching = several.iter().take(5).map(|&at| short(ids[at]).to_owned()).collect();
            Err(Failure::AmbiguousJob { wanted: wanted.to_owned(), matching })
        }
    }
}

/// Returns the summary of a job that has ended.
pub(crate) fn summary(job: &JobRow) -> Result<&Summary, Failure> {
    job.summary()?.ok_or_else(|| Failure::UnfinishedJob(job.id.to_string()))
}

/// Shortens a job id to a prefix that identifies the job.
pub(crate) fn short(id: &str) -> &str {
    id.get(..SHORT).unwrap_or(id)
}

/// Shortens an id to a prefix that no other known id has.
///
/// Ids that were created in the same millisecond have the same [`short`] prefix.
pub(crate) fn short_among<'i>(id: &'i str, known: &[&str]) -> &'i str {
    let is_unique = |length: &usize| {
        let prefix = id.get(..*length).unwrap_or(id);
        known.iter().all(|other| *other == id || !other.starts_with(prefix))
    };
    let length = (SHORT..id.len()).find(is_unique).unwrap_or(id.len());
    id.get(..length).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 2] = ["01a22d38-ff74-7c57-8008-cb39db4d367f", "01a22d38-fc4f-7357-8d16-52c7a01b9e44"];

    fn nearest(wanted: &str) -> Option<String> {
        match position(&IDS, wanted) {
            Err(Failure::UnknownJob { nearest, .. }) => nearest,
            other => panic!("{wanted:?}: {other:?}"),
        }
    }

    #[test]
    fn ids_of_the_same_millisecond_are_shortened_to_unique_prefixes() {
        let ids = ["01a22d46-8233-7c57-8008-cb39db4d367f", "01a22d46-8233-7c57-9b16-52c7a01b9e44", IDS[0]];
        let short: Vec<&str> = ids.iter().map(|id| short_among(id, &ids)).collect();
        assert_eq!(short, ["01a22d46-8233-7c57-8", "01a22d46-8233-7c57-9", "01a22d38-ff74"]);
        for (id, short) in ids.iter().zip(short) {
            assert_eq!(position(&ids, short).ok().map(|at| ids[at]), Some(*id));
        }
    }

    #[test]
    fn a_mistyped_id_is_recognized() {
        for wanted in ["01a22d38-ff47", "01a22d38-gf74", "01a22d38-ff74-7c57-8008-cb39db4d366f"] {
            assert_eq!(nearest(wanted).as_deref(), Some("01a22d38-ff74"), "{wanted}");
        }
    }

    #[test]
    fn the_id_of_a_deleted_job_resembles_no_job_of_the_same_second() {
        assert_eq!(nearest("01a22d38-fd4f-7f57-8008-cb39db4d366f"), None);
        assert_eq!(nearest("01a22d38-fc4f-7357-8008-cb39db4d367f"), None);
    }
}
