//! Jobs on a store in memory.

use futures::TryStreamExt;
use integration_store::MemoryStore;

use crate::store::{JobStore, Selection};

use super::*;

/// Runs or resumes a job; returns its statuses, and its objects with their steps and raw data.
async fn outcome(job: Job, store: &dyn JobStore) -> (Summary, Vec<String>) {
    let summary = job.run(&Values::default(), CancellationToken::new()).await.expect("a job that begins");
    let graph = store.published(summary.job.clone(), true).await.expect("a store").expect("a published graph");
    let objects = graph.scan(Selection::default().with_raw()).try_concat().await.expect("a scan");
    let line = |object: &integration_store::StoredObject| {
        format!("{} {} {}", object.step, object.is_stale, object.json().joined())
    };
    (summary, objects.iter().map(line).collect())
}

/// Teams, their apps in partitions, of which one fails at first, an amender, and a follower.
fn teams_and_apps(fails: bool) -> Integration {
    let teams = adding("teams", "acme_team", &["team:000001", "team:000002"]);
    let apps = Step::new(id("apps"), "Apps", move |context: StepContext| async move {
        for team in ["team:000001", "team:000002"] {
            let parent = crate::step::Parent { object_type: name("acme_team"), key: key(team) };
            let work = async {
                context.add_entity(thing("acme_app", &format!("app:of:{team}")), OnDuplicateKey::Reject).await?;
                match fails && team.ends_with('2') {
                    true => Err(StepError::Other("it broke".into())),
                    false => Ok(()),
                }
            };
            context.partition(parent, work).await?;
        }
        Ok(())
    });
    let amending = Step::new(id("colours"), "Colours", |context: StepContext| async move {
        let colour = |value: &str| serde_json::Map::from_iter([("colour".to_owned(), value.into())]);
        // Two amendments of one entity, and one of an unknown one.
        let amendments = vec![
            (key("team:000001"), colour("red")),
            (key("team:000001"), colour("blue")),
            (key("team:000009"), colour("red")),
        ];
        assert_eq!(context.amend_all(amendments).await?, 2);
        Ok(())
    });
    let counting = Step::new(id("count"), "Count", |context: StepContext| async move {
        let apps = context.page(&name("acme_app"), None, 10).await?;
        let count = thing("acme_count", "count:0001").with("apps", apps.len() as u64);
        context.add_entity(count, OnDuplicateKey::Reject).await
    });
    of([
        teams,
        apps.reads(name("acme_team")).entity(declared("acme_app")),
        amending.amends(name("acme_team")),
        counting.reads(name("acme_app")).entity(declared("acme_count")),
    ])
}

#[tokio::test]
async fn a_job_in_memory_has_the_result_of_a_job_on_disk_also_when_it_is_resumed() {
    let (bench, memory) = (Bench::new(), MemoryStore::default());
    let mut seen = Vec::new();
    for store in [&memory as &dyn JobStore, &bench.store] {
        let job = |integration: &Integration| match seen.is_empty() {
            true => Job::new(integration, &memory),
            false => Job::new(integration, &bench.store),
        };
        let (first, graph) = outcome(job(&teams_and_apps(true)), store).await;
        assert_eq!(first.state, JobState::Partial);
        assert!(graph.iter().any(|object| object.contains(r#""colour":"blue""#)), "{graph:?}");
        let row = store.jobs().await.expect("a store").remove(0);
        let (second, resumed) = outcome(job(&teams_and_apps(false)).resume(&row), store).await;
        assert_eq!((second.state, &second.job), (JobState::Complete, &first.job));
        // A new job confirms the graph of the resumed one.
        let (third, again) = outcome(job(&teams_and_apps(false)), store).await;
        assert_eq!(resumed, again);
        let changes = [first, second, third].map(|summary| summary.published.expect("a publication").changes);
        seen.push((graph, resumed, changes));
    }
    assert_eq!(seen[0], seen[1]);
}
