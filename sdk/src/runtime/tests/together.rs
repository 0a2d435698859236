//! Jobs of several instances that run at once in one process, into one store.

use std::sync::atomic::AtomicBool;

use futures::future::join_all;
use tokio::sync::Barrier;

use super::*;
use crate::graph::InstanceId;

const INSTANCES: usize = 8;

/// An integration whose steps of all instances add their objects at the same time.
///
/// All instances have the same keys with different values, so a mixture of two jobs is visible.
fn mixed(instance: usize, round: usize, barrier: &Arc<Barrier>) -> Integration {
    let barrier = Arc::clone(barrier);
    let work = move |context: StepContext| {
        let barrier = Arc::clone(&barrier);
        async move {
            for batch in 0..5 {
                barrier.wait().await;
                for number in 0..200 {
                    let key = format!("thing:{batch}:{number:04}");
                    // A tenth of the objects changes in each round.
                    let value = if number % 10 == 0 { round } else { 0 };
                    let entity = thing("acme_thing", &key).with("owner", format!("{instance}/{value}"));
                    context.add_entity(entity, OnDuplicateKey::Reject).await?;
                }
            }
            Ok(())
        }
    };
    of([Step::new(id("things"), "Things", work).entity(declared("acme_thing"))])
}

fn name_of(instance: usize) -> InstanceId {
    InstanceId::new(format!("instance-{instance}")).expect("a name")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn jobs_of_several_instances_share_a_store_and_do_not_mix() {
    let bench = Bench::new();
    for round in 1..=3 {
        let barrier = Arc::new(Barrier::new(INSTANCES));
        let integrations: Vec<Integration> = (0..INSTANCES).map(|at| mixed(at, round, &barrier)).collect();
        let jobs = integrations.iter().enumerate();
        let jobs = jobs.map(|(at, integration)| Job::new(integration, &bench.store).instance(name_of(at)));
        let ended = join_all(jobs.map(|job| bench.run(job))).await;
        for (at, (summary, snapshot)) in ended.into_iter().enumerate() {
            assert_eq!((summary.state, summary.entities), (JobState::Complete, 1_000));
            let total = summary.published.as_ref().map(|published| published.total()).expect("a publication");
            let (added, changed) = if round == 1 { (1_000, 0) } else { (0, 100) };
            assert_eq!((total.added, total.changed, total.removed), (added, changed, 0), "round {round}");
            let graph = graph(&snapshot).await;
            let own = |line: &&String| line.contains(&format!("\"owner\":\"{at}/"));
            assert_eq!(graph.iter().filter(own).count(), 1_000, "instance {at} has only its own objects");
        }
    }
    assert_eq!(bench.store.jobs().await.expect("a store").len(), 3 * INSTANCES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_second_job_of_an_instance_in_one_process_is_refused_and_the_first_goes_on() {
    let bench = Bench::new();
    let (started, ends) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let is_first = Arc::new(AtomicBool::new(true));
    let waiting = {
        let (started, ends) = (Arc::clone(&started), Arc::clone(&ends));
        move |context: StepContext| {
            let (started, ends) = (Arc::clone(&started), Arc::clone(&ends));
            let waits = is_first.swap(false, std::sync::atomic::Ordering::SeqCst);
            async move {
                context.add_entity(thing("acme_thing", "thing:1"), OnDuplicateKey::Reject).await?;
                if waits {
                    started.notify_one();
                    ends.notified().await;
                }
                Ok(())
            }
        }
    };
    let integration = of([Step::new(id("things"), "Things", waiting).entity(declared("acme_thing"))]);
    let first = Job::new(&integration, &bench.store).start(&Values::default()).await.expect("a job");
    started.notified().await;
    let second = Job::new(&integration, &bench.store).start(&Values::default()).await;
    let error = second.expect_err("refused").to_string();
    assert!(error.contains(first.id().as_str()), "{error}");
    // Another instance is not affected.
    let other = Job::new(&integration, &bench.store).instance(name_of(1));
    assert_eq!(bench.run(other).await.0.state, JobState::Complete);
    ends.notify_one();
    assert_eq!(first.join().await.expect("a summary").state, JobState::Complete);
}
