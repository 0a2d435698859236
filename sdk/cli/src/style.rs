//! Colours and printable text. Colours are always written; the output stream removes them if necessary.

use std::fmt::Display;
use std::path::Path;

use clap::builder::styling::{AnsiColor, Style};
use integration_sdk::runtime::StepStatus;

use crate::brief::brief;
use crate::visible::visible;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const FAINT: Style = Style::new().dimmed();
pub(crate) const GREEN: Style = AnsiColor::Green.on_default();
pub(crate) const CYAN: Style = AnsiColor::Cyan.on_default();
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default();
pub(crate) const RED: Style = AnsiColor::Red.on_default();

pub(crate) fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

/// The colour and the symbol of a status.
pub(crate) fn of_status(status: StepStatus) -> (Style, char) {
    match status {
        StepStatus::Success => (GREEN, '✓'),
        StepStatus::Cached => (CYAN, '↺'),
        StepStatus::Partial => (YELLOW, '◐'),
        StepStatus::Failure => (RED, '✗'),
        StepStatus::Disabled => (FAINT, '–'),
        StepStatus::Pending => (FAINT, '…'),
    }
}

/// Prepares foreign text for people: escapes control characters and shortens long parts.
pub(crate) fn printable(text: &str) -> String {
    brief(&visible(text))
}

/// Converts a path to [`printable`] text.
pub(crate) fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
