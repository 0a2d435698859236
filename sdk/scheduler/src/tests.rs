//! Simulated clocks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use crate::{Cadence, PollingInterval, RunEnd, Scheduler, Settings, Start, StartReason};

fn minute(minute: i64) -> Timestamp {
    // 2026-01-01T00:00:00Z
    Timestamp::from_second(1_767_225_600 + minute * 60).expect("a time")
}

fn settings(cadence: Cadence) -> Settings {
    Settings { cadence, revision: "1".to_owned() }
}

fn hourly() -> Settings {
    settings(Cadence::Every(PollingInterval::OneHour))
}

fn of(instances: &[(&str, Settings)]) -> BTreeMap<String, Settings> {
    instances.iter().map(|(name, settings)| ((*name).to_owned(), settings.clone())).collect()
}

/// A scheduler with one instance `a`, whose first run has ended.
fn one(settings: Settings) -> Scheduler {
    let mut scheduler = Scheduler::new(1, BTreeMap::new());
    scheduler.configure(of(&[("a", settings)]), minute(0));
    let _ = scheduler.request("a", minute(0));
    assert_eq!(scheduler.start(minute(0)).len(), 1);
    scheduler.ended("a", RunEnd::Published, minute(1));
    scheduler
}

fn reasons(starts: &[Start]) -> Vec<StartReason> {
    starts.iter().map(|start| start.reason).collect()
}

/// Starts what is due and ends it a minute later.
fn run(scheduler: &mut Scheduler, now: Timestamp, end: RunEnd) -> Vec<StartReason> {
    let starts = scheduler.start(now);
    for start in &starts {
        scheduler.ended(&start.instance, end, now + SignedDuration::from_mins(1));
    }
    reasons(&starts)
}

/// Stores the states and reads them back, as another process does.
fn restarted(scheduler: &Scheduler, settings: BTreeMap<String, Settings>, now: Timestamp) -> Scheduler {
    let states: BTreeMap<_, _> = scheduler.states().map(|(name, state)| (name.to_owned(), state.clone())).collect();
    let json = serde_json::to_string(&states).expect("JSON");
    let mut scheduler = Scheduler::new(1, serde_json::from_str(&json).expect("states"));
    scheduler.configure(settings, now);
    scheduler
}

#[test]
fn a_failing_instance_backs_off_and_recovers() {
    let mut scheduler = one(hourly());
    let mut now = scheduler.wake(minute(1)).expect("a time");
    let mut delays = Vec::new();
    for _ in 0..11 {
        assert_eq!(run(&mut scheduler, now, RunEnd::Failed).len(), 1);
        let ended = now + SignedDuration::from_mins(1);
        now = scheduler.wake(ended).expect("a time");
        delays.push(now.duration_since(ended).as_mins());
    }
    assert_eq!(delays, [5, 10, 20, 40, 80, 160, 320, 640, 1_280, 1_440, 1_440]);
    assert_eq!(run(&mut scheduler, now, RunEnd::Published), [StartReason::Retry]);
    let next = scheduler.wake(now).expect("a time");
    assert!(next.duration_since(now) <= SignedDuration::from_mins(66));
    assert_eq!(scheduler.state("a").map(|state| state.failures), Some(0));
}

#[test]
fn refused_credentials_stop_the_instance_until_they_change() {
    let mut scheduler = one(hourly());
    let now = minute(120);
    assert_eq!(run(&mut scheduler, now, RunEnd::CredentialsRefused), [StartReason::Due]);
    assert_eq!((scheduler.wake(now), scheduler.start(minute(90_000)).len()), (None, 0));
    let mut scheduler = restarted(&scheduler, of(&[("a", hourly())]), minute(90_001));
    assert_eq!(scheduler.start(minute(90_002)).len(), 0);
    let other = Settings { revision: "2".to_owned(), ..hourly() };
    scheduler.configure(of(&[("a", other)]), minute(90_003));
    assert_eq!(run(&mut scheduler, minute(90_003), RunEnd::CredentialsRefused), [StartReason::Request]);
    scheduler.request("a", minute(90_100)).expect("an instance");
    assert_eq!(run(&mut scheduler, minute(90_100), RunEnd::Published), [StartReason::Request]);
    assert_eq!(run(&mut scheduler, minute(90_200), RunEnd::Published), [StartReason::Due]);
}

#[test]
fn another_configuration_ends_a_delay() {
    let mut scheduler = one(hourly());
    for _ in 0..5 {
        scheduler.request("a", minute(100)).expect("an instance");
        assert_eq!(run(&mut scheduler, minute(100), RunEnd::Failed).len(), 1);
    }
    scheduler.configure(of(&[("a", hourly())]), minute(102));
    assert_eq!(scheduler.start(minute(102)).len(), 0);
    scheduler.configure(of(&[("a", Settings { revision: "2".to_owned(), ..hourly() })]), minute(103));
    assert_eq!(run(&mut scheduler, minute(103), RunEnd::Published), [StartReason::Request]);
}

#[test]
fn a_killed_process_resumes_its_runs_once() {
    let mut scheduler = one(hourly());
    assert_eq!(scheduler.start(minute(70)).len(), 1);
    let mut next = restarted(&scheduler, of(&[("a", hourly())]), minute(300));
    assert_eq!(run(&mut next, minute(300), RunEnd::Published), [StartReason::Resume]);
    assert_eq!(next.start(minute(301)).len(), 0, "the resumed run is the catch-up");
    scheduler.ended("a", RunEnd::Interrupted, minute(71));
    let mut stopped = restarted(&scheduler, of(&[("a", hourly())]), minute(72));
    assert_eq!(run(&mut stopped, minute(72), RunEnd::Cancelled), [StartReason::Resume]);
    assert_eq!(stopped.start(minute(73)).len(), 0);
}

#[test]
fn a_clock_that_was_set_back_delays_by_two_intervals_at_most() {
    let mut scheduler = one(hourly());
    // The clock is a year ahead for one run.
    assert_eq!(run(&mut scheduler, minute(525_600), RunEnd::Published), [StartReason::Due]);
    assert_eq!(scheduler.start(minute(125)).len(), 0);
    let wake = scheduler.wake(minute(125)).expect("a time");
    assert!(wake.duration_since(minute(125)) <= SignedDuration::from_mins(66));
    assert_eq!(run(&mut scheduler, wake, RunEnd::Failed), [StartReason::Due]);
    // A small correction repeats no run.
    let mut scheduler = one(hourly());
    let due = scheduler.wake(minute(1)).expect("a time");
    assert_eq!(run(&mut scheduler, due, RunEnd::Published).len(), 1);
    let back = due - SignedDuration::from_mins(2);
    assert_eq!((scheduler.start(back).len(), scheduler.start(due).len()), (0, 0));
    // A delay after a failure ends as well.
    scheduler.request("a", minute(1_000_000)).expect("an instance");
    run(&mut scheduler, minute(1_000_000), RunEnd::Failed);
    assert_eq!(run(&mut scheduler, minute(200), RunEnd::Published), [StartReason::Retry]);
}

#[test]
fn other_settings_take_effect() {
    let mut scheduler = one(settings(Cadence::Every(PollingInterval::OneWeek)));
    let next_in =
        |scheduler: &Scheduler| scheduler.wake(minute(10)).map(|wake| wake.duration_since(minute(10)).as_mins());
    assert!(next_in(&scheduler) > Some(10_000));
    scheduler.configure(of(&[("a", hourly())]), minute(10));
    assert!(next_in(&scheduler) <= Some(66));
    let zone = TimeZone::UTC;
    let cron = settings(Cadence::Cron { expression: "0 3 * * *".parse().expect("cron"), zone });
    scheduler.configure(of(&[("a", cron.clone())]), minute(10));
    assert!((170..=171).contains(&next_in(&scheduler).expect("a time")));
    scheduler.configure(of(&[("a", settings(Cadence::Every(PollingInterval::Disabled)))]), minute(10));
    assert_eq!(next_in(&scheduler), None);
    // The settings changed while no process ran.
    let weekly = one(settings(Cadence::Every(PollingInterval::OneWeek)));
    assert!(next_in(&restarted(&weekly, of(&[("a", cron)]), minute(10))) <= Some(171));
}

#[test]
fn a_removed_instance_ends_its_run_and_is_forgotten() {
    let mut scheduler = one(hourly());
    assert_eq!(scheduler.start(minute(70)).len(), 1);
    scheduler.configure(of(&[("b", hourly())]), minute(71));
    assert_eq!((scheduler.running(), scheduler.start(minute(72)).len()), (1, 0), "the limit counts the removed one");
    assert!(scheduler.request("a", minute(72)).is_err());
    scheduler.ended("a", RunEnd::Published, minute(73));
    assert_eq!(scheduler.state("a"), None);
    assert_eq!(scheduler.start(minute(73))[0].instance, "b");
}

#[test]
fn daylight_saving_moves_cron_and_not_intervals() {
    let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
    let cron = Cadence::Cron { expression: "30 2 * * *".parse().expect("cron"), zone };
    let mut scheduler = Scheduler::new(2, BTreeMap::new());
    let start = "2026-03-27T12:00:00Z".parse::<Timestamp>().expect("a time");
    scheduler.configure(of(&[("c", settings(cron)), ("i", settings(Cadence::Every(PollingInterval::OneDay)))]), start);
    let mut times: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut now = start;
    for _ in 0..8 {
        now = scheduler.wake(now).expect("a time").max(now);
        for start in scheduler.start(now) {
            let due = start.due - SignedDuration::from_secs(start.due.as_second() % 1_800);
            times.entry(start.instance.clone()).or_default().push(due.strftime("%d %H:%M").to_string());
            scheduler.ended(&start.instance, RunEnd::Published, now);
        }
    }
    assert_eq!(times["c"][..3], ["28 01:30", "29 01:00", "30 00:30"]);
    assert_eq!(times["i"][..3], ["27 12:00", "28 12:00", "29 12:00"]);
}

#[test]
fn a_thousand_instances_start_in_time() {
    let names: Vec<String> = (0..1_000).map(|at| format!("instance {at}")).collect();
    let cadence = Cadence::Every(PollingInterval::ThirtyMinutes);
    let mut scheduler = Scheduler::new(1_000, BTreeMap::new());
    scheduler.configure(names.iter().map(|name| (name.clone(), settings(cadence.clone()))).collect(), minute(0));
    let mut now = minute(0);
    let mut started: BTreeMap<String, i64> = BTreeMap::new();
    while now < minute(4 * 60) {
        for start in scheduler.start(now) {
            let slot = (now.duration_since(minute(0)) - cadence.jitter(&start.instance)).as_secs().max(0);
            assert_eq!((start.due, slot % 1_800), (now, 0), "the run is late by its jitter exactly");
            scheduler.ended(&start.instance, RunEnd::Published, now);
            *started.entry(start.instance).or_default() += 1;
        }
        now = scheduler.wake(now).expect("a time");
    }
    // The first run is at once. The last regular time with its jitter is after the end.
    assert!(started.values().all(|runs| *runs == 8), "{started:?}");
    assert_eq!(started.len(), 1_000);
}

/// An event of a simulation.
#[derive(Debug, Clone)]
enum Event {
    /// Time passes until the scheduler wants to be called.
    Wake,
    /// Time passes.
    Pass(i64),
    /// The machine is suspended.
    Suspend(i64),
    /// The clock is set back.
    Back(i64),
    /// The run that started at this place among the current ones ends.
    End(usize, RunEnd),
    Request(usize),
    /// The process is killed, and another one starts.
    Kill,
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop::sample::select(vec![
        RunEnd::Published,
        RunEnd::Published,
        RunEnd::Failed,
        RunEnd::CredentialsRefused,
        RunEnd::Interrupted,
        RunEnd::Cancelled,
    ]);
    prop_oneof![
        6 => Just(Event::Wake),
        3 => (1_i64..90).prop_map(Event::Pass),
        1 => (100_i64..10_000).prop_map(Event::Suspend),
        1 => (1_i64..2_000).prop_map(Event::Back),
        6 => (0_usize..4, end).prop_map(|(at, end)| Event::End(at, end)),
        1 => (0_usize..5).prop_map(Event::Request),
        1 => Just(Event::Kill),
    ]
}

fn cadences() -> Vec<Cadence> {
    let zone = TimeZone::posix("EST5EDT,M3.2.0,M11.1.0").expect("a zone");
    vec![
        Cadence::Every(PollingInterval::ThirtyMinutes),
        Cadence::Every(PollingInterval::OneHour),
        Cadence::Every(PollingInterval::Disabled),
        Cadence::Cron { expression: "15 */3 * * *".parse().expect("cron"), zone },
        Cadence::Every(PollingInterval::OneDay),
    ]
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

proptest! {
    #[test]
    fn one_run_of_an_instance_the_oldest_first_within_the_limit(limit in 1_usize..4, events in prop::collection::vec(event(), 1..120)) {
        let all: BTreeMap<String, Settings> =
            NAMES.iter().zip(cadences()).map(|(name, cadence)| ((*name).to_owned(), settings(cadence))).collect();
        let mut scheduler = Scheduler::new(limit, BTreeMap::new());
        let mut now = minute(0);
        scheduler.configure(all.clone(), now);
        let mut running: Vec<String> = Vec::new();
        for event in events {
            match event {
                Event::Wake => now = scheduler.wake(now).unwrap_or(now).max(now),
                Event::Pass(minutes) | Event::Suspend(minutes) => now += SignedDuration::from_mins(minutes),
                Event::Back(minutes) => now -= SignedDuration::from_mins(minutes),
                Event::End(at, end) if at < running.len() => scheduler.ended(&running.remove(at), end, now),
                Event::End(..) => {}
                Event::Request(at) => scheduler.request(NAMES[at], now).expect("an instance"),
                Event::Kill => {
                    let states = scheduler.states().map(|(name, state)| (name.to_owned(), state.clone())).collect();
                    scheduler = Scheduler::new(limit, states);
                    scheduler.configure(all.clone(), now);
                    let again: BTreeSet<&str> = scheduler.states().filter(|(_, state)| state.interrupted.is_some()).map(|(name, _)| name).collect();
                    prop_assert!(running.iter().all(|name| again.contains(name.as_str())), "killed runs are resumed");
                    running.clear();
                }
            }
            let starts = scheduler.start(now);
            for start in &starts {
                prop_assert!(!running.contains(&start.instance), "two runs of {}", start.instance);
                prop_assert!(start.due <= now);
                running.push(start.instance.clone());
            }
            prop_assert!(running.len() <= limit);
            prop_assert_eq!(scheduler.running(), running.len());
            // If an instance still waits, there is no room, and nothing younger has started before it.
            let mut unlimited = scheduler.clone();
            unlimited.limit_for_test(usize::MAX);
            let waiting = unlimited.start(now);
            prop_assert!(waiting.is_empty() || running.len() == limit);
            let youngest = starts.iter().map(|start| start.due).max();
            prop_assert!(waiting.iter().all(|waiting| youngest.is_none_or(|youngest| youngest <= waiting.due)));
            if waiting.is_empty() {
                prop_assert!(scheduler.wake(now).is_none_or(|wake| wake > now), "no busy loop");
            }
        }
    }

    /// Without failures, each instance runs once for any time that passes, and then on its grid again.
    #[test]
    fn one_catch_up_after_any_time(steps in prop::collection::vec(1_i64..5_000, 1..40)) {
        let cadence = Cadence::Every(PollingInterval::FourHours);
        let (jitter, interval) = (cadence.jitter("a"), SignedDuration::from_hours(4));
        let mut scheduler = one(settings(cadence));
        let mut now = minute(1);
        // The creation is no regular time.
        let mut handled = minute(0) + jitter;
        for step in steps {
            now += SignedDuration::from_mins(step);
            // A regular time is `created + n * interval + jitter`.
            let passed = |at: Timestamp| (at.duration_since(minute(0)) - jitter).as_millis().div_euclid(interval.as_millis());
            let expected = usize::from(passed(now) > passed(handled));
            let starts = scheduler.start(now);
            prop_assert_eq!(starts.len(), expected);
            for start in &starts {
                scheduler.ended(&start.instance, RunEnd::Published, now);
                handled = now;
            }
            prop_assert_eq!(scheduler.start(now).len(), 0);
        }
    }

    /// With room for one run at a time, every instance gets its turn.
    #[test]
    fn no_instance_starves(durations in prop::collection::vec(1_i64..40, 30..60)) {
        let mut scheduler = Scheduler::new(1, BTreeMap::new());
        let cadence = Cadence::Every(PollingInterval::ThirtyMinutes);
        scheduler.configure(NAMES.iter().map(|name| ((*name).to_owned(), settings(cadence.clone()))).collect(), minute(0));
        let mut now = minute(0);
        let mut order = Vec::new();
        for duration in durations {
            now = scheduler.wake(now).expect("a time").max(now);
            let starts = scheduler.start(now);
            prop_assert_eq!(starts.len(), 1);
            order.push(starts[0].instance.clone());
            now += SignedDuration::from_mins(duration);
            scheduler.ended(&starts[0].instance, RunEnd::Published, now);
        }
        // An instance waits for at most two turns of each other one: a shorter queue can pass while it runs itself.
        for window in order.windows(2 * NAMES.len()) {
            prop_assert!(NAMES.iter().all(|name| window.iter().any(|ran| ran == name)), "{:?}", window);
        }
    }
}
