//! The entries of an evaluation.

use integration_rules::delivery::{
    Occasion, OutboxEntry, check_target, delivery_id, has_secret as is_secret, is_credential_header,
};
use integration_rules::{Effect, PlannedAction, SlackMessage};
use jiff::Timestamp;
use url::Url;

use crate::settings::{RECEIVER, Settings};

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
/// A setting that is missing in `delivery.yaml` refuses nothing: the entry waits until the user has added it.
///
/// The identifiers depend on the evaluation and the place of the action only. A message to several channels of Slack has an
/// entry for each, so that a failure in one channel repeats nothing in another.
pub fn plan(actions: &[PlannedAction], evaluation: &str, occasion: &Occasion, now: Timestamp) -> Planned {
    let mut planned = Planned::default();
    for PlannedAction { at, effect } in actions {
        if let Some(reason) = has_secret(effect) {
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

/// Returns why an effect cannot be delivered with the current settings, as text for users.
///
/// Names are not resolved, and receivers are not asked, so a delivery without an obstacle may fail.
pub fn obstacle(effect: &Effect, settings: &Settings) -> Option<String> {
    let target = || match effect {
        Effect::Webhook(call) if !call.url.starts_with(RECEIVER) => match call.url.parse::<Url>() {
            Ok(url) => check_target(&url, settings.policy(&url)).err().map(|error| error.to_string()),
            Err(_) => Some("the address of the receiver is no URL".to_owned()),
        },
        _ => None,
    };
    has_secret(effect).or_else(|| settings.missing(effect)).or_else(target)
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
            let header = call.headers.keys().find(|name| is_credential_header(name)).map(|name| {
                format!("the header {name} is a secret: set it for a receiver in delivery.yaml, with a reference")
            });
            let address = is_secret(&call.url).then(|| {
                "a part of the address is a secret: set the address for a receiver in delivery.yaml, with a reference"
                    .to_owned()
            });
            header.or(address)
        }
        Effect::Email(_) | Effect::Command(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration_rules::{AlertLevel, WebhookCall};

    fn settings() -> Settings {
        let settings =
            "slack: {default: 'env:A', '#a': 'env:B'}\nreceivers: {hook: {url: 'env:C'}}\nprivateTargets: [10.0.0.7]";
        Settings::parse(settings).expect("settings")
    }

    fn planned(effect: Effect) -> Planned {
        let occasion = Occasion {
            rule: "rule".to_owned(),
            action: String::new(),
            level: AlertLevel::Low,
            alert: None,
            change: None,
        };
        let actions = [PlannedAction { at: "operations[0].actions[0]".to_owned(), effect }];
        plan(&actions, "evaluation", &occasion, Timestamp::UNIX_EPOCH)
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
    fn secrets_never_enter_the_outbox() {
        let headers = [("X-Api-Key".to_owned(), "s3cret".to_owned())].into();
        let url = Some("https://hooks.slack.com/services/x".to_owned());
        for effect in [
            Effect::Webhook(WebhookCall { headers, ..webhook("https://example.com") }),
            Effect::Webhook(webhook("https://user:s3cret@example.com/")),
            Effect::Webhook(webhook("https://hooks.slack.com/services/T0000/B0000/XXXXyyyy")),
            Effect::Slack(SlackMessage { webhook_url: url, ..slack(&[]) }),
        ] {
            let found = planned(effect);
            assert_eq!(found.entries, []);
            assert!(found.refused[0].1.contains("secret"), "{:?}", found.refused);
        }
    }

    #[test]
    fn a_missing_setting_is_an_obstacle_and_loses_nothing() {
        let other = Effect::Webhook(webhook("receiver:other"));
        assert_eq!(planned(other.clone()).entries.len(), 1);
        assert_eq!(planned(Effect::Slack(slack(&["#a"]))).entries.len(), 1);
        let obstacle = |effect: &Effect| obstacle(effect, &settings()).unwrap_or_default();
        assert_eq!(obstacle(&other), "delivery.yaml has no receiver other");
        assert_eq!(obstacle(&Effect::Webhook(webhook("receiver:hook"))), "");
        assert_eq!(obstacle(&Effect::Webhook(webhook("http://10.0.0.7/"))), "");
        assert!(obstacle(&Effect::Webhook(webhook("http://10.0.0.8/"))).contains("scheme"));
        assert!(obstacle(&Effect::Webhook(webhook("https://169.254.169.254/"))).contains("not a public address"));
        assert!(
            super::obstacle(&other, &Settings::absent()).expect("an obstacle").contains("there is no delivery.yaml")
        );
    }
}
