//! Runs and observations that fail, configurations that change, and stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use integration_scheduler::{PollingInterval, RunEnd, StartReason};

use super::world::{Script, Watching, World, every, pass};
use crate::ServerError;

const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test(start_paused = true)]
async fn an_observation_that_fails_hangs_or_panics_holds_up_nothing_else() {
    let is_repaired = Arc::new(AtomicBool::new(false));
    let repaired = Arc::clone(&is_repaired);
    let watch = move |notice: &crate::Notice| match notice.instance.as_str() {
        _ if repaired.load(Ordering::Relaxed) => Watching::Well,
        "errs" => Watching::Error,
        "hangs" => Watching::Hang,
        "breaks" => Watching::Panic,
        _ => Watching::Well,
    };
    let world = World::new("2026-01-10T08:00:00Z", Script { watch: Box::new(watch), ..Script::default() });
    let hourly = || every(PollingInterval::OneHour);
    let names = ["errs", "hangs", "breaks", "well"];
    world.configure(&names.map(|name| (name, hourly(), "1")));
    let process = world.start();
    pass(5 * HOUR).await;
    for name in names {
        let starts = world.starts(name);
        assert!((5..=6).contains(&starts.len()), "{name}: {starts:?}");
        // The observation takes minutes, and delays no run.
        for (hour, start) in (1..).zip(&starts[1..]) {
            let expected = starts[0] + jiff::SignedDuration::from_hours(hour) + hourly().jitter(name);
            assert!(start.duration_since(expected).as_secs().abs() < 3, "{name}: {start} for {expected}");
        }
    }
    let of = |name: &str| world.state(|state| state.observed.iter().filter(|notice| notice.instance == name).count());
    assert_eq!(of("well"), world.starts("well").len());
    assert_eq!(of("errs") + of("hangs") + of("breaks"), 0);
    is_repaired.store(true, Ordering::Relaxed);
    pass(2 * HOUR).await;
    for name in names {
        let newest = world.state(|state| {
            let last = state.observed.iter().rfind(|notice| notice.instance == name);
            last.and_then(|notice| notice.job.clone())
        });
        assert_eq!(newest, Some(world.starts(name).len().to_string()), "the newest job of {name} is observed");
    }
    let text = process.metrics.encode();
    assert!(!text.contains("integration_observation_failures_total 0"), "{text}");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn refused_credentials_stop_the_instance_until_its_configuration_changes() {
    let end = |_: &crate::Order, state: &super::world::State| match state.settings["a"].revision.as_str() {
        "revoked" => RunEnd::CredentialsRefused,
        _ => RunEnd::Published,
    };
    let world = World::new("2026-01-10T08:00:00Z", Script { end: Box::new(end), ..Script::default() });
    world.configure(&[("a", every(PollingInterval::OneHour), "revoked")]);
    let process = world.start();
    pass(24 * HOUR + HOUR / 2).await;
    assert_eq!(world.starts("a").len(), 1, "no further request with refused credentials");
    let ends = |world: &World| world.state(|state| state.observed.iter().map(|notice| notice.end).collect::<Vec<_>>());
    assert_eq!(ends(&world), [RunEnd::CredentialsRefused], "one notice, for one alert");
    assert!(process.metrics.encode().contains(r#"integration_credentials_refused{instance="a"} 1"#));
    // A restart is no new occasion.
    process.stop().await;
    let process = world.start();
    pass(HOUR).await;
    assert_eq!(world.starts("a").len(), 1);
    world.configure(&[("a", every(PollingInterval::OneHour), "rotated")]);
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.reasons("a"), [StartReason::Due, StartReason::Request]);
    assert_eq!(ends(&world), [RunEnd::CredentialsRefused, RunEnd::Published]);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn credentials_that_were_rotated_during_a_refused_run_are_used_at_once() {
    let is_first = AtomicBool::new(true);
    let end = move |_: &crate::Order, _: &super::world::State| match is_first.swap(false, Ordering::Relaxed) {
        true => RunEnd::CredentialsRefused,
        false => RunEnd::Published,
    };
    let script = Script { end: Box::new(end), takes: Duration::from_secs(60), ..Script::default() };
    let world = World::new("2026-01-10T08:00:00Z", script);
    world.configure(&[("a", every(PollingInterval::OneDay), "revoked")]);
    let process = world.start();
    pass(Duration::from_secs(30)).await;
    world.configure(&[("a", every(PollingInterval::OneDay), "rotated")]);
    pass(Duration::from_secs(200)).await;
    assert_eq!(world.reasons("a"), [StartReason::Due, StartReason::Request]);
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_failing_instance_backs_off_and_others_do_not() {
    let end = |order: &crate::Order, _: &super::world::State| match order.instance.as_str() {
        "fails" => RunEnd::Failed,
        _ => RunEnd::Published,
    };
    let world = World::new("2026-01-10T08:00:00Z", Script { end: Box::new(end), ..Script::default() });
    let minutes = || every(PollingInterval::ThirtyMinutes);
    world.configure(&[("fails", minutes(), "1"), ("well", minutes(), "1")]);
    let process = world.start();
    pass(24 * HOUR).await;
    let starts = world.starts("fails");
    let delays: Vec<i64> = starts.windows(2).map(|pair| pair[1].duration_since(pair[0]).as_mins()).collect();
    assert_eq!(delays, [5, 10, 20, 40, 80, 160, 320, 640]);
    assert!((47..=49).contains(&world.starts("well").len()));
    assert!(process.metrics.encode().contains(r#"integration_failures{instance="fails"} 9"#));
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_configuration_that_cannot_be_read_leaves_the_earlier_one() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[("a", every(PollingInterval::OneHour), "1")]);
    world.state(|state| state.configuration_error = Some("instances.yaml: line 3".to_owned()));
    let error = world.server().expect("a state").run(Default::default()).await.expect_err("at the start");
    assert!(matches!(&error, ServerError::Source(_)) && error.to_string().contains("line 3"), "{error}");
    world.state(|state| state.configuration_error = None);
    let process = world.start();
    pass(Duration::from_secs(10)).await;
    world.state(|state| state.configuration_error = Some("instances.yaml: line 3".to_owned()));
    pass(3 * HOUR + HOUR / 2).await;
    assert_eq!(world.starts("a").len(), 4);
    assert!(process.metrics.encode().contains("integration_configuration_valid 0"));
    world.state(|state| state.configuration_error = None);
    world.configure(&[("b", every(PollingInterval::OneHour), "1")]);
    pass(Duration::from_secs(10)).await;
    assert_eq!(world.starts("b").len(), 1);
    let text = process.metrics.encode();
    assert!(text.contains("integration_configuration_valid 1") && !text.contains(r#"instance="a""#), "{text}");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_interrupts_runs_and_the_next_process_resumes_them() {
    let script = Script { takes: HOUR, ..Script::default() };
    let world = World::new("2026-01-10T08:00:00Z", script);
    world.configure(&[("a", every(PollingInterval::OneDay), "1")]);
    let process = world.start();
    pass(Duration::from_secs(60)).await;
    let stopped = process.stop().await;
    assert_eq!((stopped.interrupted, stopped.aborted), (vec!["a".to_owned()], Vec::new()));
    let process = world.start();
    pass(2 * HOUR).await;
    assert_eq!(world.reasons("a"), [StartReason::Due, StartReason::Resume]);
    assert_eq!(world.state(|state| state.observed.len()), 1, "an interrupted run gives no notice");
    process.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_run_that_does_not_obey_is_aborted_after_the_bound() {
    let script = Script { takes: HOUR, obeys: false, ..Script::default() };
    let world = World::new("2026-01-10T08:00:00Z", script);
    world.configure(&[("a", every(PollingInterval::OneDay), "1")]);
    let process = world.start();
    pass(Duration::from_secs(60)).await;
    let begun = tokio::time::Instant::now();
    let stopped = process.stop().await;
    assert_eq!(begun.elapsed().as_secs(), world.options.stop_within.as_secs());
    assert_eq!(stopped.aborted, ["a"]);
    let process = world.start();
    pass(Duration::from_secs(60)).await;
    assert_eq!(world.reasons("a"), [StartReason::Due, StartReason::Resume]);
    process.kill().await;
}

#[tokio::test(start_paused = true)]
async fn a_second_server_is_refused_and_ticks_follow_the_observer() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world.configure(&[]);
    let process = world.start();
    let error = world.server().err().expect("locked").to_string();
    assert!(error.contains("another scheduler (process"), "{error}");
    pass(10 * HOUR + HOUR / 2).await;
    assert_eq!(world.state(|state| state.ticks), 11);
    process.stop().await;
    assert!(world.server().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_run_is_a_failure() {
    let world = World::new("2026-01-10T08:00:00Z", Script::default());
    world
        .configure(&[("panics", every(PollingInterval::OneHour), "1"), ("well", every(PollingInterval::OneHour), "1")]);
    let process = world.start();
    pass(HOUR / 2).await;
    assert_eq!(world.reasons("panics"), [StartReason::Due, StartReason::Retry, StartReason::Retry]);
    let notices = world.state(|state| state.observed.clone());
    let failed = notices.iter().filter(|notice| notice.instance == "panics");
    assert_eq!(
        failed.map(|notice| (notice.end, notice.failures)).collect::<Vec<_>>()[..2],
        [(RunEnd::Failed, 1), (RunEnd::Failed, 2)]
    );
    assert_eq!(world.starts("well").len(), 1);
    process.stop().await;
}
