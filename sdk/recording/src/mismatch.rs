//! The error message for a request without a matching recording.

use std::collections::BTreeSet;
use std::fmt;

use super::index::Index;
use super::matching::{Host, RequestKey, RequestVariant};

/// The number of similar keys that are compared letter by letter.
const COMPARED: usize = 200;
const LONGEST_BODY: usize = 60;

pub(super) struct Mismatch<'a> {
    pub(super) index: &'a Index,
    /// The key of the request, with the path below the endpoint's base.
    pub(super) asked: RequestKey,
    pub(super) detail: RequestVariant,
    /// The hosts with a matching response, if there are several.
    pub(super) several: BTreeSet<Host>,
}

impl Mismatch<'_> {
    /// Returns the most similar recorded key: by its segments, then letter by letter.
    fn nearest(&self) -> Option<&RequestKey> {
        let asked: Vec<&str> = self.asked.path.split('/').collect();
        let likeness = |place: &RequestKey| {
            let segments: Vec<&str> = place.path.split('/').collect();
            // Compare from the end, because the recorded path may begin with another base.
            let equal = asked.iter().rev().zip(segments.iter().rev()).filter(|(one, other)| one == other).count();
            (place.method == self.asked.method, segments.len() == asked.len(), equal)
        };
        let mut places: Vec<_> = self.index.places.keys().map(|place| (likeness(place), place)).collect();
        places.sort_by(|(one, place), (other, another)| other.cmp(one).then_with(|| place.cmp(another)));
        let name = self.asked.name();
        let closest = places.into_iter().take(COMPARED).map(|(_, place)| place);
        closest.min_by_key(|place| strsim::levenshtein(&place.name(), &name))
    }
}

impl fmt::Display for Mismatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.several.is_empty() {
            let hosts = self.several.iter().cloned().collect::<Vec<_>>().join(", ");
            return write!(f, "several recorded hosts answer it ({hosts}): set the provider's address to one of them");
        }
        f.write_str("no recording answers it")?;
        // Messages are truncated at the end, so the most important part comes first.
        if let Some((first, others)) = self.index.damaged().split_first() {
            let name = first.file.file_name().unwrap_or_default().to_string_lossy();
            let are = if others.is_empty() { "is" } else { "and others are" };
            write!(f, " ({name} {are} damaged)")?;
        }
        match self.index.unreadable().len() {
            0 => {}
            1 => f.write_str(" (1 recorded exchange cannot be read)")?,
            count => write!(f, " ({count} recorded exchanges cannot be read)")?,
        }
        if !self.asked.query.is_empty() {
            write!(f, " with {}", self.asked.name().split_once('?').map_or("", |(_, query)| query))?;
        }
        write!(f, "{}", Particular(&self.detail))?;
        if let Some(nearest) = self.nearest() {
            let name = nearest.name();
            let shown = if name == self.asked.name() { "the same" } else { &name };
            write!(f, "; the nearest recorded request is {shown}")?;
            let there = self.index.places.get(nearest).and_then(|all| all.first());
            if let Some(series) = there.filter(|series| series.detail != self.detail) {
                write!(f, "{}", Particular(&series.detail))?;
            }
        }
        Ok(())
    }
}

/// The part of a message that distinguishes requests with the same key.
struct Particular<'a>(&'a RequestVariant);

impl fmt::Display for Particular<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(range) = &self.0.range {
            write!(f, " with Range `{range}`")?;
        }
        if let Some(body) = &self.0.body {
            let shown: String = body.chars().take(LONGEST_BODY).collect();
            write!(f, " with body `{shown}`")?;
        }
        Ok(())
    }
}
