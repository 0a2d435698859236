//! Shorthands for the tests of the store.

use std::sync::Arc;

use integration_graph::StepId;

use super::{AppendReport, CompletedPartition, JobWriter, ObjectBatch, SqliteJob, StepBatch};

impl SqliteJob {
    /// Adds objects, and waits until they are committed.
    pub(crate) async fn add(&self, step: StepId, objects: ObjectBatch) -> AppendReport {
        self.complete(step, objects, Vec::new()).await
    }

    /// Adds objects and completes partitions, and waits until both are committed.
    pub(crate) async fn complete(
        &self,
        step: StepId,
        objects: ObjectBatch,
        completed: Vec<CompletedPartition>,
    ) -> AppendReport {
        let batch = StepBatch { step, objects, completed };
        let receipt = self.append(Arc::new(batch)).await.expect("the store works");
        let report = receipt.await.expect("the store works");
        self.commit().await.expect("the store works");
        report
    }
}
