//! Checks the configuration, and the credentials with the provider.

use std::collections::{BTreeMap, BTreeSet};

use integration_sdk::config::{ConfigError, Field, Values};
use integration_sdk::graph::run::ErrorCode;
use integration_sdk::http::VerifiedAccount;
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
    skipped: Option<String>,
    fields: Vec<Known>,
    /// The owner of the credentials, as reported by the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The reason why the owner is unknown although the credentials were accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_unknown: Option<String>,
    /// The scopes of the credentials, if the provider reports them.
    #[serde(skip_serializing_if = "Option::is_none")]
    scopes: Option<BTreeSet<String>>,
    /// The steps that cannot run, each with the scopes that are missing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    missing_scopes: BTreeMap<String, Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<Problem>,
}

#[derive(Debug, Serialize)]
struct Problem {
    code: ErrorCode,
    message: String,
}

/// The public state of a configuration field.
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
    /// The value, unless the field is a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// The variables that set the field.
    variables: Vec<String>,
}

pub(super) async fn check(context: &Context<'_>, args: &Validate, named: bool) -> Result<Outcome, Failure> {
    let configured = context.configured(&Account::new(args.sample, args.instance.as_ref())).await?;
    let fields = context.integration.fields().iter().map(|field| Known::of(field, &configured)).collect();
    let mut outcome = Outcome { fields, ..Outcome::default() };
    match context.integration.verify(&configured.values, &configured.network).await {
        Ok(Some(access)) => outcome.allow(access, context),
        Ok(None) => {}
        Err(SetupError::Config(error @ ConfigError::Missing { .. })) if !named => {
            outcome.skipped = Some(error.to_string());
        }
        Err(error) if is_finding(&error) => {
            outcome.hide(&error);
            outcome.problem = Some(Problem { code: error.code(), message: error.to_string() });
        }
        Err(error) => return Err(error.into()),
    }
    Ok(outcome)
}

/// Returns whether the error is a result of the check. An unreachable provider is a failure of the check instead.
/// Credentials that no answer confirms are a result.
fn is_finding(error: &SetupError) -> bool {
    let refused = matches!(
        error.code(),
        ErrorCode::ConfigValidation | ErrorCode::ProviderAuthentication | ErrorCode::ProviderAuthorization
    );
    refused || matches!(error, SetupError::Unconfirmed { .. })
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
                    (Some(default), _) => format!("{default} {}", aside("(default)".to_owned())),
                    (None, true) => "not set".to_owned(),
                    (None, false) => format!("not set {}", aside("(optional)".to_owned())),
                };
                format!("{name}: {state}, {}", aside(format!("set by {}", self.variables.join(" or "))))
            }
        }
    }
}

/// The value of a non-secret field, with credentials in URLs removed.
fn shown(field: &Field, values: &Values) -> Option<String> {
    let text: String = values.read(field.name, field.default).ok()?;
    let mut value = Value::String(text);
    Redaction::default().apply(&mut value);
    value.as_str().map(str::to_owned)
}

impl Outcome {
    /// Hides an invalid value, because it may be the secret of another field.
    fn hide(&mut self, error: &SetupError) {
        if let SetupError::Config(ConfigError::Invalid { field, .. }) = error {
            self.fields.iter_mut().filter(|known| known.name == *field).for_each(|known| known.value = None);
        }
    }

    fn allow(&mut self, access: VerifiedAccount, context: &Context<'_>) {
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

    fn skipped(&self) -> Option<&str> {
        self.skipped.as_deref()
    }

    fn sentence(&self) -> String {
        match (&self.problem, &self.account, &self.account_unknown) {
            (Some(problem), ..) => format!("{}: {}", problem.code, printable(&problem.message)),
            (None, Some(account), _) => format!("The credentials work; they belong to {}.", printable(account)),
            (None, None, Some(reason)) => {
                format!("The provider accepts the credentials, but their owner is unknown: {}.", printable(reason))
            }
            (None, None, None) if self.fields.is_empty() => "There is nothing to configure.".to_owned(),
            (None, None, None) => {
                "The configuration is complete. This integration has no provider to verify it with.".to_owned()
            }
        }
    }

    fn details(&self, width: usize) -> String {
        let mut text: String = self.fields.iter().map(|field| paragraph(&field.line(), width, 2, 2)).collect();
        if let Some(scopes) = &self.scopes {
            text += &paragraph(&format!("{}: {}", paint(BOLD, "scopes"), list(scopes)), width, 2, 2);
        }
        for (step, missing) in &self.missing_scopes {
            text +=
                &paragraph(&format!("{step} will not run: the credentials do not have {}", list(missing)), width, 2, 2);
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
