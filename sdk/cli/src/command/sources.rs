//! The parts of an integration that a job has switched on or off.

use clap::Args;
use integration_sdk::Job;

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Sources {
    /// Switch a part on that is off by default
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    enable_source: Vec<String>,
    /// Switch a part off
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    disable_source: Vec<String>,
}

impl Sources {
    /// Nothing can be both.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.enable_source.iter().find(|source| self.disable_source.contains(source)) {
            Some(both) => Err(Failure::Usage(format!("the source {both:?} is both enabled and disabled"))),
            None => Ok(()),
        }
    }

    pub(super) fn switch<'a>(&self, job: Job<'a>) -> Job<'a> {
        let on = self.enable_source.iter().map(|source| (source, true));
        let off = self.disable_source.iter().map(|source| (source, false));
        on.chain(off).fold(job, |job, (source, on)| job.source(source, on))
    }
}
