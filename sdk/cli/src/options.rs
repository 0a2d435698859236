//! The global options, and option values that several commands share.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, ValueEnum};
use integration_instances::{Age, AgeError};
use integration_sdk::graph::InstanceId;

/// The default data directory.
pub(crate) const DATA_DIR: &str = ".integration";

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Globals {
    /// Integration to work on
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) integration: Option<String>,
    /// Data directory, which stores all jobs
    #[arg(long, global = true, value_name = "DIR", default_value = DATA_DIR)]
    pub(crate) data_dir: PathBuf,
    /// Print more logs: -v for information, -vv for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Print only results and errors, without progress and warnings
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// Format of logs and progress on stderr
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text")]
    pub(crate) log_format: Format,
    /// Allow http:// addresses, which transfer credentials unencrypted
    #[arg(long, global = true)]
    pub(crate) allow_http: bool,
    /// When to use colours; auto respects NO_COLOR
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: ColorChoice,
}

/// An output format for people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}

/// Parses a duration such as `90s`, `1h 30m` or `2 days`.
pub(crate) fn age(text: &str) -> Result<Duration, AgeError> {
    text.parse::<Age>().map(|age| age.duration())
}

/// Parses the name of an instance, which is used in file names.
pub(crate) fn instance(text: &str) -> Result<InstanceId, String> {
    integration_instances::check_name(text).map_err(|error| error.to_string())
}

/// Parses the name of any instance, including those of sample and recorded data.
pub(crate) fn any_instance(text: &str) -> Result<InstanceId, String> {
    InstanceId::new(text).map_err(|error| error.to_string())
}
