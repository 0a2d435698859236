//! Colours. They are always written; the stream leaves them out where they are not wanted.

use std::fmt::Display;

use clap::builder::styling::{AnsiColor, Style};
use integration_sdk::runtime::StepStatus;

use crate::brief::brief;

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

/// A text of somebody else's on one line, cut where it is long, without anything that would steer a terminal.
pub(crate) fn printable(text: &str) -> String {
    brief(&text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect::<String>())
}
