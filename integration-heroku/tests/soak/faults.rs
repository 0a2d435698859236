//! Random troubles on a random organisation.

use std::time::Duration;

use integration_heroku::fake::FakeHeroku;
use integration_sdk::runtime::{JobError, Summary};
use integration_sdk::store::JobState;
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::collection::{Collection, Manner, objects};
use crate::organisation::shapes;
use crate::script::{Trouble, scripts};
use crate::verdict::Case;

/// Longer than any case takes, on any machine.
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
            Ok(summary) => check(&collection, &heroku, &script, summary, 0).await?,
            Err(_) if asked_in_vain(&heroku) && collection.newest().await.is_none() => {}
            Err(error) => return Err(format!("there is no summary: {error}")),
        }
        if begun.is_ok_and(|summary| summary.state == JobState::Complete) {
            return Ok(());
        }
        heroku.server().lift_all();
        let before = heroku.requests();
        let summary = collected(&collection, &heroku).await?.map_err(|error| format!("no second time: {error}"))?;
        check(&collection, &heroku, &[], &summary, before).await.map_err(|error| format!("in the end {error}"))
    });
}

async fn collected(collection: &Collection, heroku: &FakeHeroku) -> Result<Result<Summary, JobError>, String> {
    let job = collection.run(heroku, CancellationToken::new());
    tokio::time::timeout(FOR_EVER, job).await.map_err(|_| "the job does not end".to_owned())
}

/// Nobody said whose key it is, so no job began.
fn asked_in_vain(heroku: &FakeHeroku) -> bool {
    heroku.log().iter().all(|request| request.path == "/account")
}

/// `before` requests were sent by an earlier run of the job.
async fn check(
    collection: &Collection,
    heroku: &FakeHeroku,
    script: &[Trouble],
    summary: &Summary,
    before: usize,
) -> Result<(), String> {
    let (row, job) = collection.newest().await.ok_or("the job is not in the store")?;
    if row.state != summary.state {
        return Err(format!("the store says {:?}, the summary {:?}", row.state, summary.state));
    }
    let census = job.census().await.map_err(|error| error.to_string())?;
    let stored: u64 = census.iter().map(|count| count.objects).sum();
    let graph = objects(&collection.export(summary).await);
    if stored != summary.entities + summary.relationships || stored != graph.len() as u64 {
        return Err(format!("{stored} objects are stored, {} exported; {summary:?}", graph.len()));
    }
    let log = heroku.log();
    let refused_now = log[before..].iter().any(|request| request.status == Some(401));
    if before > 0 && (refused_now || summary.state != JobState::Complete) {
        return Err(format!(
            "with all faults gone the job is {:?}: {:?}",
            summary.state, summary.integration_step_results
        ));
    }
    // What vanished before stays counted; a key that was refused before does no harm any more.
    let log: Vec<_> = log.into_iter().filter(|request| before == 0 || request.status != Some(401)).collect();
    Case { organisation: heroku.organisation(), script, log: &log, summary, graph: &graph }.check()
}
