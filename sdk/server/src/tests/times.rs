//! The times of runs: jitter, jumps of the clock, suspensions, and daylight saving.

use std::time::Duration;

use integration_scheduler::{Cadence, PollingInterval, StartReason};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

use super::world::{Script, World, every, pass, time};
use crate::{Clock, request_run};

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn no_run_of_a_thousand_instances_is_later_than_its_jitter() {
    let mut world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.options.poll = Duration::from_secs(60);
    let names: Vec<String> = (0..1_000).map(|at| format!("instance-{at}")).collect();
    let hourly = every(PollingInterval::OneHour);
    let instances: Vec<_> = names.iter().map(|name| (name.as_str(), hourly.clone(), "1")).collect();
    world.configure(&instances);
    let process = world.start();
    pass(2 * HOUR + Duration::from_secs(600)).await;
    let stopped = process.stop().await;
    assert_eq!(stopped.aborted.len(), 0);
    let begin = time("2026-01-10T08:00:00Z");
    for name in &names {
        let starts = world.starts(name);
        assert_eq!(starts.len(), 3, "{name}: {starts:?}");
        // All new instances are due at once, and four run at a time.
        assert!(starts[0].duration_since(begin) < SignedDuration::from_secs(60), "{name}: {starts:?}");
        for (hour, start) in (1..).zip(&starts[1..]) {
            let late = start.duration_since(begin + SignedDuration::from_hours(hour));
            let jitter = hourly.jitter(name);
            // Four runs take 100 ms, so an instance that is due together with others waits a little.
            assert!(late >= jitter && late < jitter + SignedDuration::from_secs(5), "{name}: {late:?} for {jitter:?}");
            assert!(late <= hourly.longest_jitter() + SignedDuration::from_secs(1), "{name}: {late:?}");
        }
    }
    world.state(|state| {
        assert_eq!(state.most_running, 4);
        assert_eq!(state.observed.len(), 3_000);
    });
}

#[tokio::test(start_paused = true)]
async fn a_suspended_machine_catches_up_once_and_soon() {
    let world = World::new("2026-01-09T18:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::OneHour), "1")]);
    let process = world.start();
    pass(HOUR / 2).await;
    assert_eq!(world.starts("a").len(), 1);
    // The weekend. No timer of the process advances.
    world.clock.jump(SignedDuration::from_hours(62));
    let opened = world.clock.now();
    pass(Duration::from_secs(5)).await;
    let starts = world.starts("a");
    assert_eq!(starts.len(), 2, "one run for 62 missed ones: {starts:?}");
    assert!(starts[1].duration_since(opened) <= SignedDuration::from_secs(3), "{starts:?}");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_back_delays_no_run_by_more_than_two_intervals() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::OneHour), "1")]);
    let process = world.start();
    // A wrong clock, a year ahead, is corrected after ten minutes.
    pass(Duration::from_secs(60)).await;
    world.clock.jump(SignedDuration::from_hours(24 * 365));
    pass(Duration::from_secs(600)).await;
    let before = world.starts("a").len();
    assert_eq!(before, 2);
    world.clock.jump(SignedDuration::from_hours(-24 * 365));
    pass(3 * HOUR).await;
    assert!(world.starts("a").len() >= before + 2, "{:?}", world.starts("a"));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_corrected_clock_causes_no_extra_runs() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::OneHour), "1")]);
    let process = world.start();
    for step in 0..240 {
        // A clock that drifts and is corrected all the time.
        world.clock.jump(SignedDuration::from_secs(if step % 2 == 0 { 20 } else { -20 }));
        pass(Duration::from_secs(60)).await;
    }
    process.stop().await;
    let starts = world.starts("a");
    assert!((4..=5).contains(&starts.len()), "{starts:?}");
}

#[tokio::test(start_paused = true)]
async fn a_process_that_was_down_catches_up_once() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::OneHour), "1"), ("b", every(PollingInterval::OneWeek), "1")]);
    let process = world.start();
    pass(Duration::from_secs(60)).await;
    process.stop().await;
    pass(30 * HOUR).await;
    let process = world.start();
    pass(Duration::from_secs(60)).await;
    process.stop().await;
    assert_eq!((world.starts("a").len(), world.starts("b").len()), (2, 1));
    assert_eq!(world.reasons("a"), [StartReason::Due; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_nightly_run_happens_once_a_night_around_daylight_saving() {
    // 2026-03-29 has no 02:30 in Berlin, and 2026-10-25 has two.
    for (begin, expected) in [
        ("2026-03-27T12:00:00Z", ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]),
        ("2026-10-23T12:00:00Z", ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"]),
    ] {
        let mut world = World::new(begin, Script::default());
        world.options.poll = Duration::from_secs(60);
        let zone = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a zone");
        let nightly = Cadence::Cron { expression: "30 2 * * *".parse().expect("cron"), zone };
        world.configure(&[("a", nightly, "1")]);
        let process = world.start();
        pass(72 * HOUR).await;
        process.stop().await;
        let starts = world.starts("a");
        assert_eq!(starts.len(), 3, "{starts:?}");
        for (start, expected) in starts.iter().zip(expected) {
            let late = start.duration_since(time(&format!("{expected}:00Z")));
            assert!((0..61).contains(&late.as_secs()), "{start} for {expected}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_person_requests_a_run_of_a_disabled_instance() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::Disabled), "1")]);
    request_run(world.directory(), "a").expect("a disk");
    request_run(world.directory(), "unknown").expect("a disk");
    let process = world.start();
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.reasons("a"), [StartReason::Request]);
    request_run(world.directory(), "a").expect("a disk");
    request_run(world.directory(), "a").expect("a disk");
    process.reload.request();
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.reasons("a"), [StartReason::Request; 2]);
    pass(HOUR).await;
    process.stop().await;
    assert_eq!(world.starts("a").len(), 2);
    let left = std::fs::read_dir(world.directory().join("requests")).expect("a folder").count();
    assert_eq!(left, 0);
}
