//! The complete command line of a program.

use clap::builder::PossibleValuesParser;
use clap::{Command, CommandFactory, Parser};

use crate::command;
use crate::offer::Offers;
use crate::options::Globals;

/// The placeholder for the program's name in help texts.
const NAME: &str = "{name}";
/// The columns of a terminal that an example may use.
const WIDTH: usize = 80;

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

/// Builds the command line of a program.
pub(crate) fn command_line(offers: &Offers, name: &str, version: Option<&'static str>) -> Command {
    let sample = offers.iter().any(|offer| offer.sample.is_some());
    let command = Arguments::command()
        .name(name.to_owned())
        .about(format!("Collects {} into a graph of entities and relationships", offers.titles()));
    let command = with_integrations(command, offers);
    let command = match version {
        Some(version) => command.version(version),
        None => command,
    };
    let command = if sample { command } else { without_sample(command) };
    with_examples(command, name, sample)
}

/// Restricts `--integration` to the ids of the program, and hides it without a choice.
fn with_integrations(command: Command, offers: &Offers) -> Command {
    let ids: Vec<String> = offers.iter().map(|offer| offer.id().to_owned()).collect();
    let help = format!("Integration to work on [default: {}]", offers.first().id());
    command.mut_arg("integration", |argument| {
        argument.value_parser(PossibleValuesParser::new(ids)).help(help).hide(!offers.are_several())
    })
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
        let lines: Vec<&str> = text.lines().filter(|line| sample || !line.contains("--sample")).collect();
        fitted(&lines)
    });
    let command = command.mut_subcommands(|inner| with_examples(inner, name, sample));
    match examples {
        Some(examples) => command.after_help(examples),
        None => command,
    }
}

/// Moves the descriptions of examples below the commands if one of them would not fit in the line.
fn fitted(lines: &[&str]) -> String {
    let described = |line: &str| {
        let (command, description) = line.strip_prefix("  ")?.split_once("   ")?;
        Some(format!("  {command}\n      {}", description.trim_start()))
    };
    let is_narrow = |line: &&str| line.chars().count() <= WIDTH || described(line).is_none();
    match lines.iter().all(is_narrow) {
        true => lines.join("\n"),
        false => {
            let lines = lines.iter().map(|line| described(line).unwrap_or_else(|| (*line).to_owned()));
            lines.collect::<Vec<_>>().join("\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use integration_prose::Count;

    use integration_sdk::Integration;

    use super::*;
    use crate::offer::Offer;
    use crate::sample::Sample;

    fn offers(sample: bool) -> Offers {
        let mut offers = Offers::new(Offer::of(Integration::without_provider::<()>("space", "Space")));
        if sample {
            let start = || Box::pin(async { Ok(Sample { values: Vec::new(), server: Box::new(()) }) });
            offers.last_mut().sample = Some(Box::new(move || start()));
        }
        offers
    }

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
        let mut command = command_line(&offers(true), "integration-space", Some("1.2.3"));
        command.build();
        let count = Count::of(&helps(&mut command));
        assert!(count.words > 1_000, "only {} words: the measurement is wrong", count.words);
        assert!(count.per_thousand() <= 3.0, "{:.1} per 1,000 words: {:?}", count.per_thousand(), count.hits);
    }

    #[test]
    fn the_command_line_is_consistent_and_its_examples_name_the_program() {
        let mut command = command_line(&offers(false), "integration-space", Some("1.2.3"));
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
    fn every_example_fits_in_a_line_of_a_terminal() {
        for name in ["space", "integration-of-a-provider-with-a-long-name"] {
            let mut command = command_line(&offers(true), name, Some("1.2.3"));
            command.build();
            let helps = helps(&mut command);
            let described =
                helps.lines().filter(|line| line.starts_with(&format!("  {name} ")) && line.contains("   "));
            let wide: Vec<&str> = described.filter(|line| line.chars().count() > WIDTH).collect();
            assert!(wide.is_empty(), "{wide:#?}");
        }
        assert_eq!(fitted(&["  a b    first", "  a b c  second"]), "  a b    first\n  a b c  second");
        let long = format!("  a b c    {}", "x".repeat(WIDTH));
        assert_eq!(fitted(&["Examples:", "  a b      first", &long, "  a"]).lines().count(), 6);
    }

    #[test]
    fn an_integration_is_selected_by_its_id_if_there_are_several() {
        let mut several = offers(false);
        several.add(Offer::of(Integration::without_provider::<()>("crew", "the crew")));
        let selected = |offers: &Offers, words: &[&str]| {
            let line = command_line(offers, "space", None).try_get_matches_from(words);
            line.map(|matches| matches.get_one::<String>("integration").cloned())
        };
        let words = ["space", "jobs", "list", "--integration", "crew"];
        assert_eq!(selected(&several, &words).expect("known"), Some("crew".to_owned()));
        let error = selected(&offers(false), &words).expect_err("unknown").to_string();
        assert!(error.contains("[possible values: space]"), "{error}");
        let shown = |offers: &Offers| command_line(offers, "space", None).render_help().to_string();
        assert!(shown(&several).contains("--integration <ID>") && shown(&several).contains("[default: space]"));
        assert!(!shown(&offers(false)).contains("--integration"));
    }
}
