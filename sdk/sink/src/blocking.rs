//! Sinks whose calls never wait for another task.

use futures::FutureExt;
use futures::future::{self, BoxFuture};

use crate::{Batch, Capabilities, Events, Manifest, Opened, Report, Sink, SinkError};

/// A sink without waiting, such as one that writes local files. It implements [`Sink`].
///
/// It reports no events, and a transfer begins anew after an interruption. The guarantees are those of [`Sink`].
pub trait BlockingSink: Send {
    /// Returns the needs and abilities of the sink.
    fn capabilities(&self) -> Capabilities;

    /// Prepares the target for a transfer.
    ///
    /// # Errors
    /// [`SinkError::Unsuitable`] if the target cannot take the transfer, [`SinkError::Target`] if it fails.
    fn begin(&mut self, manifest: &Manifest) -> Result<(), SinkError>;

    /// Takes a batch. Objects that the target refuses are counted; the transfer continues.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the target fails as a whole.
    fn add(&mut self, batch: &Batch) -> Result<(), SinkError>;

    /// Completes the transfer.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the target fails.
    fn end(&mut self) -> Result<Report, SinkError>;

    /// Ends the transfer after an error, or because the caller stopped it. The target keeps its old state.
    fn discard(&mut self);
}

impl<S: BlockingSink> Sink for S {
    fn capabilities(&self) -> Capabilities {
        BlockingSink::capabilities(self)
    }

    fn open<'a>(&'a mut self, manifest: &'a Manifest, _: Events) -> BoxFuture<'a, Result<Opened, SinkError>> {
        future::ready(self.begin(manifest).map(|()| Opened::default())).boxed()
    }

    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>> {
        future::ready(self.add(&batch)).boxed()
    }

    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>> {
        future::ready(self.end()).boxed()
    }

    fn abort<'a>(&'a mut self, _: &'a str) -> BoxFuture<'a, Result<(), SinkError>> {
        self.discard();
        future::ok(()).boxed()
    }
}
