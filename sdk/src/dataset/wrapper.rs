//! The two kinds of files of the exchange layout.

/// The wrapper that contains an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrapper {
    /// `{"entities": [...]}`.
    Entities,
    /// `{"relationships": [...]}`.
    Relationships,
}

impl Wrapper {
    /// Returns the name of the wrapper's only field, which is also the name of the folder.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Relationships => "relationships",
        }
    }
}
