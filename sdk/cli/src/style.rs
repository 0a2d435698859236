//! Colours. They are always written; the stream leaves them out where they are not wanted.

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

/// The colour and the sign of a status.
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

/// A foreign text for people: [`visible`], and cut where it is long.
pub(crate) fn printable(text: &str) -> String {
    brief(&visible(text))
}

/// A path as [`printable`] text.
pub(crate) fn printable_path(path: &Path) -> String {
    printable(&path.to_string_lossy())
}
