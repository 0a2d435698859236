//! Kills of the process at random instants.

use std::collections::BTreeSet;
use std::time::Duration;

use integration_scheduler::{PollingInterval, StartReason};

use super::world::{Script, Watching, World, every, pass};

#[tokio::test(start_paused = true)]
async fn after_kills_at_random_instants_runs_are_resumed_and_every_end_is_observed() {
    let watch = |notice: &crate::Notice| match notice.job.as_deref() {
        // Some observations fail at first.
        Some("3" | "7") if notice.at.as_second() % 3 == 0 => Watching::Error,
        _ => Watching::Well,
    };
    let script = Script { takes: Duration::from_secs(20), watch: Box::new(watch), ..Script::default() };
    let world = World::new("2026-01-10T08:00:00Z", script);
    let names = ["a", "b", "c", "d", "e", "f"];
    world.configure(&names.map(|name| (name, every(PollingInterval::ThirtyMinutes), "1")));
    let mut random = fastrand::Rng::with_seed(7);
    let begin = tokio::time::Instant::now();
    for round in 0..150 {
        let process = world.start();
        let longest = if random.u64(..4) == 0 { 2_400_000 } else { 60_000 };
        pass(Duration::from_millis(random.u64(..longest))).await;
        let interrupted: BTreeSet<String> = world.state(|state| state.running.clone());
        process.kill().await;
        let before = world.state(|state| state.runs.len());
        let process = world.start();
        pass(Duration::from_millis(50)).await;
        let resumed: BTreeSet<String> = world.state(|state| {
            let resumed = state.runs[before..].iter().filter(|run| run.reason == StartReason::Resume);
            resumed.map(|run| run.instance.clone()).collect()
        });
        assert!(interrupted.is_subset(&resumed), "round {round}: {interrupted:?} {resumed:?}");
        pass(Duration::from_millis(random.u64(..30_000))).await;
        process.kill().await;
    }
    // An observation that failed is repeated after some time.
    let process = world.start();
    pass(Duration::from_secs(600)).await;
    process.stop().await;
    let hours = begin.elapsed().as_secs_f64() / 3_600.0;
    for name in names {
        let (ended, observed) = world.state(|state| {
            let last = state.observed.iter().rfind(|notice| notice.instance == name);
            (state.ended[name], last.and_then(|notice| notice.job.clone()))
        });
        assert_eq!(observed, Some(ended.to_string()), "the newest end of {name} is observed");
        let regular = world.reasons(name).iter().filter(|reason| **reason == StartReason::Due).count();
        assert!(regular as f64 <= 2.0 * hours + 2.0, "{name}: {regular} regular runs in {hours} hours");
    }
}
