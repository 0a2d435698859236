//! One attempt of a delivery.

mod command;
mod email;
mod slack;
mod webhook;

use std::time::Duration;

use integration_rules::Effect;
use integration_rules::delivery::{AttemptResult, OutboxEntry};
use integration_secrets::{Resolver, SecretString};
use jiff::Timestamp;
use reqwest::redirect;

use crate::secret_text::SecretText;
use crate::settings::Settings;
use crate::target::CheckedNames;

/// The maximum duration of an attempt.
const TIME: Duration = Duration::from_secs(30);
/// The maximum duration of establishing a connection.
const CONNECT: Duration = Duration::from_secs(10);

/// The actions that the caller permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Permissions {
    /// Whether `RUN_COMMAND` may run the programs of the settings.
    pub commands: bool,
}

/// Sends entries of the outbox.
#[derive(Debug)]
pub struct Sender {
    settings: Settings,
    resolver: Resolver,
    permissions: Permissions,
    agent: String,
}

impl Sender {
    /// Creates a sender. `agent` is the name of the program for receivers.
    pub fn new(settings: Settings, resolver: Resolver, permissions: Permissions, agent: &str) -> Self {
        // This fails if the program has already installed a provider, which is equally suitable.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { settings, resolver, permissions, agent: agent.to_owned() }
    }

    /// Makes one attempt. The result is for [`OutboxEntry::finish`]; it contains no secret.
    pub async fn send(&self, entry: &OutboxEntry, now: Timestamp) -> AttemptResult {
        // The user can add a setting, so the attempt is repeated.
        if let Some(missing) = self.settings.missing(&entry.effect) {
            return AttemptResult::Failed(missing);
        }
        let attempt = async {
            match &entry.effect {
                Effect::Webhook(call) => self.webhook(entry, call, now).await,
                Effect::Slack(message) => self.slack(entry, message).await,
                Effect::Email(email) => self.email(entry, email, now).await,
                Effect::Command(call) => self.command(entry, call).await,
            }
        };
        match tokio::time::timeout(TIME, attempt).await {
            Ok(result) => result.unwrap_or_else(|refused| refused),
            Err(_) => AttemptResult::Failed(format!("there was no answer within {} seconds", TIME.as_secs())),
        }
    }

    /// Reads a text of the settings with its secrets.
    async fn read(&self, text: &SecretText) -> Result<SecretString, AttemptResult> {
        // The user can mend the reference, so the attempt is repeated.
        text.resolve(&self.resolver).await.map_err(|error| AttemptResult::Failed(error.to_string()))
    }

    /// Creates a client for one attempt, so that a connection is made to a checked address.
    fn client(&self, names: Option<&CheckedNames>) -> Result<reqwest::Client, AttemptResult> {
        let builder = reqwest::Client::builder()
            .user_agent(&self.agent)
            .connect_timeout(CONNECT)
            .timeout(TIME)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .retry(reqwest::retry::never());
        let builder = match names {
            Some(names) => builder.dns_resolver(names.clone()),
            None => builder,
        };
        builder.build().map_err(|error| AttemptResult::Failed(format!("no connection can be prepared: {error}")))
    }
}
