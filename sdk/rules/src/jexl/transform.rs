//! The transforms of JupiterOne's rules: functions behind a `|`.

/// A transform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transform {
    MapTemplate,
    MapProperty,
    Join,
    Merge,
    UniquePropertyValues,
    Length,
}

impl Transform {
    /// All transforms.
    pub(super) const ALL: [Self; 6] =
        [Self::MapTemplate, Self::MapProperty, Self::Join, Self::Merge, Self::UniquePropertyValues, Self::Length];

    /// Returns the transform with a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|transform| transform.name() == name)
    }

    /// Returns the name in expressions.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::MapTemplate => "mapTemplate",
            Self::MapProperty => "mapProperty",
            Self::Join => "join",
            Self::Merge => "merge",
            Self::UniquePropertyValues => "uniquePropertyValues",
            Self::Length => "length",
        }
    }

    /// Returns whether the transform takes this number of arguments.
    pub(super) fn takes(self, arguments: usize) -> bool {
        match self {
            Self::MapTemplate | Self::UniquePropertyValues => arguments == 1,
            Self::MapProperty | Self::Merge => arguments >= 1,
            Self::Join => arguments <= 1,
            Self::Length => arguments == 0,
        }
    }

    /// Returns the accepted arguments as text.
    pub(super) fn arguments(self) -> &'static str {
        match self {
            Self::MapTemplate => "the name of a template",
            Self::MapProperty => "one or more names of properties",
            Self::Join => "at most one separator",
            Self::Merge => "one or more lists",
            Self::UniquePropertyValues => "the name of a property",
            Self::Length => "no arguments",
        }
    }
}
