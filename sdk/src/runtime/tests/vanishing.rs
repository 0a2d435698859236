//! Parents that the provider does not find: gone, or a gap.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use crate::http::{ProviderError, ProviderErrorKind};
use crate::step::Parent;

use super::*;

/// The lists that fail, as step and team, with the kind of failure; shared, so that it can change.
type Failures = Arc<Mutex<BTreeMap<(&'static str, usize), ProviderErrorKind>>>;

fn failures(kind: ProviderErrorKind, lists: &[(&'static str, usize)]) -> Failures {
    Arc::new(Mutex::new(lists.iter().map(|list| (*list, kind)).collect()))
}

/// Steps that collect one object under each of a number of teams.
fn listing(steps: &[&'static str], teams: usize, failures: &Failures) -> Integration {
    let step = |step: &'static str| {
        let failures = Arc::clone(failures);
        let work = move |context: StepContext| {
            let failures = Arc::clone(&failures);
            async move {
                for team in 0..teams {
                    let failure = failures.lock().expect("a map").get(&(step, team)).copied();
                    let part = async {
                        let object = thing(&format!("acme_{step}"), &format!("{step}:{team:06}"));
                        match failure {
                            None => context.add_entity(object, OnDuplicateKey::Reject).await,
                            Some(kind) => Err(StepError::Provider(ProviderError::new(kind, "it failed"))),
                        }
                    };
                    context.partition(parent(team), part).await?;
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
    let gaps = steps.clone().flat_map(|step| step.gaps.iter().map(|gap| (step.id.to_string(), gap.parent.clone())));
    let gaps = gaps.map(|(step, parent)| (step, parent.map(|parent| parent.key.to_string()).unwrap_or_default()));
    (gaps.collect(), steps.flat_map(|step| step.skipped.values()).flat_map(|reasons| reasons.values()).sum())
}

fn gaps(expected: &[(&str, usize)]) -> BTreeSet<(String, String)> {
    expected.iter().map(|(step, team)| ((*step).to_owned(), format!("team:{team:06}"))).collect()
}

/// Steps, number of teams, the lists that answer 404 or 410, and those of them that are gaps.
type Case = (&'static [&'static str], usize, &'static [(&'static str, usize)], &'static [(&'static str, usize)]);

#[tokio::test]
async fn a_parent_that_is_not_found_is_gone_only_if_two_steps_agree_and_both_find_others() {
    let cases: [Case; 9] = [
        // No endpoint finds the team; others are found.
        (&["apps", "addons"], 2, &[("apps", 0), ("addons", 0)], &[]),
        // One endpoint finds no team at all.
        (&["apps", "addons"], 2, &[("addons", 0), ("addons", 1)], &[("addons", 0), ("addons", 1)]),
        // Neither endpoint finds the first team, but one of them finds no team at all.
        (
            &["apps", "addons"],
            2,
            &[("apps", 0), ("addons", 0), ("addons", 1)],
            &[("apps", 0), ("addons", 0), ("addons", 1)],
        ),
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
        (&["apps", "addons"], 1, &[("apps", 0), ("addons", 0)], &[("apps", 0), ("addons", 0)]),
        (&["apps", "addons"], 1, &[("apps", 0)], &[("apps", 0)]),
        // One endpoint alone.
        (&["apps"], 2, &[("apps", 0)], &[("apps", 0)]),
        (&["apps"], 1, &[("apps", 0)], &[("apps", 0)]),
    ];
    judge(ProviderErrorKind::NotFound, &cases).await;
}

#[tokio::test]
async fn a_parent_that_was_removed_is_gone_only_if_two_steps_agree() {
    let cases: [Case; 6] = [
        (&["apps", "addons"], 2, &[("apps", 0), ("addons", 0)], &[]),
        // Another step finds the team, although this step finds other teams.
        (&["apps", "addons"], 3, &[("addons", 1)], &[("addons", 1)]),
        // One endpoint alone.
        (&["apps"], 2, &[("apps", 0)], &[("apps", 0)]),
        // The only team.
        (&["apps", "addons"], 1, &[("apps", 0), ("addons", 0)], &[]),
        // The endpoint finds no team, and no other step confirms it.
        (&["apps", "addons"], 2, &[("addons", 0), ("addons", 1)], &[("addons", 0), ("addons", 1)]),
        (&["apps"], 2, &[("apps", 0), ("apps", 1)], &[("apps", 0), ("apps", 1)]),
    ];
    judge(ProviderErrorKind::Gone, &cases).await;
}

/// Checks the verdict, and that a resumed job closes every gap with data.
async fn judge(kind: ProviderErrorKind, cases: &[Case]) {
    for &(steps, teams, missing, expected) in cases {
        let bench = Bench::new();
        let answers = failures(kind, missing);
        let integration = listing(steps, teams, &answers);
        let (summary, _) = bench.collect(&integration).await;
        let (found, gone) = verdict(&summary);
        let case = format!("{kind:?} {steps:?} {teams} {missing:?}: {summary:?}");
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
            answers.lock().expect("a map").clear();
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (healed, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
            assert_eq!((healed.state, healed.entities), (JobState::Complete, (steps.len() * teams) as u64), "{case}");
        }
    }
}

#[tokio::test]
async fn a_job_that_dies_before_it_has_judged_its_missing_parents_asks_for_them_again() {
    let bench = Bench::new();
    let answers = failures(ProviderErrorKind::NotFound, &[("addons", 1)]);
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
    answers.lock().expect("a map").clear();
    let after = steps().step(Step::new(id("hangs"), "Hangs", |_| async { Ok(()) }).after("copies"));
    let (summary, _) = bench.run(Job::new(&after, &bench.store).resume(&row)).await;
    assert_eq!((summary.state, summary.entities), (JobState::Complete, 4), "{summary:?}");
}

#[tokio::test]
async fn a_gap_that_is_not_found_when_it_is_requested_again_stays_a_gap() {
    let lists = [("apps", 0), ("addons", 0)];
    let expected = gaps(&lists);
    for kind in [ProviderErrorKind::NotFound, ProviderErrorKind::Gone] {
        let bench = Bench::new();
        let answers = failures(ProviderErrorKind::Authorization, &lists);
        let integration = listing(&["apps", "addons"], 3, &answers);
        let (first, _) = bench.collect(&integration).await;
        assert_eq!(verdict(&first), (expected.clone(), 0), "{kind:?}");
        answers.lock().expect("a map").values_mut().for_each(|failure| *failure = kind);
        for _ in 0..2 {
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (again, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
            assert_eq!(
                (again.state, verdict(&again)),
                (JobState::Partial, (expected.clone(), 0)),
                "{kind:?}: {again:?}"
            );
        }
        answers.lock().expect("a map").clear();
        let row = bench.store.job(None).await.expect("a store").expect("the job");
        let (healed, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
        assert_eq!((healed.state, healed.entities), (JobState::Complete, 6), "{kind:?}");
    }
}

#[tokio::test]
async fn a_gap_outlasts_a_run_that_ends_before_its_step() {
    let lists = [("apps", 0), ("addons", 0)];
    let bench = Bench::new();
    let answers = failures(ProviderErrorKind::Authorization, &lists);
    let integration = listing(&["apps", "addons"], 3, &answers);
    bench.collect(&integration).await;
    // The second run reopens the steps and ends before them.
    let cancel = CancellationToken::new();
    let hanging = |step: &str| {
        let token = cancel.clone();
        let work = move |_| {
            token.cancel();
            std::future::pending()
        };
        Step::new(id(step), step, work).entity(declared(&format!("acme_{step}")))
    };
    let hanging = of(["apps", "addons"].map(hanging));
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    Job::new(&hanging, &bench.store).resume(&row).run(&Values::default(), cancel).await.expect("a summary");
    answers.lock().expect("a map").values_mut().for_each(|failure| *failure = ProviderErrorKind::NotFound);
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let (again, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
    assert_eq!(verdict(&again), (gaps(&lists), 0), "{again:?}");
}

#[tokio::test]
async fn a_parent_of_which_another_step_rejects_an_object_is_found() {
    let answers = failures(ProviderErrorKind::NotFound, &[("apps", 0), ("members", 0)]);
    let rejecting = |context: StepContext| async move {
        for team in 0..2 {
            let object = thing("acme_addons", &format!("addons:{team:06}"));
            let classes = if team == 0 { Vec::new() } else { object.classes.clone() };
            let object = Entity { classes, ..object };
            context.partition(parent(team), context.add_entity(object, OnDuplicateKey::Reject)).await?;
        }
        Ok(())
    };
    let addons = Step::new(id("addons"), "Add-ons", rejecting).entity(declared("acme_addons"));
    let (summary, _) = Bench::new().collect(&listing(&["apps", "members"], 2, &answers).step(addons)).await;
    let (found, gone) = verdict(&summary);
    assert!(found.is_superset(&gaps(&[("apps", 0), ("members", 0)])) && gone == 0, "{summary:?}");
}
