//! The settings of deliveries.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use integration_files::input;
use integration_graph::is_this_machine;
use integration_rules::delivery::TargetPolicy;
use integration_rules::{Effect, yaml};
use lettre::message::Mailbox;
use serde::Deserialize;
use url::Url;

use crate::secret_text::SecretText;

/// The beginning of an endpoint that names a receiver.
pub(crate) const RECEIVER: &str = "receiver:";
/// The name of the file in the data directory.
const FILE: &str = "delivery.yaml";
/// The entry of Slack for channels without one.
const DEFAULT: &str = "default";

/// The settings of deliveries, in the file `delivery.yaml` of a data directory.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    /// The addresses of incoming webhooks by channel, such as `#platform`; `default` is for all others.
    pub slack: BTreeMap<String, SecretText>,
    /// The receivers of webhooks, by name. A rule names one by the endpoint `receiver:NAME`.
    pub receivers: BTreeMap<String, Receiver>,
    /// The mail server.
    pub email: Option<EmailSettings>,
    /// Hosts that webhooks may reach although they are not public, with or without a port, such as `10.0.0.7:8080`.
    pub private_targets: Vec<String>,
    /// The programs that `RUN_COMMAND` may run, as absolute paths.
    pub commands: Vec<PathBuf>,
    /// Whether there is no file.
    #[serde(skip)]
    is_absent: bool,
}

/// A receiver of webhooks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Receiver {
    /// The address.
    pub url: SecretText,
    /// Headers in addition to those of the rule.
    #[serde(default)]
    pub headers: BTreeMap<String, SecretText>,
    /// Members of the JSON body in addition to those of the rule.
    #[serde(default)]
    pub body: BTreeMap<String, SecretText>,
    /// The key of the signature, as Standard Webhooks defines it: `whsec_` and base64.
    #[serde(default)]
    pub signing_secret: Option<SecretText>,
}

/// A mail server.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EmailSettings {
    /// The host.
    pub host: String,
    /// The port; 587, 465, or 25 by default, depending on the encryption.
    #[serde(default)]
    pub port: Option<u16>,
    /// The encryption of the connection.
    #[serde(default)]
    pub encryption: Encryption,
    /// The sender.
    pub from: Mailbox,
    /// The user name.
    #[serde(default)]
    pub user: Option<SecretText>,
    /// The password.
    #[serde(default)]
    pub password: Option<SecretText>,
    /// A file with additional root certificates in PEM.
    #[serde(default)]
    pub certificates: Option<PathBuf>,
    /// Whether a connection without encryption to another machine is allowed.
    #[serde(default)]
    pub allow_plain: bool,
}

/// The encryption of a connection to a mail server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encryption {
    /// A plain connection that must change to TLS.
    #[default]
    Starttls,
    /// TLS from the beginning.
    Tls,
    /// None. This needs a server on this machine, or `allowPlain`.
    None,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The file has another form.
    #[error("{path}: {reason}", path = path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The cause with its line.
        reason: String,
    },
}

impl Settings {
    /// Returns the file of a data directory, which may be missing.
    pub fn path(data_dir: &Path) -> PathBuf {
        data_dir.join(FILE)
    }

    /// Reads the file of a data directory; `None` if there is none.
    ///
    /// # Errors
    /// [`SettingsError`] if the file cannot be read, or if it has another form.
    pub fn read(data_dir: &Path) -> Result<Option<Self>, SettingsError> {
        let path = Self::path(data_dir);
        match input::read_to_string(&path, input::DOCUMENT) {
            Ok(text) => Self::parse_named(&text, path).map(|settings| Some(settings.relative_to(data_dir))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SettingsError::File { path, source }),
        }
    }

    /// Returns the settings of a data directory without a file. Every delivery fails, and is repeated.
    pub fn absent() -> Self {
        Self { is_absent: true, ..Self::default() }
    }

    /// Reads settings in YAML.
    ///
    /// # Errors
    /// [`SettingsError::Content`] if the text has another form.
    pub fn parse(text: &str) -> Result<Self, SettingsError> {
        Self::parse_named(text, PathBuf::from(FILE))
    }

    fn parse_named(text: &str, path: PathBuf) -> Result<Self, SettingsError> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let wrong = |reason: String| SettingsError::Content { path: path.clone(), reason };
        let settings: Self = yaml::read(text, false).map_err(wrong)?;
        let relative = settings.commands.iter().find(|program| !program.is_absolute());
        if let Some(program) = relative {
            return Err(wrong(format!("commands: {} is no absolute path", program.display())));
        }
        match &settings.email {
            Some(email)
                if email.encryption == Encryption::None && !email.allow_plain && !is_this_machine(&email.host) =>
            {
                Err(wrong(format!(
                    "email: the connection to {} would not be encrypted: use starttls or tls, or set allowPlain",
                    email.host
                )))
            }
            _ => Ok(settings),
        }
    }

    /// Paths are relative to the file that contains them.
    fn relative_to(mut self, data_dir: &Path) -> Self {
        if let Some(path) = self.email.as_mut().and_then(|email| email.certificates.as_mut()) {
            *path = data_dir.join(&path);
        }
        self
    }

    /// Returns the address of the incoming webhook of a channel.
    pub(crate) fn slack_url(&self, channel: &str) -> Option<&SecretText> {
        self.slack.get(channel).or_else(|| self.slack.get(DEFAULT))
    }

    /// Returns the targets that are accepted for an address.
    pub(crate) fn policy(&self, url: &Url) -> TargetPolicy {
        let is_allowed = self.allows(url);
        TargetPolicy { allow_private: is_allowed, allow_http: is_allowed }
    }

    /// Returns whether webhooks may reach an address although it is not public.
    pub fn allows(&self, url: &Url) -> bool {
        let Some(host) = url.host_str() else { return false };
        let with_port = format!("{host}:{}", url.port_or_known_default().unwrap_or_default());
        let is_host = |allowed: &String| allowed.eq_ignore_ascii_case(host) || allowed.eq_ignore_ascii_case(&with_port);
        self.private_targets.iter().any(is_host)
    }

    /// Returns the missing setting of an action, as text for users.
    pub(crate) fn missing(&self, effect: &Effect) -> Option<String> {
        if self.is_absent {
            return Some("there is no delivery.yaml in the data directory".to_owned());
        }
        match effect {
            Effect::Email(_) => self.email.is_none().then(|| "delivery.yaml has no `email`".to_owned()),
            Effect::Slack(message) => {
                let unknown = message.channels.iter().find(|channel| self.slack_url(channel).is_none());
                let none = message.channels.is_empty() && self.slack_url(DEFAULT).is_none();
                match unknown {
                    Some(channel) => Some(format!("delivery.yaml has no `slack` entry for {channel}, and no default")),
                    None => none.then(|| "delivery.yaml has no `slack` entry `default`".to_owned()),
                }
            }
            Effect::Webhook(call) => {
                let name = call.url.strip_prefix(RECEIVER)?;
                (!self.receivers.contains_key(name)).then(|| format!("delivery.yaml has no receiver {name}"))
            }
            Effect::Command(call) => {
                let program = call.command.first().map(Path::new).unwrap_or(Path::new(""));
                let is_allowed = self.commands.iter().any(|allowed| allowed == program);
                (!is_allowed).then(|| format!("`commands` of delivery.yaml does not contain {}", program.display()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Settings::parse(text).expect_err(text).to_string()
    }

    #[test]
    fn mistakes_are_errors_with_their_place() {
        assert!(refused("slak: {}").contains("slak"));
        assert!(refused("commands: [page]").contains("no absolute path"));
        assert!(
            refused("email: {host: mail.example.com, from: a@example.com, encryption: none}").contains("allowPlain")
        );
        assert!(refused("email: {host: mail.example.com, from: nobody}").contains("from"));
        for text in [
            "",
            "email: {host: 127.0.0.1, from: a@example.com, encryption: none}",
            "email: {host: mail.example.com, from: a@example.com, encryption: none, allowPlain: true}",
        ] {
            assert!(Settings::parse(text).is_ok(), "{text}");
        }
    }
}
