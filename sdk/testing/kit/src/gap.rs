//! A gap of a graph, as tests expect it.

use std::fmt;

/// A type with missing objects: everywhere, or under one parent.
///
/// ```
/// use integration_testing_kit::Gap;
///
/// assert_eq!(Gap::of("acme_member").under("team-1").to_string(), "acme_member under \"team-1\"");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The type with missing objects.
    pub object_type: String,
    /// The key of the parent; absent if the gap is not limited to one.
    pub parent: Option<String>,
}

impl Gap {
    /// Creates a gap that is not limited to a parent.
    pub fn of(object_type: impl Into<String>) -> Self {
        Self { object_type: object_type.into(), parent: None }
    }

    /// Limits the gap to a parent.
    #[must_use]
    pub fn under(mut self, parent: impl Into<String>) -> Self {
        self.parent = Some(parent.into());
        self
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.parent {
            Some(parent) => write!(f, "{} under {parent:?}", self.object_type),
            None => write!(f, "{} everywhere", self.object_type),
        }
    }
}
