//! Transfers that end early.

use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use integration_store::ReadError;

use super::{Contents, Target, compare, graphs, run};
use crate::{Batch, Events, Manifest, Position, SinkError, Source, transfer};

/// A source that fails after a number of batches, from its second reading on if there was a survey.
struct Failing<S> {
    source: S,
    batches: usize,
    /// The readings that succeed.
    whole: AtomicUsize,
}

impl<S: Source> Source for Failing<S> {
    fn manifest(&self) -> &Manifest {
        self.source.manifest()
    }

    fn read(&self, with_raw: bool, after: Option<Position>) -> BoxStream<'static, Result<Batch, SinkError>> {
        let batches = self.source.read(with_raw, after);
        if self.whole.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return batches;
        }
        let error = SinkError::from(ReadError::new(std::io::Error::other("the disk is gone")));
        batches.take(self.batches).chain(stream::once(async { Err(error) })).boxed()
    }
}

pub(super) async fn check<T: Target>(create: &impl AsyncFn() -> T, contents: Contents) {
    let before = graphs::users(1, &["one", "two"]);
    let many = graphs::graphs().into_iter().find(|graph| graph.name == "many objects").expect("the graph");
    for batches in [0, 1, 3] {
        for is_killed in [false, true] {
            let target = create().await;
            run(&target, &before.source(false).await).await;
            let old = target.read().await;
            let source = Failing { source: many.source(false).await, batches, whole: AtomicUsize::new(0) };
            match is_killed {
                false => fail(&target, source).await,
                true => leave(&target, &source).await,
            }
            if contents == Contents::Replaced && !is_killed {
                super::compare_lists(target.read().await, old, "the contents after a failed transfer");
            }
            let source = many.source(false).await;
            let report = run(&target, &source).await;
            let what = format!("a transfer after one that ended after {batches} batches");
            match contents {
                Contents::Replaced => compare(&target, &source, &report, &what).await,
                // The report counts the objects of the second transfer only.
                Contents::Changed => drop(super::compare_contents(&target, &source, &what).await),
            }
        }
    }
}

/// Ends with an error of the source.
async fn fail(target: &impl Target, source: Failing<impl Source>) {
    let mut sink = target.sink();
    source.whole.store(usize::from(sink.capabilities().columns), Ordering::SeqCst);
    let result = transfer(sink.as_mut(), &source, &Events::ignored(), pending()).await;
    assert!(matches!(result, Err(SinkError::Read(_))), "the error of the source is returned, not {result:?}");
}

/// Ends without closing or aborting the sink, as a caller does that is dropped.
async fn leave(target: &impl Target, source: &Failing<impl Source>) {
    let mut sink = target.sink();
    let manifest = crate::manifest(sink.as_ref(), &source.source, &Events::ignored()).await.expect("a manifest");
    let opened = sink.open(&manifest, Events::ignored()).await.expect("an open sink");
    let mut batches = source.source.read(false, opened.resume_after).take(source.batches);
    while let Some(batch) = batches.next().await {
        sink.write(batch.expect("a batch")).await.expect("a written batch");
    }
    drop(sink);
}
