//! The rules that every store applies to several descriptions of one object, and to a publication.
//!
//! Stores differ in the way in which they find the objects concerned; the decisions are the same functions.
//!
//! # Several descriptions of one object in one job
//!
//! - Descriptions of a type that merges are merged, property by property.
//! - Otherwise the description with the greatest `updatedOn` stays, then the one with the lesser text
//!   ([`compare_descriptions`]).
//! - An object belongs to the step with the least name.
//! - If two types claim one key, the lesser type stays ([`keeps_key`]), and the other object is a [conflict](crate::Conflict).
//!
//! # Publication
//!
//! For each version of the previous snapshot and each collected object, [`decide`] returns the effect:
//!
//! | the job … | effect |
//! | --- | --- |
//! | collected the object, equal content | the version is confirmed |
//! | collected it, other content | the version ends, and the collected object is the next one |
//! | collected a key that was not there | the object is added |
//! | did not collect it, and no gap covers it | the version ends: the object is removed |
//! | did not collect it, and a gap covers it | the version stays, and is stale |
//!
//! A gap also covers an entity if it concerns the type of the entity and covers one of its relationships that the job did
//! not collect, because several parents can describe one entity. A relationship that a gap covers is removed nevertheless
//! if one of its ends is removed. A key that belongs to another
//! type now counts as removed from the one type and added to the other.

use std::cmp::Ordering;

use integration_graph::history::ChangeCounts;
use integration_graph::{ObjectJson, ObjectText, Properties};
use serde::Deserialize;
use serde_json::Value;

/// The property that decides which description is newer.
#[derive(Deserialize)]
struct Dated {
    #[serde(default, rename = "updatedOn")]
    updated_on: Value,
}

/// Compares a description with the collected one. The greater description stays.
///
/// # Errors
/// [`serde_json::Error`] if the properties are no JSON object.
pub fn compare_descriptions(json: ObjectJson<'_>, collected: ObjectJson<'_>) -> serde_json::Result<Ordering> {
    if json == collected {
        return Ok(Ordering::Equal);
    }
    let dates = updated_on(json.properties)?.total_cmp(&updated_on(collected.properties)?);
    Ok(dates.then_with(|| collected.cmp(&json)))
}

/// Returns the time of the last update, or negative infinity if the object has none.
fn updated_on(properties: &str) -> serde_json::Result<f64> {
    let dated: Dated = serde_json::from_str(properties)?;
    Ok(dated.updated_on.as_f64().unwrap_or(f64::NEG_INFINITY))
}

/// Returns whether the collected object keeps its key, which an object of another type claims as well.
///
/// Both are given as their type and their JSON. The result does not depend on the order of arrival.
pub fn keeps_key(collected: (&str, ObjectJson<'_>), claimed_by: (&str, ObjectJson<'_>)) -> bool {
    claimed_by > collected
}

/// A collected object, compared with the published version of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collected {
    /// The key is not published.
    New,
    /// The content is equal.
    Equal,
    /// Only the raw data differs.
    RawDiffers,
    /// The properties differ.
    Differs,
}

impl Collected {
    /// Returns the result of a comparison with the published version of the same key.
    pub fn compared(has_same_content: bool, has_same_raw: bool) -> Self {
        match (has_same_content, has_same_raw) {
            (true, true) => Self::Equal,
            (true, false) => Self::RawDiffers,
            (false, _) => Self::Differs,
        }
    }
}

/// The effect of a publication on one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The version stays.
    Confirmed,
    /// A new version begins, with other raw data.
    RawChanged,
    /// A new version begins, with other properties.
    Changed,
    /// The first version begins.
    Added,
    /// The version ends.
    Removed,
    /// The version stays because of the gap at this position.
    Stale(usize),
}

impl Effect {
    /// Adds the effect to the counts of its type.
    pub fn count(self, counts: &mut ChangeCounts) {
        match self {
            Self::Confirmed => {}
            Self::RawChanged => counts.raw_only += 1,
            Self::Changed => counts.changed += 1,
            Self::Added => counts.added += 1,
            Self::Removed => counts.removed += 1,
            Self::Stale(_) => counts.unknown += 1,
        }
    }
}

/// Decides about a key.
///
/// `collected` is missing if the job did not collect the key, and `gap` if no gap covers it.
pub fn decide(collected: Option<Collected>, gap: Option<usize>) -> Effect {
    match (collected, gap) {
        (Some(Collected::New), _) => Effect::Added,
        (Some(Collected::Equal), _) => Effect::Confirmed,
        (Some(Collected::RawDiffers), _) => Effect::RawChanged,
        (Some(Collected::Differs), _) => Effect::Changed,
        (None, None) => Effect::Removed,
        (None, Some(gap)) => Effect::Stale(gap),
    }
}

/// Returns the properties with those of the published version that they lack; `None` if they lack none.
///
/// A publication applies it to the types of [`Publication::lacking_properties`](crate::Publication::lacking_properties).
///
/// # Errors
/// [`serde_json::Error`] if one of the texts is no JSON object.
pub fn with_missing_properties(published: &str, collected: &str) -> serde_json::Result<Option<String>> {
    let (old, mut new): (Properties, Properties) = (serde_json::from_str(published)?, serde_json::from_str(collected)?);
    let known = new.len();
    for (name, value) in old {
        new.entry(name).or_insert(value);
    }
    Ok((new.len() > known).then(|| ObjectText::from(&new).as_str().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_that_was_updated_last_stays_then_the_lesser_text() {
        let newest = r#"{"name":"z","updatedOn":20}"#;
        let older = r#"{"name":"a","updatedOn":10}"#;
        let older_too = r#"{"name":"b","updatedOn":10}"#;
        let undated = r#"{"name":"a"}"#;
        let in_order = [newest, older, older_too, undated].map(ObjectJson::of);
        for (at, winner) in in_order.iter().enumerate() {
            for loser in &in_order[at + 1..] {
                let compare = |one, other| compare_descriptions(one, other).unwrap();
                assert_eq!(compare(*winner, *loser), Ordering::Greater, "{winner:?} {loser:?}");
                assert_eq!(compare(*loser, *winner), Ordering::Less, "{loser:?} {winner:?}");
            }
            assert_eq!(compare_descriptions(*winner, *winner).unwrap(), Ordering::Equal);
        }
    }

    #[test]
    fn only_missing_properties_are_added() {
        let added = with_missing_properties(r#"{"a":1,"b":2}"#, r#"{"a":3}"#).unwrap();
        assert_eq!(added.as_deref(), Some(r#"{"a":3,"b":2}"#));
        assert_eq!(with_missing_properties(r#"{"a":1}"#, r#"{"a":2,"b":3}"#).unwrap(), None);
    }
}
