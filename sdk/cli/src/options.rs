//! What several commands take: options for all of them, and values that are written alike everywhere.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, ValueEnum};

use crate::account;

/// Where jobs are kept unless another folder is given.
pub(crate) const DATA_DIR: &str = ".integration";

/// What every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Where jobs are kept
    #[arg(long, global = true, value_name = "DIR", default_value = DATA_DIR)]
    pub(crate) data_dir: PathBuf,
    /// Log more: -v says what happens, -vv how
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Neither progress nor warnings: only results and errors
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// How logs and progress are written to stderr
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: Format,
    /// Send credentials unencrypted, over http:// to another machine
    #[arg(long, global = true)]
    pub(crate) allow_http: bool,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// A time such as `90s`, `1h 30m` or `2 days`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; write it like 90s, 1h 30m"))?;
    Duration::try_from(span).map_err(|_| "an age is not negative".to_owned())
}

/// The name of an instance: part of a file's name.
pub(crate) fn instance(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if account::RESERVED.contains(&text) {
        return Err(format!("{text:?} is reserved for jobs of --{text}"));
    }
    if !text.is_empty() && text.len() <= 64 && text.chars().all(fits) && !text.starts_with('.') {
        Ok(text.to_owned())
    } else {
        Err("a name has letters, digits, dashes, dots and underscores only".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_as_people_do() {
        assert_eq!(age("1h 30m"), Ok(Duration::from_secs(5_400)));
        assert_eq!(age("90s"), Ok(Duration::from_secs(90)));
        assert!(age("-1h").is_err() && age("soon").is_err());
    }

    #[test]
    fn an_instance_cannot_lead_out_of_the_folder() {
        assert!(instance("east-1").is_ok());
        assert!(["", "../x", "a/b", ".hidden"].iter().all(|name| instance(name).is_err()));
    }
}
