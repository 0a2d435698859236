//! The driver: reads a source, and feeds a sink.

use std::future::Future;
use std::pin::pin;

use futures::future::{self, Either};
use futures::{StreamExt, TryStreamExt};

use crate::{Batch, Event, Events, Manifest, Report, Sink, SinkError, Source};

/// Transfers all objects of a source into a sink.
///
/// One batch is read while another one is written, so memory is bounded by two batches and the needs of the sink. When
/// `stop` is ready, or after an error, the sink is aborted.
///
/// # Errors
/// The first error of the source or of the sink; [`SinkError::Stopped`] if the caller stopped the transfer.
pub async fn transfer(
    sink: &mut dyn Sink,
    source: &dyn Source,
    events: &Events,
    stop: impl Future<Output = ()> + Send,
) -> Result<Report, SinkError> {
    let manifest = manifest(sink, source, events);
    let mut stop = pin!(stop);
    let manifest = match future::select(pin!(manifest), stop.as_mut()).await {
        Either::Left((manifest, _)) => manifest?,
        Either::Right(((), _)) => return Err(SinkError::Stopped),
    };
    let result = match future::select(pin!(feed(sink, source, &manifest, events)), stop).await {
        Either::Left((result, _)) => result,
        Either::Right(((), _)) => Err(SinkError::Stopped),
    };
    if let Err(error) = &result
        && let Err(second) = sink.abort(&error.to_string()).await
    {
        // The first error is the cause, and is returned.
        events.send(Event::Remark(format!("the target could not be restored: {second}")));
    }
    result
}

/// Returns the manifest of a source, with the columns that a sink needs.
///
/// # Errors
/// [`SinkError`] if the sink cannot take the transfer, or if the source fails.
pub async fn manifest(sink: &dyn Sink, source: &dyn Source, events: &Events) -> Result<Manifest, SinkError> {
    let mut manifest = source.manifest().clone();
    let needs = sink.capabilities();
    if manifest.transfer == crate::TransferKind::Changes && !needs.changes {
        let message = "this target takes whole graphs only; omit the option that limits the transfer to changes";
        return Err(SinkError::Unsuitable(message.to_owned()));
    }
    manifest.with_raw &= needs.raw;
    if needs.columns {
        survey(&mut manifest, source, events).await?;
    }
    Ok(manifest)
}

/// Adds the properties of all objects to the columns of their types.
async fn survey(manifest: &mut Manifest, source: &dyn Source, events: &Events) -> Result<(), SinkError> {
    let (mut batches, mut objects) = (source.read(false, None), 0);
    while let Some(batch) = batches.try_next().await? {
        objects += batch.records.len() as u64;
        let found =
            |of_type: &&mut crate::ManifestType| of_type.kind == batch.kind && of_type.object_type == batch.object_type;
        if let Some(of_type) = manifest.types.iter_mut().find(found) {
            for record in &batch.records {
                of_type.columns.observe(&record.object.properties);
            }
        }
        events.send(Event::Surveyed { objects });
    }
    Ok(())
}

async fn feed(
    sink: &mut dyn Sink,
    source: &dyn Source,
    manifest: &Manifest,
    events: &Events,
) -> Result<Report, SinkError> {
    let opened = sink.open(manifest, events.clone()).await?;
    let mut done = opened.resumed;
    if opened.resumed > 0 {
        events.send(Event::Resumed { objects: opened.resumed });
    }
    let total = manifest.objects();
    let mut batches = source.read(manifest.with_raw, opened.resume_after);
    let mut next: Option<Batch> = batches.try_next().await?;
    while let Some(batch) = next {
        let (objects, object_type) = (batch.records.len() as u64, batch.object_type.clone());
        let (written, following) = future::join(sink.write(batch), batches.next()).await;
        written?;
        done += objects;
        events.send(Event::Written { objects: done, total, object_type });
        next = following.transpose()?;
    }
    sink.close().await
}
