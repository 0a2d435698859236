//! The reader of a snapshot, checked by the suite of all readers.

use std::sync::Arc;
use std::time::Duration;

use integration_store::conformance::{self, Publication as Published};
use integration_store::{GraphReader, Selection, StoredObject};
use serde_json::json;

use futures::TryStreamExt;
use integration_graph::run::{JobState, Summary};
use integration_graph::{InstanceId, ObjectKey, ObjectType};

use super::{JobWriter, Kind, ObjectBatch, Publication, Retention, Row, Snapshot, Store};

fn row(object: &StoredObject) -> Row {
    let row = Row::entity(object.key.clone(), object.object_type.clone());
    Row { kind: object.kind, ends: object.ends.clone(), ..row }
}

/// Publishes a graph, and returns its snapshot.
async fn publish(store: &Store, Published { objects, gaps }: Published) -> Snapshot {
    let job = store.begin_job("acme", &InstanceId::default(), &json!({})).await.unwrap();
    for object in &objects {
        let mut rows = ObjectBatch::default();
        rows.push(row(object), object.json());
        job.add(object.step.clone(), rows).await;
    }
    let state = if gaps.is_empty() { JobState::Complete } else { JobState::Partial };
    let summary = Summary::new(job.lease().job.clone(), "acme", InstanceId::default(), state);
    job.end(summary, Some(Publication { gaps, ..Publication::default() })).await.unwrap();
    let row = store.job(Some(job.lease().job.as_str())).await.unwrap().expect("the job");
    store.snapshot_of(&row).await.unwrap().expect("a snapshot")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_conforms_to_the_suite_of_readers() {
    let stores = tempfile::tempdir().unwrap();
    conformance::check(async |publications| {
        let folder = tempfile::tempdir_in(stores.path()).unwrap().keep();
        let store = Store::open(&folder).unwrap();
        let mut last = None;
        for publication in publications {
            tokio::time::sleep(Duration::from_millis(2)).await;
            last = Some(publish(&store, publication).await);
        }
        Arc::new(last.expect("a snapshot")) as Arc<dyn GraphReader>
    })
    .await;
}

fn users(number: usize) -> Published {
    let user = |number| {
        let json = json!({"_key": format!("user:{number}"), "_type": "acme_user", "_class": "User"});
        StoredObject::from_json(integration_graph::StepId::literal("add"), json).unwrap()
    };
    Published { objects: (0..number).map(user).collect(), gaps: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pruned_snapshot_is_an_error_instead_of_an_empty_graph() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let first = publish(&store, users(2_500)).await;
    publish(&store, users(1)).await;
    let mut scan = first.scan(Selection::of_kind(Kind::Entity));
    assert_eq!(scan.try_next().await.unwrap().unwrap().len(), 1_000);
    store.prune(Retention::newest(1)).await.unwrap();
    let error = scan.try_next().await.unwrap_err().to_string();
    assert!(error.contains("no longer exists"), "{error}");
    assert!(first.types().await.is_err());
    let name = (ObjectType::literal("acme_user"), ObjectKey::new("user:1").unwrap());
    assert!(first.objects(vec![name]).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn each_publication_has_an_identity_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let (first, second) = (publish(&store, users(1)).await, publish(&store, users(1)).await);
    assert_ne!(first.id(), second.id());
    assert_eq!(first.id(), first.clone().id());
    assert_ne!(first.id(), first.clone().collected().id());
    assert_eq!((first.id().integration.as_str(), first.id().instance), ("acme", InstanceId::default()));
}
