//! The entries of an evaluation.

use integration_rules::delivery::{Occasion, OutboxEntry, delivery_id};
use integration_rules::{Effect, PlannedAction, SlackMessage};
use jiff::Timestamp;

use crate::settings::Settings;

/// Names of headers with credentials, which belong into the settings.
const CREDENTIALS: [&str; 7] =
    ["authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "apikey", "x-auth-token"];

/// The entries of an evaluation, and the actions without one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Planned {
    /// The entries for the outbox.
    pub entries: Vec<OutboxEntry>,
    /// The actions that cannot be carried out, each with the reason as text for users.
    pub refused: Vec<(String, String)>,
}

/// Returns the entries for the actions of an evaluation.
///
/// The identifiers depend on the evaluation and the place of the action only. A message to several channels of Slack has an
/// entry for each, so that a failure in one channel repeats nothing in another.
pub fn plan(
    actions: &[PlannedAction],
    evaluation: &str,
    occasion: &Occasion,
    settings: &Settings,
    now: Timestamp,
) -> Planned {
    let mut planned = Planned::default();
    for PlannedAction { at, effect } in actions {
        let reason = settings.missing(effect).or_else(|| has_secret(effect));
        if let Some(reason) = reason {
            planned.refused.push((effect.action().to_owned(), reason));
            continue;
        }
        for (part, effect) in parts(effect) {
            let action = format!("{at}{part}");
            let occasion = Occasion { action: action.clone(), ..occasion.clone() };
            planned.entries.push(OutboxEntry::new(delivery_id(evaluation, &action), effect, occasion, now));
        }
    }
    planned
}

/// Returns the effects that are delivered one by one, each with its distinction.
fn parts(effect: &Effect) -> Vec<(String, Effect)> {
    match effect {
        Effect::Slack(message) => {
            let to = |channels: Vec<String>| Effect::Slack(SlackMessage { channels, ..message.clone() });
            match message.channels.as_slice() {
                [] => vec![(String::new(), to(Vec::new()))],
                channels => {
                    channels.iter().map(|channel| (format!("[{channel}]"), to(vec![channel.clone()]))).collect()
                }
            }
        }
        other => vec![(String::new(), other.clone())],
    }
}

/// Returns why an effect must not enter the outbox: it contains a secret in plain text.
fn has_secret(effect: &Effect) -> Option<String> {
    match effect {
        Effect::Slack(message) => message.webhook_url.as_ref().map(|_| {
            "`webhookUrl` is a secret: remove it from the rule, and set it under `slack` in delivery.yaml".to_owned()
        }),
        Effect::Webhook(call) => {
            let is_secret = |name: &&String| CREDENTIALS.contains(&name.to_ascii_lowercase().as_str());
            call.headers.keys().find(is_secret).map(|name| {
                format!("the header {name} is a secret: set it for a receiver in delivery.yaml, with a reference")
            })
        }
        Effect::Email(_) | Effect::Command(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration_rules::{AlertLevel, WebhookCall};

    fn planned(effect: Effect) -> Planned {
        let settings = "slack: {default: 'env:A', '#a': 'env:B'}\nreceivers: {hook: {url: 'env:C'}}";
        let settings = Settings::parse(settings).expect("settings");
        let occasion = Occasion {
            rule: "rule".to_owned(),
            action: String::new(),
            level: AlertLevel::Low,
            alert: None,
            change: None,
        };
        let actions = [PlannedAction { at: "operations[0].actions[0]".to_owned(), effect }];
        plan(&actions, "evaluation", &occasion, &settings, Timestamp::UNIX_EPOCH)
    }

    fn slack(channels: &[&str]) -> SlackMessage {
        let channels = channels.iter().map(|&channel| channel.to_owned()).collect();
        SlackMessage { channels, body: "text".to_owned(), webhook_url: None, severity: None }
    }

    fn webhook(url: &str) -> WebhookCall {
        WebhookCall { method: "POST".to_owned(), url: url.to_owned(), headers: [].into(), body: None }
    }

    #[test]
    fn each_channel_has_an_entry_with_its_own_identifier() {
        let found = planned(Effect::Slack(slack(&["#a", "#b"])));
        assert_eq!(found.entries.len(), 2);
        assert_ne!(found.entries[0].id, found.entries[1].id);
        assert_eq!(planned(Effect::Slack(slack(&["#a", "#b"]))), found, "identifiers do not depend on chance");
    }

    #[test]
    fn secrets_and_unknown_receivers_are_refused() {
        let reason =
            |effect: Effect| planned(effect).refused.first().map(|(_, reason)| reason.clone()).unwrap_or_default();
        assert_eq!(reason(Effect::Webhook(webhook("receiver:hook"))), "");
        assert!(reason(Effect::Webhook(webhook("receiver:other"))).contains("no receiver other"));
        let headers = [("X-Api-Key".to_owned(), "s3cret".to_owned())].into();
        assert!(reason(Effect::Webhook(WebhookCall { headers, ..webhook("https://example.com") })).contains("secret"));
        let url = Some("https://hooks.slack.com/services/x".to_owned());
        assert!(reason(Effect::Slack(SlackMessage { webhook_url: url, ..slack(&[]) })).contains("secret"));
    }
}
