//! Emails over SMTP.

use std::fs;
use std::time::{Duration, UNIX_EPOCH};

use integration_rules::Email;
use integration_rules::delivery::{AttemptResult, OutboxEntry};
use integration_secrets::ExposeSecret;
use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::{CONNECT, Sender};
use crate::settings::{EmailSettings, Encryption};

/// The answers of a server that concern the message or its recipients, so that a repetition fails as well.
const HOPELESS: [u16; 4] = [550, 551, 553, 554];

impl Sender {
    pub(super) async fn email(
        &self,
        entry: &OutboxEntry,
        email: &Email,
        now: Timestamp,
    ) -> Result<AttemptResult, AttemptResult> {
        let settings = self.settings.email.as_ref();
        let settings = settings.ok_or_else(|| AttemptResult::Failed("delivery.yaml has no `email`".to_owned()))?;
        let message = message(entry, email, settings, now)?;
        let transport = self.transport(settings).await?;
        Ok(match transport.send(message).await {
            Ok(_) => AttemptResult::Accepted,
            Err(error) => {
                let code = error.status().map(u16::from);
                let reason = failure(&error);
                match code.is_some_and(|code| HOPELESS.contains(&code)) {
                    true => AttemptResult::Refused(reason),
                    false => AttemptResult::Failed(reason),
                }
            }
        })
    }

    async fn transport(&self, settings: &EmailSettings) -> Result<AsyncSmtpTransport<Tokio1Executor>, AttemptResult> {
        let failed = |error: lettre::transport::smtp::Error| AttemptResult::Failed(failure(&error));
        let host = settings.host.as_str();
        let mut parameters = TlsParameters::builder(host.to_owned());
        if let Some(path) = &settings.certificates {
            let unreadable =
                |reason: String| AttemptResult::Failed(format!("cannot read {}: {reason}", path.display()));
            let pem = fs::read(path).map_err(|error| unreadable(error.to_string()))?;
            let certificate = Certificate::from_pem(&pem).map_err(|error| unreadable(error.to_string()))?;
            parameters = parameters.add_root_certificate(certificate);
        }
        let (tls, port) = match settings.encryption {
            Encryption::Starttls => (Tls::Required(parameters.build_rustls().map_err(failed)?), 587),
            Encryption::Tls => (Tls::Wrapper(parameters.build_rustls().map_err(failed)?), 465),
            Encryption::None => (Tls::None, 25),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(settings.port.unwrap_or(port))
            .timeout(Some(CONNECT))
            .tls(tls);
        if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
            let (user, password) = (self.read(user).await?, self.read(password).await?);
            builder = builder
                .credentials(Credentials::new(user.expose_secret().to_owned(), password.expose_secret().to_owned()));
        }
        Ok(builder.build())
    }
}

fn message(
    entry: &OutboxEntry,
    email: &Email,
    settings: &EmailSettings,
    now: Timestamp,
) -> Result<Message, AttemptResult> {
    let mut builder = Message::builder()
        .from(settings.from.clone())
        .subject(subject(entry))
        .date(UNIX_EPOCH + Duration::from_secs(now.as_second().unsigned_abs()))
        .message_id(Some(format!("<{}@{}>", entry.id, settings.from.email.domain())));
    for recipient in &email.recipients {
        let mailbox: Mailbox = recipient
            .parse()
            .map_err(|_| AttemptResult::Refused(format!("{recipient:?} is no address of an email")))?;
        builder = builder.to(mailbox);
    }
    // A text that contains `<` because of a name is not HTML.
    let (text, content) = match &email.body {
        Some(body) if email.is_html => (body.clone(), ContentType::TEXT_HTML),
        Some(body) => (body.clone(), ContentType::TEXT_PLAIN),
        None => (composed(entry), ContentType::TEXT_PLAIN),
    };
    let part = SinglePart::builder().header(content).body(text);
    builder.singlepart(part).map_err(|error| AttemptResult::Refused(format!("the email cannot be written: {error}")))
}

/// Returns the subject: the level and the rule, on one line.
fn subject(entry: &OutboxEntry) -> String {
    let rule: String =
        entry.occasion.rule.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    format!("[{}] {rule}", entry.occasion.level)
}

/// Returns the text of an email without a body.
fn composed(entry: &OutboxEntry) -> String {
    let alert = match &entry.occasion.alert {
        Some(alert) => format!("\nAlert: {alert}"),
        None => String::new(),
    };
    format!("Rule: {}\nLevel: {}{alert}\n", entry.occasion.rule, entry.occasion.level)
}

/// Describes a failure by the answer of the server, or by its root cause.
fn failure(error: &lettre::transport::smtp::Error) -> String {
    let mut cause = std::error::Error::source(error);
    while let Some(deeper) = cause.and_then(std::error::Error::source) {
        cause = Some(deeper);
    }
    match (error.status(), cause) {
        (Some(code), cause) => {
            let text = cause.map(ToString::to_string).unwrap_or_default();
            format!("the mail server answered with {code} {text}").trim_end().to_owned()
        }
        (None, Some(cause)) => format!("the mail server cannot be used: {cause}"),
        (None, None) => format!("the mail server cannot be used: {error}"),
    }
}
