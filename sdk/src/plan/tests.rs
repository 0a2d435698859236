use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::graph::run::ErrorCode;
use crate::graph::{Class, EntityDeclaration, ObjectType, OnDuplicateKey, StepId};
use crate::step::{DisabledReason, Step};

use super::*;

fn id(text: &str) -> StepId {
    StepId::new(text).expect("a step id")
}

fn name(text: &str) -> ObjectType {
    ObjectType::new(text).expect("a type")
}

fn step(text: &str) -> Step {
    Step::new(id(text), text, |_| async { Ok(()) })
}

fn emits(text: &str, object_type: &str) -> Step {
    step(text).entity(EntityDeclaration::new("Thing", name(object_type), Class::literal("Record")))
}

fn plan(steps: impl IntoIterator<Item = Step>) -> Result<Plan, PlanErrors> {
    Plan::new(&steps.into_iter().fold(Integration::without_provider::<()>("test", "Test"), Integration::step))
}

fn mistakes(steps: impl IntoIterator<Item = Step>) -> String {
    plan(steps).expect_err("mistakes").to_string()
}

fn order(plan: &Plan) -> Vec<&str> {
    plan.steps().map(|step| step.id().as_str()).collect()
}

#[test]
fn the_longer_the_row_of_steps_that_wait_for_a_steps_end_the_higher_its_rank() {
    let steps = [
        emits("teams", "acme_team"),
        emits("apps", "acme_app").follows(name("acme_team")),
        emits("addons", "acme_addon").follows(name("acme_team")),
        step("links").reads(name("acme_app")).follows(name("acme_addon")),
        step("report").after("links"),
        step("alone"),
    ];
    let plan = plan(steps).unwrap();
    let ranks = ["teams", "apps", "addons", "links", "report", "alone"].map(|step| plan.rank(&id(step)));
    assert_eq!(ranks, [2, 2, 1, 1, 0, 0]);
}

#[test]
fn a_reader_waits_for_every_step_that_emits_or_amends_what_it_reads() {
    let steps = [
        step("read").reads(name("acme_team")),
        step("amend").amends(name("acme_team")),
        emits("fetch", "acme_team"),
        step("last").after("read"),
    ];
    let plan = plan(steps).expect("a plan");
    assert_eq!(order(&plan), ["fetch", "amend", "read", "last"]);
    let reasons: Vec<_> = plan.dependencies(&id("read")).iter().map(|(step, why)| format!("{step}: {why}")).collect();
    assert_eq!(reasons, ["amend: reads acme_team", "fetch: reads acme_team"]);
}

#[test]
fn a_step_that_looks_up_keys_waits_for_emitters_and_not_for_amenders() {
    let steps = [
        step("look-up").knows(name("acme_team")),
        step("amend").amends(name("acme_team")),
        emits("fetch", "acme_team"),
        step("follow").follows(name("acme_app")).knows(name("acme_app")),
        emits("apps", "acme_app"),
    ];
    let plan = plan(steps).expect("a plan");
    let of = |text: &str| -> Vec<String> {
        plan.dependencies(&id(text)).iter().map(|(step, why)| format!("{step}: {why}")).collect()
    };
    assert_eq!(of("look-up"), ["fetch: reads acme_team"]);
    assert_eq!(of("follow"), ["apps: reads acme_app"], "keys can be looked up only when all are there");
    let nowhere = mistakes([step("look-up").knows(name("acme_team"))]);
    assert!(nowhere.starts_with("step `look-up` looks up acme_team, which no step emits: "), "{nowhere}");
}

#[test]
fn a_step_may_add_the_objects_that_the_emitter_lacks() {
    let more = || emits("more", "acme_team").knows(name("acme_team"));
    let follow = || step("follow").follows(name("acme_team"));
    let whole = plan([follow(), more(), emits("fetch", "acme_team")]).expect("a plan");
    assert_eq!(order(&whole), ["fetch", "more", "follow"]);
    let streams = whole.dependencies(&id("follow")).iter().all(|(_, edge)| edge.streams);
    assert!(streams, "no object changes when others are added");
    let rivals = mistakes([more(), emits("fetch", "acme_team"), emits("again", "acme_team")]);
    assert!(rivals.starts_with("acme_team is emitted by several steps (more, fetch, again)"), "{rivals}");
}

#[test]
fn no_step_waits_for_annotations() {
    let steps = [
        step("read").reads(name("acme_team")),
        step("annotate").reads(name("acme_team")).annotates(name("acme_team")),
        emits("follow", "acme_app").follows(name("acme_team")),
        emits("fetch", "acme_team"),
    ];
    let plan = plan(steps).expect("a plan");
    for (step, streams) in [("read", false), ("annotate", false), ("follow", true)] {
        let found: Vec<_> =
            plan.dependencies(&id(step)).iter().map(|(step, edge)| (step.to_string(), edge.streams)).collect();
        assert_eq!(found, [("fetch".to_owned(), streams)], "{step}");
    }
}

#[test]
fn two_amenders_that_read_what_they_amend_do_not_wait_for_each_other() {
    let amender = |text| step(text).reads(name("acme_team")).amends(name("acme_team"));
    let plan = plan([amender("a"), amender("b"), emits("fetch", "acme_team")]).expect("a plan");
    assert_eq!(order(&plan), ["fetch", "a", "b"]);
}

#[test]
fn an_edge_streams_where_all_of_it_is_followed_and_nothing_changes_later() {
    let streams = |steps: Vec<Step>| {
        let plan = plan(steps).expect("a plan");
        let edge = plan.dependencies(&id("follow")).into_iter().find(|(step, _)| step.as_str() == "fetch");
        edge.expect("an edge").1.streams
    };
    let (fetch, follow) = (|| emits("fetch", "acme_team"), || step("follow").follows(name("acme_team")));
    assert!(streams(vec![fetch(), follow()]));
    assert!(!streams(vec![fetch(), follow().after("fetch")]));
    assert!(!streams(vec![fetch(), follow().reads(name("acme_team"))]));
    assert!(!streams(vec![fetch(), follow(), step("amend").amends(name("acme_team"))]));
    let declaration = EntityDeclaration::new("Team", name("acme_team"), Class::literal("Team"));
    let merging = step("fetch").entity(EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declaration });
    assert!(!streams(vec![merging, follow()]));
}

#[test]
fn a_user_of_job_data_waits_for_its_publisher() {
    let plan = plan([step("use").uses("limits"), step("publish").publishes("limits")]).expect("a plan");
    assert_eq!(order(&plan), ["publish", "use"]);
}

#[test]
fn every_mistake_is_named_with_a_way_out() {
    let steps = [
        emits("fetch-teams", "acme_team"),
        emits("fetch-more", "acme_team"),
        step("fetch-teams"),
        step("read").reads(name("acme_user")).after("fetch-team").uses("limits"),
        step("publish").publishes("x"),
        step("publish-too").publishes("x"),
        step("sourced").source("nowhere"),
    ];
    insta::assert_snapshot!(mistakes(steps), @r#"
    the declarations of the steps have 7 errors:
    - two steps have the id `fetch-teams` ("fetch-teams" and "fetch-teams"): give one of them another id
    - step `sourced` belongs to the source "nowhere", which is not declared: add `Integration::source`
    - acme_team is emitted by several steps (fetch-teams, fetch-more): let one step emit it, let the others look up its keys first (`Known`), or declare that equal keys merge (`#[entity(merge)]`)
    - the job data "x" is published by several steps (publish, publish-too): let only one step publish it
    - step `read` reads acme_user, which no step emits: add a step that emits it, or remove the parameter
    - step `read` uses the job data "limits", which no step publishes: add a step with `Publish` of it
    - step `read` runs after `fetch-team`, which does not exist: did you mean `fetch-teams`?
    "#);
}

#[test]
fn a_cycle_is_printed_whole_with_its_reasons() {
    let steps = [
        emits("a", "acme_a").after("c"),
        emits("b", "acme_b").reads(name("acme_a")),
        step("c").reads(name("acme_b")),
        step("beside").after("a"),
    ];
    insta::assert_snapshot!(mistakes(steps), @"steps wait for each other: a -> b (reads acme_a) -> c (reads acme_b) -> a (after): remove one of these dependencies, or split a step");
    insta::assert_snapshot!(mistakes([emits("alone", "acme_a").reads(name("acme_a"))]), @"steps wait for each other: alone -> alone (reads acme_a): remove one of these dependencies, or split a step");
}

#[test]
fn steps_may_share_a_type_whose_equal_keys_merge() {
    let merging = |text: &str| {
        let declaration = EntityDeclaration::new("User", name("acme_user"), Class::literal("User"));
        step(text).entity(EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declaration })
    };
    let plan = plan([merging("a"), merging("b").reads(name("acme_user"))]).expect("a plan");
    assert_eq!(order(&plan), ["a", "b"]);
}

#[test]
fn a_selection_takes_what_it_needs_and_nothing_else() {
    let steps = [emits("a", "acme_a"), emits("b", "acme_b").reads(name("acme_a")), step("c").reads(name("acme_b"))];
    let plan = plan(steps).expect("a plan");
    assert_eq!(plan.closure(&[id("b")]).expect("known"), BTreeSet::from([id("a"), id("b")]));
    let unknown = plan.closure(&[id("zz")]).expect_err("unknown").to_string();
    assert_eq!(unknown, "there is no step `zz`: the steps are a, b, c");
}

#[test]
fn a_step_below_a_disabled_one_is_disabled_and_knows_the_root() {
    let steps =
        [emits("a", "acme_a"), emits("b", "acme_b").reads(name("acme_a")), step("c").reads(name("acme_b")), step("d")];
    let plan = plan(steps).expect("a plan");
    let states = plan.start_states(&BTreeMap::from([(id("a"), DisabledReason::Permission)])).expect("known");
    let below = StartState::Disabled {
        reason: DisabledReason::ParentDisabled,
        because_of: Some((id("a"), DisabledReason::Permission)),
    };
    assert_eq!(states[&id("c")], below);
    assert_eq!(states[&id("d")], StartState::Enabled);
    let unknown = plan.start_states(&BTreeMap::from([(id("zz"), DisabledReason::Beta)])).expect_err("unknown");
    assert_eq!(unknown.code(), ErrorCode::UnknownStart);
}

#[test]
fn only_the_emitters_of_what_a_step_reads_disable_it() {
    let merged = |text: &str| {
        let declaration = EntityDeclaration::new("Thing", name("acme_user"), Class::literal("Record"));
        step(text).entity(EntityDeclaration { on_duplicate_key: OnDuplicateKey::Merge, ..declaration })
    };
    let steps = [
        merged("members"),
        merged("guests"),
        step("nicknames").amends(name("acme_user")),
        step("owners").publishes("owners"),
        step("first"),
        emits("read", "acme_a").reads(name("acme_user")),
        emits("follow", "acme_b").follows(name("acme_user")),
        step("amend").amends(name("acme_user")),
        step("use").uses("owners").after("first"),
    ];
    let plan = plan(steps).expect("a plan");
    let enabled = |off: &[&str]| -> BTreeSet<String> {
        let off = off.iter().map(|step| (id(step), DisabledReason::Permission)).collect();
        let states = plan.start_states(&off).expect("known").into_iter();
        states.filter(|(_, state)| *state == StartState::Enabled).map(|(step, _)| step.to_string()).collect()
    };
    let but = |off: &[&str]| -> BTreeSet<String> {
        plan.steps().map(|step| step.id().to_string()).filter(|step| !off.contains(&step.as_str())).collect()
    };
    for harmless in [&["nicknames"][..], &["owners"], &["first"], &["members"], &["guests"], &["nicknames", "amend"]] {
        assert_eq!(enabled(harmless), but(harmless), "{harmless:?}");
    }
    let both = ["members", "guests"];
    assert_eq!(enabled(&both), BTreeSet::from(["first", "owners", "use"].map(str::to_owned)));
}

proptest! {
    #[test]
    fn the_order_keeps_every_dependency_and_does_not_change(edges in prop::collection::vec((0_usize..30, 0_usize..30), 0..120)) {
        let steps: Vec<Step> = (0..30).map(|at| {
            // Edges lead from greater to lesser numbers, so there is no cycle.
            let below = edges.iter().filter(|(from, to)| *from == at && to < from);
            below.fold(emits(&format!("s{at}"), &format!("acme_t{at}")), |step, (_, to)| step.reads(name(&format!("acme_t{to}"))))
        }).rev().collect();
        let one = plan(steps.clone()).expect("no cycle");
        let position: BTreeMap<&str, usize> = order(&one).into_iter().enumerate().map(|(at, step)| (step, at)).collect();
        for step in one.steps() {
            for (dependency, _) in one.dependencies(step.id()) {
                prop_assert!(position[dependency.as_str()] < position[step.id().as_str()]);
            }
        }
        let again = plan(steps).expect("no cycle");
        prop_assert_eq!(order(&one), order(&again));
    }
}
