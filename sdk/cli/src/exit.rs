//! The exit codes, for whatever starts the program.

/// All well.
pub const SUCCESS: u8 = 0;
/// It could not be done: an error, or a job that failed as a whole.
pub const FAILED: u8 = 1;
/// The command was called in a wrong way: an unknown option, step, source or job.
pub const USAGE: u8 = 2;
/// The job is done, but part of the data is missing: something could not be collected, or the user ended it early.
pub const INCOMPLETE: u8 = 3;
/// A check found something.
pub const FINDINGS: u8 = 4;
