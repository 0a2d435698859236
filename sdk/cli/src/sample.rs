//! The fake provider behind `--sample`.

use std::any::Any;
use std::fmt;
use std::pin::Pin;

type Started = Pin<Box<dyn Future<Output = std::io::Result<Sample>>>>;
pub(crate) type StartSample = Box<dyn Fn() -> Started>;

/// A running fake provider for `--sample`.
pub struct Sample {
    /// The variables that select the fake provider, such as its address and an accepted key.
    ///
    /// No other variables are read, so that real keys never reach the fake provider.
    pub values: Vec<(String, String)>,
    /// The server, kept alive while the command runs.
    pub server: Box<dyn Any + Send>,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").finish_non_exhaustive()
    }
}
