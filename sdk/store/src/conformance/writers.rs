//! Checks that every [`JobStore`] passes: leases, kills, cancelled calls, and the decisions of the [`rules`](crate::rules).
//!
//! ```
//! # futures::executor::block_on(async {
//! use std::sync::Arc;
//! use integration_graph::JobId;
//! use integration_store::conformance::writers::{Bench, check};
//! use integration_store::{JobStore, MemoryStore};
//!
//! struct Memory(MemoryStore);
//!
//! impl Bench for Memory {
//!     fn open(&self) -> Arc<dyn JobStore> {
//!         Arc::new(self.0.clone())
//!     }
//!     fn expire(&self, job: &JobId) {
//!         self.0.expire(job);
//!     }
//! }
//!
//! check(|| Memory(MemoryStore::default())).await;
//! # })
//! ```

use std::sync::Arc;

use futures::{FutureExt, TryStreamExt};
use integration_graph::run::{JobState, PartitionId, PartitionRef, StepReport, StepStatus, Summary};
use integration_graph::{InstanceId, JobId, ObjectJson, ObjectKey, ObjectType};
use serde_json::{Value, json};

use super::history::{scan, step_of};
use crate::{
    Amendment, AppendReport, CompletedPartition, DeclaredEnds, Epoch, JobStore, JobWriter, NewJob, ObjectBatch,
    Publication, Revision, RewindTo, Row, ScanCursor, Selection, StepBatch, StoreError,
};

/// A place in which stores are opened.
pub trait Bench {
    /// Opens the store, as a new process does.
    fn open(&self) -> Arc<dyn JobStore>;

    /// Ends the lease of a job without its holder noticing it, as a broken network does.
    fn expire(&self, job: &JobId);
}

/// Checks a kind of store. `new` creates an empty place.
///
/// # Panics
/// If the store does not conform.
pub async fn check<B: Bench>(new: impl Fn() -> B) {
    leases_exclude_each_other(&new()).await;
    an_ended_job_cannot_be_written(&new()).await;
    a_late_writer_is_refused(&new()).await;
    a_killed_partition_is_complete_or_absent(&new()).await;
    a_cancelled_call_is_whole_or_absent(&new()).await;
    gaps_outlast_the_reports_that_name_them(&new()).await;
    descriptions_do_not_depend_on_their_order(&new).await;
    types_that_claim_one_key_do_not_depend_on_their_order(&new).await;
}

fn new_job(instance: &'static str) -> NewJob {
    NewJob { integration: "acme".into(), instance: InstanceId::literal(instance), options: json!({"of": instance}) }
}

async fn begin(store: &Arc<dyn JobStore>) -> Arc<dyn JobWriter> {
    store.begin(new_job("default")).await.expect("a job")
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::stored(text).expect("a key")
}

fn user() -> ObjectType {
    ObjectType::literal("acme_user")
}

fn batch(step: usize, rows: Vec<(Row, Value)>) -> StepBatch {
    let mut objects = ObjectBatch::default();
    for (row, json) in rows {
        objects.push(row, ObjectJson::of(&json.to_string()));
    }
    StepBatch::new(step_of(step), objects)
}

async fn append(writer: &Arc<dyn JobWriter>, batch: StepBatch) -> Result<AppendReport, StoreError> {
    writer.append(Arc::new(batch)).await?.await
}

/// A batch of users under one parent, which completes the partition.
fn partition(id: u32, users: &[&str]) -> StepBatch {
    let (id, parent) = (PartitionId::new(id).expect("not zero"), key(&format!("team-{id}")));
    let row = |text: &&str| {
        let row = Row::entity(key(text), user());
        (Row { partition: PartitionRef::Nth(id), parent: Some(parent.clone()), ..row }, json!({"_key": text}))
    };
    let completed = CompletedPartition {
        id,
        parent: parent.clone(),
        path: parent.to_string(),
        outer: None,
        stats: "{}".to_owned(),
    };
    StepBatch { completed: vec![completed], ..batch(0, users.iter().map(row).collect()) }
}

async fn users(writer: &Arc<dyn JobWriter>) -> Vec<String> {
    let found = scan(writer.as_ref(), user(), ScanCursor::FIRST_KEY).await;
    found.into_iter().map(|(key, _)| key.to_string()).collect()
}

fn summary(job: &JobId, state: JobState) -> Summary {
    Summary::new(job.clone(), "acme", InstanceId::default(), state)
}

async fn leases_exclude_each_other(bench: &impl Bench) {
    let (store, other) = (bench.open(), bench.open());
    let writer = begin(&store).await;
    let job = writer.lease().job.clone();
    assert_eq!(writer.lease().epoch, Epoch::FIRST);
    let second = other.begin(new_job("default")).await.err();
    assert!(matches!(second, Some(StoreError::Running { job: running }) if running == job));
    let elsewhere = other.begin(new_job("elsewhere")).await.expect("another instance is free");
    assert!(matches!(other.resume(job.clone()).await.err(), Some(StoreError::Busy { .. })));
    let row = other.jobs().await.expect("the jobs").into_iter().find(|row| row.id == job).expect("the job");
    assert_eq!((row.state, row.options), (JobState::Running, json!({"of": "default"})));
    drop((writer, elsewhere));
    assert!(other.jobs().await.expect("the jobs").iter().all(|row| row.state == JobState::Interrupted));
    let resumed = other.resume(job.clone()).await.expect("a free lease").writer;
    assert!(resumed.lease().epoch > Epoch::FIRST && resumed.lease().job == job);
    assert!(matches!(store.resume(job.clone()).await.err(), Some(StoreError::Busy { .. })));
    resumed.end(summary(&job, JobState::Complete), None).await.expect("the job ends");
    drop(resumed);
    assert!(matches!(store.resume(job.clone()).await.err(), Some(StoreError::Complete { .. })));
    assert!(matches!(store.resume(JobId::generate()).await.err(), Some(StoreError::Forgotten { .. })));
}

/// Attempts every kind of write, and returns the errors.
async fn attempts(writer: &Arc<dyn JobWriter>) -> Vec<Option<StoreError>> {
    let amendment = Amendment { key: key("a"), expected: Revision::new(1), properties: "{}".to_owned() };
    let report = StepReport::new(step_of(0), "A step", StepStatus::Success);
    let job = &writer.lease().job;
    let publication = Some(Publication::default());
    vec![
        append(writer, partition(9, &["late"])).await.err(),
        writer.commit().await.err(),
        writer.amend(vec![amendment]).await.err(),
        writer.put_data("late".to_owned(), json!(1)).await.err(),
        writer.end_step(report).await.err(),
        writer.rewind(step_of(0), RewindTo::Start).await.err(),
        writer.reconcile(DeclaredEnds::default()).await.err(),
        writer.end(summary(job, JobState::Complete), publication).await.err(),
        writer.end(summary(job, JobState::Complete), None).await.err(),
    ]
}

fn assert_fenced(errors: Vec<Option<StoreError>>) {
    for (at, error) in errors.into_iter().enumerate() {
        assert!(matches!(error, Some(StoreError::Fenced { .. })), "write {at}: {error:?}");
    }
}

async fn an_ended_job_cannot_be_written(bench: &impl Bench) {
    let store = bench.open();
    let writer = begin(&store).await;
    append(&writer, partition(1, &["a"])).await.expect("a batch");
    let job = writer.lease().job.clone();
    let ended = writer.end(summary(&job, JobState::Complete), Some(Publication::default())).await.expect("an end");
    assert_eq!(ended.published.expect("changes").changes[&user()].added, 1);
    assert_fenced(attempts(&writer).await);
    let row = store.jobs().await.expect("the jobs").remove(0);
    assert_eq!((row.state, row.summary().expect("a summary").is_some()), (JobState::Complete, true));
}

async fn a_late_writer_is_refused(bench: &impl Bench) {
    let (store, other) = (bench.open(), bench.open());
    let late = begin(&store).await;
    append(&late, partition(1, &["a"])).await.expect("a batch");
    late.commit().await.expect("a commit");
    bench.expire(&late.lease().job);
    let writer = other.resume(late.lease().job.clone()).await.expect("an expired lease").writer;
    assert!(writer.lease().epoch > late.lease().epoch);
    assert_fenced(attempts(&late).await);
    drop(late);
    assert_eq!(users(&writer).await, ["a"]);
    append(&writer, partition(2, &["b"])).await.expect("the new holder writes");
    writer.commit().await.expect("a commit");
    assert_eq!(users(&writer).await, ["a", "b"]);
    assert_eq!(writer.data("late".to_owned()).await.expect("job data"), None);
    store.begin(new_job("elsewhere")).await.expect("the refused writes concern only their job");
}

async fn a_killed_partition_is_complete_or_absent(bench: &impl Bench) {
    let store = bench.open();
    let writer = begin(&store).await;
    let job = writer.lease().job.clone();
    append(&writer, partition(1, &["a", "b"])).await.expect("a batch");
    writer.commit().await.expect("a commit");
    // The second partition lacks its mark, and the third one may be lost with its receipt.
    let open = StepBatch { completed: Vec::new(), ..partition(2, &["c"]) };
    append(&writer, open).await.expect("a batch");
    drop(writer.append(Arc::new(partition(3, &["d", "e"]))).await.expect("space in the queue"));
    drop((writer, store));
    let store = bench.open();
    assert_eq!(store.jobs().await.expect("the jobs").remove(0).state, JobState::Interrupted);
    let resumed = store.resume(job).await.expect("an interrupted job").writer;
    let point = resumed.rewind(step_of(0), RewindTo::Checkpoint).await.expect("a resume point");
    let has_third = point.done.contains("team-3");
    let expected: &[&str] = if has_third { &["a", "b", "d", "e"] } else { &["a", "b"] };
    assert_eq!(users(&resumed).await, expected);
    assert!(point.done.contains("team-1") && !point.done.contains("team-2"), "{point:?}");
    assert!(point.next_partition > PartitionId::FIRST);
    let start = resumed.rewind(step_of(0), RewindTo::Start).await.expect("a resume point");
    assert!(start.done.is_empty() && users(&resumed).await.is_empty());
}

async fn a_cancelled_call_is_whole_or_absent(bench: &impl Bench) {
    let store = bench.open();
    let writer = begin(&store).await;
    let job = writer.lease().job.clone();
    drop(writer.append(Arc::new(partition(1, &["a", "b"]))).now_or_never());
    writer.commit().await.expect("a commit");
    let found = users(&writer).await;
    assert!(found.is_empty() || found == ["a", "b"], "{found:?}");
    drop(writer.end(summary(&job, JobState::Complete), Some(Publication::default())).now_or_never());
    drop((writer, store));
    let store = bench.open();
    let row = store.jobs().await.expect("the jobs").remove(0);
    let graph = store.published(job.clone(), true).await.expect("the graph");
    match graph {
        Some(graph) => {
            assert_eq!(row.state, JobState::Complete);
            let objects = graph.scan(Selection::default()).try_concat().await.expect("a scan");
            assert_eq!(objects.len(), found.len());
        }
        None => {
            assert_eq!(row.state, JobState::Interrupted);
            let resumed = store.resume(job).await.expect("an interrupted job").writer;
            assert_eq!(users(&resumed).await, found);
        }
    }
}

async fn gaps_outlast_the_reports_that_name_them(bench: &impl Bench) {
    use integration_graph::run::{ErrorCode, Gap, Parent};
    let store = bench.open();
    let writer = begin(&store).await;
    let job = writer.lease().job.clone();
    let parent = Parent { object_type: ObjectType::literal("acme_team"), key: key("team-1") };
    let mut report = StepReport::new(step_of(0), "A step", StepStatus::Partial);
    report.gaps.push(Gap::new([user()], ErrorCode::ProviderApi, "refused").under(Some(parent)));
    writer.end_step(report.clone()).await.expect("a record");
    drop(writer);
    for is_first in [true, false] {
        let resumed = store.resume(job.clone()).await.expect("an interrupted job");
        assert_eq!(resumed.reports, if is_first { vec![report.clone()] } else { Vec::new() });
        let gaps = resumed.earlier_gaps;
        assert!(gaps.are_under(&key("team-1")) && gaps.concern(&step_of(0), &key("team-1")));
        assert!(!gaps.concern(&step_of(1), &key("team-1")) && !gaps.concern(&step_of(0), &key("team-2")));
        resumed.writer.rewind(step_of(0), RewindTo::Checkpoint).await.expect("a resume point");
    }
}

async fn descriptions_do_not_depend_on_their_order<B: Bench>(new: &impl Fn() -> B) {
    let description = |name: &str, updated: u64| {
        batch(0, vec![(Row::entity(key("a"), user()), json!({"_key": "a", "name": name, "updatedOn": updated}))])
    };
    let (newest, older) = (description("z", 2), description("a", 1));
    for order in [[&newest, &older], [&older, &newest]] {
        let bench = new();
        let store = bench.open();
        let writer = begin(&store).await;
        for batch in order {
            append(&writer, batch.clone()).await.expect("a batch");
        }
        writer.commit().await.expect("a commit");
        let found = writer.entities(vec![key("a")]).await.expect("the entity").remove(0).expect("the entity");
        assert!(found.properties.contains(r#""name":"z""#), "{}", found.properties);
        let duplicates = writer.duplicates(step_of(0)).await.expect("the duplicates");
        assert_eq!(
            (duplicates.len(), duplicates[0].count, duplicates[0].keys.as_slice()),
            (1, 1, &["a".to_owned()][..])
        );
    }
}

async fn types_that_claim_one_key_do_not_depend_on_their_order<B: Bench>(new: &impl Fn() -> B) {
    let (lesser, greater) = (ObjectType::literal("acme_app"), user());
    let claim = |step: usize, of: &ObjectType| {
        batch(step, vec![(Row::entity(key("a"), of.clone()), json!({"_key": "a", "_type": of}))])
    };
    let (kept, lost) = (claim(0, &lesser), claim(1, &greater));
    for order in [[&kept, &lost], [&lost, &kept]] {
        let bench = new();
        let store = bench.open();
        let writer = begin(&store).await;
        append(&writer, order[0].clone()).await.expect("a batch");
        let report = append(&writer, order[1].clone()).await.expect("a batch");
        let [conflict] = &report.conflicts[..] else { panic!("{report:?}") };
        assert_eq!((&conflict.object_type, &conflict.step), (&greater, &step_of(1)));
        assert_eq!((&conflict.other_type, &conflict.other_step), (&lesser, &step_of(0)));
        writer.commit().await.expect("a commit");
        assert_eq!(scan(writer.as_ref(), lesser.clone(), ScanCursor::FIRST_KEY).await.len(), 1);
        assert!(users(&writer).await.is_empty());
    }
}
