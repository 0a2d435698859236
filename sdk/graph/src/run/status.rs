//! The states of jobs and steps.

texts! {
    /// The state of a job.
    #[non_exhaustive]
    "job state" JobState {
        /// The job is in progress.
        Running = "running",
        /// The process of the job ended before the job did. The job can be resumed.
        Interrupted = "interrupted",
        /// The job ended without gaps.
        Complete = "complete",
        /// The job ended with gaps, or ran selected steps only.
        Partial = "partial",
        /// The job ended with an error that prevented the whole collection.
        Failed = "failed",
        /// The user cancelled the job.
        Cancelled = "cancelled",
        /// Another version of the program recorded a state that this version does not know.
        Unknown = "unknown",
    }
}

texts! {
    /// The status of a step at the end of a job.
    "step status" StepStatus {
        /// Completed without gaps.
        Success = "success",
        /// Completed with the sufficiently recent result of an earlier job.
        Cached = "cached",
        /// Failed: none of its types can be assumed to be complete.
        Failure = "failure",
        /// Ran, but with a gap in its input or in its own partitions.
        Partial = "partial_success_due_to_dependency_failure",
        /// Did not run, because it was disabled or not selected.
        Disabled = "disabled",
        /// Did not run, because the job ended first.
        Pending = "pending_evaluation",
    }
}

texts! {
    /// The reason why a step does not run.
    #[non_exhaustive]
    "reason" DisabledReason {
        /// Unspecified.
        None = "none",
        /// The credentials lack a permission.
        Permission = "permission",
        /// The step is not released yet.
        Beta = "beta",
        /// The configuration of the integration disables the step.
        Config = "config",
        /// The user switched the ingestion source off.
        UserConfig = "user_config",
        /// The provider's API version does not support the step.
        ApiVersion = "api_version",
        /// A step that it depends on is disabled.
        ParentDisabled = "parent_disabled",
        /// The job runs selected steps only.
        NotSelected = "not_selected",
    }
}

impl StepStatus {
    /// A short word for users.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Pending => "not run",
            other => other.as_str(),
        }
    }

    /// Returns whether the step collected everything, in this job or in the one whose result it reuses.
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Success | Self::Cached)
    }
}
