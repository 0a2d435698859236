//! The level of an alert.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The level of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AlertLevel {
    /// Information, the default.
    #[default]
    Info,
    /// A low risk.
    Low,
    /// A medium risk.
    Medium,
    /// A high risk.
    High,
    /// A critical risk.
    Critical,
}

/// A text that is no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no level, expected INFO, LOW, MEDIUM, HIGH, or CRITICAL")]
pub struct LevelError(String);

impl AlertLevel {
    /// All levels, the lowest first.
    pub const ALL: [Self; 5] = [Self::Info, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// Returns the name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

impl fmt::Display for AlertLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a level in any case, because users type it in commands.
impl FromStr for AlertLevel {
    type Err = LevelError;

    fn from_str(text: &str) -> Result<Self, LevelError> {
        let found = Self::ALL.into_iter().find(|level| level.name().eq_ignore_ascii_case(text));
        found.ok_or_else(|| LevelError(text.to_owned()))
    }
}
