//! `alerts`: lists, shows, dismisses, and reopens alerts, and delivers what waits.

use clap::{Args, Subcommand, ValueEnum};
use comfy_table::Cell;
use integration_delivery::Permissions;
use integration_rules::delivery::DeliveryState;
use integration_rules::{Alert, AlertError, AlertLevel, dismiss, reopen};
use integration_watch::{Book, Delivery, OpenBook};
use jiff::Timestamp;

use super::rules::{Level, deliver};
use crate::context::Context;
use crate::failure::Failure;
use crate::job_lookup::short_among;
use crate::options::Format;
use crate::report::text::instant;
use crate::report::{self, sarif, table};
use crate::style::printable;
use crate::visible::visible_lines;
use crate::{exit, interrupt};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} alerts list                      show the open alerts
  {name} alerts list --all --format json
  {name} alerts show 0198f3a2
  {name} alerts dismiss 0198f3a2 --reason 'accepted until March'
  {name} alerts deliver --all             repeat deliveries that failed

`rules run` opens, updates, and resolves alerts.")]
pub(crate) struct Alerts {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List alerts
    #[command(after_help = "Examples:
  {name} alerts list
  {name} alerts list --all --format json
  {name} alerts list --format sarif --fail-on high

Exit codes: 0 listed, 2 wrong usage, 4 an alert of the level of --fail-on or above is open.")]
    List {
        /// Also list resolved and dismissed alerts
        #[arg(long)]
        all: bool,
        /// Exit with code 4 if an alert of this level or above is open
        #[arg(long, value_name = "LEVEL")]
        fail_on: Option<Level>,
        /// Output format
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: Form,
    },
    /// Send the deliveries that wait, such as emails whose server was unavailable
    #[command(after_help = "Examples:
  {name} alerts deliver
  {name} alerts deliver --all    do not wait for the time of the next attempt

A delivery that failed waits for the time of its next attempt. With --all, everything is attempted now.

Exit codes: 0 everything that was attempted is delivered, 1 a delivery failed, 2 wrong usage.")]
    Deliver {
        /// Attempt all deliveries that wait, also those whose next attempt is later
        #[arg(long)]
        all: bool,
        /// Allow RUN_COMMAND to run the programs that delivery.yaml lists
        #[arg(long)]
        allow_commands: bool,
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

/// The form of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
    Sarif,
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
        Action::List { all, fail_on, format } => {
            let known = Book::read(data_dir)?.alerts;
            let mut alerts = known.clone();
            alerts.retain(|alert| *all || alert.is_open());
            match format {
                Form::Json => context.print_json(&alerts)?,
                Form::Text => context.print(&list(&alerts, &known))?,
                Form::Sarif => {
                    let (rules, violations) = report::alerts::sarif(&alerts);
                    context.print_json(&sarif::log(context.program, &rules, &violations))?;
                }
            }
            let least = fail_on.map(AlertLevel::from);
            if alerts.iter().any(|alert| alert.is_open() && least.is_some_and(|least| alert.level >= least)) {
                return Ok(exit::FINDINGS);
            }
        }
        Action::Deliver { all, allow_commands, format } => {
            return deliver_waiting(context, *all, Permissions { commands: *allow_commands }, *format).await;
        }
        Action::Show { id, format } => {
            let alerts = Book::read(data_dir)?.alerts;
            let alert = &alerts[find(&alerts, id)?];
            match format {
                Format::Json => context.print_json(alert)?,
                Format::Text => context.print(&shown(alert, &alerts))?,
            }
        }
        Action::Dismiss(decision) => decide(context, decision, dismiss).await?,
        Action::Reopen(decision) => decide(context, decision, reopen).await?,
    }
    Ok(exit::SUCCESS)
}

async fn deliver_waiting(
    context: &Context<'_>,
    all: bool,
    permissions: Permissions,
    format: Format,
) -> Result<u8, Failure> {
    let cancelled = interrupt::cancellation();
    let delivered = deliver(context, permissions, all, &cancelled.token).await?;
    match format {
        Format::Json => context.print_json(&report::rules::delivered_json(&delivered))?,
        Format::Text if delivered.is_busy => context.print("Another process is sending the deliveries.\n")?,
        Format::Text if delivered.attempted.is_empty() && delivered.waiting == 0 => {
            context.print("Nothing waits for a delivery.\n")?;
        }
        Format::Text => context.print(&report::rules::deliveries(&delivered))?,
    }
    let is_delivered = delivered.attempted.iter().all(Delivery::is_delivered);
    Ok(if is_delivered { exit::SUCCESS } else { exit::FAILED })
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
    let alert = alert.clone();
    let text = list(std::slice::from_ref(&alert), &open.book.alerts);
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

/// Lists alerts with the shortest ids that are unique among all known ones.
fn list(alerts: &[Alert], known: &[Alert]) -> String {
    if alerts.is_empty() {
        return "No alerts.\n".to_owned();
    }
    let mut table = table::plain();
    table.set_header(["Alert", "Level", "Status", "Since", "Rule"]);
    let known: Vec<&str> = known.iter().map(|alert| alert.id.as_str()).collect();
    for alert in alerts {
        let since = instant(alert.created_on);
        let (level, status) = (alert.level.name(), status(alert));
        table.add_row(
            [short_among(&alert.id, &known), level, &status, &since, &printable(&alert.rule_id)].map(Cell::new),
        );
    }
    table::write(&mut table)
}

fn status(alert: &Alert) -> String {
    // The name in JSON is the one that people know.
    let name = serde_json::to_value(alert.status).ok().and_then(|name| name.as_str().map(str::to_lowercase));
    name.unwrap_or_default()
}

fn shown(alert: &Alert, known: &[Alert]) -> String {
    let mut text = list(std::slice::from_ref(alert), known);
    text += &format!("\n{}\n\nHistory\n", visible_lines(&alert.last_evaluation_result.answer_text).trim_end());
    for event in alert.history.events() {
        let time = instant(event.at);
        let change = serde_json::to_value(event.change).ok().and_then(|name| name.as_str().map(str::to_lowercase));
        text += &format!(
            "  {time}  {}  {}  {}\n",
            change.unwrap_or_default(),
            event.level.name(),
            printable(event.text.lines().next().unwrap_or_default())
        );
    }
    if !alert.deliveries.is_empty() {
        text += "\nDeliveries\n";
    }
    for delivery in &alert.deliveries {
        let state = match delivery.state {
            DeliveryState::Delivered { .. } => "delivered",
            DeliveryState::Abandoned { .. } => "abandoned",
            DeliveryState::Waiting { .. } | DeliveryState::Sending { .. } => "waiting",
        };
        let error = delivery.error.as_deref().map(|error| format!("  {error}")).unwrap_or_default();
        let line = format!("{}  {}{error}", delivery.action, delivery.target);
        text += &format!("  {}  {state}  {}\n", instant(delivery.recorded_on), printable(&line));
    }
    text
}
