//! The progress of a running job on stderr, derived from its events.

mod bars;
mod json;
mod lines;
mod transfer;

pub(crate) use transfer::Transfer;

use std::time::Duration;

use integration_sdk::runtime::{Delivery, Envelope, EventStream};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::console::Console;
use crate::context::Context;
use crate::interrupt;
use crate::options::Format;

/// The time between two updates of animated parts.
const TICK: Duration = Duration::from_millis(100);

/// A consumer of events.
trait Consumer: Send {
    fn take(&mut self, envelope: &Envelope);

    /// Notes that at most this number of events were not shown, because the output is slower than the job.
    fn miss(&mut self, _events: u64) {}

    /// Updates the animated parts, such as the elapsed time.
    fn tick(&self) {}
}

/// Runs a job, shows its progress, and handles signals, which cancel it.
pub(crate) async fn watched<F: Future>(
    context: &Context<'_>,
    events: EventStream,
    run: impl FnOnce(CancellationToken) -> F,
) -> F::Output {
    let shown = tokio::spawn(follow(events, context.console.clone(), context.globals.log_format));
    let cancel = CancellationToken::new();
    let listening = interrupt::listen(cancel.clone(), context.console.clone(), interrupt::COLLECTING);
    let outcome = run(cancel).await;
    drop(listening);
    // The events have ended, so the consumer ends. A consumer that failed must not lose the result.
    drop(shown.await);
    outcome
}

/// Shows events until the job ends: bars on a terminal, lines in a pipe, or JSON.
async fn follow(mut events: EventStream, console: Console, format: Format) {
    let mut consumer: Option<Box<dyn Consumer>> = match format {
        Format::Json => Some(Box::new(json::Json::new(console))),
        Format::Text if console.quiet() => None,
        Format::Text if console.is_watched() => Some(Box::new(bars::Bars::new(&console))),
        Format::Text => Some(Box::new(lines::Lines::new(console))),
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let delivery = tokio::select! {
            delivery = events.next() => delivery,
            // The bars do not tick in threads, because the operating system may not allow more threads.
            _ = ticks.tick(), if consumer.is_some() => {
                consumer.iter().for_each(|consumer| consumer.tick());
                continue;
            }
        };
        match (delivery, &mut consumer) {
            (None, _) => break,
            (Some(Delivery::Event(envelope)), Some(consumer)) => consumer.take(&envelope),
            (Some(Delivery::Missed(events)), Some(consumer)) => consumer.miss(events),
            (Some(_), None) => {}
        }
    }
}
