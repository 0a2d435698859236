//! Errors that end a step, with their codes in summaries.

use crate::graph::run::ErrorCode;
use crate::graph::{InvalidName, ObjectKey, ObjectType, PropertyError, StepId};
use crate::http::{ProviderError, ProviderErrorKind};
use crate::store::StoreError;

/// The result of a step.
pub type StepResult<T = ()> = Result<T, StepError>;

/// The reason why a step or a partition failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StepError {
    /// A request to the provider failed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// An object cannot enter the graph.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A stored object does not fit the type that reads it.
    #[error("cannot read {object_type}: {source}")]
    Unreadable {
        /// The type of the object.
        object_type: ObjectType,
        /// The error of the property.
        source: PropertyError,
    },
    /// The graph contains no object of a type, but some may be missing.
    #[error("cannot determine whether any {object_type} exists: some could not be collected")]
    Unknown {
        /// The type.
        object_type: ObjectType,
    },
    /// The job was cancelled while the step ran.
    #[error("the job was cancelled while the step ran")]
    Cancelled,
    /// Another error, described by the integration.
    #[error("{0}")]
    Other(String),
}

/// The reason why an object is rejected.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// `_key` is missing or malformed.
    #[error("an object of type {object_type} has no valid key: {source}")]
    MissingKey {
        /// The type of the object.
        object_type: ObjectType,
        /// The error of the key.
        source: InvalidName,
    },
    /// A hook removed the last class, or a step created at run time set none.
    #[error("{object_type} {key:?} has no class")]
    MissingClass {
        /// The key of the object.
        key: ObjectKey,
        /// The type of the object.
        object_type: ObjectType,
    },
    /// The raw data cannot be stored.
    #[error("the raw data of {object_type} {key:?} cannot be stored: {reason}")]
    RawData {
        /// The key of the object.
        key: ObjectKey,
        /// The type of the object.
        object_type: ObjectType,
        /// The error of the raw data.
        reason: String,
    },
    /// An object of another type has the same key.
    #[error(
        "{object_type} {key:?} has the key of a {other_type} that {other_step} added: keys of different types must differ"
    )]
    DuplicateKey {
        /// The key of both objects.
        key: ObjectKey,
        /// The type of the rejected object.
        object_type: ObjectType,
        /// The type of the remaining object.
        other_type: ObjectType,
        /// The step that added the remaining object.
        other_step: StepId,
    },
    /// The object violates its schema under `--validation fail`.
    #[error("{object_type} {key:?} is not valid: {finding}")]
    Invalid {
        /// The key of the object.
        key: ObjectKey,
        /// The type of the object.
        object_type: ObjectType,
        /// The first finding.
        finding: String,
    },
}

impl ObjectError {
    /// The code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::MissingKey { .. } | Self::MissingClass { .. } => ErrorCode::MissingKey,
            Self::DuplicateKey { .. } => ErrorCode::DuplicateKey,
            Self::Invalid { .. } | Self::RawData { .. } => ErrorCode::Unexpected,
        }
    }

    /// The type of the object.
    pub fn object_type(&self) -> &ObjectType {
        match self {
            Self::MissingKey { object_type, .. }
            | Self::MissingClass { object_type, .. }
            | Self::RawData { object_type, .. }
            | Self::DuplicateKey { object_type, .. }
            | Self::Invalid { object_type, .. } => object_type,
        }
    }
}

impl StepError {
    /// The code of the error in summaries.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Provider(error) => error.code(),
            Self::Object(error) => error.code(),
            Self::Cancelled => ErrorCode::NotCollected,
            Self::Store(_) | Self::Unreadable { .. } | Self::Unknown { .. } | Self::Other(_) => ErrorCode::Unexpected,
        }
    }

    /// Returns whether the error ends the whole job, because the credentials are refused.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind == ProviderErrorKind::Authentication)
    }

    /// Returns whether the error affects one parent only.
    ///
    /// The rest of the step can continue.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Provider(_)) && !self.is_fatal()
    }

    /// Returns whether the provider does not find the requested resource: it was removed, or it is hidden.
    pub fn is_vanished(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind == ProviderErrorKind::NotFound) || self.is_gone()
    }

    /// Returns whether the provider states that the requested resource was removed.
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind == ProviderErrorKind::Gone)
    }
}
