//! Checks of the addresses and the secrets of actions.
//!
//! A rule is stored, listed, and shared, and its requests are kept in an outbox, so a secret in it is refused before any of
//! this happens. Addresses that no delivery accepts are refused here as well.

use integration_graph::secrets;
use serde_json::Value;
use url::Url;

use super::CompiledAction;
use super::problem::ProblemKind;
use crate::delivery::{TargetError, TargetPolicy, check_target, has_secret, is_credential_header};
use crate::jexl::JsonTemplate;
use crate::rule::ActionKind;

/// The beginning of an endpoint that names a receiver.
const RECEIVER: &str = "receiver:";

/// The remedy for a secret in a webhook.
const RECEIVERS: &str =
    "set it for a receiver in delivery.yaml, with a reference such as env:NAME, and send to `receiver:NAME`";

/// Returns the problems of an action with their fields.
pub(super) fn problems(action: &CompiledAction) -> Vec<(String, ProblemKind)> {
    let mut found = Vec::new();
    match action.kind {
        ActionKind::Webhook => {
            for name in ["endpoint", "url"] {
                if let Some(kind) = action.fields.get(name).and_then(endpoint) {
                    found.push((name.to_owned(), kind));
                }
            }
            headers(action, &mut found);
            if let Some(body) = action.fields.get("body") {
                values("body", "", body, &mut found);
            }
        }
        ActionKind::SendSlackMessage => {
            const SLACK: &str = "remove it from the rule, and set it under `slack` in delivery.yaml, with a reference";
            let kind = match action.fields.get("webhookUrl") {
                None | Some(JsonTemplate::Fixed(Value::Null)) => None,
                Some(JsonTemplate::Fixed(_)) => Some(ProblemKind::Secret("the address of Slack".to_owned(), SLACK)),
                Some(_) => Some(ProblemKind::Unsent("an address of Slack".to_owned(), SLACK)),
            };
            found.extend(kind.map(|kind| ("webhookUrl".to_owned(), kind)));
            text_field(action, "body", &mut found);
        }
        ActionKind::SendEmail => text_field(action, "body", &mut found),
        ActionKind::RunCommand => {
            text_field(action, "command", &mut found);
            text_field(action, "input", &mut found);
        }
        _ => {}
    }
    found
}

fn text_field(action: &CompiledAction, name: &str, found: &mut Vec<(String, ProblemKind)>) {
    if let Some(field) = action.fields.get(name) {
        values(name, "", field, found);
    }
}

/// Checks an address. The expressions of a template stand for a letter.
fn endpoint(field: &JsonTemplate) -> Option<ProblemKind> {
    let (text, is_whole) = match field {
        JsonTemplate::Fixed(Value::String(text)) => (text.clone(), true),
        JsonTemplate::Text(template) => {
            let part = |(text, value): (&str, Option<_>)| format!("{text}{}", value.map_or("", |_| "x"));
            (template.parts().map(part).collect(), false)
        }
        _ => return None,
    };
    if let Some(name) = text.strip_prefix(RECEIVER) {
        let is_empty = name.trim().is_empty();
        return is_empty.then(|| ProblemKind::Target("the endpoint has no name of a receiver".to_owned()));
    }
    let secret = || ProblemKind::Secret("a part of the address".to_owned(), RECEIVERS);
    let Ok(url) = text.parse::<Url>() else {
        // A template may give the scheme as well.
        return is_whole.then(|| {
            ProblemKind::Target("the endpoint is no URL, expected `https://…` or `receiver:NAME`".to_owned())
        });
    };
    if has_secret(&text) {
        return Some(secret());
    }
    let allowed = TargetPolicy { allow_private: true, allow_http: true };
    match (check_target(&url, TargetPolicy::default()), check_target(&url, allowed)) {
        (_, Err(error @ TargetError::Scheme(_))) if is_whole => Some(ProblemKind::Target(error.to_string())),
        (Err(error), _) if is_whole => {
            Some(ProblemKind::PrivateTarget { url: url.to_string(), reason: error.to_string() })
        }
        _ => None,
    }
}

fn headers(action: &CompiledAction, found: &mut Vec<(String, ProblemKind)>) {
    let mut header = |name: &str, value: &JsonTemplate| {
        let at = format!("headers.{name}");
        match value {
            JsonTemplate::Fixed(Value::String(text)) if is_credential_header(name) => {
                let kind = match has_reference(text) {
                    true => ProblemKind::Unsent(format!("the header {name}"), RECEIVERS),
                    false => ProblemKind::Secret(format!("the header {name}"), RECEIVERS),
                };
                found.push((at, kind));
            }
            JsonTemplate::Text(_) if is_credential_header(name) => {
                found.push((at, ProblemKind::Unsent(format!("the header {name}"), RECEIVERS)));
            }
            other => values(&at, name, other, found),
        }
    };
    match action.fields.get("headers") {
        Some(JsonTemplate::Fixed(Value::Object(members))) => {
            members.iter().for_each(|(name, value)| header(name, &JsonTemplate::Fixed(value.clone())));
        }
        Some(JsonTemplate::Object(parts)) => parts.iter().for_each(|(name, value)| header(name, value)),
        _ => {}
    }
}

/// Returns whether a text refers to a secret instead of containing it.
fn has_reference(text: &str) -> bool {
    const KINDS: [&str; 4] = ["env:", "file:", "command:", "vault:"];
    text.contains("${") || KINDS.iter().any(|kind| text.starts_with(kind))
}

/// Finds secrets in the literal texts of a value, by their form or by the name of their member.
fn values(at: &str, name: &str, value: &JsonTemplate, found: &mut Vec<(String, ProblemKind)>) {
    match value {
        JsonTemplate::Fixed(Value::String(text)) => {
            let is_secret = !has_reference(text)
                && (!secrets::kinds_in(text).is_empty() || !name.is_empty() && secrets::is_secret_value(name, text));
            if is_secret {
                found.push((at.to_owned(), ProblemKind::Secret("the value".to_owned(), RECEIVERS)));
            }
        }
        JsonTemplate::Fixed(Value::Array(elements)) => {
            for (place, element) in elements.iter().enumerate() {
                values(&format!("{at}[{place}]"), name, &JsonTemplate::Fixed(element.clone()), found);
            }
        }
        JsonTemplate::Fixed(Value::Object(members)) => {
            for (name, member) in members {
                values(&format!("{at}.{name}"), name, &JsonTemplate::Fixed(member.clone()), found);
            }
        }
        JsonTemplate::Fixed(_) => {}
        JsonTemplate::Text(template) => {
            if template.parts().any(|(text, _)| !secrets::kinds_in(text).is_empty()) {
                found.push((at.to_owned(), ProblemKind::Secret("a part of the text".to_owned(), RECEIVERS)));
            }
        }
        JsonTemplate::List(parts) => {
            for (place, part) in parts.iter().enumerate() {
                values(&format!("{at}[{place}]"), name, part, found);
            }
        }
        JsonTemplate::Object(parts) => {
            for (name, part) in parts {
                values(&format!("{at}.{name}"), name, part, found);
            }
        }
    }
}
