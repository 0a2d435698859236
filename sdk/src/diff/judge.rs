//! The rules of a comparison, as pure functions of one object and the gaps of both jobs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::graph::{Properties, join_property};

use super::change::{CoveringGap, GraphSide};
use super::coverage::{Coverage, Gap};

/// The change of one object between two graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Both graphs contain the object with equal properties.
    Same,
    /// Only the newer graph contains the object, and the older job would have collected it.
    Added,
    /// Only the older graph contains the object, and the newer job would have collected it.
    Removed,
    /// The properties differ.
    Changed {
        /// The names of the properties that certainly differ.
        properties: BTreeSet<String>,
        /// The names of the properties whose difference a gap explains.
        unknown: BTreeSet<String>,
    },
    /// A gap explains the difference.
    Unknown,
}

/// A change, with the gap that explains it or a part of it.
pub(super) type Judged = (Change, Option<(CoveringGap, GraphSide)>);

/// The reason why a graph lacks an object that the other graph contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// The object did not exist: the job would have collected it.
    Observed,
    /// A gap covers the object.
    Unknown,
}

/// An object that only one graph contains.
#[derive(Debug, Clone, Copy)]
pub struct Lone<'a> {
    /// The type of the object.
    pub object_type: &'a str,
    /// The key of the parent under which the object was last collected.
    pub parent: Option<&'a str>,
    /// The absence of the ends of a relationship from the same graph.
    pub ends: [Option<Absence>; 2],
}

/// Returns the kind of absence of an object from one of the graphs.
///
/// `lacks` are the gaps of the job without the object. If an end of a relationship is absent, the relationship is absent
/// for the same reason. A gap that is limited to parents covers the objects that were last collected under them, and
/// objects without a known parent.
pub fn absence(lone: &Lone<'_>, lacks: &Coverage) -> Absence {
    if lone.ends.contains(&Some(Absence::Observed)) {
        return Absence::Observed;
    }
    let is_covered = match (lacks.gap(lone.object_type), lone.parent) {
        (Gap::None, _) => false,
        (Gap::Whole, _) | (Gap::Under(_), None) => true,
        (Gap::Under(parents), Some(parent)) => parents.iter().any(|missing| missing.key.as_str() == parent),
    };
    if is_covered || lone.ends.contains(&Some(Absence::Unknown)) { Absence::Unknown } else { Absence::Observed }
}

/// Compares two versions of an object in snapshots of one instance.
///
/// The publications between them have decided about the gaps, so every difference is a change.
pub fn published(before: &str, now: &str) -> Change {
    let none = Coverage::default();
    difference("", before, now, &none, &none)
}

/// Compares an object of both graphs by its JSON.
pub fn difference(object_type: &str, before: &str, now: &str, older: &Coverage, newer: &Coverage) -> Change {
    if before == now {
        return Change::Same;
    }
    let (Some(before), Some(now)) = (properties(before), properties(now)) else {
        return Change::Changed { properties: BTreeSet::new(), unknown: BTreeSet::new() };
    };
    let explained = Explained::by(object_type, older, newer);
    let (mut changed, mut unknown) = (BTreeSet::new(), BTreeSet::new());
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for name in names {
        let of = |properties: &Properties| properties.get(name).cloned().unwrap_or(Value::Null);
        let (before, now) = (of(&before), of(&now));
        if before != now {
            // Several values may have been available for a property, and each job may have added a different one.
            let replaced = !before.is_null() && !now.is_null();
            let is_explained =
                explained.covers(name, before, now) || replaced && newer.lacks_amender(object_type, name, older);
            let names = if is_explained { &mut unknown } else { &mut changed };
            names.insert(name.clone());
        }
    }
    match (changed.is_empty(), unknown.is_empty()) {
        (true, true) => Change::Same,
        (true, false) => Change::Unknown,
        (false, _) => Change::Changed { properties: changed, unknown },
    }
}

/// Compares an object of both graphs, and returns the gap that explains the difference or a part of it.
pub(super) fn explained(object_type: &str, before: &str, now: &str, older: &Coverage, newer: &Coverage) -> Judged {
    let change = difference(object_type, before, now, older, newer);
    let has_unknown = match &change {
        Change::Unknown => true,
        Change::Changed { unknown, .. } => !unknown.is_empty(),
        Change::Same | Change::Added | Change::Removed => false,
    };
    let gap = || {
        let of = |coverage: &Coverage, side| coverage.explaining(object_type).map(|gap| (gap, side));
        of(newer, GraphSide::To).or_else(|| of(older, GraphSide::From))
    };
    (change, has_unknown.then(gap).flatten())
}

fn properties(json: &str) -> Option<Properties> {
    serde_json::from_str(json).ok()
}

/// The differences that missing descriptions of a type explain.
struct Explained {
    /// The newer graph may lack values of the older one.
    vanished: bool,
    /// The older graph may lack values of the newer one.
    appeared: bool,
    /// A value with other descriptions may have lost or gained one.
    replaced: (bool, bool),
}

impl Explained {
    fn by(object_type: &str, older: &Coverage, newer: &Coverage) -> Self {
        let lacks =
            |coverage: &Coverage| coverage.lacks_amendments(object_type) || coverage.lacks_descriptions(object_type);
        // A description that both jobs lack cannot replace one value by another.
        let replaced =
            (newer.lacks_more_descriptions(object_type, older), older.lacks_more_descriptions(object_type, newer));
        Self { vanished: lacks(newer), appeared: lacks(older), replaced }
    }

    /// Returns whether a missing description would explain the difference of two values.
    fn covers(&self, name: &str, before: Value, now: Value) -> bool {
        match (before, now) {
            (_, Value::Null) => self.vanished,
            (Value::Null, _) => self.appeared,
            (Value::Array(before), Value::Array(now)) => self.covers_lists(name, &before, &now),
            (before, now) => match self.replaced {
                (false, false) => false,
                (true, true) => true,
                (lost, _) => {
                    let fuller = if lost { before.clone() } else { now.clone() };
                    join_property(name, before, now) == fuller
                }
            },
        }
    }

    fn covers_lists(&self, name: &str, before: &[Value], now: &[Value]) -> bool {
        let key = |item: &Value| if name == "_rawData" { item["name"].to_string() } else { item.to_string() };
        let items = |list: &[Value]| list.iter().map(|item| (key(item), item.clone())).collect::<BTreeMap<_, _>>();
        let (before, now) = (items(before), items(now));
        let lost = before.keys().any(|item| !now.contains_key(item));
        let got = now.keys().any(|item| !before.contains_key(item));
        let differs = before.iter().any(|(key, item)| now.get(key).is_some_and(|other| other != item));
        // Merging sorts a list, so a missing description can also explain another order of equal items.
        let sorted = lost || got || self.vanished || self.appeared;
        !differs && sorted && (!lost || self.vanished) && (!got || self.appeared)
    }
}
