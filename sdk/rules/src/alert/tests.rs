//! The table of transitions, and a comparison with a naive model.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{
    Alert, AlertChange, AlertError, AlertLevel, AlertStatus, EndReason, EvaluationResult, Observation,
    RawDataDescriptor, dismiss, observe, reopen,
};
use crate::evaluate::Signal;

fn time(hour: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hour)
}

fn observation(hour: i64, signal: Signal, level: AlertLevel, created: u64, deleted: u64) -> Observation {
    Observation {
        rule_id: "rule".to_owned(),
        rule_version: 1,
        begin: time(hour),
        end: time(hour),
        signal,
        level,
        has_new_rows: created > 0,
        result: EvaluationResult {
            answer_text: format!("{created} new"),
            evaluation_end_on: time(hour),
            outputs: Vec::new(),
            raw_data_descriptors: vec![RawDataDescriptor {
                name: "query0".to_owned(),
                record_count: 1,
                record_create_count: created,
                record_update_count: 0,
                record_delete_count: deleted,
            }],
        },
    }
}

fn unknown() -> Signal {
    Signal::Unknown { reason: "a gap".to_owned() }
}

fn quiet(hours: Option<i64>) -> Signal {
    Signal::Quiet { resolve_after: hours.map(SignedDuration::from_hours) }
}

/// Returns an alert in a state.
fn alert(status: AlertStatus) -> Alert {
    let opened = observation(0, Signal::Met, AlertLevel::Medium, 1, 0);
    let (alert, change) = observe(None, &opened, "first");
    assert_eq!(change, Some(AlertChange::Opened));
    let mut alert = alert.expect("an alert");
    match status {
        AlertStatus::Active => alert,
        AlertStatus::Dismissed => {
            dismiss(&mut alert, time(1), "known").expect("active");
            alert
        }
        AlertStatus::Inactive => {
            observe(Some(alert), &observation(1, Signal::NotMet, AlertLevel::Info, 0, 1), "x").0.expect("an alert")
        }
    }
}

#[test]
fn the_table_of_transitions() {
    use AlertChange::{Opened, Reopened, Resolved, Updated};
    use AlertStatus::{Active, Dismissed, Inactive};
    let medium = AlertLevel::Medium;
    for (before, seen, status, change) in [
        (None, observation(2, Signal::Met, medium, 1, 0), Some(Active), Some(Opened)),
        (None, observation(2, Signal::NotMet, medium, 0, 0), None, None),
        (None, observation(2, quiet(Some(1)), medium, 0, 0), None, None),
        (None, observation(2, unknown(), medium, 1, 0), None, None),
        (Some(Active), observation(2, Signal::Met, medium, 0, 0), Some(Active), None),
        (Some(Active), observation(2, Signal::Met, AlertLevel::Low, 0, 0), Some(Active), Some(Updated)),
        (Some(Active), observation(2, Signal::Met, medium, 1, 0), Some(Active), Some(Updated)),
        (Some(Active), observation(2, Signal::Met, medium, 0, 1), Some(Active), Some(Updated)),
        (Some(Active), observation(2, Signal::NotMet, medium, 0, 1), Some(Inactive), Some(Resolved)),
        (Some(Active), observation(2, quiet(Some(2)), medium, 0, 0), Some(Inactive), Some(Resolved)),
        (Some(Active), observation(2, quiet(Some(3)), medium, 0, 0), Some(Active), None),
        (Some(Active), observation(9_999, quiet(None), medium, 0, 0), Some(Active), None),
        (Some(Active), observation(2, unknown(), medium, 5, 5), Some(Active), None),
        (Some(Active), observation(2, Signal::None, medium, 5, 5), Some(Active), None),
        (Some(Dismissed), observation(2, Signal::Met, medium, 0, 1), Some(Dismissed), None),
        (Some(Dismissed), observation(2, Signal::Met, AlertLevel::Low, 0, 0), Some(Dismissed), None),
        (Some(Dismissed), observation(2, Signal::Met, medium, 1, 0), Some(Active), Some(Reopened)),
        (Some(Dismissed), observation(2, Signal::Met, AlertLevel::High, 0, 0), Some(Active), Some(Reopened)),
        (Some(Dismissed), observation(2, Signal::NotMet, medium, 0, 1), Some(Inactive), Some(Resolved)),
        (Some(Dismissed), observation(2, unknown(), medium, 1, 1), Some(Dismissed), None),
        (Some(Inactive), observation(2, Signal::Met, medium, 1, 0), Some(Active), Some(Opened)),
        (Some(Inactive), observation(2, Signal::NotMet, medium, 0, 0), Some(Inactive), None),
        (Some(Inactive), observation(2, unknown(), medium, 1, 1), Some(Inactive), None),
    ] {
        let (after, found) = observe(before.map(alert), &seen, "second");
        assert_eq!((after.as_ref().map(|alert| alert.status), found), (status, change), "{before:?} {:?}", seen.signal);
        if let Some(after) = after {
            let is_new = found == Some(Opened);
            assert_eq!(after.id, if is_new { "second" } else { "first" });
            assert_eq!(
                after.history.events().next_back().map(|event| event.change),
                found.or(after.history.events().next_back().map(|event| event.change))
            );
        }
    }
}

#[test]
fn people_dismiss_and_reopen() {
    let mut active = alert(AlertStatus::Active);
    assert_eq!(reopen(&mut active, time(1), ""), Err(AlertError::Active { id: "first".to_owned() }));
    assert_eq!(dismiss(&mut active, time(1), "known"), Ok(AlertChange::Dismissed));
    assert_eq!((active.dismissed_on, active.end_reason), (Some(time(1)), Some(EndReason::Dismissed)));
    let error = dismiss(&mut active, time(2), "").expect_err("dismissed").to_string();
    assert!(error.contains("first is dismissed"), "{error}");
    assert_eq!(reopen(&mut active, time(3), "again"), Ok(AlertChange::Reopened));
    assert_eq!((active.status, active.dismissed_on, active.end_reason), (AlertStatus::Active, None, None));
    let texts: Vec<&str> = active.history.events().map(|event| event.text.as_str()).collect();
    assert_eq!(texts, ["1 new", "known", "again"]);
}

#[test]
fn events_that_go_on_keep_the_alert_open() {
    let mut current = Some(alert(AlertStatus::Active));
    for hour in [5, 10, 15] {
        current = observe(current, &observation(hour, Signal::Met, AlertLevel::Medium, 1, 0), "x").0;
        current = observe(current, &observation(hour + 4, quiet(Some(6)), AlertLevel::Medium, 0, 0), "x").0;
        assert!(current.as_ref().is_some_and(Alert::is_open));
    }
    let (ended, change) = observe(current, &observation(21, quiet(Some(6)), AlertLevel::Medium, 0, 0), "x");
    assert_eq!(
        (change, ended.and_then(|alert| alert.end_reason)),
        (Some(AlertChange::Resolved), Some(EndReason::Expired))
    );
}

#[test]
fn the_history_is_bounded_and_keeps_the_opening() {
    let mut current = Some(alert(AlertStatus::Active));
    for hour in 1..1_000 {
        current = observe(current, &observation(hour, Signal::Met, AlertLevel::Medium, 1, 0), "x").0;
    }
    let alert = current.expect("an alert");
    assert_eq!((alert.history.events().count(), alert.history.omitted()), (200, 800));
    assert_eq!(alert.history.events().next().map(|event| event.change), Some(AlertChange::Opened));
    let json = serde_json::to_value(&alert).expect("JSON");
    assert_eq!(
        (&json["status"], &json["level"], &json["ruleId"]),
        (&"ACTIVE".into(), &"MEDIUM".into(), &"rule".into())
    );
    assert_eq!(serde_json::from_value::<Alert>(json).expect("an alert"), alert);
}

/// A step of a story.
#[derive(Debug, Clone)]
enum Step {
    Met { level: AlertLevel, is_new: bool },
    NotMet,
    Unknown,
    Dismiss,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (prop::sample::select(AlertLevel::ALL.to_vec()), any::<bool>()).prop_map(|(level, is_new)| Step::Met { level, is_new }),
        2 => Just(Step::NotMet),
        2 => Just(Step::Unknown),
        1 => Just(Step::Dismiss),
        1 => Just(Step::Reopen),
    ]
}

/// The naive model: it looks at the whole story again, and knows neither alerts nor transitions.
fn is_open_after(story: &[Step]) -> bool {
    let mut seen_level = AlertLevel::Info;
    let (mut exists, mut open, mut ended, mut dismissed) = (false, false, true, false);
    for step in story {
        match step {
            Step::Unknown => {}
            Step::Met { level, is_new } => {
                let reacts = !exists || ended || open || (dismissed && (*is_new || *level > seen_level));
                if reacts {
                    (exists, open, ended, dismissed, seen_level) = (true, true, false, false, *level);
                }
            }
            Step::NotMet => (open, ended, dismissed) = (false, true, false),
            Step::Dismiss if open => (open, dismissed) = (false, true),
            Step::Reopen if exists && !open => (open, ended, dismissed) = (true, false, false),
            Step::Dismiss | Step::Reopen => {}
        }
    }
    open
}

proptest! {
    #[test]
    fn alerts_follow_the_naive_model(story in prop::collection::vec(step(), 0..25)) {
        let mut current: Option<Alert> = None;
        let mut ended: Vec<Alert> = Vec::new();
        let mut changes = Vec::new();
        for (at, step) in story.iter().enumerate() {
            let hour = at as i64;
            let before = current.clone();
            let change = match step {
                Step::Dismiss => current.as_mut().and_then(|alert| dismiss(alert, time(hour), "").ok()),
                Step::Reopen => current.as_mut().and_then(|alert| reopen(alert, time(hour), "").ok()),
                Step::Met { .. } | Step::NotMet | Step::Unknown => {
                    let seen = match step {
                        Step::Met { level, is_new } => observation(hour, Signal::Met, *level, u64::from(*is_new), 0),
                        Step::NotMet => observation(hour, Signal::NotMet, AlertLevel::Info, 0, 0),
                        _ => observation(hour, unknown(), AlertLevel::Critical, 3, 3),
                    };
                    let (next, change) = observe(current.take(), &seen, &format!("alert {at}"));
                    current = next;
                    change
                }
            };
            if matches!(step, Step::Unknown) {
                prop_assert_eq!(&current, &before, "missing data changes nothing");
            }
            if change == Some(AlertChange::Opened) {
                ended.extend(before);
            }
            changes.extend(change);
            prop_assert_eq!(current.as_ref().is_some_and(Alert::is_open), is_open_after(&story[..=at]));
            prop_assert!(ended.iter().all(|alert| !alert.is_open()), "one open alert per rule");
        }
        // Between two openings of one alert there is exactly one end.
        let mut open = false;
        for change in changes {
            match change {
                AlertChange::Opened | AlertChange::Reopened => {
                    prop_assert!(!open);
                    open = true;
                }
                AlertChange::Updated => prop_assert!(open),
                AlertChange::Dismissed => {
                    prop_assert!(open);
                    open = false;
                }
                AlertChange::Resolved => open = false,
            }
        }
    }
}
