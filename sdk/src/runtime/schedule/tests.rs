use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::graph::run::{DisabledReason, ErrorCode, Failure, StepStatus, Usage};
use crate::graph::{Class, EntityDeclaration, Timestamp};
use crate::integration::Integration;
use crate::plan::PlanErrors;
use crate::runtime::late_gap::LateGap;
use crate::runtime::report::FailureKind;
use crate::step::StepStatsSnapshot;

use super::*;

const STEPS: usize = 8;

fn id(at: usize) -> StepId {
    StepId::new(format!("s{at}")).expect("an id")
}

fn name(at: usize) -> ObjectType {
    ObjectType::new(format!("acme_t{at}")).expect("a type")
}

/// The reason why a step depends on another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    Reads,
    Follows,
    Amends,
    Uses,
    After,
}

/// The fate of a step that runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Succeeds,
    Fails,
    LeavesGap,
}

/// A random plan, the fate of its steps, and the steps that are switched off.
#[derive(Debug, Clone)]
struct Case {
    links: Vec<(usize, usize, Link)>,
    fates: Vec<Fate>,
    off: BTreeSet<usize>,
}

fn cases() -> impl Strategy<Value = Case> {
    let link = prop::sample::select(vec![Link::Reads, Link::Follows, Link::Amends, Link::Uses, Link::After]);
    // Links lead to lesser numbers, so there is no cycle.
    let links = prop::collection::vec((1..STEPS, 0..STEPS, link), 0..16)
        .prop_map(|links| links.into_iter().map(|(step, above, link)| (step, above % step, link)).collect());
    let fate = prop_oneof![4 => Just(Fate::Succeeds), 1 => Just(Fate::Fails), 1 => Just(Fate::LeavesGap)];
    let off = prop::collection::btree_set(0..STEPS, 0..2);
    (links, prop::collection::vec(fate, STEPS), off).prop_map(|(links, fates, off)| Case {
        links: without_cycles(links),
        fates,
        off,
    })
}

/// Leaves out the links that close a cycle: a reader of a type waits for the steps that amend it.
fn without_cycles(links: Vec<(usize, usize, Link)>) -> Vec<(usize, usize, Link)> {
    let mut kept = Vec::new();
    for link in links {
        kept.push(link);
        if plan(&kept).is_err() {
            kept.pop();
        }
    }
    kept
}

fn plan(links: &[(usize, usize, Link)]) -> Result<Plan, PlanErrors> {
    let steps = (0..STEPS).map(|at| {
        let step = Step::new(id(at), format!("Step {at}"), |_| async { Ok(()) })
            .entity(EntityDeclaration::new("Thing", name(at), Class::literal("Record")))
            .publishes(format!("data {at}"));
        let links = links.iter().filter(|(step, ..)| *step == at);
        links.fold(step, |step, (_, above, link)| match link {
            Link::Reads => step.reads(name(*above)),
            Link::Follows => step.follows(name(*above)),
            Link::Amends => step.amends(name(*above)),
            Link::Uses => step.uses(format!("data {above}")),
            Link::After => step.after(["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7"][*above]),
        })
    });
    let integration = Integration::without_provider::<()>("test", "Test");
    Plan::new(&steps.fold(integration, Integration::step))
}

impl Case {
    fn plan(&self) -> Arc<Plan> {
        Arc::new(plan(&self.links).expect("no cycle"))
    }

    fn schedule(&self, plan: &Arc<Plan>) -> Schedule {
        let off = self.off.iter().map(|at| (id(*at), DisabledReason::UserConfig)).collect();
        Schedule::new(Arc::clone(plan), plan.start_states(&off).expect("known steps"))
    }

    fn outcome(&self, step: &StepId) -> StepOutcome {
        let at: usize = step.as_str()[1..].parse().expect("a number");
        let mut stats = StepStatsSnapshot::default();
        stats.added.insert(name(at), 1);
        if self.fates[at] == Fate::LeavesGap {
            stats.gaps.push(Gap::new([name(at)], ErrorCode::ProviderApi, format!("gap of {at}")));
        }
        let failure = Failure { code: ErrorCode::ProviderApi, message: format!("failure of {at}") };
        StepOutcome {
            step: step.clone(),
            started: Timestamp::from_millis(0),
            ended: Timestamp::from_millis(1),
            usage: Usage::default(),
            cached: false,
            stats,
            failure: (self.fates[at] == Fate::Fails).then_some((FailureKind::Other, failure)),
        }
    }
}

/// The course of a run: the steps in the order of their starts and ends.
#[derive(Debug, Default)]
struct Course {
    started: Vec<StepId>,
    ended: Vec<StepId>,
}

/// Runs a schedule to its end. `choices` select the step that ends next, and `cancel_after` a number of ends.
fn run(case: &Case, choices: &[usize], cancel_after: Option<usize>) -> (Schedule, Course) {
    let plan = case.plan();
    let mut schedule = case.schedule(&plan);
    let (mut course, mut running) = (Course::default(), Vec::<StepId>::new());
    course.ended.extend(schedule.skip().into_iter().map(|(_, report)| report.id));
    let mut choices = choices.iter().copied().cycle();
    for turn in 0.. {
        if cancel_after == Some(turn) {
            schedule.cancel();
        }
        while let Some(step) = schedule.next_ready().map(|step| step.id().clone()) {
            for (above, edge) in plan.dependencies(&step) {
                let begun = course.ended.contains(above) || edge.streams && running.contains(above);
                assert!(begun, "{step} started before {above}");
            }
            schedule.started(&step);
            course.started.push(step.clone());
            running.push(step);
        }
        assert_follower_started(&plan, &schedule, &running, &course);
        if running.is_empty() {
            break;
        }
        let step = running.swap_remove(choices.next().unwrap_or(0) % running.len());
        let report = schedule.ended(case.outcome(&step)).expect("a running step");
        assert_eq!(report.id, step);
        assert!(schedule.ended(case.outcome(&step)).is_none(), "{step} ended twice");
        course.ended.push(step);
    }
    schedule.finish();
    (schedule, course)
}

/// Checks that no step waits although its dependencies have ended or, if it follows them, started.
fn assert_follower_started(plan: &Plan, schedule: &Schedule, running: &[StepId], course: &Course) {
    if schedule.cancelled {
        return;
    }
    for step in plan.steps().filter(|step| !running.contains(step.id()) && !course.ended.contains(step.id())) {
        let dependencies = plan.dependencies(step.id()).into_iter();
        let begun = |(id, edge): (&StepId, &Edge)| course.ended.contains(id) || edge.streams && running.contains(id);
        assert!(!dependencies.into_iter().all(begun), "{:?} should have started", step.id());
    }
}

fn by_id(schedule: &Schedule) -> BTreeMap<StepId, StepReport> {
    schedule.reports().map(|report| (report.id.clone(), report.clone())).collect()
}

proptest! {
    #[test]
    fn every_step_ends_once_and_in_an_order_that_its_dependencies_allow(
        case in cases(), choices in prop::collection::vec(0_usize..STEPS, 1..12),
    ) {
        let (schedule, course) = run(&case, &choices, None);
        let distinct: BTreeSet<&StepId> = course.ended.iter().collect();
        prop_assert_eq!((course.ended.len(), distinct.len()), (STEPS, STEPS));
        prop_assert_eq!(schedule.reports().count(), STEPS);
        let disabled = by_id(&schedule).values().filter(|report| report.status == StepStatus::Disabled).count();
        prop_assert_eq!(course.started.len() + disabled, STEPS);
    }

    #[test]
    fn the_order_in_which_steps_end_does_not_change_the_reports(
        case in cases(), one in prop::collection::vec(0_usize..STEPS, 1..12),
        other in prop::collection::vec(0_usize..STEPS, 1..12),
    ) {
        // A follower may end before the step that it follows, and inherits the gaps of that step at the end.
        let settled = |choices: &[usize]| {
            let mut schedule = run(&case, choices, None).0;
            schedule.correct(BTreeMap::new());
            by_id(&schedule)
        };
        prop_assert_eq!(settled(&one), settled(&other));
    }

    #[test]
    fn the_steps_below_a_step_with_a_gap_inherit_it(
        case in cases(), choices in prop::collection::vec(0_usize..STEPS, 1..12),
    ) {
        let mut schedule = run(&case, &choices, None).0;
        schedule.correct(BTreeMap::new());
        let (plan, reports) = (case.plan(), by_id(&schedule));
        for report in reports.values().filter(|report| report.start_time.is_some()) {
            for (above, edge) in plan.dependencies(&report.id) {
                let whole = edge.explicit || !edge.data.is_empty();
                let concerns = |gap: &&Gap| whole || !gap.types.is_disjoint(&edge.through);
                for gap in reports[above].gaps.iter().filter(concerns) {
                    let root = gap.inherited_from.as_ref().unwrap_or(above);
                    let inherits = report.gaps.iter().any(|own| own.inherited_from.as_ref() == Some(root));
                    prop_assert!(inherits, "{} does not inherit a gap of {}", report.id, above);
                    prop_assert!(!report.status.is_complete(), "{} is {}", report.id, report.status);
                }
            }
        }
    }

    #[test]
    fn a_cancelled_schedule_starts_nothing_and_gives_every_step_a_report(
        case in cases(), choices in prop::collection::vec(0_usize..STEPS, 1..12), after in 0_usize..STEPS,
    ) {
        let (schedule, course) = run(&case, &choices, Some(after));
        let reports = by_id(&schedule);
        prop_assert_eq!(reports.len(), STEPS);
        for report in reports.values() {
            let ended = course.ended.contains(&report.id);
            prop_assert_eq!(report.status == StepStatus::Pending, !ended);
            prop_assert!(ended || !report.gaps.is_empty(), "{} did not run and has no gap", report.id);
        }
    }

    #[test]
    fn a_resumed_schedule_keeps_no_work_whose_input_may_change(
        case in cases(), choices in prop::collection::vec(0_usize..STEPS, 1..12), after in 0_usize..STEPS,
    ) {
        let (first, plan) = (run(&case, &choices, Some(after)).0, case.plan());
        let mut completed = by_id(&first);
        completed.retain(|_, report| report.status.is_complete());
        let mut schedule = case.schedule(&plan);
        let stale = schedule.resume(completed.clone());
        let kept: BTreeSet<&StepId> = completed.keys().filter(|step| !stale.contains(step)).collect();
        for step in &kept {
            for (above, edge) in plan.dependencies(step) {
                let runs = schedule.starts[above] == StartState::Enabled && !kept.contains(above);
                prop_assert!(!(runs && amends(&plan, above, edge)), "{step} is kept, but {above} amends its input");
            }
        }
        schedule.skip();
        while let Some(step) = schedule.next_ready().map(|step| step.id().clone()) {
            prop_assert!(!kept.contains(&step), "{step} runs again");
            schedule.started(&step);
            schedule.ended(case.outcome(&step));
        }
        schedule.finish();
        schedule.correct(BTreeMap::new());
        let mut undisturbed = run(&case, &choices, None).0;
        undisturbed.correct(BTreeMap::new());
        prop_assert_eq!(by_id(&schedule), by_id(&undisturbed));
    }
}

#[test]
fn a_late_gap_reaches_the_steps_below_and_is_reported_once() {
    let links = vec![(1, 0, Link::Reads), (2, 1, Link::Follows)];
    let case = Case { links, fates: vec![Fate::Succeeds; STEPS], off: BTreeSet::new() };
    let (mut schedule, _) = run(&case, &[0], None);
    let gap = || LateGap::of_added(name(0), 1, ErrorCode::DuplicateKey, "a key of another type".to_owned());
    let late = || BTreeMap::from([(id(0), Late { gaps: vec![gap()], ..Late::default() })]);
    let changed: Vec<StepId> = schedule.correct(late()).into_iter().map(|report| report.id).collect();
    assert_eq!(changed, [id(0), id(1), id(2)]);
    let reports = by_id(&schedule);
    assert_eq!(reports[&id(0)].objects(), 0, "the object is no longer counted");
    assert_eq!(reports[&id(2)].gaps[0].inherited_from, Some(id(0)));
    assert_eq!(reports[&id(3)].status, StepStatus::Success);
}

#[test]
fn refused_credentials_cancel_the_schedule() {
    let case = Case { links: vec![(1, 0, Link::After)], fates: vec![Fate::Succeeds; STEPS], off: BTreeSet::new() };
    let plan = case.plan();
    let mut schedule = case.schedule(&plan);
    schedule.started(&id(0));
    let failure = Failure { code: ErrorCode::ProviderAuthentication, message: "401".to_owned() };
    let refused = StepOutcome { failure: Some((FailureKind::Fatal, failure)), ..case.outcome(&id(0)) };
    let report = schedule.ended(refused).expect("a running step");
    assert_eq!(report.error.map(|error| error.code), Some(ErrorCode::ProviderAuthentication));
    assert_eq!(report.gaps[0].code, ErrorCode::ProviderAuthentication);
    assert!(schedule.next_ready().is_none());
}
