//! The reasons why an endpoint cannot be used.

use integration_graph::run::ErrorCode;

/// The reason why an endpoint cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The address cannot be used.
    ///
    /// The error does not repeat the address, because it may contain a password.
    #[error("the provider's address cannot be used: {reason}")]
    Base {
        /// The reason.
        reason: &'static str,
    },
    /// Credentials would be sent unencrypted.
    #[error(
        "the provider's address is http://{host}, which would send the credentials unencrypted: use https://, or allow \
         plain HTTP if you control every machine on the path"
    )]
    PlainHttp {
        /// The host.
        host: String,
    },
    /// A header cannot be sent.
    ///
    /// The error does not repeat the value, because it may be a secret.
    #[error(
        "header `{name}` cannot be sent: its name or its value contains a character that headers do not allow, such as a line break"
    )]
    Header {
        /// The header.
        name: String,
    },
    /// The rate budget would never allow a request.
    #[error("the provider's rate budget must allow at least one request, and its refill per minute must be positive")]
    RateBudget,
    /// An environment variable for connections has an unusable value.
    #[error("{variable} cannot be used: {reason}; correct the variable or unset it")]
    Variable {
        /// The name of the variable.
        variable: &'static str,
        /// The reason.
        ///
        /// It never repeats the address of a proxy, which may contain a password.
        reason: String,
    },
    /// This machine cannot make connections, for example because it has no root certificates.
    #[error("cannot prepare connections: {reason}")]
    Connections {
        /// The reason.
        reason: String,
    },
}

impl EndpointError {
    /// The code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Base { .. } | Self::PlainHttp { .. } | Self::Header { .. } | Self::Variable { .. } => {
                ErrorCode::ConfigValidation
            }
            Self::RateBudget | Self::Connections { .. } => ErrorCode::Unexpected,
        }
    }
}
