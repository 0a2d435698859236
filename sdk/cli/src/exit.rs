//! The exit codes of the program.

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
