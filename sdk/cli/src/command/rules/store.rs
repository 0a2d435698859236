//! `rules add`, `list`, `show`, and `remove`: the rules of the data directory.

use std::path::PathBuf;

use clap::Args;
use comfy_table::Cell;
use integration_rules::{Rule, RuleInput};
use integration_watch::{Book, RuleStore};
use jiff::Timestamp;
use serde_json::json;

use super::check::{name_errors, query_errors};
use super::known;
use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::options::Format;
use crate::report::rules::Finding;
use crate::report::table;
use crate::report::text::{counted, instant};
use crate::rule_files::read;
use crate::style::printable;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules add rules.yaml

All rules of the files are added, or none. A rule replaces the rule of the same name of this integration.

Exit codes: 0 added, 2 a rule has an error, or its name is in use.")]
pub(super) struct Add {
    /// Rule files in YAML, JSON or Terraform
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  {name} rules list\n  {name} rules list --format json")]
pub(super) struct List {
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  {name} rules show 'Heroku: database removed'")]
pub(super) struct Show {
    /// Name of the rule
    name: String,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  {name} rules remove 'Public hosts'")]
pub(super) struct Remove {
    /// Name of the rule
    name: String,
}

pub(super) async fn add(context: &Context<'_>, args: &Add) -> Result<u8, Failure> {
    let rules = read(&args.files)?;
    if let Some(Finding { rule, at, text, .. }) = query_errors(&rules).into_iter().next() {
        let error = format!("{rule}: {at}\n{text}");
        return Err(Failure::Document { name: "the rules were not added".to_owned(), error });
    }
    for Finding { rule, at, text, .. } in name_errors(context, &rules).await? {
        let message = text.lines().next().unwrap_or_default();
        context.console.warn(&format!("{}: {at}: {}", printable(&rule), printable(message)));
    }
    let added = RuleStore::of(&context.globals.data_dir).add(rules)?;
    context.print(&format!("Added {}.\n", counted(added as u64, "rule", "rules")))?;
    Ok(exit::SUCCESS)
}

pub(super) fn list(context: &Context<'_>, args: &List) -> Result<u8, Failure> {
    let rules = known(context)?;
    let book = Book::read(&context.globals.data_dir)?;
    let state = |rule: &Rule| book.rules.get(&rule.name);
    match args.format {
        Format::Json => {
            let one = |(rule, source): &(Rule, &str)| {
                let state = state(rule);
                json!({
                    "name": rule.name,
                    "source": source,
                    "pollingInterval": rule.polling_interval.name(),
                    "changes": is_about_changes(rule),
                    "evaluatedOn": state.and_then(|state| state.evaluated_on),
                    "failure": state.and_then(|state| state.failure.clone()),
                    "alert": book.newest(&rule.name).filter(|alert| alert.is_open()).map(|alert| &alert.id),
                })
            };
            context.print_json(&rules.iter().map(one).collect::<Vec<_>>())?;
        }
        Format::Text if rules.is_empty() => context.print("No rules.\n")?,
        Format::Text => {
            let mut table = table::plain();
            table.set_header(["Interval", "Evaluated", "Source", "Rule"]);
            for (rule, source) in &rules {
                let interval = match is_about_changes(rule) {
                    true => "changes".to_owned(),
                    false => rule.polling_interval.name().to_lowercase().replace('_', " "),
                };
                let state = state(rule);
                let evaluated = match state.map(|state| (&state.failure, state.evaluated_on)) {
                    Some((Some(_), _)) => "failed".to_owned(),
                    Some((None, Some(at))) => instant(at),
                    _ => "never".to_owned(),
                };
                table.add_row([&interval, &evaluated, *source, &printable(&rule.name)].map(Cell::new));
            }
            context.print(&table::write(&mut table))?;
        }
    }
    Ok(exit::SUCCESS)
}

pub(super) fn show(context: &Context<'_>, args: &Show) -> Result<u8, Failure> {
    let found = known(context)?.into_iter().find(|(rule, _)| rule.name == args.name);
    let (rule, _) = found.ok_or_else(|| unknown(&args.name))?;
    context.print_json(&rule)?;
    Ok(exit::SUCCESS)
}

pub(super) async fn remove(context: &Context<'_>, args: &Remove) -> Result<u8, Failure> {
    let store = RuleStore::of(&context.globals.data_dir);
    if store.remove(&args.name, Timestamp::now()).await? {
        context.print(&format!("Removed {}.\n", printable(&args.name)))?;
        return Ok(exit::SUCCESS);
    }
    let is_own = known(context)?.iter().any(|(rule, _)| rule.name == args.name);
    Err(match is_own {
        true => Failure::Usage(format!(
            "{:?} belongs to the integration: to switch it off, add a rule of this name with `pollingInterval: DISABLED`",
            args.name
        )),
        false => unknown(&args.name),
    })
}

fn unknown(name: &str) -> Failure {
    Failure::Usage(format!("there is no rule {name:?}; `rules list` shows the names"))
}

fn is_about_changes(rule: &Rule) -> bool {
    matches!(rule.input, RuleInput::Changes { .. })
}
