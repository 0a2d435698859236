//! What is shown of a job while it runs: consumers of its stream of events, all of them on stderr.

mod bars;
mod json;
mod lines;

use std::time::Duration;

use integration_sdk::Event;
use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use crate::console::Console;
use crate::options::Format;

/// Events that may wait for their consumer before the job does.
pub(crate) const QUEUE: usize = 256;
/// The pause between two pictures of what moves.
const TICK: Duration = Duration::from_millis(100);

/// Consumes one event after the other.
trait Consumer: Send {
    fn take(&mut self, event: &Event);

    /// Moves what moves by itself, such as a clock.
    fn tick(&self) {}
}

/// Shows what happens until the job ends: bars to a person, lines to a pipe, JSON to a program.
pub(crate) async fn follow(mut events: mpsc::Receiver<Event>, console: Console, format: Format) {
    let mut consumer: Option<Box<dyn Consumer>> = match format {
        Format::Json => Some(Box::new(json::Json::new(console))),
        Format::Text if console.quiet() => None,
        Format::Text if console.is_watched() => Some(Box::new(bars::Bars::new(&console))),
        Format::Text => Some(Box::new(lines::Lines::new(console))),
    };
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            // Here and not by threads of the bars: there may be no more threads to be had.
            _ = ticks.tick(), if consumer.is_some() => {
                consumer.iter().for_each(|consumer| consumer.tick());
                continue;
            }
        };
        match (event, &mut consumer) {
            (None, _) => break,
            (Some(event), Some(consumer)) => consumer.take(&event),
            (Some(_), None) => {}
        }
    }
}
