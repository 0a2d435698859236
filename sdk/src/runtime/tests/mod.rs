use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::config::Values;
use crate::graph::run::ErrorCode;
use crate::graph::{
    Class, Entity, EntityDeclaration, ObjectKey, ObjectType, OnDuplicateKey, Relationship, RelationshipClass,
    RelationshipDeclaration, StepId,
};
use crate::integration::Integration;
use crate::schema::Validation;
use crate::step::{DisabledReason, IngestionSource, Step, StepContext, StepError, StepResult};
use crate::store::{JobRecord, JobState, JobStore, PageSelection, Retention, RewindTo, Snapshot, Store};

use super::*;

mod ends;
mod going_on;
mod in_memory;
mod memory;
mod moving;
mod only_changed;
mod refusals;
mod resuming;
mod tags;
mod together;
mod vanishing;

fn id(text: &str) -> StepId {
    StepId::new(text).expect("a step id")
}

fn name(text: &str) -> ObjectType {
    ObjectType::new(text).expect("a type")
}

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).expect("a key")
}

fn declared(object_type: &str) -> EntityDeclaration {
    EntityDeclaration::new("Thing", name(object_type), Class::literal("Record"))
}

fn thing(object_type: &str, text: &str) -> Entity {
    Entity::new(key(text), name(object_type), Class::literal("Record")).with("name", text)
}

/// A step that adds entities of one type.
fn adding(step: &str, object_type: &'static str, keys: &'static [&'static str]) -> Step {
    let work = move |context: StepContext| async move {
        for key in keys {
            context.add_entity(thing(object_type, key), OnDuplicateKey::Reject).await?;
        }
        Ok(())
    };
    Step::new(id(step), step, work).entity(declared(object_type))
}

fn failing(step: &str, object_type: &str) -> Step {
    Step::new(id(step), step, |_| async { Err(StepError::Other("it broke".into())) }).entity(declared(object_type))
}

fn of(steps: impl IntoIterator<Item = Step>) -> Integration {
    steps.into_iter().fold(Integration::without_provider::<()>("test", "Test"), Integration::step)
}

struct Bench {
    _directory: TempDir,
    store: Store,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(directory.path()).expect("a store");
        Self { _directory: directory, store }
    }

    /// Changes the file of the store behind its back.
    fn damage(&self, sql: &str) {
        rusqlite::Connection::open(self.store.path()).expect("a file").execute_batch(sql).expect("a statement");
    }

    async fn run(&self, job: Job) -> (Summary, Snapshot) {
        let summary = job.run(&Values::default(), CancellationToken::new()).await.expect("a job that begins");
        let row = self.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
        let snapshot = self.store.snapshot_of(&row).await.expect("a store").expect("a published graph");
        (summary, snapshot.collected())
    }

    /// Opens the record of an ended job.
    async fn opened(&self, summary: &Summary) -> JobRecord {
        let row = self.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
        self.store.open_job(&row)
    }

    async fn collect(&self, integration: &Integration) -> (Summary, Snapshot) {
        self.run(Job::new(integration, &self.store)).await
    }
}

fn statuses(summary: &Summary) -> Vec<(&str, &str)> {
    summary.integration_step_results.iter().map(|step| (step.id.as_str(), step.status.label())).collect()
}

/// Returns every object of a job in its exported form, with its step.
async fn graph(job: &Snapshot) -> Vec<String> {
    let mut lines = Vec::new();
    for count in job.counts().await.expect("a store") {
        let selection =
            PageSelection { step: Some(count.step.clone()), ..PageSelection::of(count.object_type, 1_000_000) };
        let page = job.page(selection).await.expect("a store");
        assert_eq!(page.next, None, "the objects of a test are small");
        lines.extend(page.objects.iter().map(|stored| format!("{} {}", count.step, stored.json().joined())));
    }
    lines
}

#[tokio::test]
async fn a_step_below_a_failed_one_runs_and_ends_partial() {
    let bench = Bench::new();
    let below = adding("below", "acme_app", &["app:0000001"]).reads(name("acme_team"));
    let integration = of([failing("teams", "acme_team"), below, adding("beside", "acme_user", &["user:000001"])]);
    let (summary, job) = bench.collect(&integration).await;
    assert_eq!(statuses(&summary), [("teams", "failure"), ("below", "partial"), ("beside", "success")]);
    assert_eq!(summary.state, JobState::Partial);
    let types: Vec<_> = summary.metadata.partial_datasets.types.iter().map(ObjectType::as_str).collect();
    assert_eq!(types, ["acme_app", "acme_team"]);
    let gap = &summary.integration_step_results[1].gaps[0];
    assert_eq!((gap.inherited_from.clone(), gap.cause.as_str()), (Some(id("teams")), "it broke"));
    assert_eq!(graph(&job).await.len(), 2);
    assert_eq!(bench.opened(&summary).await.steps().await.expect("a store").len(), 3);
}

#[tokio::test]
async fn a_panic_fails_its_step_alone_and_what_it_added_stays() {
    let bench = Bench::new();
    let panicking = Step::new(id("panics"), "Panics", |context: StepContext| async move {
        context.add_entity(thing("acme_team", "team:000001"), OnDuplicateKey::Reject).await?;
        panic!("a bug");
    });
    let integration = of([panicking.entity(declared("acme_team")), adding("beside", "acme_user", &["user:000001"])]);
    let (summary, job) = bench.collect(&integration).await;
    assert_eq!(statuses(&summary), [("panics", "failure"), ("beside", "success")]);
    assert!(summary.integration_step_results[0].error.as_ref().is_some_and(|error| error.message.contains("a bug")));
    assert_eq!(graph(&job).await.len(), 2);
}

#[tokio::test]
async fn a_cancelled_job_keeps_what_it_has_and_names_the_rest_as_missing() {
    let bench = Bench::new();
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let hanging = Step::new(id("hangs"), "Hangs", move |context: StepContext| {
        let token = token.clone();
        async move {
            context.add_entity(thing("acme_team", "team:000001"), OnDuplicateKey::Reject).await?;
            token.cancel();
            std::future::pending().await
        }
    });
    let integration =
        of([hanging.entity(declared("acme_team")), adding("below", "acme_app", &["app:1"]).after("hangs")]);
    let summary = Job::new(&integration, &bench.store).run(&Values::default(), cancel).await.expect("a summary");
    assert_eq!(summary.state, JobState::Cancelled);
    assert_eq!(statuses(&summary), [("hangs", "partial"), ("below", "not run")]);
    assert_eq!((summary.entities, summary.metadata.partial_datasets.types.len()), (1, 2));
    let stored = bench.store.job(None).await.expect("a store").expect("the job");
    assert_eq!(stored.state, JobState::Cancelled);
}

#[tokio::test]
async fn equal_keys_that_merge_give_the_same_graph_and_counts_whoever_comes_first() {
    let merging = |step: &str, role: &'static str, after: Option<&'static str>| {
        let work = move |context: StepContext| async move {
            let user = thing("acme_user", "user:000001").with("roles", vec![role]);
            context.add_entity(user, OnDuplicateKey::Merge).await
        };
        let declaration = EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declared("acme_user") };
        let step = Step::new(id(step), step, work).entity(declaration);
        after.into_iter().fold(step, Step::after)
    };
    let mut seen = Vec::new();
    for order in [[None, Some("a")], [Some("b"), None]] {
        let bench = Bench::new();
        let (summary, job) =
            bench.collect(&of([merging("a", "owner", order[0]), merging("b", "admin", order[1])])).await;
        let counts: Vec<_> =
            summary.integration_step_results.iter().map(|step| (step.id.clone(), step.objects())).collect();
        let mut counts = counts;
        counts.sort();
        seen.push((graph(&job).await, counts, summary.entities));
    }
    assert_eq!(seen[0], seen[1]);
    assert!(seen[0].0[0].contains(r#""roles":["admin","owner"]"#), "{:?}", seen[0]);
    assert_eq!(seen[0].2, 1);
}

#[tokio::test]
async fn rewinding_a_step_leaves_what_others_described_too() {
    let bench = Bench::new();
    let merging = |step: &str| {
        let work = |context: StepContext| async move {
            let own = thing("acme_user", &format!("{}:000001", context.declaration().id));
            context.add_entity(own, OnDuplicateKey::Merge).await?;
            context.add_entity(thing("acme_user", "shared:0001"), OnDuplicateKey::Merge).await
        };
        let declaration = EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declared("acme_user") };
        Step::new(id(step), step, work).entity(declaration)
    };
    let (summary, _) = bench.collect(&of([merging("a"), merging("b").after("a"), failing("c", "acme_team")])).await;
    let row = bench.store.job(Some(summary.job.as_str())).await.expect("a store").expect("the job");
    let job = bench.store.resume(row.id).await.expect("a job with a gap").writer;
    job.rewind(id("a"), RewindTo::Checkpoint).await.expect("a store");
    let mut left = Vec::new();
    for step in ["a", "b"] {
        let counts = job.counts(Some(id(step))).await.expect("a store");
        left.push(counts.iter().map(|count| count.objects).sum::<u64>());
    }
    let in_all: u64 = job.counts(None).await.expect("a store").iter().map(|count| count.objects).sum();
    assert_eq!((left, in_all), (vec![1, 2], 2));
}

#[tokio::test]
async fn an_undeclared_type_is_kept_and_counts_as_partial() {
    let bench = Bench::new();
    let work = |context: StepContext| async move {
        context.add_entity(thing("acme_secret", "secret:0001"), OnDuplicateKey::Reject).await
    };
    let (summary, job) = bench.collect(&of([Step::new(id("sloppy"), "Sloppy", work)])).await;
    assert_eq!(statuses(&summary), [("sloppy", "partial")]);
    assert!(summary.metadata.partial_datasets.types.contains("acme_secret"));
    assert_eq!(graph(&job).await.len(), 1);
}

/// A valid entity, and one whose name violates the class schema because it is a number.
fn flawed() -> Integration {
    let work = |context: StepContext| async move {
        context.add_entity(thing("acme_team", "team:000001").with("name", 7), OnDuplicateKey::Reject).await?;
        context.add_entity(thing("acme_team", "team:000002"), OnDuplicateKey::Reject).await
    };
    of([Step::new(id("teams"), "Teams", work).entity(declared("acme_team"))])
}

#[tokio::test]
async fn a_finding_is_a_warning_keeps_the_object_apart_or_fails_the_step_as_asked() {
    let mut seen = BTreeMap::new();
    for (name, validation) in [
        ("off", Validation::Off),
        ("warn", Validation::Warn),
        ("quarantine", Validation::Quarantine),
        ("fail", Validation::Fail),
    ] {
        let (bench, integration) = (Bench::new(), flawed());
        let (summary, _) = bench.run(Job::new(&integration, &bench.store).validation(validation)).await;
        let apart = bench.opened(&summary).await.quarantined(10).await.expect("a store").len();
        let step = &summary.integration_step_results[0];
        seen.insert(name, (summary.entities, step.findings.len(), apart, step.status.label(), summary.state));
    }
    assert_eq!(seen["off"], (2, 0, 0, "success", JobState::Complete));
    assert_eq!(seen["warn"], (2, 1, 0, "success", JobState::Complete));
    assert_eq!(seen["quarantine"], (1, 1, 1, "partial", JobState::Partial));
    assert_eq!(seen["fail"], (0, 0, 0, "failure", JobState::Partial));
}

#[tokio::test]
async fn an_object_without_a_class_is_refused_whatever_the_validation() {
    let bench = Bench::new();
    let integration = of([adding("teams", "acme_team", &["team:000001", "team:000002"])])
        .on_entity(|_, entity| entity.classes.retain(|_| entity.key.as_str() != "team:000001"));
    let (summary, _) = bench.run(Job::new(&integration, &bench.store).validation(Validation::Off)).await;
    assert_eq!((summary.entities, statuses(&summary)), (1, vec![("teams", "partial")]));
    assert_eq!(summary.integration_step_results[0].gaps[0].code, ErrorCode::MissingKey);
}

#[tokio::test]
async fn hooks_change_objects_before_they_are_added_and_hear_of_the_end() {
    let bench = Bench::new();
    let ended = Arc::new(AtomicUsize::new(0));
    let heard = Arc::clone(&ended);
    let links = Step::new(id("links"), "Links", |context: StepContext| async move {
        let relationship = Relationship {
            class: RelationshipClass::HAS,
            object_type: name("acme_team_has_user"),
            from: key("team:000001"),
            to: key("user:000001"),
            properties: Default::default(),
        };
        context.add_relationship(relationship).await
    });
    let links =
        links.relationship(RelationshipDeclaration::new(name("acme_team"), RelationshipClass::HAS, name("acme_user")));
    let integration = of([adding("teams", "acme_team", &["team:000001"]), links])
        .on_entity(|step, entity| drop(entity.properties.insert("from".into(), step.as_str().into())))
        .on_relationship(|_, relationship| drop(relationship.properties.insert("seen".into(), true.into())))
        .after_job(move |summary| {
            let heard = Arc::clone(&heard);
            async move { heard.store(usize::try_from(summary.entities).unwrap_or(0), Ordering::SeqCst) }
        });
    let (_, job) = bench.collect(&integration).await;
    let lines = graph(&job).await;
    assert!(lines[0].contains(r#""seen":true"#) && lines[1].contains(r#""from":"teams""#), "{lines:?}");
    assert_eq!(ended.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_source_that_is_off_disables_its_steps_and_nothing_is_missing() {
    let bench = Bench::new();
    let integration = of([
        adding("teams", "acme_team", &["team:000001"]).source("people"),
        adding("users", "acme_user", &["user:000001"]).reads(name("acme_team")),
        adding("apps", "acme_app", &["app:0000001"]),
    ])
    .source(IngestionSource::new("people", "People", "Teams and users."));
    let (summary, _) = bench.run(Job::new(&integration, &bench.store).source("people", false)).await;
    assert_eq!(statuses(&summary), [("teams", "disabled"), ("users", "disabled"), ("apps", "success")]);
    assert_eq!(summary.integration_step_results[0].disabled_reason, Some(DisabledReason::UserConfig));
    assert_eq!(summary.integration_step_results[1].disabled_reason, Some(DisabledReason::ParentDisabled));
    assert_eq!((summary.state, summary.is_partial()), (JobState::Complete, false));
    let types: Vec<_> = summary.metadata.partial_datasets.types.iter().map(ObjectType::as_str).collect();
    assert_eq!(types, ["acme_team", "acme_user"], "what was not collected must not look deleted");
    let unknown = Job::new(&integration, &bench.store).source("peple", false);
    let error = unknown.run(&Values::default(), CancellationToken::new()).await.expect_err("unknown source");
    assert_eq!(error.to_string(), "there is no ingestion source \"peple\"; there are: people");
}

#[tokio::test]
async fn a_rule_of_the_configuration_disables_steps_and_a_wrong_name_is_an_error() {
    let bench = Bench::new();
    let steps = || of([adding("teams", "acme_team", &["team:000001"])]);
    let permission = steps().disable_steps::<()>(|()| vec![(id("teams"), DisabledReason::Permission)]);
    let summary = Job::new(&permission, &bench.store).run(&Values::default(), CancellationToken::new()).await;
    let summary = summary.expect("a job that begins");
    assert_eq!(summary.published, None, "no step has run");
    assert_eq!((summary.state, statuses(&summary)), (JobState::Partial, vec![("teams", "disabled")]));
    assert_eq!(summary.integration_step_results[0].gaps[0].code, ErrorCode::ProviderAuthorization);
    let wrong = steps().disable_steps::<()>(|()| vec![(id("team"), DisabledReason::Config)]);
    let error = Job::new(&wrong, &bench.store).run(&Values::default(), CancellationToken::new()).await;
    assert!(error.expect_err("unknown step").to_string().contains("did you mean `teams`?"));
}

#[tokio::test]
async fn selected_steps_run_and_what_they_need_comes_from_a_fresh_job() {
    let bench = Bench::new();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let teams = Step::new(id("teams"), "Teams", move |context: StepContext| {
        counted.fetch_add(1, Ordering::SeqCst);
        async move { context.add_entity(thing("acme_team", "team:000001"), OnDuplicateKey::Reject).await }
    });
    let integration = of([
        teams.entity(declared("acme_team")),
        adding("apps", "acme_app", &["app:0000001"]).reads(name("acme_team")),
        adding("users", "acme_user", &["user:000001"]),
    ]);
    bench.collect(&integration).await;
    let select = |age| Job::new(&integration, &bench.store).select(vec![id("apps")], age);
    let (summary, job) = bench.run(select(Duration::from_secs(3600))).await;
    assert_eq!(statuses(&summary), [("teams", "cached"), ("apps", "success"), ("users", "disabled")]);
    assert_eq!((runs.load(Ordering::SeqCst), summary.state), (1, JobState::Partial));
    assert!(summary.is_selection() && !summary.is_partial(), "the selected steps are complete");
    let row = bench.store.job(Some(summary.job.as_str())).await.expect("a store").expect("a job");
    assert!(row.state == JobState::Partial && row.is_settled(), "there is nothing to resume");
    let types: Vec<_> = summary.metadata.partial_datasets.types.iter().map(ObjectType::as_str).collect();
    assert_eq!(types, ["acme_user"], "types that were not selected must be partial");
    assert_eq!(graph(&job).await.len(), 2);
    tokio::time::sleep(Duration::from_millis(2)).await;
    let (summary, _) = bench.run(select(Duration::ZERO)).await;
    assert_eq!(statuses(&summary)[0], ("teams", "success"));
}

#[tokio::test]
async fn events_tell_the_life_of_a_job_in_order() {
    let bench = Bench::new();
    let integration = of([failing("teams", "acme_team"), adding("apps", "acme_app", &["app:0000001"]).after("teams")]);
    let job = Job::new(&integration, &bench.store);
    let (mut first, handle) = (job.events(), job.start(&Values::default()).await.expect("a job that starts"));
    let (id, mut second) = (handle.id().clone(), handle.events());
    let summary = handle.join().await.expect("a summary");
    assert_eq!(summary.job, id);
    let mut names = Vec::new();
    while let Some(Delivery::Event(envelope)) = first.next().await {
        assert_eq!(envelope.job, id);
        assert!((summary.start_time..=summary.end_time).contains(&envelope.at) || envelope.sequence > 0);
        let Some(Delivery::Event(same)) = second.next().await else { panic!("the second subscriber is behind") };
        assert_eq!(envelope.sequence, same.sequence);
        if !matches!(envelope.event, Event::StepProgress { .. }) {
            let event = serde_json::to_value(&envelope).expect("JSON");
            names.push(event["event"].as_str().unwrap_or_default().to_owned());
        }
    }
    assert!(second.next().await.is_none());
    assert_eq!(
        names,
        ["jobStarted", "stepStarted", "stepFailed", "stepStarted", "stepFinished", "published", "jobFinished"]
    );
}

#[tokio::test]
async fn a_handle_cancels_its_job_and_outlives_integration_and_store() {
    let bench = Bench::new();
    let hanging = Step::new(id("hangs"), "Hangs", |_| std::future::pending()).entity(declared("acme_team"));
    let handle = {
        let (integration, store) = (of([hanging]), bench.store.clone());
        Job::new(&integration, &store).start(&Values::default()).await.expect("a job that starts")
    };
    let mut events = handle.events();
    while let Some(Delivery::Event(envelope)) = events.next().await {
        if matches!(envelope.event, Event::StepStarted { .. }) {
            handle.cancel();
        }
    }
    assert_eq!(handle.join().await.expect("a summary").state, JobState::Cancelled);
}

#[tokio::test]
async fn a_dropped_handle_leaves_an_interrupted_job_that_can_be_resumed() {
    let bench = Bench::new();
    let hanging = |_| async { std::future::pending::<StepResult>().await };
    let integration = of([adding("teams", "acme_team", &["team:000001"]), Step::new(id("hangs"), "Hangs", hanging)]);
    let handle = Job::new(&integration, &bench.store).start(&Values::default()).await.expect("a job that starts");
    let job = handle.id().clone();
    let mut events = handle.events();
    while let Some(Delivery::Event(envelope)) = events.next().await {
        if matches!(envelope.event, Event::StepFinished { .. }) {
            break;
        }
    }
    drop(handle);
    while events.next().await.is_some() {}
    let row = bench.store.job(Some(job.as_str())).await.expect("a store").expect("the job");
    assert_eq!(row.state, JobState::Interrupted);
    let integration =
        of([adding("teams", "acme_team", &["team:000001"]), Step::new(id("hangs"), "Hangs", |_| async { Ok(()) })]);
    let (summary, _) = bench.run(Job::new(&integration, &bench.store).resume(&row)).await;
    assert_eq!((summary.state, summary.entities), (JobState::Complete, 1));
}

#[tokio::test]
async fn a_store_remembers_jobs_until_they_are_pruned() {
    let bench = Bench::new();
    let integration = of([adding("teams", "acme_team", &["team:000001"])]);
    let (first, _) = bench.collect(&integration).await;
    let (second, _) = bench.collect(&integration).await;
    assert_eq!(bench.store.prune(Retention::newest(1)).await.expect("a store").jobs, 1);
    let left: Vec<_> = bench.store.jobs().await.expect("a store").into_iter().map(|job| job.id).collect();
    assert_eq!(left, [second.job]);
    assert!(bench.store.job(Some(first.job.as_str())).await.expect("a store").is_none());
}

/// Steps that copy the entities they read, under keys that name the source.
fn copying(count: usize, edges: &[(usize, usize)]) -> Integration {
    let steps = (0..count).map(|at| {
        let reads: Vec<usize> = edges.iter().filter(|(from, to)| *from == at && to < from).map(|(_, to)| *to).collect();
        let above = reads.clone();
        let work = move |context: StepContext| {
            let above = above.clone();
            async move {
                let own = format!("acme_t{at}");
                for read in above {
                    for object in context.page(&name(&format!("acme_t{read}")), None, 1000).await? {
                        let from = object["_key"].as_str().unwrap_or_default().len();
                        let copy =
                            Entity::new(key(&format!("t{at}-{read}-{from}")), name(&own), Class::literal("Record"));
                        context.add_entity(copy.with("name", from), OnDuplicateKey::Merge).await?;
                    }
                }
                context.add_entity(thing(&own, &format!("t{at}")), OnDuplicateKey::Merge).await
            }
        };
        let step = Step::new(id(&format!("s{at}")), "copies", work).entity(declared(&format!("acme_t{at}")));
        reads.into_iter().fold(step, |step, read| step.reads(name(&format!("acme_t{read}"))))
    });
    of(steps.collect::<Vec<_>>().into_iter().rev())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_plan_gives_one_graph_at_any_number_of_threads(edges in prop::collection::vec((0_usize..10, 0_usize..10), 0..25)) {
        let integration = copying(10, &edges);
        let collect = |threads| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
            runtime.expect("a runtime").block_on(async {
                let bench = Bench::new();
                let (summary, job) = bench.run(Job::new(&integration, &bench.store).validation(Validation::Off)).await;
                (summary.state, graph(&job).await)
            })
        };
        let alone = collect(1);
        prop_assert_eq!(alone.0, JobState::Complete);
        prop_assert_eq!(&alone, &collect(8));
    }
}
