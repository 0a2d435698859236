//! Rejected objects: a gap of their step across every resume, until their data is collected.

use std::sync::atomic::AtomicBool;

use crate::http::{ProviderError, ProviderErrorKind};
use crate::step::Parent;

use super::*;

/// The defect of one object of a step, until it is corrected.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Wrong {
    Classless,
    Quarantined,
    Undeclared,
    Missing,
    InnerPart,
    Taken,
    TakenByGreater,
    RawData,
}

const WRONG: [Wrong; 8] = [
    Wrong::Classless,
    Wrong::Quarantined,
    Wrong::Undeclared,
    Wrong::Missing,
    Wrong::InnerPart,
    Wrong::Taken,
    Wrong::TakenByGreater,
    Wrong::RawData,
];

fn parent(parent: &str) -> Parent {
    Parent { object_type: name("acme_team"), key: key(parent) }
}

/// Raw data with more levels than can be stored.
fn bottomless() -> crate::RawJson {
    let text = format!(r#"{{"b": {}{}, "a": 1}}"#, "[".repeat(200), "]".repeat(200));
    serde_json::from_str(&text).expect("JSON")
}

async fn add_third(context: &StepContext, wrong: Option<Wrong>) -> StepResult {
    let app = thing("acme_app", "app:0000003");
    match wrong {
        None => context.add_entity(app, OnDuplicateKey::Reject).await,
        Some(Wrong::Classless) => {
            context.add_entity(Entity { classes: Vec::new(), ..app }, OnDuplicateKey::Reject).await
        }
        Some(Wrong::Quarantined) => context.add_entity(app.with("name", 7), OnDuplicateKey::Reject).await,
        Some(Wrong::Undeclared) => context.add_entity(thing("acme_zone", "zone:000001"), OnDuplicateKey::Reject).await,
        Some(Wrong::Missing) => {
            context.missing(&name("acme_app"), &StepError::Other("an element cannot be read".into()));
            Ok(())
        }
        Some(Wrong::InnerPart) => {
            let refused = async {
                Err(StepError::Provider(ProviderError::new(ProviderErrorKind::RetriesExceeded, "it is down")))
            };
            context.partition(Parent { object_type: name("acme_space"), key: key("space:00001") }, refused).await
        }
        Some(Wrong::Taken) => context.add_entity(thing("acme_zone", "app:0000001"), OnDuplicateKey::Reject).await,
        Some(Wrong::TakenByGreater) => {
            context.add_entity(thing("acme_aaa", "app:0000001"), OnDuplicateKey::Reject).await
        }
        Some(Wrong::RawData) => {
            let raw = crate::graph::RawData { name: "default".into(), raw_data: bottomless() };
            context.add_entity(Entity { raw_data: vec![raw], ..app }, OnDuplicateKey::Reject).await
        }
    }
}

/// A step that adds two valid objects and a third one with the defect `wrong`, which may be in a partition.
fn apps(wrong: Option<Wrong>, in_part: bool) -> Integration {
    let work = move |context: StepContext| async move {
        let (first, rest) = (thing("acme_app", "app:0000001"), thing("acme_app", "app:0000002"));
        context.partition(parent("team:000001"), context.add_entity(first, OnDuplicateKey::Reject)).await?;
        let rest = async {
            context.add_entity(rest, OnDuplicateKey::Reject).await?;
            add_third(&context, wrong).await
        };
        if in_part { context.partition(parent("team:000002"), rest).await } else { rest.await }
    };
    let declared_types = match wrong {
        Some(Wrong::Taken) => vec!["acme_app", "acme_zone"],
        Some(Wrong::TakenByGreater) => vec!["acme_app", "acme_aaa"],
        _ => vec!["acme_app"],
    };
    let step = Step::new(id("apps"), "Apps", work);
    of([declared_types.into_iter().fold(step, |step, of| step.entity(declared(of)))])
}

fn gaps(summary: &Summary) -> Vec<(ErrorCode, String)> {
    let gaps = summary.integration_step_results.iter().flat_map(|step| &step.gaps);
    gaps.map(|gap| (gap.code.clone(), gap.cause.clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_object_stays_a_gap_over_every_resume_until_it_is_collected() {
    for (wrong, in_part) in WRONG.into_iter().flat_map(|wrong| [(wrong, true), (wrong, false)]) {
        let bench = Bench::new();
        let integration = apps(Some(wrong), in_part);
        let job = Job::new(&integration, &bench.store).validation(Validation::Quarantine);
        let (first, _) = bench.run(job).await;
        let case = format!("{wrong:?}, in a part: {in_part}");
        assert_eq!(first.state, JobState::Partial, "{case}: {first:?}");
        for _ in 0..2 {
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (again, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
            assert_eq!((again.state, again.entities), (JobState::Partial, first.entities), "{case}");
            assert_eq!(gaps(&again), gaps(&first), "{case}");
            assert_eq!(again.metadata, first.metadata, "{case}");
            let counts = |summary: &Summary| summary.integration_step_results[0].encountered_type_counts.clone();
            assert_eq!(counts(&again), counts(&first), "{case}");
        }
        if !matches!(wrong, Wrong::Taken | Wrong::TakenByGreater | Wrong::Undeclared) {
            let row = bench.store.job(None).await.expect("a store").expect("the job");
            let (healed, _) = bench.run(Job::new(&apps(None, in_part), &bench.store).resume(&row)).await;
            assert_eq!((healed.state, healed.entities), (JobState::Complete, 3), "{case}: {healed:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_object_stays_a_gap_of_a_job_that_was_cancelled_behind_it() {
    for wrong in WRONG {
        let bench = Bench::new();
        let cancel = CancellationToken::new();
        let token = cancel.clone();
        let hanging = Step::new(id("hangs"), "Hangs", move |_| {
            let token = token.clone();
            async move {
                token.cancel();
                std::future::pending().await
            }
        });
        let before = apps(Some(wrong), true).step(hanging.after("apps"));
        let job = Job::new(&before, &bench.store).validation(Validation::Quarantine);
        let first = job.run(&Values::default(), cancel).await.expect("a summary");
        assert_eq!(first.state, JobState::Cancelled);
        let quick = Step::new(id("hangs"), "Hangs", |_| async { Ok(()) });
        let after = apps(Some(wrong), true).step(quick.after("apps"));
        let row = bench.store.job(None).await.expect("a store").expect("the job");
        let (second, _) = bench.run(Job::new(&after, &bench.store).resume(&row)).await;
        assert_eq!(second.state, JobState::Partial, "{wrong:?}");
        assert!(!second.metadata.partial_datasets.types.is_empty(), "{wrong:?}: {second:?}");
    }
}

/// Two steps that claim one key for two types, one after the other, and a reader of the greater type.
fn claiming(order: [Option<&'static str>; 2]) -> Integration {
    let teams = adding("teams", "acme_team", &["same:00001", "team:00001"]);
    let steps = [teams, adding("apps", "acme_app", &["same:00001"])];
    let steps = steps.into_iter().zip(order).map(|(step, after)| after.into_iter().fold(step, Step::after));
    of(steps.chain([adding("sites", "acme_site", &["site:00001"]).reads(name("acme_team"))]))
}

#[tokio::test]
async fn of_two_types_that_claim_a_key_the_greater_is_a_gap_of_the_step_that_added_it_whoever_came_first() {
    let mut seen = Vec::new();
    for order in [[None, Some("teams")], [Some("apps"), None]] {
        let bench = Bench::new();
        let (first, job) = bench.collect(&claiming(order)).await;
        seen.push(graph(&job).await);
        // The displaced object may belong to a completed step, which runs again all the same.
        let row = bench.store.job(None).await.expect("a store").expect("the job");
        let (again, _) = bench.run(Job::new(&claiming([None, None]), &bench.store).resume(&row)).await;
        for summary in [first, again] {
            let step = |wanted: &str| {
                let step = summary.integration_step_results.iter().find(|step| step.id.as_str() == wanted);
                step.expect("the step").clone()
            };
            let own = |step: StepReport| step.gaps.into_iter().filter(|gap| gap.inherited_from.is_none()).collect();
            let (gaps, none): (Vec<_>, Vec<_>) = (own(step("teams")), own(step("apps")));
            assert_eq!((gaps.len(), none.len()), (1, 0));
            assert_eq!(gaps[0].code, ErrorCode::DuplicateKey);
            assert!(gaps[0].cause.contains("has the key of a acme_app that apps added"), "{}", gaps[0].cause);
            assert_eq!(
                (step("teams").status.label(), step("teams").objects(), step("apps").objects()),
                ("partial", 1, 1)
            );
            assert_eq!(step("sites").gaps[0].inherited_from, Some(id("teams")));
            assert_eq!(summary.state, JobState::Partial);
            let partial = &summary.metadata.partial_datasets.types;
            assert!(partial.contains("acme_team") && partial.contains("acme_site"), "{partial:?}");
        }
    }
    assert_eq!(seen[0], seen[1]);
}

/// A step that adds an invalid object and waits until a second step has searched for it.
fn looked_at() -> Integration {
    let (added, looked) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&added), Arc::clone(&looked));
    let producer = move |context: StepContext| {
        let (added, looked) = (Arc::clone(&tell), Arc::clone(&wait));
        async move {
            context.add_entity(thing("acme_team", "team:000001"), OnDuplicateKey::Reject).await?;
            context.add_entity(thing("acme_team", "team:000002").with("name", 7), OnDuplicateKey::Reject).await?;
            added.notify_one();
            looked.notified().await;
            context.add_entity(thing("acme_team", "team:000003"), OnDuplicateKey::Reject).await
        }
    };
    let follower = move |context: StepContext| {
        let (added, looked) = (Arc::clone(&added), Arc::clone(&looked));
        async move {
            added.notified().await;
            let flushed = context.watermark(&name("acme_team")).flush().await;
            looked.notify_one();
            flushed?;
            context.add_entity(thing("acme_app", "app:0000001"), OnDuplicateKey::Reject).await
        }
    };
    of([
        Step::new(id("teams"), "Teams", producer).entity(declared("acme_team")),
        Step::new(id("apps"), "Apps", follower).follows(name("acme_team")).entity(declared("acme_app")),
    ])
}

#[tokio::test]
async fn an_object_that_fails_its_step_fails_that_step_though_another_one_meets_it() {
    let (bench, integration) = (Bench::new(), looked_at());
    let (summary, job) = bench.run(Job::new(&integration, &bench.store).validation(Validation::Fail)).await;
    assert_eq!(statuses(&summary), [("teams", "failure"), ("apps", "partial")]);
    let [teams, apps] = &summary.integration_step_results[..] else { panic!("two steps") };
    assert!(teams.error.as_ref().is_some_and(|error| error.message.contains("team:000002")), "{teams:?}");
    assert!(apps.error.is_none() && apps.gaps[0].inherited_from == Some(id("teams")), "{apps:?}");
    assert_eq!((teams.objects(), apps.objects()), (1, 1), "earlier objects and those of other steps stay");
    let types: Vec<_> = summary.metadata.partial_datasets.types.iter().map(ObjectType::as_str).collect();
    assert_eq!(types, ["acme_app", "acme_team"]);
    assert_eq!(graph(&job).await.len(), 2);
}

#[tokio::test]
async fn a_step_that_overlooks_its_bad_object_fails_all_the_same() {
    for wrong in [Wrong::Classless, Wrong::Quarantined, Wrong::Taken, Wrong::RawData] {
        let overlooking = move |context: StepContext| async move {
            context.add_entity(thing("acme_app", "app:0000001"), OnDuplicateKey::Reject).await?;
            drop(add_third(&context, Some(wrong)).await);
            Ok(())
        };
        let step =
            Step::new(id("apps"), "Apps", overlooking).entity(declared("acme_app")).entity(declared("acme_zone"));
        let (bench, integration) = (Bench::new(), of([step]));
        let (summary, _) = bench.run(Job::new(&integration, &bench.store).validation(Validation::Fail)).await;
        assert_eq!((statuses(&summary), summary.entities), (vec![("apps", "failure")], 1), "{wrong:?}");
    }
}

/// A step that processes each parent twice, and is cancelled in between.
fn twice(stop: Option<(Arc<AtomicBool>, CancellationToken)>) -> Integration {
    let work = move |context: StepContext| {
        let stop = stop.clone();
        async move {
            for (pass, of) in ["acme_app", "acme_zone"].into_iter().enumerate() {
                for team in ["team:000001", "team:000002"] {
                    let own = thing(of, &format!("{of}:{team}"));
                    context.partition(parent(team), context.add_entity(own, OnDuplicateKey::Reject)).await?;
                }
                if let (0, Some((ended, cancel))) = (pass, &stop)
                    && !ended.swap(true, Ordering::SeqCst)
                {
                    cancel.cancel();
                    std::future::pending::<()>().await;
                }
            }
            Ok(())
        }
    };
    of([Step::new(id("twice"), "Twice", work).entity(declared("acme_app")).entity(declared("acme_zone"))])
}

#[tokio::test]
async fn a_parent_that_was_done_once_is_not_taken_for_done_when_it_has_a_second_turn() {
    let bench = Bench::new();
    let (_, job) = bench.collect(&twice(None)).await;
    let undisturbed = graph(&job).await;
    assert_eq!(undisturbed.len(), 4);
    let bench = Bench::new();
    let cancel = CancellationToken::new();
    let integration = twice(Some((Arc::default(), cancel.clone())));
    let first = Job::new(&integration, &bench.store).run(&Values::default(), cancel).await.expect("a summary");
    assert_eq!((first.state, first.entities), (JobState::Cancelled, 2));
    let row = bench.store.job(None).await.expect("a store").expect("the job");
    let (second, job) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
    assert_eq!((second.state, graph(&job).await), (JobState::Complete, undisturbed));
}

/// A step that describes one object in two ways, in the given order.
fn described(descriptions: &'static [(&'static str, i64)]) -> Integration {
    let work = move |context: StepContext| async move {
        for (at, (text, updated)) in descriptions.iter().enumerate() {
            let app = thing("acme_app", "app:0000001").with("team", *text).with("updatedOn", *updated);
            let team = format!("team:{at:06}");
            context.partition(parent(&team), context.add_entity(app, OnDuplicateKey::Reject)).await?;
        }
        context.add_entity(thing("acme_app", "app:0000002"), OnDuplicateKey::Reject).await
    };
    of([Step::new(id("apps"), "Apps", work).entity(declared("acme_app"))])
}

#[tokio::test]
async fn of_several_descriptions_the_newest_stays_whoever_came_first_and_nothing_is_missing() {
    const ORDERS: [&[(&str, i64)]; 6] = [
        &[("a", 1), ("b", 2), ("c", 2)],
        &[("a", 1), ("c", 2), ("b", 2)],
        &[("b", 2), ("a", 1), ("c", 2)],
        &[("b", 2), ("c", 2), ("a", 1)],
        &[("c", 2), ("a", 1), ("b", 2)],
        &[("c", 2), ("b", 2), ("a", 1)],
    ];
    let mut seen = Vec::new();
    for order in ORDERS {
        let bench = Bench::new();
        let (summary, job) = bench.collect(&described(order)).await;
        let step = summary.integration_step_results[0].clone();
        seen.push((graph(&job).await, summary.state, step.status.label(), step.objects(), step.skipped));
    }
    assert!(seen.iter().all(|one| one == &seen[0]), "{seen:?}");
    let (graph, state, status, objects, skipped) = &seen[0];
    assert!(graph[0].contains(r#""team":"b""#), "{graph:?}");
    assert_eq!((graph.len(), *state, *status, *objects), (2, JobState::Complete, "success", 2));
    assert_eq!(skipped[&name("acme_app")]["an object with several descriptions, of which one is kept"], 1);
}
