//! The complete command line of a program.

use clap::{Command, CommandFactory, Parser};
use integration_sdk::Integration;

use crate::command;
use crate::options::Globals;

/// The placeholder for the program's name in help texts.
const NAME: &str = "{name}";

/// The command and the global options.
#[derive(Debug, Parser)]
#[command(disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
#[command(after_help = "Examples:
  {name} collect --sample          try the program without an account
  {name} validate config           check the credentials
  {name} collect --output graph    collect the graph and write it as files

Exit codes: 0 success, 1 failure, 2 wrong usage, 3 missing data, 4 findings of a check.")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: command::Command,
    #[command(flatten)]
    pub(crate) globals: Globals,
}

/// Builds the command line of an integration's program.
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

/// Hides `--sample` for a program without a fake provider.
fn without_sample(command: Command) -> Command {
    let hide = |arguments: Command| arguments.mut_arg("sample", |argument| argument.hide(true));
    ["collect", "plan", "validate"].into_iter().fold(command, |command, name| command.mut_subcommand(name, hide))
}

/// Inserts the program's name into the examples; removes unavailable examples of `--sample`.
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
    use integration_prose::Count;

    use super::*;

    /// The long help of a command and all its subcommands.
    fn helps(command: &mut Command) -> String {
        let mut text = command.render_long_help().to_string();
        for inner in command.get_subcommands_mut() {
            text += &helps(inner);
        }
        text
    }

    /// The limit is that of the documents, see "Prose" in `CONTRIBUTING.md`.
    #[test]
    fn the_help_texts_of_all_commands_read_as_native_english() {
        let space = Integration::without_provider::<()>("space", "Space");
        let mut command = command_line(&space, "integration-space", Some("1.2.3"), true);
        command.build();
        let count = Count::of(&helps(&mut command));
        assert!(count.words > 1_000, "only {} words: the measurement is wrong", count.words);
        assert!(count.per_thousand() <= 3.0, "{:.1} per 1,000 words: {:?}", count.per_thousand(), count.hits);
    }

    #[test]
    fn the_command_line_is_consistent_and_its_examples_name_the_program() {
        let space = Integration::without_provider::<()>("space", "Space");
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
