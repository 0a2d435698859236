//! Whether the configuration is complete, and whom the provider takes us for.

use std::collections::{BTreeMap, BTreeSet};

use integration_sdk::config::{ConfigError, Field, Values};
use integration_sdk::http::Access;
use integration_sdk::{Redaction, SetupError};
use serde::Serialize;
use serde_json::Value;

use crate::account::Account;
use crate::context::{Configured, Context};
use crate::failure::Failure;
use crate::report::Rule;
use crate::report::text::{list, paragraph};
use crate::style::{BOLD, FAINT, paint, printable};

use super::{Check, Report, Validate};

#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Outcome {
    #[serde(skip_serializing_if = "Option::is_none")]
    passed_over: Option<String>,
    fields: Vec<Known>,
    /// Who the credentials belong to, where there is a provider to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// Why their owner is unknown although the provider does not refuse them.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_unknown: Option<String>,
    /// What the credentials allow, where the provider says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<BTreeSet<String>>,
    /// The steps that cannot run, and the scopes that they need beyond.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    missing_scopes: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    code: &'static str,
    message: String,
}

/// A field, as far as it may be shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Known {
    name: &'static str,
    set: bool,
    required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    variable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Never that of a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// What would set it.
    variables: Vec<String>,
}

pub(super) async fn check(context: &Context<'_>, args: &Validate, named: bool) -> Result<Outcome, Failure> {
    let configured = context.configured(&Account::new(args.sample, args.instance.as_deref())).await?;
    let fields = context.integration.fields().iter().map(|field| Known::of(field, &configured)).collect();
    let mut outcome = Outcome { fields, ..Outcome::default() };
    match context.integration.verify(&configured.values, &configured.network).await {
        Ok(Some(access)) => outcome.allow(access, context),
        Ok(None) => {}
        Err(SetupError::Config(error @ ConfigError::Missing { .. })) if !named => {
            outcome.passed_over = Some(error.to_string());
        }
        Err(error) if is_finding(&error) => {
            outcome.hide(&error);
            outcome.problem = Some(Problem { code: error.code(), message: error.to_string() });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(outcome)
}

/// A refusal answers the question; silence does not.
fn is_finding(error: &SetupError) -> bool {
    const REFUSALS: [&str; 3] =
        ["CONFIG_VALIDATION_ERROR", "PROVIDER_AUTHENTICATION_ERROR", "PROVIDER_AUTHORIZATION_ERROR"];
    REFUSALS.contains(&error.code())
}

impl Known {
    fn of(field: &Field, configured: &Configured) -> Self {
        let variables = configured.values.variables_of(field.name);
        let source = configured.variables.source(&variables);
        let (variable, from) = source.map(|(variable, origin)| (variable, origin.to_string())).unzip();
        let value = if field.masked { None } else { shown(field, &configured.values) };
        Self { name: field.name, set: variable.is_some(), required: !field.optional, variable, from, value, variables }
    }

    fn line(&self) -> String {
        let name = paint(BOLD, self.name);
        let aside = |text: String| paint(FAINT, text);
        match (&self.variable, &self.from) {
            (Some(variable), Some(from)) => {
                let value = self.value.as_deref().map_or_else(|| "set".to_owned(), printable);
                format!("{name}: {value} {}", aside(format!("({variable} from {from})")))
            }
            _ => {
                let state = match (&self.value, self.required) {
                    (Some(default), _) => format!("{default} {}", aside("(the default)".to_owned())),
                    (None, true) => "not set".to_owned(),
                    (None, false) => format!("not set {}", aside("(it is optional)".to_owned())),
                };
                format!("{name}: {state}, {}", aside(format!("set by {}", self.variables.join(" or "))))
            }
        }
    }
}

/// The value of a field that is no secret, without the credentials that a URL may carry.
fn shown(field: &Field, values: &Values) -> Option<String> {
    let text: String = values.read(field.name, field.default).ok()?;
    let mut value = Value::String(text);
    Redaction::default().apply(&mut value);
    value.as_str().map(str::to_owned)
}

impl Outcome {
    /// A value in the wrong place may be a secret of another one.
    fn hide(&mut self, error: &SetupError) {
        if let SetupError::Config(ConfigError::Invalid { field, .. }) = error {
            self.fields.iter_mut().filter(|known| known.name == *field).for_each(|known| known.value = None);
        }
    }

    fn allow(&mut self, access: Access, context: &Context<'_>) {
        if let Some(held) = &access.scopes {
            for step in context.integration.steps() {
                let declaration = step.declaration();
                let missing: Vec<String> = declaration.scopes.difference(held).cloned().collect();
                if !missing.is_empty() {
                    self.missing_scopes.insert(declaration.id.to_string(), missing);
                }
            }
        }
        self.account = access.subject;
        self.account_unknown = access.subject_unknown;
        self.scopes = access.scopes;
    }
}

impl Check for Outcome {
    const TITLE: &'static str = "Configuration";
    const RULES: &'static [Rule] = &[Rule::Configuration];

    fn findings(&self) -> u64 {
        self.problem.is_some().into()
    }

    fn passed_over(&self) -> Option<&str> {
        self.passed_over.as_deref()
    }

    fn sentence(&self) -> String {
        match (&self.problem, &self.account, &self.account_unknown) {
            (Some(problem), ..) => format!("{}: {}", problem.code, printable(&problem.message)),
            (None, Some(account), _) => format!("The credentials work; they belong to {}.", printable(account)),
            (None, None, Some(reason)) => {
                format!("The credentials are not refused; their owner is unknown: {}.", printable(reason))
            }
            (None, None, None) if self.fields.is_empty() => "There is nothing to configure.".to_owned(),
            (None, None, None) => "It is complete; there is no provider to ask.".to_owned(),
        }
    }

    fn details(&self, width: usize) -> String {
        let mut text: String = self.fields.iter().map(|field| paragraph(&field.line(), width, 2, 2)).collect();
        if let Some(scopes) = &self.scopes {
            text += &paragraph(&format!("{}: {}", paint(BOLD, "scopes"), list(scopes)), width, 2, 2);
        }
        for (step, missing) in &self.missing_scopes {
            text += &paragraph(&format!("{step} will not run: it needs {}", list(missing)), width, 2, 2);
        }
        text
    }
    fn reports(&self) -> Vec<Report> {
        let report = |problem: &Problem| Report {
            rule: Rule::Configuration,
            count: 1,
            message: format!("{}: {}", problem.code, problem.message),
            file: None,
            object_type: None,
            key: None,
            pointer: String::new(),
        };
        self.problem.iter().map(report).collect()
    }
}
