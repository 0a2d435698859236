//! `alerts`: lists, shows, dismisses, and reopens alerts.

use clap::{Args, Subcommand};
use comfy_table::Cell;
use integration_rules::{Alert, AlertError, dismiss, reopen};
use integration_watch::{Book, OpenBook};
use jiff::Timestamp;

use crate::context::Context;
use crate::exit;
use crate::failure::Failure;
use crate::job_lookup::short;
use crate::options::Format;
use crate::report::table;
use crate::report::text::instant;
use crate::style::printable;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} alerts list                      show the open alerts
  {name} alerts list --all --format json
  {name} alerts show 0198f3a2
  {name} alerts dismiss 0198f3a2 --reason 'accepted until March'

`rules run` opens, updates, and resolves alerts.")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List alerts
    #[command(after_help = "Examples:\n  {name} alerts list\n  {name} alerts list --all --format json")]
    List {
        /// Also list resolved and dismissed alerts
        #[arg(long)]
        all: bool,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Show an alert with its history
    #[command(after_help = "Examples:\n  {name} alerts show 0198f3a2\n  {name} alerts show 0198f3a2 --format json")]
    Show {
        /// First characters of the id
        id: String,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Format,
    },
    /// Dismiss an open alert
    #[command(after_help = "Examples:\n  {name} alerts dismiss 0198f3a2 --reason 'accepted until March'")]
    Dismiss(Decision),
    /// Reopen an alert that was dismissed or resolved
    #[command(after_help = "Examples:\n  {name} alerts reopen 0198f3a2")]
    Reopen(Decision),
}

#[derive(Debug, Args)]
struct Decision {
    /// First characters of the id
    id: String,
    /// Reason, which the history keeps
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

pub(crate) async fn run(context: &Context<'_>, args: &Alerts) -> Result<u8, Failure> {
    let data_dir = &context.globals.data_dir;
    match &args.action {
        Action::List { all, format } => {
            let mut alerts = Book::read(data_dir)?.alerts;
            alerts.retain(|alert| *all || alert.is_open());
            match format {
                Format::Json => context.print_json(&alerts)?,
                Format::Text => context.print(&list(&alerts))?,
            }
        }
        Action::Show { id, format } => {
            let alerts = Book::read(data_dir)?.alerts;
            let alert = &alerts[find(&alerts, id)?];
            match format {
                Format::Json => context.print_json(alert)?,
                Format::Text => context.print(&shown(alert))?,
            }
        }
        Action::Dismiss(decision) => decide(context, decision, dismiss).await?,
        Action::Reopen(decision) => decide(context, decision, reopen).await?,
    }
    Ok(exit::SUCCESS)
}

async fn decide<T>(
    context: &Context<'_>,
    decision: &Decision,
    apply: fn(&mut Alert, Timestamp, &str) -> Result<T, AlertError>,
) -> Result<(), Failure> {
    let mut open = OpenBook::open(&context.globals.data_dir).await?;
    let at = find(&open.book.alerts, &decision.id)?;
    let alert = &mut open.book.alerts[at];
    apply(alert, Timestamp::now(), &decision.reason).map_err(|error| Failure::Usage(error.to_string()))?;
    let text = list(std::slice::from_ref(alert));
    open.save()?;
    context.print(&text)
}

/// Returns the position of the only alert whose id begins with a text.
fn find(alerts: &[Alert], id: &str) -> Result<usize, Failure> {
    let found: Vec<usize> = (0..alerts.len()).filter(|&at| alerts[at].id.starts_with(id)).collect();
    match found.as_slice() {
        [only] => Ok(*only),
        [] => Err(Failure::Usage(format!("there is no alert {id:?}"))),
        _ => Err(Failure::Usage(format!("several alerts begin with {id:?}; write more characters"))),
    }
}

fn list(alerts: &[Alert]) -> String {
    if alerts.is_empty() {
        return "No alerts.\n".to_owned();
    }
    let mut table = table::plain();
    table.set_header(["Alert", "Level", "Status", "Since", "Rule"]);
    for alert in alerts {
        let since = instant(alert.created_on);
        let (level, status) = (alert.level.name(), status(alert));
        table.add_row([short(&alert.id), level, &status, &since, &printable(&alert.rule_id)].map(Cell::new));
    }
    table::write(&mut table)
}

fn status(alert: &Alert) -> String {
    // The name in JSON is the one that people know.
    let name = serde_json::to_value(alert.status).ok().and_then(|name| name.as_str().map(str::to_lowercase));
    name.unwrap_or_default()
}

fn shown(alert: &Alert) -> String {
    let mut text = list(std::slice::from_ref(alert));
    text += &format!("\n{}\n\nHistory\n", printable(&alert.last_evaluation_result.answer_text));
    for event in alert.history.events() {
        let time = instant(event.at);
        let change = serde_json::to_value(event.change).ok().and_then(|name| name.as_str().map(str::to_lowercase));
        text +=
            &format!("  {time}  {}  {}  {}\n", change.unwrap_or_default(), event.level.name(), printable(&event.text));
    }
    text
}
