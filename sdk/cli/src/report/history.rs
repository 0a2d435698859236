//! The history of one object as a timeline.
//!
//! JSON output is the [`ObjectHistory`] itself.

use clap::builder::styling::Style;
use integration_sdk::diff::{HistoryEvent, HistoryEventKind, ObjectHistory, ObjectKind};

use crate::brief::cut;
use crate::job_lookup::short;
use crate::style::{BOLD, CYAN, FAINT, GREEN, RED, YELLOW, paint};
use crate::visible::visible;

use super::changes::{gap_text, property, value};
use super::text::{counted, moment, paragraph};

/// The maximum width of a name, in columns.
const NAME: usize = 60;

/// Renders a history for people: one line for each event, oldest first, with the different properties.
pub(crate) fn text(history: &ObjectHistory, width: usize) -> String {
    let name = history.display_name.as_deref().filter(|_| history.object_kind == ObjectKind::Entity);
    let name = name.map(|name| cut(&visible(name), NAME.min(width)) + "\n").unwrap_or_default();
    let mut text = format!(
        "{}\n{}{}, instance {}\n\n",
        paint(BOLD, visible(&history.key)),
        name,
        visible(&history.object_type),
        visible(history.instance.as_str())
    );
    for event in &history.events {
        text += &of(event, width);
    }
    if let (Some(first), Some(last)) = (history.events.first(), history.events.last()) {
        let versions = history.events.iter().filter(|event| is_version(event.kind)).count();
        let versions = counted(versions as u64, "version", "versions");
        text.push('\n');
        text += &paragraph(
            &format!("{versions} between {} and {}; {}.", moment(first.at), moment(last.at), state(last.kind)),
            width,
            0,
            0,
        );
    }
    text
}

fn of(event: &HistoryEvent, width: usize) -> String {
    let (style, words) = words(event.kind);
    let line = format!("{}  {words:<16}  job {}", moment(event.at), short(event.job.as_str()));
    let mut text = paint(style, line) + "\n";
    if let Some(gap) = &event.gap {
        let line = paragraph(&format!("the job lacks data{}", gap_text(gap)), width, 4, 2);
        text += &line.lines().map(|line| paint(FAINT, line) + "\n").collect::<String>();
    }
    if matches!(event.kind, HistoryEventKind::Changed | HistoryEventKind::RawChanged | HistoryEventKind::SeenAgain) {
        for difference in event.properties.iter().flat_map(value::shown) {
            text += &property(&difference, width);
        }
    }
    text
}

fn words(kind: HistoryEventKind) -> (Style, &'static str) {
    match kind {
        HistoryEventKind::FirstSeen => (GREEN, "first seen"),
        HistoryEventKind::Changed => (YELLOW, "changed"),
        HistoryEventKind::RawChanged => (YELLOW, "raw data changed"),
        HistoryEventKind::Stale => (FAINT, "stale"),
        HistoryEventKind::ConfirmedAgain => (CYAN, "confirmed again"),
        HistoryEventKind::Removed => (RED, "removed"),
        HistoryEventKind::Dropped => (RED, "dropped"),
        HistoryEventKind::SeenAgain => (GREEN, "seen again"),
    }
}

/// Whether the object has other properties since the event.
fn is_version(kind: HistoryEventKind) -> bool {
    matches!(kind, HistoryEventKind::FirstSeen | HistoryEventKind::Changed | HistoryEventKind::SeenAgain)
}

/// The state of the object after its last event.
fn state(kind: HistoryEventKind) -> &'static str {
    match kind {
        HistoryEventKind::Removed => "the object is removed",
        HistoryEventKind::Dropped => "the stale object was dropped on request",
        HistoryEventKind::Stale => "the object is stale",
        _ => "the object is in the graph",
    }
}

#[cfg(test)]
mod tests {
    use integration_sdk::Timestamp;
    use integration_sdk::diff::{CoveringGap, PropertyChange};
    use integration_sdk::graph::{InstanceId, JobId};
    use serde_json::{Value, json};

    use super::*;

    const HOUR: i64 = 3_600_000;

    fn change(name: &str, old: Value, new: Value) -> PropertyChange {
        let of = |value: Value| Some(value).filter(|value| !value.is_null());
        PropertyChange { name: name.to_owned(), old: of(old), new: of(new), unknown: false }
    }

    fn history() -> ObjectHistory {
        let begun = 1_793_491_200_000;
        let event = |at: i64, kind, properties| HistoryEvent {
            at: Timestamp::from_millis(begun + at * HOUR),
            job: JobId::new(format!("01a20f78-000{at}-7000-8000-000000000000")).expect("an id"),
            kind,
            properties,
            gap: None,
        };
        let gap: CoveringGap = serde_json::from_value(json!({
            "step": "fetch-apps", "under": {"type": "heroku_team", "key": "4f5c"}, "code": "PROVIDER_AUTHORIZATION_ERROR",
            "cause": "GET /teams/4f5c/apps: 403 Forbidden (request f00d)"
        }))
        .expect("a gap");
        let stack = change("stack", json!("heroku-20"), json!("heroku-24"));
        let raw = change("_rawData.default", json!({"slug": {"size": 1}}), json!({"slug": {"size": 2}}));
        ObjectHistory {
            instance: InstanceId::literal("default"),
            object_kind: ObjectKind::Entity,
            object_type: "heroku_application".into(),
            key: "0b2dfa09-1fdd-428b-b78c-c3ed9eb894d1".into(),
            display_name: Some("kestrel\u{1b}[31m-web".into()),
            events: vec![
                event(0, HistoryEventKind::FirstSeen, vec![change("stack", Value::Null, json!("heroku-20"))]),
                event(1, HistoryEventKind::Changed, vec![stack]),
                event(2, HistoryEventKind::RawChanged, vec![raw]),
                HistoryEvent { gap: Some(gap), ..event(3, HistoryEventKind::Stale, vec![]) },
                event(4, HistoryEventKind::ConfirmedAgain, vec![]),
                event(5, HistoryEventKind::Removed, vec![]),
                event(6, HistoryEventKind::SeenAgain, vec![change("stack", json!("heroku-24"), json!("cnb"))]),
            ],
        }
    }

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn a_timeline_names_each_event_its_job_and_its_differences() {
        let text = plain(&text(&history(), 80));
        assert!(text.lines().all(|line| textwrap::core::display_width(line) <= 80), "{text}");
        insta::assert_snapshot!("history", text);
    }

    #[test]
    fn a_timeline_as_json_is_read_again() {
        let json = serde_json::to_value(history()).expect("JSON");
        assert_eq!(serde_json::from_value::<ObjectHistory>(json.clone()).expect("a history"), history());
        assert_eq!(json["events"][3]["kind"], "stale");
        assert_eq!(json["events"][3]["gap"]["under"]["key"], "4f5c");
        assert_eq!(json["events"][1]["properties"], json!([{"name": "stack", "old": "heroku-20", "new": "heroku-24"}]));
        assert!(json["events"][4].get("properties").is_none());
    }

    #[test]
    fn the_last_event_decides_whether_the_object_is_there() {
        let ends = |kind| {
            let mut history = history();
            history.events.last_mut().expect("events").kind = kind;
            let text = plain(&text(&history, 200));
            text.lines().last().map(str::to_owned).unwrap_or_default()
        };
        assert!(ends(HistoryEventKind::Removed).ends_with("the object is removed."));
        assert!(ends(HistoryEventKind::Stale).ends_with("the object is stale."));
        assert!(ends(HistoryEventKind::Changed).starts_with("3 versions between 2026-11-01 00:00:00Z and"));
    }
}
