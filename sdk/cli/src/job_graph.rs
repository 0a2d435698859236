//! The graph of a job as one side of a comparison.

use integration_sdk::diff::{Coverage, Side};
use integration_sdk::graph::ObjectType;
use integration_sdk::store::{JobRow, Kind, Snapshot};

use crate::failure::Failure;
use crate::job_lookup;

/// The published graph of a job that has ended.
pub(crate) struct JobGraph {
    pub(crate) snapshot: Snapshot,
    pub(crate) types: Vec<(ObjectType, Kind)>,
    coverage: Coverage,
}

impl JobGraph {
    /// Reads the types and the gaps of a job's snapshot.
    pub(crate) async fn of(snapshot: Snapshot, row: &JobRow) -> Result<Self, Failure> {
        let coverage = Coverage::of(job_lookup::summary(row)?);
        let types = snapshot.kinds().await?;
        Ok(Self { snapshot, types, coverage })
    }

    pub(crate) fn side(&self) -> Side<'_> {
        Side { graph: &self.snapshot, types: &self.types, coverage: &self.coverage }
    }
}
