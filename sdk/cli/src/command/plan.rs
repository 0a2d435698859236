//! `plan`: estimates a collection without running it.

use clap::Args;
use comfy_table::Cell;
use indicatif::HumanCount;
use integration_sdk::Job;
use integration_sdk::graph::{InstanceId, StepId};
use integration_sdk::plan::StartState;
use integration_sdk::runtime::{JobEstimate, StepEstimate};
use integration_sdk::store::{JobState, Store};

use super::sources::Sources;
use crate::account::Account;
use crate::context::Context;
use crate::failure::Failure;
use crate::options::{self, Format};
use crate::report::coverage;
use crate::report::table::{self, right};
use crate::report::text::{counted, duration, list, paragraph};
use crate::style::printable;
use crate::{console, exit};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} plan                      show the steps and their expected cost
  {name} plan --sample             do the same for the fake provider
  {name} plan --format json        print the plan as JSON

Estimates are based on the last complete job of the account; without one they are a lower bound. The command verifies
the credentials and their scopes with the provider, but collects no data.")]
pub(crate) struct Plan {
    /// Use the fake provider, without an account
    #[arg(long)]
    sample: bool,
    /// Instance to use; without a configured one of this name, .env.NAME is read
    #[arg(long, value_name = "NAME", value_parser = options::instance)]
    instance: Option<InstanceId>,
    /// Include only these steps and the steps they depend on
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = |id: &str| StepId::new(id))]
    step: Vec<StepId>,
    #[command(flatten)]
    sources: Sources,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(crate) async fn run(context: &Context<'_>, args: &Plan) -> Result<u8, Failure> {
    args.sources.check()?;
    let configured = context.configured(&Account::new(args.sample, args.instance.as_ref())).await?;
    let store = Store::open(&context.globals.data_dir)?;
    let mut job =
        Job::new(context.integration, &store).instance(configured.instance.clone()).network(configured.network.clone());
    if !args.step.is_empty() {
        job = job.select(args.step.clone(), std::time::Duration::ZERO);
    }
    let estimate = args.sources.switch(job).estimate(&configured.values).await?;
    match args.format {
        Format::Json => context.print_json(&estimate)?,
        Format::Text => context.print(&text(&estimate, console::width()))?,
    }
    Ok(exit::SUCCESS)
}

fn text(estimate: &JobEstimate, width: usize) -> String {
    let mut table = table::plain();
    let names = ["Step", "Runs", "Scopes"].map(Cell::new);
    table.set_header(names.into_iter().chain(["Requests", "Objects", "Time"].map(right)));
    for step in &estimate.steps {
        let number =
            |count: Option<u64>| right(count.map_or_else(|| "?".to_owned(), |count| HumanCount(count).to_string()));
        table.add_row([
            Cell::new(&step.id),
            Cell::new(runs(step)),
            Cell::new(list(&step.scopes)),
            number(step.requests),
            number(step.objects),
            right(step.duration.map_or_else(|| "?".to_owned(), duration)),
        ]);
    }
    let mut text = table::write(&mut table) + "\n";
    for sentence in sentences(estimate) {
        text += &paragraph(&sentence, width, 0, 2);
    }
    text
}

fn runs(step: &StepEstimate) -> String {
    match &step.start {
        StartState::Enabled if !step.missing_scopes.is_empty() => {
            format!("yes, without {}", list(&step.missing_scopes))
        }
        StartState::Enabled => "yes".to_owned(),
        StartState::Unselected => "not selected".to_owned(),
        StartState::Disabled { reason, because_of: None } => format!("no: {}", reason.as_str().replace('_', " ")),
        StartState::Disabled { because_of: Some((step, _)), .. } => format!("no: {step} does not run"),
    }
}

/// Describes the owner and the scopes of the credentials.
fn owner(estimate: &JobEstimate) -> Vec<String> {
    let scopes = match (&estimate.scopes, &estimate.scopes_unknown) {
        (Some(scopes), _) if scopes.is_empty() => "they have no scopes".to_owned(),
        (Some(scopes), _) => format!("they have the scopes {}", list(scopes)),
        (None, Some(reason)) => format!("their scopes are unknown ({})", printable(reason)),
        (None, None) => "the provider does not report their scopes".to_owned(),
    };
    match (&estimate.subject, &estimate.subject_unknown, &estimate.scopes_unknown) {
        (None, Some(account), Some(scopes)) => vec![format!(
            "The credentials could not be confirmed, because no request was accepted: {}; {}.",
            printable(account),
            printable(scopes)
        )],
        (Some(subject), ..) => vec![format!("The credentials belong to {}; {scopes}.", printable(subject))],
        (None, Some(reason), None) => vec![
            format!("The owner of the credentials is unknown: {}.", printable(reason)),
            format!("A collection continues without the owner; {scopes}."),
        ],
        (None, None, _) => Vec::new(),
    }
}

fn figures(estimate: &JobEstimate) -> String {
    let (Some(requests), Some(took)) = (estimate.requests, estimate.duration) else {
        return "There is no earlier job, so the number of requests and the duration are unknown.".to_owned();
    };
    let enabled = || estimate.steps.iter().filter(|step| step.start == StartState::Enabled);
    let sent = requests.saturating_sub(computed(estimate).1);
    let all = enabled().count();
    let known = enabled().filter(|step| step.requests.is_some() && !step.computed).count();
    let steps = if known < all { format!("{known} of these {all} steps") } else { "these steps".to_owned() };
    let sent = format!("sent {} for {steps} and took {}", counted(sent, "request", "requests"), duration(took));
    match estimate.based_on_state {
        Some(JobState::Complete) if !estimate.lower_bound => format!("The last complete job {sent}."),
        Some(JobState::Complete) => {
            format!("The last complete job {sent}, but it did not run all of these steps. Expect more.")
        }
        Some(state) => format!("No job is complete yet. The last {} job {sent}. Expect more.", state.as_str()),
        None => String::new(),
    }
}

/// Returns the number of steps that compute their requests, and the requests of these steps.
fn computed(estimate: &JobEstimate) -> (u64, u64) {
    let steps = estimate.steps.iter().filter(|step| step.start == StartState::Enabled && step.computed);
    steps.fold((0, 0), |(steps, requests), step| (steps + 1, requests + step.requests.unwrap_or_default()))
}

fn sentences(estimate: &JobEstimate) -> Vec<String> {
    let mut sentences = owner(estimate);
    for step in estimate.steps.iter().filter(|step| !step.missing_scopes.is_empty()) {
        sentences.push(format!(
            "{} needs the scope {}, which the credentials do not have. Its types will be missing.",
            step.id,
            list(&step.missing_scopes)
        ));
    }
    sentences.extend(coverage::sentences("Accounts covered by the last job", &estimate.accounts));
    sentences.push(figures(estimate));
    if let (steps @ 1.., requests) = computed(estimate) {
        let steps = counted(steps, "step computes its requests", "steps compute their requests");
        let total = counted(estimate.requests.unwrap_or_default(), "request", "requests");
        let requests = HumanCount(requests);
        sentences
            .push(format!("{steps} from the configuration and the newest graph: {requests}, so {total} in total."));
    }
    let left =
        estimate.remaining.map(|left| format!("The rate limit has {} left", counted(left, "request", "requests")));
    match (left, estimate.budget_time) {
        (Some(left), Some(0)) => sentences.push(format!("{left}, which is enough.")),
        (Some(left), Some(wait)) => {
            sentences.push(format!("{left}, so the collection takes at least {}.", duration(wait)));
        }
        (Some(left), None) => sentences.push(format!("{left}.")),
        (None, _) => {}
    }
    sentences
}
