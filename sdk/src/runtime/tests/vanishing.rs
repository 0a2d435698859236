//! Parents that the provider does not find: gone, or a gap.

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::http::{ProviderError, ProviderErrorKind};
use crate::step::Parent;

use super::*;

/// The answers that are missing, as step and team; shared, so that they can come back.
type Missing = Arc<Mutex<BTreeSet<(&'static str, usize)>>>;

fn not_found() -> StepError {
    StepError::Provider(ProviderError::new(ProviderErrorKind::NotFound, "not found"))
}

/// Steps that collect one object under each of a number of teams.
fn listing(steps: &[&'static str], teams: usize, missing: &Missing) -> Integration {
    let step = |step: &'static str| {
        let missing = Arc::clone(missing);
        let work = move |context: StepContext| {
            let missing = Arc::clone(&missing);
            async move {
                for team in 0..teams {
                    let found = !missing.lock().expect("a set").contains(&(step, team));
                    let part = async {
                        let object = thing(&format!("acme_{step}"), &format!("{step}:{team:06}"));
                        if found { context.add_entity(object, OnDuplicateKey::Reject).await } else { Err(not_found()) }
                    };
                    context.part(parent(team), part).await?;
                }
                Ok(())
            }
        };
        Step::new(id(step), step, work).entity(declared(&format!("acme_{step}")))
    };
    of(steps.iter().map(|name| step(name)))
}

fn parent(team: usize) -> Parent {
    Parent { object_type: name("acme_team"), key: key(&format!("team:{team:06}")) }
}

/// Every gap as step and team, and every parent that was counted as gone.
fn verdict(summary: &Summary) -> (BTreeSet<(String, String)>, u64) {
    let steps = summary.integration_step_results.iter();
    let gaps =
        steps.clone().flat_map(|step| step.incomplete.iter().map(|gap| (step.id.to_string(), gap.parent.clone())));
    let gaps = gaps.map(|(step, parent)| (step, parent.map(|parent| parent.key.to_string()).unwrap_or_default()));
    (gaps.collect(), steps.flat_map(|step| step.skipped.values()).flat_map(|reasons| reasons.values()).sum())
}

fn gaps(expected: &[(&str, usize)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(step, team)| ((*step).to_owned(), format!("team:{team:06}"))).collect()
}

#[tokio::test]
async fn a_parent_is_gone_only_if_nothing_under_it_and_something_else_is_found() {
    type Case = (&'static [&'static str], usize, &'static [(&'static str, usize)], &'static [(&'static str, usize)]);
    let cases: [Case; 8] = [
        // No endpoint finds the team; others are found.
        (&["apps", "addons"], 2, &[("apps", 0), ("addons", 0)], &[]),
        // One endpoint finds no team at all.
        (&["apps", "addons"], 2, &[("addons", 0), ("addons", 1)], &[("addons", 0), ("addons", 1)]),
        // One endpoint does not find a team that another one finds.
        (&["apps", "addons"], 3, &[("addons", 1)], &[("addons", 1)]),
        // Nothing finds anything.
        (
            &["apps", "addons"],
            2,
            &[("apps", 0), ("apps", 1), ("addons", 0), ("addons", 1)],
            &[("apps", 0), ("apps", 1), ("addons", 0), ("addons", 1)],
        ),
        // The only team, which no endpoint finds, and which one endpoint does not find.
        (&["apps", "addons"], 1, &[("apps", 0), ("addons", 0)], &[]),
        (&["apps", "addons"], 1, &[("apps", 0)], &[("apps", 0)]),
        // One endpoint alone.
        (&["apps"], 2, &[("apps", 0)], &[]),
        (&["apps"], 1, &[("apps", 0)], &[("apps", 0)]),
    ];
    for (steps, teams, missing, expected) in cases {
        let bench = Bench::new();
        let answers: Missing = Arc::new(Mutex::new(missing.iter().copied().collect()));
        let integration = listing(steps, teams, &answers);
        let (summary, _) = bench.collect(&integration).await;
        let (found, gone) = verdict(&summary);
        let case = format!("{steps:?} {teams} {missing:?}: {summary:?}");
        assert_eq!((found, gone), (gaps(expected), (missing.len() - expected.len()) as u64), "{case}");
        let state = if expected.is_empty() { JobState::Complete } else { JobState::Partial };
        assert_eq!(summary.state, state, "{case}");
        for step in &summary.integration_step_results {
            let lost = expected.iter().filter(|(lost, _)| step.id.as_str() == *lost).count();
            let status = if lost == 0 {
                "success"
            } else if lost == teams {
                "failure"
            } else {
                "partial"
            };
            assert_eq!(step.status.label(), status, "{case}");
        }
        if !expected.is_empty() {
            answers.lock().expect("a set").clear();
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (healed, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
            assert_eq!((healed.state, healed.entities), (JobState::Complete, (steps.len() * teams) as u64), "{case}");
        }
    }
}

#[tokio::test]
async fn a_job_that_dies_before_it_has_judged_its_missing_parents_asks_for_them_again() {
    let bench = Bench::new();
    let answers: Missing = Arc::new(Mutex::new(BTreeSet::from([("addons", 1)])));
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let hanging = Step::new(id("hangs"), "Hangs", move |_| {
        let token = token.clone();
        async move {
            token.cancel();
            std::future::pending().await
        }
    });
    let copying = |context: StepContext| async move {
        for object in context.page(&name("acme_addons"), None, 100).await? {
            let copy = format!("copy:{}", object["_key"].as_str().unwrap_or_default());
            context.add_entity(thing("acme_copy", &copy), OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    let copies = || Step::new(id("copies"), "Copies", copying).reads(name("acme_addons")).entity(declared("acme_copy"));
    let steps = || listing(&["addons"], 2, &answers).step(copies());
    let integration = steps().step(hanging.after("copies"));
    Job::new(&integration, &bench.store).run(&Values::default(), cancel).await.expect("a summary");
    // As a kill leaves it: the steps are recorded, the job has not ended.
    let mut row = bench.store.job(None).await.expect("a store").expect("the job");
    (row.state, row.ended) = (JobState::Interrupted, None);
    answers.lock().expect("a set").clear();
    let after = steps().step(Step::new(id("hangs"), "Hangs", |_| async { Ok(()) }).after("copies"));
    let (summary, _) = bench.run(Job::new(&after, &bench.store).resume(&row)).await;
    assert_eq!((summary.state, summary.entities), (JobState::Complete, 4), "{summary:?}");
}
