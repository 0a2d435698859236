//! Counts of objects with a bounded list of names.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The maximum number of names for each type and reason.
#[doc(hidden)]
pub const MAX_NAMES: usize = 100;
/// The maximum number of names in a text.
const SHOWN: usize = 10;

/// A number of objects, with the names of some of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedCount {
    /// The number of objects.
    pub count: u64,
    /// The smallest names, at most [`MAX_NAMES`].
    pub names: BTreeSet<String>,
}

impl NamedCount {
    /// Counts an object, and keeps its name.
    pub fn add(&mut self, name: String) {
        self.count += 1;
        keep_name(&mut self.names, name);
    }

    /// Adds the objects of another count.
    pub fn merge(&mut self, other: Self) {
        self.count += other.count;
        other.names.into_iter().for_each(|name| keep_name(&mut self.names, name));
    }

    /// Returns the smallest names, and the number of the other objects.
    pub fn text(&self) -> String {
        let shown: Vec<&str> = self.names.iter().map(String::as_str).take(SHOWN).collect();
        match self.count.saturating_sub(shown.len() as u64) {
            0 => shown.join(", "),
            more => format!("{} and {more} more", shown.join(", ")),
        }
    }
}

/// Adds a name and keeps the smallest [`MAX_NAMES`], so that the result does not depend on the order.
#[doc(hidden)]
pub fn keep_name(names: &mut BTreeSet<String>, name: String) {
    names.insert(name);
    if names.len() > MAX_NAMES {
        names.pop_last();
    }
}
