//! The whole command line of a program.

use clap::{Command, CommandFactory, Parser};
use integration_sdk::Integration;

use crate::command;
use crate::options::Globals;

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
    pub(crate) command: command::Command,
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// The command line of an integration's program, with its name and what it can do.
pub(crate) fn command_line(
    integration: &Integration,
    name: &str,
    version: Option<&'static str>,
    sample: bool,
) -> Command {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent_and_its_examples_name_the_program() {
        let space = Integration::offline::<()>("space", "Space");
        let mut command = command_line(&space, "integration-space", Some("1.2.3"), false);
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
}
