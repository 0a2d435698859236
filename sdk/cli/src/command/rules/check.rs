//! `rules check`: fields, conditions, templates, addresses, and queries.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use integration_delivery::Settings;
use integration_query::graph::AccountGraph;
use integration_query::{Catalogue, Options, QueryError, check as check_query, syntax};
use integration_rules::{Problem, ProblemKind, Rule, RuleInput, Severity, problems_of};
use integration_store::GraphReader;
use integration_watch::WatchError;

use super::{known, no_rules};
use crate::context::Context;
use crate::failure::Failure;
use crate::options::Format;
use crate::report::rules::{self as report, Finding};
use crate::rule_files::read;
use crate::{account_graph, exit, job_lookup};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  {name} rules check rules.yaml
  {name} rules check --format json

The names of types are compared with those of this integration and of the graph in the data directory.

Exit codes: 0 no problem, 2 wrong usage, 4 problems.")]
pub(super) struct Check {
    /// Rule files in YAML, JSON or Terraform [default: the added rules and those of this integration]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Output format
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

pub(super) async fn run(context: &Context<'_>, args: &Check) -> Result<u8, Failure> {
    let rules = match args.files.is_empty() {
        true => enabled(context)?,
        false => read(&args.files)?,
    };
    let settings = Settings::read(&context.globals.data_dir).map_err(WatchError::from)?.unwrap_or_default();
    let mut problems = problems_of(&rules);
    // The settings of this data directory allow some addresses that are not public.
    let is_allowed = |problem: &Problem| match &problem.kind {
        ProblemKind::PrivateTarget { url, .. } => url.parse().is_ok_and(|url| settings.allows(&url)),
        _ => false,
    };
    problems.retain(|problem| !is_allowed(problem));
    let mut findings = query_errors(&rules);
    findings.extend(name_errors(context, &rules).await?);
    match args.format {
        Format::Json => context.print_json(&report::problems_json(&problems, &findings, rules.len()))?,
        Format::Text => context.print(&report::problems(&problems, &findings, rules.len()))?,
    }
    let is_finding = |problem: &Problem| problem.severity() != Severity::Note;
    Ok(if findings.is_empty() && !problems.iter().any(is_finding) { exit::SUCCESS } else { exit::FINDINGS })
}

/// Returns the added rules and those of the integrations, without disabled ones.
fn enabled(context: &Context<'_>) -> Result<Vec<Rule>, Failure> {
    let known = known(context)?.into_iter().map(|(rule, _)| rule);
    let enabled: Vec<Rule> = known.filter(|rule| rule.polling_interval.duration().is_some()).collect();
    if enabled.is_empty() { Err(no_rules()) } else { Ok(enabled) }
}

/// Returns the queries of rules whose text is known. One with templates has its text when the rule is evaluated.
fn queries(rules: &[Rule]) -> impl Iterator<Item = (&Rule, &str, &str)> {
    rules.iter().flat_map(|rule| {
        let queries = match &rule.input {
            RuleInput::Queries(queries) => queries.as_slice(),
            _ => &[],
        };
        let known = queries.iter().filter(|query| !query.query.contains("{{"));
        known.map(move |query| (rule, query.name.as_str(), query.query.as_str()))
    })
}

fn finding(severity: Severity, rule: &Rule, at: String, text: String) -> Finding {
    Finding { severity, rule: rule.name.clone(), at, text }
}

/// Returns the syntax errors of queries.
pub(super) fn query_errors(rules: &[Rule]) -> Vec<Finding> {
    let error = |(rule, name, text): (&Rule, &str, &str)| {
        let error = syntax::parse(text).err()?;
        Some(finding(Severity::Error, rule, format!("query {name}"), error.render(text)))
    };
    queries(rules).filter_map(error).collect()
}

/// Returns the names in queries and selections of changes that neither the integrations nor the graph have.
///
/// They are warnings: a graph of another integration may bring the names later.
pub(super) async fn name_errors(context: &Context<'_>, rules: &[Rule]) -> Result<Vec<Finding>, Failure> {
    let graph = graph(context).await?;
    let catalogue = Arc::new(account_graph::catalogue(context.offers.iter().map(|offer| &offer.integration)));
    let options = Options { catalogue: Arc::clone(&catalogue), ..Options::default() };
    let mut findings = Vec::new();
    for (rule, name, text) in queries(rules) {
        let at = format!("query {name}");
        let warnings = match check_query(text, &graph, &options) {
            Ok(warnings) => warnings,
            // An error of the syntax is reported apart, and parameters have their values in an evaluation.
            Err(QueryError::Invalid(_)) if syntax::parse(text).is_err() || text.contains("${") => continue,
            Err(QueryError::Invalid(errors)) => errors.iter().cloned().collect(),
            Err(error) => return Err(Failure::Query { text: text.to_owned(), source: Box::new(error) }),
        };
        let rendered = warnings.iter().map(|warning| warning.render(text));
        findings.extend(rendered.map(|text| finding(Severity::Warning, rule, at.clone(), text)));
    }
    let types = known_types(&catalogue, &graph);
    for rule in rules {
        let RuleInput::Changes { selections, .. } = &rule.input else { continue };
        for name in selections.iter().flat_map(|selection| &selection.types).filter(|name| !types.contains(*name)) {
            let text = match nearest(name, &types) {
                Some(near) => format!("no object has the type `{name}`: did you mean `{near}`?"),
                None => format!("no object has the type `{name}`, so the rule never sees a change"),
            };
            findings.push(finding(Severity::Warning, rule, "changes.types".to_owned(), text));
        }
    }
    Ok(findings)
}

/// Returns the newest graph of the data directory, which may be empty.
async fn graph(context: &Context<'_>) -> Result<AccountGraph, Failure> {
    match job_lookup::store(&context.globals.data_dir)? {
        Some(store) => {
            let integration = context.offers.first().id();
            let snapshots = account_graph::all(&store, &context.globals.data_dir, integration).await?.0.into_iter();
            account_graph::join(&store, snapshots.map(|snapshot| Arc::new(snapshot) as Arc<dyn GraphReader>).collect())
                .await
        }
        None => Ok(AccountGraph::open(Vec::new()).await?),
    }
}

fn known_types(catalogue: &Catalogue, graph: &AccountGraph) -> BTreeSet<String> {
    let declared = catalogue.entities.keys().chain(catalogue.relationships.keys()).cloned();
    let segments = graph.node_segments().iter().chain(graph.edge_segments());
    declared.chain(segments.map(|segment| segment.object_type.to_string())).collect()
}

/// Returns the known name that differs from another one by few letters.
fn nearest<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a String> {
    let distance = |known: &&String| strsim::osa_distance(name, known);
    known.iter().filter(|known| distance(known) <= 2 + name.len() / 10).min_by_key(distance)
}
