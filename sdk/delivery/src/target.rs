//! The targets of webhooks: names for users, and a resolver of names that refuses internal addresses.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use integration_rules::Effect;
use integration_rules::delivery::{TargetError, TargetPolicy, check_addresses};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use crate::settings::RECEIVER;

/// Returns the receiver of an action for users, without parts that may be secret.
pub fn target_of(effect: &Effect) -> String {
    match effect {
        Effect::Email(email) => email.recipients.join(", "),
        Effect::Slack(message) if message.channels.is_empty() => "Slack".to_owned(),
        Effect::Slack(message) => message.channels.join(", "),
        Effect::Webhook(call) => match call.url.strip_prefix(RECEIVER) {
            Some(name) => name.to_owned(),
            None => origin(&call.url),
        },
        Effect::Command(call) => call.command.first().cloned().unwrap_or_default(),
    }
}

/// Returns the scheme and the host of an address. Paths and queries may contain a token.
fn origin(text: &str) -> String {
    let parsed = text.parse::<Url>().ok();
    match parsed {
        Some(url) if url.origin().is_tuple() => url.origin().ascii_serialization(),
        // An address such as `file:` has no host.
        Some(url) => format!("an address of the scheme {}", url.scheme()),
        None => "an address that is no URL".to_owned(),
    }
}

/// Resolves names, and refuses those with an address that is not public. The connection is made to the checked addresses.
#[derive(Debug, Clone, Default)]
pub(crate) struct CheckedNames {
    /// The refusal of the last name.
    refused: Arc<Mutex<Option<TargetError>>>,
}

impl CheckedNames {
    /// Returns why the last connection was refused.
    pub(crate) fn take_refusal(&self) -> Option<TargetError> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Resolve for CheckedNames {
    fn resolve(&self, name: Name) -> Resolving {
        let refused = Arc::clone(&self.refused);
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Vec<IpAddr> = found.iter().map(SocketAddr::ip).collect();
            match check_addresses(&addresses, TargetPolicy::default()) {
                Ok(()) => Ok(Box::new(found.into_iter()) as Addrs),
                Err(error) => {
                    *refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.clone());
                    Err(error.into())
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use integration_rules::WebhookCall;

    #[test]
    fn names_of_targets_contain_no_tokens() {
        let webhook = |url: &str| {
            let (method, url) = ("POST".to_owned(), url.to_owned());
            target_of(&Effect::Webhook(WebhookCall { method, url, headers: [].into(), body: None }))
        };
        assert_eq!(webhook("https://hooks.example.com/services/TOKEN?key=TOKEN"), "https://hooks.example.com");
        assert_eq!(webhook("receiver:jira"), "jira");
        assert_eq!(webhook("file:///etc/passwd"), "an address of the scheme file");
        assert_eq!(webhook("no url"), "an address that is no URL");
    }

    #[tokio::test]
    async fn a_name_with_an_internal_address_is_refused() {
        let names = CheckedNames::default();
        assert!(names.resolve("localhost".parse().expect("a name")).await.is_err());
        assert!(matches!(names.take_refusal(), Some(TargetError::Address(_))));
        assert_eq!(names.take_refusal(), None);
    }
}
