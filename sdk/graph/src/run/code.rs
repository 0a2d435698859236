//! Error codes of summaries.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The code of an error in a summary.
///
/// Codes compare in the order of their texts. A code that this version does not know, such as one in the file of another
/// version, keeps its text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorCode {
    /// The configuration is not valid.
    ConfigValidation,
    /// The provider refuses the credentials.
    ProviderAuthentication,
    /// The credentials lack a permission.
    ProviderAuthorization,
    /// A response of the provider is an error or cannot be read.
    ProviderApi,
    /// A request failed as often as it may be repeated.
    ProviderRetriesExceeded,
    /// Objects of different types have the same key.
    DuplicateKey,
    /// An object has no valid key or no class.
    MissingKey,
    /// A step has no start state.
    UnaccountedStart,
    /// A start state names a step that does not exist.
    UnknownStart,
    /// A graph could not be uploaded.
    Upload,
    /// The clock of the machine cannot be used.
    Clock,
    /// The step did not run, or was cancelled.
    NotCollected,
    /// The job did not select the step.
    StepNotSelected,
    /// The step is disabled.
    StepDisabled,
    /// The configuration excludes some parents.
    ParentsExcluded,
    /// The step failed, and the summary of another program does not say why.
    StepFailed,
    /// A summary lists the type as incomplete without an explanation.
    PartialDataset,
    /// The job has not ended.
    JobUnfinished,
    /// A user dropped stale objects.
    Dropped,
    /// Any other error.
    Unexpected,
    /// A code of another version.
    Other(OtherCode),
}

/// The text of a code that this version does not know.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OtherCode(Arc<str>);

impl ErrorCode {
    const KNOWN: [Self; 20] = [
        Self::ConfigValidation,
        Self::ProviderAuthentication,
        Self::ProviderAuthorization,
        Self::ProviderApi,
        Self::ProviderRetriesExceeded,
        Self::DuplicateKey,
        Self::MissingKey,
        Self::UnaccountedStart,
        Self::UnknownStart,
        Self::Upload,
        Self::Clock,
        Self::NotCollected,
        Self::StepNotSelected,
        Self::StepDisabled,
        Self::ParentsExcluded,
        Self::StepFailed,
        Self::PartialDataset,
        Self::JobUnfinished,
        Self::Dropped,
        Self::Unexpected,
    ];

    /// Returns the text of the code.
    pub fn as_str(&self) -> &str {
        match self {
            Self::ConfigValidation => "CONFIG_VALIDATION_ERROR",
            Self::ProviderAuthentication => "PROVIDER_AUTHENTICATION_ERROR",
            Self::ProviderAuthorization => "PROVIDER_AUTHORIZATION_ERROR",
            Self::ProviderApi => "PROVIDER_API_ERROR",
            Self::ProviderRetriesExceeded => "PROVIDER_RETRIES_EXCEEDED_ERROR",
            Self::DuplicateKey => "DUPLICATE_KEY_DETECTED",
            Self::MissingKey => "MISSING_KEY_ERROR",
            Self::UnaccountedStart => "UNACCOUNTED_STEP_START_STATES",
            Self::UnknownStart => "UNKNOWN_STEP_ID_SPECIFIED_IN_START_STATE",
            Self::Upload => "UPLOAD_ERROR",
            Self::Clock => "CLOCK_ERROR",
            Self::NotCollected => "NOT_COLLECTED",
            Self::StepNotSelected => "STEP_NOT_SELECTED",
            Self::StepDisabled => "STEP_DISABLED",
            Self::ParentsExcluded => "PARENTS_EXCLUDED",
            Self::StepFailed => "STEP_FAILED",
            Self::PartialDataset => "PARTIAL_DATASET",
            Self::JobUnfinished => "JOB_UNFINISHED",
            Self::Dropped => "DROPPED_ON_REQUEST",
            Self::Unexpected => "UNEXPECTED_ERROR",
            Self::Other(OtherCode(text)) => text,
        }
    }

    /// Returns whether the data is missing because its step did not run.
    pub fn means_not_run(&self) -> bool {
        matches!(self, Self::NotCollected | Self::StepNotSelected | Self::StepDisabled)
    }
}

impl From<&str> for ErrorCode {
    fn from(text: &str) -> Self {
        let known = Self::KNOWN.into_iter().find(|code| code.as_str() == text);
        known.unwrap_or_else(|| Self::Other(OtherCode(text.into())))
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Ord for ErrorCode {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for ErrorCode {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'_, str>::deserialize(deserializer).map(|text| Self::from(&*text))
    }
}
