//! What can be said on the command line, beside what each command takes for itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ColorChoice, Command, CommandFactory, Parser, ValueEnum};
use integration_sdk::Integration;

use crate::command::Order;

/// Where jobs are kept unless another folder is given.
pub(crate) const DATA_DIR: &str = ".integration";
/// Stands for the program's name in help texts.
const NAME: &str = "{name}";

/// The whole command line.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  {name} collect --sample          try it, no account needed
  {name} validate config           see whether the credentials work
  {name} collect --output graph    collect, and write the graph as files

Exit codes: 0 all well, 1 failed, 2 wrong usage, 3 finished but part of the data is missing, 4 a check found something.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) order: Order,
    #[command(flatten)]
    pub(crate) globals: Globals,
}

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

/// The command line of an integration's program, with its name and what it can do.
pub(crate) fn command(integration: &Integration, name: &str, version: Option<&'static str>, sample: bool) -> Command {
    let command = Arguments::command()
        .name(name.to_owned())
        .about(format!("Collects {} into a graph of entities and relationships", integration.title()));
    let command = match version {
        Some(version) => command.version(version),
        None => command,
    };
    let command = if sample { command } else { without_sample(command) };
    with_examples(command, name, sample)
}

/// Where there is no imitation of the provider, nothing speaks of one.
fn without_sample(command: Command) -> Command {
    let hide = |arguments: Command| arguments.mut_arg("sample", |argument| argument.hide(true));
    ["collect", "plan", "validate"].into_iter().fold(command, |command, name| command.mut_subcommand(name, hide))
}

/// Writes the program's name into the examples, and leaves out those that the program cannot do.
fn with_examples(command: Command, name: &str, sample: bool) -> Command {
    let examples = command.get_after_help().map(|text| {
        let text = text.to_string().replace(NAME, name);
        let lines = text.lines().filter(|line| sample || !line.contains("--sample"));
        lines.collect::<Vec<_>>().join("\n")
    });
    let command = command.mut_subcommands(|inner| with_examples(inner, name, sample));
    match examples {
        Some(examples) => command.after_help(examples),
        None => command,
    }
}

/// A time such as `90s`, `1h 30m` or `2 days`.
pub(crate) fn age(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration = text.parse().map_err(|error| format!("{error}; write it like 90s, 1h 30m"))?;
    Duration::try_from(span).map_err(|_| "an age is not negative".to_owned())
}

/// The name of an instance: part of a file's name.
pub(crate) fn instance(text: &str) -> Result<String, String> {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
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
    fn the_command_line_is_consistent_and_its_examples_name_the_program() {
        let space = Integration::offline::<()>("space", "Space");
        let mut command = command(&space, "integration-space", Some("1.2.3"), false);
        command.build();
        command.clone().debug_assert();
        let mut waiting = vec![command];
        while let Some(mut next) = waiting.pop() {
            let help = next.render_long_help().to_string();
            assert!(!help.contains(NAME), "{help}");
            assert!(help.contains("Examples:"), "no examples: {help}");
            assert!(!help.contains("--sample"), "{help}");
            waiting.extend(next.get_subcommands().cloned());
        }
    }

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
