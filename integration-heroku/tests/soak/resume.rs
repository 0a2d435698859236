//! A job that ends early several times, by cancellation or by death of its process.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::time::Duration;

use integration_heroku::fake::{FakeHeroku, Fault, FaultRule, Organisation, OrganisationSize};
use integration_sdk::JobError;
use integration_sdk::graph::StepId;
use integration_sdk::store::{JobRow, JobState};
use proptest::prelude::*;
use tokio_util::sync::CancellationToken;

use crate::collection::{Collection, Manner};
use crate::organisation::shapes;
use crate::script::List;

/// The end of a run.
#[derive(Debug, Clone)]
struct Stop {
    /// The number of responses before the end.
    after: u64,
    /// Whether the process dies. Otherwise the job is cancelled.
    dies: bool,
}

fn stops() -> impl Strategy<Value = Vec<Stop>> {
    let stop = (1..25_u64, any::<bool>()).prop_map(|(after, dies)| Stop { after, dies });
    proptest::collection::vec(stop, 1..5)
}

#[test]
fn a_job_that_is_stopped_again_and_again_ends_as_if_undisturbed_and_asks_for_nothing_twice() {
    let spared = Cell::new(0);
    let manners = (1..4_usize, 1..9_usize, any::<u64>());
    crate::for_all(20, (shapes(12), stops(), manners), async |(shape, stops, (page, concurrency, seed))| {
        let manner = Manner { page, max_in_next_range: true, concurrency, latency: Some((seed, 3)) };
        let heroku = manner.serve(shape.build()).await;
        let expected = undisturbed(&heroku, concurrency).await?;
        let collection = Collection::new(concurrency, false);
        let mut settled = BTreeSet::new();
        for stop in &stops {
            let before = heroku.requests();
            if !run_until(&collection, &heroku, stop).await? {
                return same(&collection, &heroku, &expected, &settled, before).await;
            }
            let asked: BTreeSet<String> = heroku.log().drain(before..).map(|request| request.path).collect();
            not_again(&settled, &asked)?;
            settled = settled_paths(&collection).await?;
            spared.set(spared.get() + settled.len());
        }
        let before = heroku.requests();
        let run = collection.run(&heroku, CancellationToken::new()).await;
        run.map_err(|error| error.to_string())?;
        same(&collection, &heroku, &expected, &settled, before).await
    });
    assert!(spared.get() > 0, "every job was stopped before it completed anything");
}

#[test]
fn a_job_that_is_stopped_while_much_is_written_ends_as_if_undisturbed() {
    let size = OrganisationSize { accounts: 2, teams: 8, people: 100, apps: 700, addons: 1_500, seed: 9 };
    let organisation = Organisation::of_size(size);
    let stops = proptest::collection::vec((4..40_u64, any::<bool>()), 2);
    crate::for_all(1, stops, async |stops| {
        let manner = Manner { page: 25, max_in_next_range: true, concurrency: 8, latency: None };
        let heroku = manner.serve(organisation.clone()).await;
        let expected = undisturbed(&heroku, 8).await?;
        let collection = Collection::new(8, false);
        for (after, dies) in stops {
            if !run_until(&collection, &heroku, &Stop { after, dies }).await? {
                return Err("the job ended before a stop".to_owned());
            }
        }
        let settled = settled_paths(&collection).await?;
        let before = heroku.requests();
        collection.run(&heroku, CancellationToken::new()).await.map_err(|error| error.to_string())?;
        same(&collection, &heroku, &expected, &settled, before).await
    });
}

#[tokio::test]
async fn a_job_that_is_asked_to_end_before_it_knows_whose_key_it_has_ends_at_once() {
    let manner = Manner { page: 9, max_in_next_range: true, concurrency: 1, latency: None };
    let heroku = manner.serve(Organisation::empty()).await;
    heroku.fault(Fault::NoAnswer.on("/account"));
    let collection = Collection::new(1, false);
    let cancel = CancellationToken::new();
    let asked = async {
        while heroku.requests() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(collection.run(&heroku, cancel.clone()), asked);
    assert!(matches!(outcome, Err(JobError::Cancelled)), "{outcome:?}");
    assert_eq!(heroku.requests(), 1);
    assert!(collection.newest().await.is_none());
}

type Files = std::collections::BTreeMap<String, Vec<u8>>;

async fn undisturbed(heroku: &FakeHeroku, concurrency: usize) -> Result<Files, String> {
    let collection = Collection::new(concurrency, false);
    let summary = collection.run(heroku, CancellationToken::new()).await.map_err(|error| error.to_string())?;
    Ok(collection.export(&summary).await)
}

/// Runs the job until the stop. Returns false if the job ended earlier.
async fn run_until(collection: &Collection, heroku: &FakeHeroku, stop: &Stop) -> Result<bool, String> {
    let unanswered = heroku.requests() as u64 + stop.after;
    let silence = heroku.fault(FaultRule::from(Fault::NoAnswer).after(stop.after));
    let cancel = CancellationToken::new();
    let reached = async {
        while heroku.requests() as u64 <= unanswered {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        if !stop.dies {
            cancel.cancel();
            std::future::pending::<()>().await;
        }
    };
    let outcome = tokio::select! {
        outcome = collection.run(heroku, cancel.clone()) => Some(outcome),
        () = reached => None,
    };
    heroku.server().lift(silence);
    let state = match outcome {
        None => stood_still(collection).await.state,
        Some(outcome) => outcome.map_err(|error| error.to_string())?.state,
    };
    match (state, stop.dies) {
        (JobState::Complete, _) => Ok(false),
        (JobState::Cancelled, false) | (JobState::Interrupted, true) => Ok(true),
        (other, _) => Err(format!("a stopped job has the state {other:?}")),
    }
}

/// Returns the job after the tasks of the killed run have ended.
async fn stood_still(collection: &Collection) -> JobRow {
    loop {
        let (row, _) = collection.newest().await.expect("the job has started");
        if row.state != JobState::Running {
            return row;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The lists of completed steps and partitions, which a resumed job must not request again.
async fn settled_paths(collection: &Collection) -> Result<BTreeSet<String>, String> {
    let (_, job) = collection.newest().await.ok_or("there is no job")?;
    let ended = job.steps().await.map_err(|error| error.to_string())?;
    let mut paths = BTreeSet::new();
    for (step, list) in [
        ("fetch-account", List::Accounts),
        ("fetch-members", List::MembersOfAccount),
        ("fetch-teams", List::TeamsOfAccount),
        ("fetch-team-members", List::MembersOfTeam),
        ("fetch-apps", List::Apps),
        ("fetch-addons", List::Addons),
        ("fetch-spaces", List::Spaces),
        ("fetch-access", List::Permissions),
        ("fetch-invitations", List::Invitations),
        ("fetch-independent-teams", List::Teams),
        ("fetch-personal-apps", List::OwnApps),
        ("fetch-personal-addons", List::OwnAddons),
        ("fetch-pipelines", List::Pipelines),
        ("fetch-pipeline-stages", List::Couplings),
        ("fetch-attachments", List::Attachments),
        ("fetch-addon-services", List::AddonServices),
        ("fetch-team-preferences", List::Preferences),
        ("fetch-team-features", List::Features),
        ("fetch-space-rules", List::Rules),
        ("fetch-space-addresses", List::Addresses),
        ("fetch-space-peerings", List::Peerings),
        ("fetch-space-vpn-connections", List::VpnConnections),
    ] {
        if ended.iter().any(|row| row.step.as_str() == step) {
            paths.insert(list.path(None));
            continue;
        }
        let step = StepId::new(step).map_err(|error| error.to_string())?;
        let done = job.completed_partitions(step).await.map_err(|error| error.to_string())?;
        paths.extend(done.iter().map(|parent| list.path(Some(parent))));
    }
    Ok(paths)
}

fn not_again(settled: &BTreeSet<String>, asked: &BTreeSet<String>) -> Result<(), String> {
    let of_all = |path: &str| {
        let (before, after) = (path.rsplit_once('/'), path.split('/').nth(2));
        match (before, after) {
            (Some(_), Some(parent)) => path.replace(parent, "{id}"),
            _ => path.to_owned(),
        }
    };
    match asked.iter().find(|path| settled.contains(*path) || settled.contains(&of_all(path))) {
        Some(path) => Err(format!("{path} is requested again")),
        None => Ok(()),
    }
}

async fn same(
    collection: &Collection,
    heroku: &FakeHeroku,
    expected: &Files,
    settled: &BTreeSet<String>,
    before: usize,
) -> Result<(), String> {
    let asked = heroku.log().drain(before..).map(|request| request.path).collect();
    not_again(settled, &asked)?;
    let (row, _) = collection.newest().await.ok_or("there is no job")?;
    let summary = row.summary().map_err(|error| error.to_string())?.ok_or("the job has no summary")?;
    let files = collection.export(summary).await;
    if row.state != JobState::Complete || files != *expected {
        return Err(format!(
            "the job is {:?}, its graph is {}",
            row.state,
            if files == *expected { "complete" } else { "different" }
        ));
    }
    Ok(())
}
