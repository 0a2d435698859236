//! Errors of a provider, as a sentence and as data.

use std::fmt;
use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::retry::End;
use super::text::one_line;
use integration_graph::run::ErrorCode;
use integration_graph::secrets::take_out;

const LONGEST_MESSAGE: usize = 240;
const LONGEST_CODE: usize = 60;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{detail}")]
pub struct ProviderError {
    /// The category of the failure.
    pub kind: ProviderErrorKind,
    /// Boxed, so that a `Result` stays small.
    detail: Box<Detail>,
}

/// The category of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProviderErrorKind {
    /// The provider rejects the credentials (401).
    Authentication,
    /// The credentials lack a permission (402, 403).
    Authorization,
    /// The resource is absent, or hidden from these credentials (404).
    NotFound,
    /// The resource existed and was removed (410).
    Gone,
    /// The provider rejects the request itself (any other 4xx).
    Rejected,
    /// All attempts failed, or the rate limit lasts longer than the policy allows.
    RetriesExceeded,
    /// The response has an unexpected form.
    Unexpected,
}

/// The method and the path of a request for errors and logs, without host and query.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) method: Method,
    pub(super) path: String,
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

#[derive(Debug)]
struct Detail {
    subject: Option<Subject>,
    problem: Problem,
    told: ErrorDetails,
    attempts: u32,
    /// The pause that the provider demands, if it is too long to wait for.
    pause: Option<String>,
}

#[derive(Debug)]
pub(super) enum Problem {
    /// The status describes the problem.
    Status,
    /// No complete response arrived.
    TransportError(String),
    /// There was no connection, or the transport has no response to such a request.
    Unreachable(String),
    /// The response has an unexpected form.
    Unfit(String),
}

/// The metadata of a response that an error reports.
#[derive(Debug, Clone, Default)]
pub(super) struct ErrorDetails {
    pub(super) status: Option<StatusCode>,
    pub(super) request_id: Option<String>,
    pub(super) accepted_scopes: Vec<String>,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

impl ProviderError {
    /// Creates an error that an integration's client detects, such as contradictory responses.
    pub fn new(kind: ProviderErrorKind, explanation: impl AsRef<str>) -> Self {
        let problem = Problem::Unfit(fit(explanation.as_ref(), LONGEST_MESSAGE));
        Self {
            kind,
            detail: Box::new(Detail {
                subject: None,
                problem,
                told: ErrorDetails::default(),
                attempts: 0,
                pause: None,
            }),
        }
    }

    /// Creates the error of a request.
    ///
    /// The texts in `told` are redacted and shortened here.
    pub(super) fn about(subject: &Subject, kind: ProviderErrorKind, problem: Problem, mut told: ErrorDetails) -> Self {
        let tidy = |text: Option<String>, longest| text.map(|text| fit(&text, longest)).filter(|text| !text.is_empty());
        told.request_id = tidy(told.request_id, LONGEST_CODE);
        told.code = tidy(told.code, LONGEST_CODE);
        told.message = tidy(told.message, LONGEST_MESSAGE);
        told.accepted_scopes = told.accepted_scopes.iter().map(|scope| fit(scope, LONGEST_CODE)).collect();
        let problem = match problem {
            Problem::TransportError(text) => Problem::TransportError(fit(&text, LONGEST_MESSAGE)),
            Problem::Unreachable(text) => Problem::Unreachable(fit(&text, LONGEST_MESSAGE)),
            Problem::Unfit(text) => Problem::Unfit(fit(&text, LONGEST_MESSAGE)),
            Problem::Status => Problem::Status,
        };
        let subject = Subject { path: take_out(&subject.path).into_owned(), ..subject.clone() };
        Self { kind, detail: Box::new(Detail { subject: Some(subject), problem, told, attempts: 1, pause: None }) }
    }

    pub(super) fn after_attempts(mut self, attempts: u32) -> Self {
        self.detail.attempts = attempts;
        self
    }

    pub(super) fn retries_exceeded(mut self) -> Self {
        self.kind = ProviderErrorKind::RetriesExceeded;
        self
    }

    /// Marks the error as final, because the provider demands a pause until `end`.
    ///
    /// `longest` is the longest pause that the client accepts.
    pub(super) fn paused(mut self, end: &End, longest: Duration) -> Self {
        self.kind = ProviderErrorKind::RetriesExceeded;
        let longest = longest.as_secs_f64() / 60.0;
        self.detail.pause =
            Some(format!(", and demands a pause {end}, longer than the {longest} min that this client waits"));
        self
    }

    /// Returns whether the provider is unreachable, so that other requests would fail as well.
    pub fn is_unreachable(&self) -> bool {
        matches!(self.detail.problem, Problem::Unreachable(_))
    }

    /// Returns the code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self.kind {
            ProviderErrorKind::Authentication => ErrorCode::ProviderAuthentication,
            ProviderErrorKind::Authorization => ErrorCode::ProviderAuthorization,
            ProviderErrorKind::RetriesExceeded => ErrorCode::ProviderRetriesExceeded,
            ProviderErrorKind::NotFound
            | ProviderErrorKind::Gone
            | ProviderErrorKind::Rejected
            | ProviderErrorKind::Unexpected => ErrorCode::ProviderApi,
        }
    }

    /// Returns the method, such as `GET`.
    pub fn method(&self) -> Option<&str> {
        self.detail.subject.as_ref().map(|subject| subject.method.as_str())
    }

    /// Returns the path below the provider's address, with its ids and without a query.
    pub fn endpoint(&self) -> Option<&str> {
        self.detail.subject.as_ref().map(|subject| subject.path.as_str())
    }

    /// Returns the status of the last response.
    pub fn status(&self) -> Option<u16> {
        self.detail.told.status.map(|status| status.as_u16())
    }

    /// Returns the provider's id of the last request.
    pub fn request_id(&self) -> Option<&str> {
        self.detail.told.request_id.as_deref()
    }

    /// Returns the provider's error code, such as `forbidden`.
    pub fn provider_code(&self) -> Option<&str> {
        self.detail.told.code.as_deref()
    }

    /// Returns the provider's error message, shortened to one line.
    pub fn provider_message(&self) -> Option<&str> {
        self.detail.told.message.as_deref()
    }

    /// Returns the scopes that would be sufficient, if the provider reports them.
    pub fn accepted_scopes(&self) -> &[String] {
        &self.detail.told.accepted_scopes
    }

    /// Returns the number of attempts.
    pub fn attempts(&self) -> u32 {
        self.detail.attempts
    }
}

/// Redacts external text and shortens it to one line.
///
/// Redaction is first, because half a credential is not recognizable.
fn fit(text: &str, longest: usize) -> String {
    one_line(&take_out(text), longest)
}

impl ProviderErrorKind {
    pub(super) fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::Authentication,
            402 | 403 => Self::Authorization,
            404 => Self::NotFound,
            410 => Self::Gone,
            400..=499 => Self::Rejected,
            _ => Self::Unexpected,
        }
    }
}

impl Detail {
    fn problem(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.problem, self.told.status) {
            (Problem::TransportError(text) | Problem::Unreachable(text), _) => write!(f, " failed: {text}"),
            (Problem::Unfit(text), _) => write!(f, " did not answer as expected: {text}"),
            (Problem::Status, None) => write!(f, " failed"),
            (Problem::Status, Some(status)) => {
                let name = self.told.code.as_deref().or(status.canonical_reason()).unwrap_or_default();
                write!(f, " answered {}", format!("{} {name}", status.as_u16()).trim_end())?;
                match &self.told.message {
                    Some(message) => write!(f, ": \"{message}\""),
                    None if status == StatusCode::NOT_MODIFIED => {
                        write!(f, ", although the request does not refer to an earlier answer")
                    }
                    None if status.is_redirection() => write!(f, ", a redirect that is not followed"),
                    None => Ok(()),
                }
            }
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.attempts > 1 {
            notes.push(format!("{} attempts", self.attempts));
        }
        if !self.told.accepted_scopes.is_empty() {
            notes.push(format!("accepts scopes: {}", self.told.accepted_scopes.join(", ")));
        }
        if let Some(id) = &self.told.request_id {
            notes.push(format!("request {id}"));
        }
        notes
    }
}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.subject, &self.problem) {
            (Some(subject), _) => {
                write!(f, "{subject}")?;
                self.problem(f)?;
                f.write_str(self.pause.as_deref().unwrap_or_default())?;
            }
            (None, Problem::TransportError(text) | Problem::Unreachable(text) | Problem::Unfit(text)) => {
                f.write_str(text)?
            }
            (None, Problem::Status) => f.write_str("the provider failed")?,
        }
        let notes = self.notes();
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members() -> Subject {
        Subject { method: Method::GET, path: "/teams/01234/members".into() }
    }

    fn told(status: u16) -> ErrorDetails {
        ErrorDetails { status: StatusCode::from_u16(status).ok(), ..ErrorDetails::default() }
    }

    #[test]
    fn an_error_reads_as_one_sentence() {
        let told = ErrorDetails {
            request_id: Some("1a2b".into()),
            accepted_scopes: vec!["global".into()],
            code: Some("forbidden".into()),
            message: Some("You do not have access\nto the team.".into()),
            ..told(403)
        };
        let error = ProviderError::about(&members(), ProviderErrorKind::Authorization, Problem::Status, told);
        assert_eq!(
            error.to_string(),
            "GET /teams/01234/members answered 403 forbidden: \"You do not have access to the team.\" \
             (accepts scopes: global; request 1a2b)"
        );
    }

    #[test]
    fn a_failure_that_stayed_says_how_often_it_was_met() {
        let error = ProviderError::about(&members(), ProviderErrorKind::Unexpected, Problem::Status, told(503))
            .after_attempts(5)
            .retries_exceeded();
        assert_eq!(error.to_string(), "GET /teams/01234/members answered 503 Service Unavailable (5 attempts)");
        assert_eq!(error.code(), ErrorCode::ProviderRetriesExceeded);
    }

    #[test]
    fn credentials_in_what_a_provider_says_are_taken_out_before_it_is_cut() {
        let told = ErrorDetails {
            code: Some("//u:s3cret@h".into()),
            message: Some(format!(
                "{} https://u:s3cret@h/ Bearer a1B2c3D4e5F6g7H8i9",
                "x".repeat(LONGEST_MESSAGE - 18)
            )),
            request_id: Some("?token=s3cret".into()),
            accepted_scopes: vec!["//u:s3cret@h".into()],
            ..told(403)
        };
        let subject = Subject { method: Method::GET, path: "/apps/https%3A%2F%2Fu%3As3cret%40h".into() };
        let error = ProviderError::about(&subject, ProviderErrorKind::Authorization, Problem::Status, told);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("s3cr") && !shown.contains("a1B2"), "{shown}");
        let own = ProviderError::new(ProviderErrorKind::Unexpected, "no answer from https://u:s3cret@h/x");
        assert_eq!(own.to_string(), "no answer from https://h/x");
    }

    #[test]
    fn a_long_message_is_cut() {
        let told = ErrorDetails { message: Some("x".repeat(10_000)), ..told(422) };
        let error = ProviderError::about(&members(), ProviderErrorKind::Rejected, Problem::Status, told);
        assert_eq!(error.provider_message().map(|message| message.chars().count()), Some(LONGEST_MESSAGE));
    }

    #[test]
    fn kinds_follow_the_status() {
        let kind = |status| ProviderErrorKind::of(StatusCode::from_u16(status).unwrap());
        assert_eq!(kind(401), ProviderErrorKind::Authentication);
        assert_eq!([kind(402), kind(403)], [ProviderErrorKind::Authorization; 2]);
        assert_eq!([kind(404), kind(410)], [ProviderErrorKind::NotFound, ProviderErrorKind::Gone]);
        assert_eq!([kind(400), kind(416), kind(422)], [ProviderErrorKind::Rejected; 3]);
        assert_eq!(kind(302), ProviderErrorKind::Unexpected);
    }

    #[test]
    fn an_integration_can_explain_itself() {
        let error = ProviderError::new(ProviderErrorKind::Unexpected, "two teams of one id");
        assert_eq!((error.to_string().as_str(), error.code()), ("two teams of one id", ErrorCode::ProviderApi));
    }
}
