//! The trait of all sinks.

use futures::future::BoxFuture;

use crate::{Batch, Events, Manifest, Position, Report, SinkError};

/// A target of transfers.
///
/// [`transfer`](crate::transfer) calls [`open`](Sink::open) once, [`write`](Sink::write) for each batch, and then
/// either [`close`](Sink::close) or [`abort`](Sink::abort). Batches are in the order of kinds, types, snapshots, and
/// keys, so all entities precede the relationships, and the objects of one type are consecutive.
///
/// # Guarantees
/// - A sink holds a bounded number of bytes, whatever the size of the graph. It returns from `write` when it can take
///   the next batch, which is the backpressure of a transfer.
/// - A process that is killed at any time leaves a target that the next transfer brings into the state of an
///   undisturbed one. No object is there twice.
/// - It deletes only objects with [`Action::Removed`](crate::Action::Removed), and absent objects if
///   [`Manifest::may_delete_absent`] permits it.
/// - Errors and remarks contain no secrets.
pub trait Sink: Send {
    /// Returns the needs and abilities of the sink.
    fn capabilities(&self) -> Capabilities;

    /// Prepares the target for a transfer.
    ///
    /// # Errors
    /// [`SinkError::Unsuitable`] if the target cannot take the transfer, [`SinkError::Target`] if it fails.
    fn open<'a>(&'a mut self, manifest: &'a Manifest, events: Events) -> BoxFuture<'a, Result<Opened, SinkError>>;

    /// Takes a batch. Objects that the target refuses are counted; the transfer continues.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the target fails as a whole.
    fn write(&mut self, batch: Batch) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Completes the transfer. Only now does the target show the new state, if it can switch at once.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the target fails.
    fn close(&mut self) -> BoxFuture<'_, Result<Report, SinkError>>;

    /// Ends the transfer after an error, or because the caller stopped it. The target keeps its old state if it can.
    ///
    /// The future of a `write` or `close` may have been dropped before.
    ///
    /// # Errors
    /// [`SinkError::Target`] if the target fails.
    fn abort<'a>(&'a mut self, reason: &'a str) -> BoxFuture<'a, Result<(), SinkError>>;
}

/// The needs and abilities of a sink.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// Whether the manifest must list the properties of each type with their value types.
    ///
    /// The objects are then read twice, the first time without raw data.
    pub columns: bool,
    /// Whether changes can be transferred, not only whole snapshots.
    pub changes: bool,
    /// Whether the target has a place for raw data.
    pub raw: bool,
}

/// The result of [`Sink::open`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// The last object that the target has from an interrupted transfer with the same [`Manifest::identity`].
    pub resume_after: Option<Position>,
    /// The number of objects up to this one.
    pub resumed: u64,
}
