//! The exit codes of the program.

use integration_sdk::Summary;
use integration_sdk::store::JobState;

/// The exit code for a job that has ended.
pub fn of_job(summary: &Summary) -> u8 {
    match summary.state {
        JobState::Complete => SUCCESS,
        // Only some steps were selected, and they are complete.
        JobState::Partial if !summary.is_partial() => SUCCESS,
        JobState::Partial | JobState::Cancelled => INCOMPLETE,
        // A job that has not ended, or that is in a state of another version, has not succeeded.
        _ => FAILED,
    }
}

/// Success.
pub const SUCCESS: u8 = 0;
/// An error, or a job that failed completely.
pub const FAILED: u8 = 1;
/// Wrong usage, such as an unknown option, step, source or job.
pub const USAGE: u8 = 2;
/// Part of the data is missing, because of a gap or a cancellation.
pub const INCOMPLETE: u8 = 3;
/// A check reported findings.
pub const FINDINGS: u8 = 4;
