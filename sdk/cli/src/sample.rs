//! An imitation of the provider, for `--sample`.

use std::any::Any;
use std::fmt;
use std::pin::Pin;

type Started = Pin<Box<dyn Future<Output = std::io::Result<Sample>>>>;
pub(crate) type StartSample = Box<dyn Fn() -> Started>;

/// What `--sample` needs.
pub struct Sample {
    /// The variables that lead to the imitation of the provider, such as its address and a key that it accepts. Nothing
    /// else is read: no real key reaches the imitation.
    pub values: Vec<(String, String)>,
    /// The imitation, kept alive while the command runs.
    pub server: Box<dyn Any + Send>,
}

impl fmt::Debug for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sample").finish_non_exhaustive()
    }
}
