//! Describes the change of one object: its different properties with both values.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::graph::history::{ChangeKind, ObjectKind, PropertyChange};
use crate::graph::{ObjectJson, Properties};

use super::change::{ChangeOptions, ChangesByType, CoveringGap, GraphSide, ObjectChange};
use super::judge::Change;

/// The name of the raw data in the exchange layout.
pub(super) const RAW_DATA: &str = "_rawData";
/// The properties that identify an object and are not listed.
const IDENTITY: [&str; 2] = ["_key", "_type"];

/// An object of one or both graphs.
pub(super) struct Pair<'a> {
    pub(super) kind: ObjectKind,
    pub(super) object_type: &'a str,
    pub(super) key: &'a str,
    pub(super) before: Option<ObjectJson<'a>>,
    pub(super) now: Option<ObjectJson<'a>>,
    /// Whether the raw data differs. The texts may lack it.
    pub(super) raw_changed: bool,
    /// Whether the newer job could not confirm the object.
    pub(super) is_stale: bool,
}

/// The result of a description.
pub(super) enum Described<'a> {
    /// Nothing to report.
    Same,
    /// Only the raw data differs of an object of this kind and type.
    RawOnly(ObjectKind, &'a str),
    /// A change.
    Change(Box<ObjectChange>),
}

impl Described<'_> {
    /// Counts the result, and passes a change to `visit`.
    pub(super) fn report(self, counts: &mut ChangesByType, visit: &mut impl FnMut(ObjectChange)) {
        match self {
            Described::Same => {}
            Described::RawOnly(kind, object_type) => counts.add_raw_only(kind, object_type),
            Described::Change(change) => {
                counts.add(&change);
                visit(*change);
            }
        }
    }
}

/// Describes an object with its change.
pub(super) fn describe<'a>(
    pair: &Pair<'a>,
    change: &Change,
    options: &ChangeOptions,
    gap: Option<(CoveringGap, GraphSide)>,
) -> Described<'a> {
    let kind = match change {
        Change::Same => return Described::Same,
        Change::Added => ChangeKind::Added,
        Change::Removed => ChangeKind::Removed,
        Change::Changed { .. } => ChangeKind::Changed,
        Change::Unknown => ChangeKind::Unknown,
    };
    let (before, now) = (pair.before.map(Read::of), pair.now.map(Read::of));
    let display_name = now.as_ref().and_then(name_of).or_else(|| before.as_ref().and_then(name_of));
    let is_pair = before.is_some() && now.is_some();
    let mut properties = differences(before.unwrap_or_default(), now.unwrap_or_default(), options, is_pair);
    let (mut kind, mut gap) = (kind, gap);
    if is_pair {
        let raw_is_certain = match change {
            Change::Changed { unknown, .. } => {
                properties.iter_mut().for_each(|property| property.unknown = unknown.contains(root(&property.name)));
                !unknown.contains(RAW_DATA)
            }
            _ => {
                properties.iter_mut().for_each(|property| property.unknown = true);
                false
            }
        };
        let raw_only = || match pair.raw_changed && !options.raw && raw_is_certain {
            true => Described::RawOnly(pair.kind, pair.object_type),
            false => Described::Same,
        };
        // A change without names is that of an object whose JSON cannot be read.
        let is_named =
            !matches!(change, Change::Changed { properties, unknown } if properties.is_empty() && unknown.is_empty());
        if properties.is_empty() && is_named && !(pair.is_stale && *change == Change::Unknown) {
            return raw_only();
        }
        if is_named && properties.iter().all(|property| property.unknown) {
            kind = ChangeKind::Unknown;
        }
        if kind == ChangeKind::Changed && properties.iter().all(|property| !property.unknown) {
            gap = None;
        }
    }
    let (gap, gap_side) = gap.unzip();
    Described::Change(Box::new(ObjectChange {
        kind,
        object_kind: pair.kind,
        object_type: pair.object_type.to_owned(),
        key: pair.key.to_owned(),
        display_name,
        properties,
        raw_changed: is_pair && pair.raw_changed,
        gap,
        gap_side,
    }))
}

/// Returns the different properties of two versions, without raw data.
pub(super) fn between(before: Option<ObjectJson<'_>>, now: ObjectJson<'_>) -> Vec<PropertyChange> {
    let before = before.map(Read::of).unwrap_or_default();
    differences(before, Read::of(now), &ChangeOptions::default(), false)
}

/// Returns the name of an object for users.
pub(super) fn display_name(json: ObjectJson<'_>) -> Option<String> {
    name_of(&Read::of(json))
}

fn name_of(read: &Read) -> Option<String> {
    read.properties.get("displayName").and_then(Value::as_str).map(str::to_owned)
}

/// Returns the property that a change of raw data belongs to, or the name itself.
fn root(name: &str) -> &str {
    if name.starts_with(RAW_DATA) { RAW_DATA } else { name }
}

/// The values of an object. Values of `null` are absent.
#[derive(Default)]
struct Read {
    properties: Properties,
    raw: BTreeMap<String, Value>,
}

impl Read {
    fn of(json: ObjectJson<'_>) -> Self {
        let mut properties: Properties = serde_json::from_str(json.properties).unwrap_or_default();
        let raw = json.raw.and_then(|raw| serde_json::from_str(raw).ok());
        let raw = raw.or_else(|| properties.remove(RAW_DATA)).map(named).unwrap_or_default();
        properties.retain(|name, value| !value.is_null() && !IDENTITY.contains(&name.as_str()));
        Self { properties, raw }
    }
}

/// Splits raw data by name.
fn named(raw: Value) -> BTreeMap<String, Value> {
    #[derive(Deserialize)]
    struct Named {
        name: String,
        #[serde(rename = "rawData")]
        raw_data: Value,
    }
    match Vec::<Named>::deserialize(&raw) {
        Ok(all) => all.into_iter().map(|one| (format!("{RAW_DATA}.{}", one.name), one.raw_data)).collect(),
        Err(_) => [(RAW_DATA.to_owned(), raw)].into(),
    }
}

/// Lists the properties with different values. A pattern to ignore concerns only objects of both graphs.
fn differences(mut before: Read, mut now: Read, options: &ChangeOptions, is_pair: bool) -> Vec<PropertyChange> {
    if options.raw {
        before.properties.extend(before.raw);
        now.properties.extend(now.raw);
    }
    let names: BTreeSet<String> = before.properties.keys().chain(now.properties.keys()).cloned().collect();
    let change = |name: String| {
        let (old, new) = (before.properties.remove(&name), now.properties.remove(&name));
        let differs = old != new && !(is_pair && options.ignores(&name));
        differs.then_some(PropertyChange { name, old, new, unknown: false })
    };
    names.into_iter().filter_map(change).collect()
}
