//! The options that enable or disable ingestion sources.

use clap::Args;
use integration_sdk::Job;

use crate::failure::Failure;

#[derive(Debug, Args)]
pub(super) struct Sources {
    /// Enable an ingestion source that is disabled by default
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    enable_source: Vec<String>,
    /// Disable an ingestion source
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    disable_source: Vec<String>,
}

impl Sources {
    /// Rejects a source that is both enabled and disabled.
    pub(super) fn check(&self) -> Result<(), Failure> {
        match self.enable_source.iter().find(|source| self.disable_source.contains(source)) {
            Some(both) => Err(Failure::Usage(format!(
                "the ingestion source {both:?} is both enabled and disabled; remove one of the options"
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn switch(&self, job: Job) -> Job {
        self.switched().fold(job, |job, (source, on)| job.source(source, on))
    }

    /// The ids of the enabled and the disabled sources.
    pub(super) fn switched(&self) -> impl Iterator<Item = (String, bool)> {
        let on = self.enable_source.iter().map(|source| (source.clone(), true));
        on.chain(self.disable_source.iter().map(|source| (source.clone(), false)))
    }
}
