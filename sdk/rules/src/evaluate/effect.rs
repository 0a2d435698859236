//! Actions with all templates filled in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::jexl::to_text;
use crate::rule::ActionKind;

/// An action that the caller carries out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Effect {
    /// An email.
    Email(Email),
    /// A message to Slack.
    Slack(SlackMessage),
    /// An HTTP request.
    Webhook(WebhookCall),
    /// A program to run.
    Command(CommandCall),
}

/// An email.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Email {
    /// The addresses, without repetitions.
    pub recipients: Vec<String>,
    /// The body; the caller composes one if it is absent.
    pub body: Option<String>,
    /// Whether the body is HTML, because the author of the rule wrote tags. Inserted values are escaped then.
    #[serde(default)]
    pub is_html: bool,
}

/// A message to Slack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlackMessage {
    /// The channels.
    pub channels: Vec<String>,
    /// The text.
    pub body: String,
    /// The address of an incoming webhook.
    #[serde(default, skip_serializing)]
    pub webhook_url: Option<String>,
    /// The severity that decides the colour, if it is not the level of the alert.
    pub severity: Option<String>,
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookCall {
    /// The method.
    pub method: String,
    /// The address.
    pub url: String,
    /// The headers.
    pub headers: BTreeMap<String, String>,
    /// The body. A text is sent as it is, everything else as JSON.
    pub body: Option<Value>,
}

impl WebhookCall {
    /// Returns the bytes of the body, which are equal in all attempts.
    pub fn bytes(&self) -> Vec<u8> {
        match &self.body {
            None => Vec::new(),
            Some(Value::String(text)) => text.clone().into_bytes(),
            Some(body) => body.to_string().into_bytes(),
        }
    }
}

/// A program to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CommandCall {
    /// The program and its arguments. No shell interprets them.
    pub command: Vec<String>,
    /// The standard input.
    pub input: Option<String>,
}

/// An action whose fields have unsuitable values after their templates were filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EffectError {
    /// A required field has no value.
    #[error("`{0}` has no value")]
    Missing(&'static str),
    /// A field has a value of another shape.
    #[error("`{field}` is no {expected}")]
    Shape {
        /// The name of the field.
        field: &'static str,
        /// The expected shape.
        expected: &'static str,
    },
    /// The method is not accepted.
    #[error("`{0}` is no accepted method, expected POST, PUT, GET, HEAD, PATCH, or DELETE")]
    Method(String),
}

impl Effect {
    /// Returns the name of the action in rules.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Email(_) => "SEND_EMAIL",
            Self::Slack(_) => "SEND_SLACK_MESSAGE",
            Self::Webhook(_) => "WEBHOOK",
            Self::Command(_) => "RUN_COMMAND",
        }
    }

    /// Creates the effect of an action; `None` for actions that are not carried out.
    pub(crate) fn of(kind: &ActionKind, fields: &Map<String, Value>) -> Result<Option<Self>, EffectError> {
        Ok(Some(match kind {
            ActionKind::SendEmail => Self::Email(Email {
                recipients: some(texts(fields, "recipients")?, "recipients")?,
                body: text(fields, "body"),
                is_html: false,
            }),
            ActionKind::SendSlackMessage => Self::Slack(SlackMessage {
                channels: texts(fields, "channels")?,
                body: text(fields, "body").ok_or(EffectError::Missing("body"))?,
                webhook_url: text(fields, "webhookUrl"),
                severity: text(fields, "severity"),
            }),
            ActionKind::Webhook => Self::Webhook(webhook(fields)?),
            ActionKind::RunCommand => Self::Command(CommandCall {
                command: some(arguments(fields)?, "command")?,
                input: text(fields, "input"),
            }),
            _ => return Ok(None),
        }))
    }
}

fn webhook(fields: &Map<String, Value>) -> Result<WebhookCall, EffectError> {
    let method = text(fields, "method").unwrap_or_else(|| "POST".to_owned());
    if !["POST", "PUT", "GET", "HEAD", "PATCH", "DELETE"].contains(&method.as_str()) {
        return Err(EffectError::Method(method));
    }
    let has_body = ["POST", "PUT", "PATCH"].contains(&method.as_str());
    let headers = match fields.get("headers") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(headers)) => headers.iter().map(|(name, value)| (name.clone(), to_text(value))).collect(),
        Some(_) => return Err(EffectError::Shape { field: "headers", expected: "object" }),
    };
    Ok(WebhookCall {
        url: text(fields, "endpoint").or_else(|| text(fields, "url")).ok_or(EffectError::Missing("endpoint"))?,
        headers,
        body: fields.get("body").filter(|body| has_body && !body.is_null()).cloned(),
        method,
    })
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name).map(to_text).filter(|text| !text.is_empty())
}

/// Returns a list of texts, or one text as a list. Empty and repeated texts are left out.
fn texts(fields: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, EffectError> {
    let values = match fields.get(name) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(values)) => values.as_slice(),
        Some(one @ Value::String(_)) => std::slice::from_ref(one),
        Some(_) => return Err(EffectError::Shape { field: name, expected: "list of texts" }),
    };
    let mut texts = Vec::new();
    for value in values {
        let text = to_text(value).trim().to_owned();
        if !text.is_empty() && !texts.contains(&text) {
            texts.push(text);
        }
    }
    Ok(texts)
}

/// Returns the arguments of a program, of which none may be dropped.
fn arguments(fields: &Map<String, Value>) -> Result<Vec<String>, EffectError> {
    match fields.get("command") {
        Some(Value::Array(values)) => Ok(values.iter().map(to_text).collect()),
        Some(Value::String(program)) => Ok(vec![program.clone()]),
        _ => Err(EffectError::Shape { field: "command", expected: "list of texts" }),
    }
}

fn some(texts: Vec<String>, field: &'static str) -> Result<Vec<String>, EffectError> {
    if texts.first().is_none_or(String::is_empty) { Err(EffectError::Missing(field)) } else { Ok(texts) }
}
