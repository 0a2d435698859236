//! Random faults on a random organisation.

use std::time::Duration;

use integration_heroku::fake::{FakeHeroku, LoggedRequest};
use integration_sdk::runtime::{JobError, Summary};
use integration_sdk::store::JobState;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::collection::{Collection, Manner, objects};
use crate::organisation::shapes;
use crate::script::{Trouble, scripts};
use crate::verdict::Case;

/// A limit that no case reaches on any machine.
const FOR_EVER: Duration = Duration::from_secs(60);

fn manners() -> impl Strategy<Value = Manner> {
    let page = prop_oneof![Just(1_usize), 2..6_usize, Just(1_000)];
    let latency = prop_oneof![2 => Just(None), 1 => (any::<u64>(), 1..4_u64).prop_map(Some)];
    (page, any::<bool>(), 1..24_usize, latency).prop_map(|(page, max_in_next_range, concurrency, latency)| Manner {
        page,
        max_in_next_range,
        concurrency,
        latency,
    })
}

#[test]
fn whatever_goes_wrong_a_job_ends_and_what_is_not_in_the_graph_is_named() {
    crate::for_all(100, (shapes(8), scripts(), manners()), async |(shape, script, manner)| {
        let heroku = manner.serve(shape.build()).await;
        script.iter().for_each(|trouble| trouble.begin(&heroku));
        let collection = Collection::new(manner.concurrency, script.iter().any(Trouble::is_silence));
        let begun = collected(&collection, &heroku).await?;
        match &begun {
            Ok(summary) => check(&collection, &heroku, &script, summary, Run { before: 0, lifted: false }).await?,
            Err(_) if asked_in_vain(&heroku) && collection.newest().await.is_none() => {}
            Err(error) => return Err(format!("the first run has no summary: {error}")),
        }
        let complete = |run: &Result<Summary, JobError>| run.as_ref().is_ok_and(|run| run.state == JobState::Complete);
        if complete(&begun) {
            return Ok(());
        }
        // Resume with the rest of the script still active. A gap may close only if its data was collected after all.
        let again = Run { before: heroku.requests(), lifted: false };
        let resumed = collected(&collection, &heroku).await?;
        if let Ok(summary) = &resumed {
            let checked = check(&collection, &heroku, &script, summary, again).await;
            checked.map_err(|error| format!("in the second run, {error}"))?;
        }
        if complete(&resumed) {
            return Ok(());
        }
        heroku.server().lift_all();
        let last = Run { before: heroku.requests(), lifted: true };
        let last_run = collected(&collection, &heroku).await?;
        let summary = last_run.map_err(|error| format!("the last run has no summary: {error}"))?;
        check(&collection, &heroku, &[], &summary, last).await.map_err(|error| format!("in the last run, {error}"))
    });
}

async fn collected(collection: &Collection, heroku: &FakeHeroku) -> Result<Result<Summary, JobError>, String> {
    let job = collection.run(heroku, CancellationToken::new());
    tokio::time::timeout(FOR_EVER, job).await.map_err(|_| "the job does not end".to_owned())
}

/// Whether the job never started because the check of the credentials failed.
fn asked_in_vain(heroku: &FakeHeroku) -> bool {
    heroku.log().iter().all(|request| request.path == "/account")
}

/// One run of the job.
#[derive(Clone, Copy)]
struct Run {
    /// The number of requests in earlier runs.
    before: usize,
    /// Whether all faults were removed before the run.
    lifted: bool,
}

async fn check(
    collection: &Collection,
    heroku: &FakeHeroku,
    script: &[Trouble],
    summary: &Summary,
    run: Run,
) -> Result<(), String> {
    let (row, _) = collection.newest().await.ok_or("the job is not in the store")?;
    if row.state != summary.state {
        return Err(format!("the state is {:?} in the store and {:?} in the summary", row.state, summary.state));
    }
    let store = collection.store();
    let snapshot = store.snapshot_of(&row).await.map_err(|error| error.to_string())?.ok_or("there is no graph")?;
    let counts = snapshot.collected().counts().await.map_err(|error| error.to_string())?;
    let stored: u64 = counts.iter().map(|count| count.objects).sum();
    let graph = objects(&collection.export(summary).await);
    if stored != summary.entities + summary.relationships || stored != graph.len() as u64 {
        return Err(format!("{stored} objects are stored, but {} are exported; {summary:?}", graph.len()));
    }
    let log = heroku.log();
    let refused_now = log[run.before..].iter().any(|request| request.status == Some(401));
    if run.lifted && (refused_now || summary.state != JobState::Complete) {
        return Err(format!(
            "without any fault, the job is {:?}: {:?}",
            summary.state, summary.integration_step_results
        ));
    }
    // Parents that vanished in an earlier run are still counted. A key that was refused earlier no longer matters.
    let counts = |(at, request): &(usize, LoggedRequest)| *at >= run.before || request.status != Some(401);
    let log: Vec<_> = log.into_iter().enumerate().filter(counts).map(|(_, request)| request).collect();
    Case { organisation: heroku.organisation(), script, log: &log, summary, graph: &graph }.check()
}
