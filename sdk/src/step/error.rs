//! What can end a step, and the codes that the outside world knows it by.

use crate::graph::{InvalidName, ObjectKey, ObjectType, PropertyError, StepId};
use crate::http::{ProviderError, ProviderErrorKind};
use crate::store::StoreError;

/// What a step returns.
pub type StepResult<T = ()> = Result<T, StepError>;

/// Why a step, or a part of it, could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StepError {
    /// The provider did not answer as needed.
    #[error(transparent)]
    Provider(#[from] ProviderError),
    /// An object cannot enter the graph.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// An object of the store does not fit the type that reads it.
    #[error("cannot read {object_type}: {source}")]
    Unreadable {
        /// The type.
        object_type: ObjectType,
        /// The property.
        source: PropertyError,
    },
    /// There is nothing of a type, and it is not known whether that is the truth.
    #[error("it is not known whether there is any {object_type}: a part of them could not be collected")]
    Unknown {
        /// The type.
        object_type: ObjectType,
    },
    /// The job was cancelled while the step ran.
    #[error("the job was ended while the step ran")]
    Cancelled,
    /// Something else, in the integration's words.
    #[error("{0}")]
    Other(String),
}

/// An object that the graph refuses.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObjectError {
    /// `_key`, `_type` or `_class` is missing or malformed.
    #[error("an object of type {object_type} has no valid key: {source}")]
    MissingKey {
        /// The type.
        object_type: ObjectType,
        /// What is wrong.
        source: InvalidName,
    },
    /// A hook took the last class away, or a run-time step gave none.
    #[error("{object_type} {key:?} has no class")]
    MissingClass {
        /// The key.
        key: ObjectKey,
        /// The type.
        object_type: ObjectType,
    },
    /// Its raw data cannot be kept.
    #[error("the raw data of {object_type} {key:?} cannot be kept: {reason}")]
    RawData {
        /// The key.
        key: ObjectKey,
        /// The type.
        object_type: ObjectType,
        /// What is wrong with them.
        reason: String,
    },
    /// An object of another type has the key.
    #[error(
        "{object_type} {key:?} has the key of a {other_type} that {other_step} added: keys of different types must differ"
    )]
    DuplicateKey {
        /// The key of both objects.
        key: ObjectKey,
        /// The refused object's type.
        object_type: ObjectType,
        /// The type of the object that stays.
        other_type: ObjectType,
        /// The step that added the object that stays.
        other_step: StepId,
    },
    /// The object breaks its schema, and the job validates with `fail`.
    #[error("{object_type} {key:?} is not valid: {finding}")]
    Invalid {
        /// The key.
        key: ObjectKey,
        /// The type.
        object_type: ObjectType,
        /// The first finding.
        finding: String,
    },
}

impl ObjectError {
    /// The code of the error in summaries.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingKey { .. } | Self::MissingClass { .. } => "MISSING_KEY_ERROR",
            Self::DuplicateKey { .. } => "DUPLICATE_KEY_DETECTED",
            Self::Invalid { .. } | Self::RawData { .. } => "UNEXPECTED_ERROR",
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
    pub fn code(&self) -> &'static str {
        match self {
            Self::Provider(error) => error.code(),
            Self::Object(error) => error.code(),
            Self::Store(_) | Self::Unreadable { .. } | Self::Unknown { .. } | Self::Cancelled | Self::Other(_) => {
                "UNEXPECTED_ERROR"
            }
        }
    }

    /// Ends the whole job: the credentials do not work.
    pub fn is_fatal(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind == ProviderErrorKind::Authentication)
    }

    /// Concerns one parent only: the rest of the step can go on.
    pub fn is_local(&self) -> bool {
        matches!(self, Self::Provider(_)) && !self.is_fatal()
    }

    /// The thing asked for is not there any more.
    pub fn is_vanished(&self) -> bool {
        matches!(self, Self::Provider(error) if error.kind == ProviderErrorKind::NotFound)
    }
}
