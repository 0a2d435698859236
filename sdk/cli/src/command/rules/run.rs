//! `rules run`: evaluates rules, and delivers their actions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use integration_delivery::{Permissions, Sender, Settings};
use integration_rules::{AlertLevel, Program};
use integration_watch::{
    Applied, Book, Delivered, Delivery, Limits, Report, RuleOrigin, Subject, UnusableRule, WatchError, adopt,
    deliver_due, evaluate_rules,
};
use jiff::Timestamp;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::{Level, active};
use crate::account_graph::{self, Selected, Snapshots};
use crate::context::Context;
use crate::failure::Failure;
use crate::offer::Offer;
use crate::report::rules as report;
use crate::report::text::counted;
use crate::rule_files::of_files;
use crate::shell::quoted;
use crate::style::printable;
use crate::{asking, console, exit, instances, interrupt, options};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules run
  {name} rules run rules.yaml --fail-on high
  {name} rules run rules.yaml --dry-run
  {name} rules run rules.yaml --format json --instance east

Without files, the added rules and those of this integration are evaluated, except for disabled ones. A rule opens at most one alert, \
which is updated while its condition holds and resolved when it certainly does not. Missing data neither opens nor resolves an alert.

If the data directory has a file delivery.yaml, the other actions are carried out: SEND_EMAIL, SEND_SLACK_MESSAGE, WEBHOOK, and with \
--allow-commands RUN_COMMAND. A delivery that fails is kept, and `alerts deliver` repeats it. Without the file, deliveries wait.

Exit codes: 0 evaluated, 1 a rule or a delivery failed, 2 wrong usage, 3 missing data left a rule undecided, 4 an alert of the level of \
--fail-on or above is open.")]
pub(super) struct Run {
    /// Rule files in YAML, JSON or Terraform [default: the added rules and those of this integration]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    snapshots: Snapshots,
    /// Value of ${param.NAME} and {{param.NAME}}. May be repeated
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = asking::parameter)]
    parameters: Vec<(String, Value)>,
    /// Exit with code 4 if an alert of this level or above is open
    #[arg(long, value_name = "LEVEL")]
    fail_on: Option<Level>,
    /// Evaluate only: change no alert, and carry out no action
    #[arg(long)]
    dry_run: bool,
    /// Allow RUN_COMMAND to run the programs that delivery.yaml lists
    #[arg(long)]
    allow_commands: bool,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: options::Format,
    /// Maximum duration of one query
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = options::age)]
    timeout: Duration,
}

pub(super) async fn run(context: &Context<'_>, args: &Run) -> Result<u8, Failure> {
    let rules = if args.files.is_empty() { active(context)? } else { of_files(&args.files)? };
    warn_of_unusable(context, &rules.unusable);
    let subject = subject(context, &args.snapshots, &args.parameters, args.timeout).await?;
    let data_dir = &context.globals.data_dir;
    let cancelled = interrupt::cancellation();
    if let Some(names) = rules.names().filter(|_| !args.dry_run) {
        let origin = match args.files.is_empty() {
            true => RuleOrigin::data_directory(context.offers.iter().map(Offer::id)),
            false => RuleOrigin::files(&args.files),
        };
        let (_, ended) = adopt(data_dir, &origin, names, Timestamp::now()).await?;
        if ended > 0 {
            let ended = counted(
                ended as u64,
                "alert was resolved, because its rule",
                "alerts were resolved, because their rules",
            );
            context
                .console
                .warn(&format!("{ended} no longer exist{}.", if ended.starts_with("1 ") { "s" } else { "" }));
        }
    }
    let report = match args.dry_run {
        true => preview(data_dir, &subject, &rules.programs, &cancelled.token).await?,
        false => evaluate_rules(data_dir, &subject, &rules.programs, Timestamp::now(), &cancelled.token).await?,
    };
    let permissions = Permissions { commands: args.allow_commands };
    let delivered = match args.dry_run {
        true => Delivered::default(),
        false => deliver(context, permissions, false, &cancelled.token).await?,
    };
    warn_of_lost_changes(context, &report.rules);
    match args.format {
        options::Format::Json => context.print_json(&report::json(&report, &delivered))?,
        options::Format::Text => context.print(&report::text(&report, &delivered, args.dry_run, console::width()))?,
    }
    let open = Book::read(data_dir)?.alerts;
    let fails = |level: Level| open.iter().any(|alert| alert.is_open() && alert.level >= AlertLevel::from(level));
    Ok(match args.fail_on.is_some_and(fails) {
        true => exit::FINDINGS,
        false if !rules.unusable.is_empty() => exit::FAILED,
        false if report.rules.iter().any(report::has_failed) || has_lost(data_dir, &delivered)? => exit::FAILED,
        false if report.rules.iter().any(report::is_undecided) => exit::INCOMPLETE,
        false => exit::SUCCESS,
    })
}

/// Returns whether a delivery failed. Without settings, none is expected to succeed.
fn has_lost(data_dir: &Path, delivered: &Delivered) -> Result<bool, Failure> {
    let is_failed = !delivered.attempted.iter().all(Delivery::is_delivered);
    Ok(is_failed && Settings::read(data_dir).map_err(WatchError::from)?.is_some())
}

async fn subject(
    context: &Context<'_>,
    snapshots: &Snapshots,
    parameters: &[(String, Value)],
    timeout: Duration,
) -> Result<Subject, Failure> {
    let Selected { store, snapshots, unpublished } = account_graph::snapshots(context, snapshots).await?;
    let parameters: BTreeMap<String, Value> = parameters.iter().cloned().collect();
    let integrations = context.offers.iter().map(|offer| &offer.integration);
    let catalogue = Arc::new(account_graph::catalogue(integrations));
    let limits = Limits { query: timeout, ..Limits::default() };
    Ok(Subject { store, snapshots, unpublished, catalogue, parameters, limits })
}

/// Evaluates rules, and applies the results to a copy of the book.
async fn preview(
    data_dir: &Path,
    subject: &Subject,
    programs: &[Arc<Program>],
    cancelled: &CancellationToken,
) -> Result<Report, Failure> {
    let mut book = Book::read(data_dir)?;
    let evaluated = subject.evaluate(programs, &book, Timestamp::now(), cancelled).await?;
    let applied = evaluated.into_iter().map(|evaluated| book.apply(evaluated)).collect();
    Ok(integration_watch::preview(data_dir, applied)?)
}

/// Sends the entries of the outbox that are due, or all of them.
///
/// Without settings of deliveries, the entries fail and wait, so that nothing is lost.
pub(in crate::command) async fn deliver(
    context: &Context<'_>,
    permissions: Permissions,
    all: bool,
    cancelled: &CancellationToken,
) -> Result<Delivered, Failure> {
    let data_dir = &context.globals.data_dir;
    let settings = Settings::read(data_dir).map_err(WatchError::from)?;
    let settings = settings.unwrap_or_else(Settings::absent);
    let sender = Sender::new(settings, instances::resolver(data_dir), permissions, &context.agent());
    Ok(deliver_due(data_dir, &sender, Timestamp::now(), all, cancelled).await?)
}

/// Warns of added rules that are not evaluated.
fn warn_of_unusable(context: &Context<'_>, rules: &[UnusableRule]) {
    for UnusableRule { name, reason } in rules {
        let reason = printable(reason);
        context.console.warn(&match name {
            Some(name) => format!(
                "An added rule is left out: {reason}. Remove it with `{} rules remove {}`, and add a corrected one.",
                context.called(),
                quoted(name)
            ),
            None => format!("An added rule is left out: {reason}. Delete the file, and add the rule again."),
        });
    }
}

/// Warns of changes that no rule will see, because the snapshots before them were pruned.
fn warn_of_lost_changes(context: &Context<'_>, rules: &[Applied]) {
    for applied in rules.iter().filter(|applied| !applied.evaluated.lost.is_empty()) {
        let instances = applied.evaluated.lost.join(", ");
        context.console.warn(&format!(
            "{} missed changes of {}, because graphs that it had not seen were pruned.",
            printable(&applied.evaluated.rule),
            printable(&instances)
        ));
    }
}
