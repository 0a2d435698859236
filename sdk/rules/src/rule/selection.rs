//! The selection of changes by a rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use integration_graph::history::{ChangeKind, ObjectKind};
use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::changes::GraphChange;
use crate::jexl::{compare, loosely_equal};

/// The changes that a rule is about.
///
/// ```yaml
/// changes:                          # one selection, or a list of which one must match
///   kinds: [changed]                # added, changed, removed, stale; without it: added, changed, removed
///   objects: [entity]               # entity, relationship, mappedRelationship; without it: all
///   types: [heroku_application]     # without it: all
///   properties: [teamId]            # for changed objects: at least one of these differs
///   old: {teamId: {exists: true}}   # values before the change
///   new: {teamId: {not: null}}      # values after the change
///   staleFor: 3 days                # for stale objects: the least time since the last confirmation failed
/// resolveAfter: 7 days              # of the rule: its alert ends without new changes after this time
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeSelection {
    /// The kinds of changes; added, changed, and removed if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub kinds: BTreeSet<ChangeKind>,
    /// The kinds of objects; all if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub objects: BTreeSet<ObjectKind>,
    /// The types of objects; all if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub types: BTreeSet<String>,
    /// The properties of which a changed object has at least one other value; any if empty.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub properties: BTreeSet<String>,
    /// Conditions about values before the change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub old: BTreeMap<String, ValueCondition>,
    /// Conditions about values after the change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub new: BTreeMap<String, ValueCondition>,
    /// The least time for which an object must be stale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_for: Option<LengthOfTime>,
}

impl ChangeSelection {
    /// Returns whether the selection is about stale objects.
    pub fn is_about_stale(&self) -> bool {
        self.kinds.contains(&ChangeKind::Stale) || self.kinds.is_empty() && self.stale_for.is_some()
    }

    /// Returns whether the selection is about events, which are over when they are reported.
    pub fn is_about_events(&self) -> bool {
        self.kinds.iter().any(|kind| *kind != ChangeKind::Stale) || self.kinds.is_empty() && self.stale_for.is_none()
    }

    /// Returns whether the selection contains a change. Differences that a gap explains are never selected.
    pub fn matches(&self, change: &GraphChange, now: Timestamp) -> bool {
        let is_kind = match change.kind {
            ChangeKind::Unknown => false,
            ChangeKind::Stale => self.is_about_stale(),
            kind => self.kinds.contains(&kind) || self.kinds.is_empty() && self.stale_for.is_none(),
        };
        let is_one_of = |set: &BTreeSet<String>, name: &str| set.is_empty() || set.contains(name);
        is_kind
            && (self.objects.is_empty() || self.objects.contains(&change.object_kind))
            && is_one_of(&self.types, &change.object_type)
            && self.matches_properties(change)
            && self.old.iter().all(|(name, condition)| !change.is_unknown(name) && condition.holds(change.old(name)))
            && self
                .new
                .iter()
                .all(|(name, condition)| !change.is_unknown(name) && condition.holds(change.new_value(name)))
            && (change.kind != ChangeKind::Stale || self.is_stale_enough(change, now))
    }

    fn matches_properties(&self, change: &GraphChange) -> bool {
        change.kind != ChangeKind::Changed
            || self.properties.is_empty()
            || self.properties.iter().any(|name| change.values(name).is_some())
    }

    fn is_stale_enough(&self, change: &GraphChange, now: Timestamp) -> bool {
        let Some(least) = &self.stale_for else { return true };
        change.stale_since.is_some_and(|since| now.duration_since(since) >= least.duration())
    }
}

/// A condition about one value: a value that it equals, or an object of operators that must all hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ValueCondition(Operators);

/// An object must consist of operators, so that a misspelt one is an error instead of a value.
impl<'de> Deserialize<'de> for ValueCondition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::Object(operators) if operators.is_empty() => {
                Err(D::Error::custom("a condition about a value has no operator"))
            }
            operators @ Value::Object(_) => serde_json::from_value(operators).map(Self).map_err(D::Error::custom),
            value => Ok(Self::equals(value)),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Operators {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    equals: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    not: Option<Value>,
    #[serde(default, rename = "in", skip_serializing_if = "Option::is_none")]
    one_of: Option<Vec<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greater_than: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_least: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    less_than: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    at_most: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    starts_with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends_with: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

/// Keeps `null`, which means an absent value.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

impl ValueCondition {
    /// Creates a condition that a value equals another one.
    pub fn equals(value: impl Into<Value>) -> Self {
        Self(Operators { equals: Some(value.into()), ..Operators::default() })
    }

    /// Returns whether the condition holds. A list fulfils it if one of its elements does, except `not`.
    pub fn holds(&self, value: Option<&Value>) -> bool {
        let value = value.unwrap_or(&Value::Null);
        let any = |test: &dyn Fn(&Value) -> bool| match value {
            Value::Array(elements) => elements.iter().any(test) || test(value),
            single => test(single),
        };
        let equals = |expected: &Value| any(&|value| loosely_equal(value, expected));
        let orders = |bound: &Option<Value>, test: fn(std::cmp::Ordering) -> bool| {
            bound.as_ref().is_none_or(|bound| any(&|value| compare(value, bound).is_some_and(test)))
        };
        let text = |part: &Option<String>, test: fn(&str, &str) -> bool| {
            part.as_ref().is_none_or(|part| any(&|value| value.as_str().is_some_and(|value| test(value, part))))
        };
        let Operators { equals: equal, not, one_of, exists, .. } = &self.0;
        equal.as_ref().is_none_or(equals)
            && not.as_ref().is_none_or(|other| !equals(other))
            && one_of.as_ref().is_none_or(|values| values.iter().any(equals))
            && exists.is_none_or(|exists| exists != value.is_null())
            && orders(&self.0.greater_than, std::cmp::Ordering::is_gt)
            && orders(&self.0.at_least, std::cmp::Ordering::is_ge)
            && orders(&self.0.less_than, std::cmp::Ordering::is_lt)
            && orders(&self.0.at_most, std::cmp::Ordering::is_le)
            && text(&self.0.contains, |value, part| value.contains(part))
            && text(&self.0.starts_with, |value, part| value.starts_with(part))
            && text(&self.0.ends_with, |value, part| value.ends_with(part))
    }
}

/// A length of time, such as `3 days`. A day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LengthOfTime {
    number: u32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
}

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no length of time, expected a number from 1 to 10000 and a unit such as `3 days`, `12 hours`, or `1 week`"
)]
pub struct LengthError(String);

impl LengthOfTime {
    /// Returns the duration.
    pub fn duration(self) -> SignedDuration {
        let minutes = match self.unit {
            Unit::Minute => 1,
            Unit::Hour => 60,
            Unit::Day => 24 * 60,
            Unit::Week => 7 * 24 * 60,
        };
        SignedDuration::from_mins(i64::from(self.number) * minutes)
    }
}

impl FromStr for LengthOfTime {
    type Err = LengthError;

    fn from_str(text: &str) -> Result<Self, LengthError> {
        let error = || LengthError(text.to_owned());
        let trimmed = text.trim();
        let digits = trimmed.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(error)?;
        let number = trimmed[..digits].parse().map_err(|_| error())?;
        if !(1..=10_000).contains(&number) {
            return Err(error());
        }
        let unit = match trimmed[digits..].trim_start() {
            "minute" | "minutes" => Unit::Minute,
            "hour" | "hours" => Unit::Hour,
            "day" | "days" => Unit::Day,
            "week" | "weeks" => Unit::Week,
            _ => return Err(error()),
        };
        Ok(Self { number, unit })
    }
}

impl fmt::Display for LengthOfTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Minute => "minute",
            Unit::Hour => "hour",
            Unit::Day => "day",
            Unit::Week => "week",
        };
        write!(f, "{} {unit}{}", self.number, if self.number == 1 { "" } else { "s" })
    }
}

impl TryFrom<String> for LengthOfTime {
    type Error = LengthError;

    fn try_from(text: String) -> Result<Self, LengthError> {
        text.parse()
    }
}

impl From<LengthOfTime> for String {
    fn from(length: LengthOfTime) -> Self {
        length.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn change(value: Value) -> GraphChange {
        serde_json::from_value(value).expect("a change")
    }

    fn selects(selection: Value, of: &GraphChange) -> bool {
        let selection: ChangeSelection = serde_json::from_value(selection).expect("a selection");
        selection.matches(of, "2026-01-10T00:00:00Z".parse().expect("a time"))
    }

    #[test]
    fn a_changed_property_with_values() {
        let moved = change(json!({
            "kind": "changed", "objectKind": "entity", "type": "heroku_application", "key": "k",
            "properties": [{"name": "teamId", "old": "a", "new": "b"}, {"name": "region", "old": "us", "unknown": true}],
            "object": {"teamId": "b", "stack": "heroku-24", "tags": ["x", "y"]},
        }));
        assert!(selects(json!({}), &moved));
        assert!(selects(json!({"types": ["heroku_application"], "properties": ["teamId"]}), &moved));
        assert!(!selects(json!({"types": ["heroku_team"]}), &moved));
        assert!(!selects(json!({"properties": ["stack"]}), &moved));
        assert!(selects(
            json!({"old": {"teamId": "a"}, "new": {"teamId": {"not": "a"}, "stack": "heroku-24"}}),
            &moved
        ));
        assert!(!selects(json!({"old": {"teamId": "b"}}), &moved));
        assert!(selects(json!({"new": {"tags": "y"}}), &moved));
        assert!(!selects(json!({"new": {"tags": {"not": "y"}}}), &moved));
        assert!(!selects(json!({"kinds": ["added"]}), &moved));
        // A gap explains the difference of the region, so nothing is known about it.
        assert!(!selects(json!({"properties": ["region"]}), &moved));
        assert!(!selects(json!({"new": {"region": null}}), &moved));
    }

    #[test]
    fn a_removal_that_was_not_observed_is_never_selected() {
        let covered = change(json!({
            "kind": "unknown", "objectKind": "entity", "type": "t", "key": "k",
            "properties": [{"name": "a", "old": 1}],
        }));
        let everything = json!({"kinds": ["added", "changed", "removed", "stale"]});
        for selection in [json!({}), everything, json!({"kinds": ["removed"]}), json!({"kinds": ["unknown"]})] {
            assert!(!selects(selection, &covered));
        }
        let observed = GraphChange { kind: ChangeKind::Removed, ..covered };
        assert!(selects(json!({"kinds": ["removed"], "old": {"a": 1}, "new": {"a": null}}), &observed));
    }

    #[test]
    fn stale_objects_match_after_the_time() {
        let stale = |since: &str| {
            change(json!({"kind": "stale", "objectKind": "entity", "type": "t", "key": "k", "staleSince": since}))
        };
        let selection = json!({"staleFor": "3 days"});
        assert!(selects(selection.clone(), &stale("2026-01-07T00:00:00Z")));
        assert!(!selects(selection, &stale("2026-01-07T00:00:01Z")));
        assert!(selects(json!({"kinds": ["stale"]}), &stale("2026-01-09T00:00:00Z")));
        assert!(!selects(json!({}), &stale("2020-01-09T00:00:00Z")));
    }

    #[test]
    fn operators_of_conditions() {
        let holds = |condition: Value, value: Value| {
            serde_json::from_value::<ValueCondition>(condition).expect("a condition").holds(Some(&value))
        };
        for (condition, yes, no) in [
            (json!({"in": ["admin", "owner"]}), json!("owner"), json!("viewer")),
            (json!({"greaterThan": 5}), json!(6), json!(5)),
            (json!({"atLeast": 5}), json!(5), json!(4)),
            (json!({"lessThan": 5, "atLeast": 2}), json!(2), json!(5)),
            (json!({"atMost": 5}), json!([9, 5]), json!([9])),
            (json!({"contains": "b"}), json!("abc"), json!("ac")),
            (json!({"startsWith": "a"}), json!(["x", "ab"]), json!("ba")),
            (json!({"endsWith": "a"}), json!("ba"), json!(1)),
            (json!({"exists": true}), json!(0), json!(null)),
            (json!({"exists": false}), json!(null), json!("")),
            (json!({"not": null}), json!(1), json!(null)),
            (json!(false), json!(false), json!(true)),
            (json!(null), json!(null), json!(0)),
        ] {
            assert!(holds(condition.clone(), yes.clone()), "{condition} {yes}");
            assert!(!holds(condition.clone(), no.clone()), "{condition} {no}");
        }
        for wrong in [json!({}), json!({"greaterThen": 5}), json!({"in": 5})] {
            assert!(serde_json::from_value::<ValueCondition>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (text, hours) in [("3 days", 72), ("1 week", 168), ("12 hours", 12), ("1 hour", 1)] {
            let length: LengthOfTime = text.parse().expect("a length");
            assert_eq!((length.to_string().as_str(), length.duration().as_hours()), (text, hours));
        }
        for text in ["", "3", "days", "0 days", "-1 days", "3 months", "99999999999 days", "10001 weeks", "1.5 days"] {
            assert!(text.parse::<LengthOfTime>().is_err(), "{text}");
        }
    }
}
