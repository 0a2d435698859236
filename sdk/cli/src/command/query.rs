//! `query`: asks the collected graph in J1QL.

mod assistant;
mod form;
mod names;
mod picture;
mod prompt;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use integration_sdk::input;
use serde_json::Value;

use crate::account_graph::{self, Snapshots};
use crate::asking::{self, Asking};
use crate::context::Context;
use crate::failure::Failure;
use crate::options;
use crate::report::answer;
use crate::{console, exit};
use form::Form;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} query 'FIND heroku_account_member WITH mfaEnabled = false'
  {name} query 'FIND User AS u THAT HAS Team AS t RETURN u.email, t.name ORDER BY u.email'
  {name} query 'FIND Team AS t THAT OWNS Application AS a RETURN t.name, count(a)' --format csv
  {name} query 'FIND Application WITH name = ${param.app}' --param app=shop
  {name} query 'FIND Team THAT OWNS Application RETURN TREE' --output teams.html
  {name} query --file query.j1ql --format json    read the query from a file
  {name} query --at 2026-11-01 'FIND User'        ask the graph as it was at this time
  {name} query --explain 'FIND User THAT HAS Team'
  {name} query                                    an interactive prompt

The language is J1QL, the query language of JupiterOne; docs/querying.md is a tutorial. Without LIMIT a terminal shows the first \
250 results as a table; other formats, files and pipes get all of them.

The query reads the newest graph of every instance in the data directory. Data of --sample and --replay is read only if the \
integration has no other, or if --instance names it.

Exit codes: 0 answered, 1 failed, 2 wrong usage, such as an error in the query.")]
pub(crate) struct Query {
    /// Query [default: from --file, from stdin, or from an interactive prompt]
    #[arg(value_name = "QUERY")]
    text: Option<String>,
    /// Read the query from a file; - stands for stdin
    #[arg(long, value_name = "FILE", conflicts_with = "text")]
    file: Option<PathBuf>,
    #[command(flatten)]
    snapshots: Snapshots,
    /// Value of ${param.NAME} and {{NAME}} in the query; JSON such as 5, true or [1,2] keeps its type. May be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = asking::parameter)]
    parameters: Vec<(String, Value)>,
    /// Output format [default: by the extension of --output, or text]
    #[arg(long, value_name = "FORMAT")]
    format: Option<Form>,
    /// File to write [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Show the plan with estimated and actual numbers of rows instead of the result
    #[arg(long, conflicts_with_all = ["format", "output"])]
    explain: bool,
    /// Maximum duration of the query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    timeout: Duration,
}

/// The number of results that a terminal shows of a query without LIMIT.
const TERMINAL_LIMIT: u64 = 250;

pub(crate) async fn run(context: &Context<'_>, args: &Query) -> Result<u8, Failure> {
    let form = Form::of(args.format, args.output.as_deref())?;
    let text = text(args)?;
    let graph = account_graph::open(context, &args.snapshots).await?;
    let is_cut = args.output.is_none() && form == Form::Text && console::is_terminal();
    let default_limit = is_cut.then_some(TERMINAL_LIMIT);
    let asking = Asking { default_limit, ..Asking::new(context, &args.parameters, args.timeout) };
    let Some(text) = text else { return prompt::run(context, &graph, &asking).await };
    let text = asking.filled(&text)?;
    let limits = asking.limits();
    let answer = asking.answer_within(&limits, &graph, &text).await?;
    if args.explain {
        context.print(&answer.profile.to_string())?;
        return Ok(exit::SUCCESS);
    }
    form::write(context, form, args.output.as_deref(), &limits, &answer)?;
    context.console.note(&answer::number(&answer));
    context.console.remarks(&answer::remarks(context, &text, &answer));
    Ok(exit::SUCCESS)
}

/// Returns the text of the query, or `None` for the prompt.
fn text(args: &Query) -> Result<Option<String>, Failure> {
    let from_stdin = || asking::stdin().map(Some);
    match (&args.text, &args.file) {
        (Some(text), _) => Ok(Some(text.clone())),
        (None, Some(path)) if path.as_os_str() == "-" => from_stdin(),
        (None, Some(path)) => {
            input::read_to_string(path, input::DOCUMENT).map(Some).map_err(Failure::file("read", path))
        }
        (None, None) if std::io::stdin().is_terminal() => Ok(None),
        (None, None) => from_stdin(),
    }
}
