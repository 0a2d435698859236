//! What is shown of a job while it runs: consumers of its stream of events, all of them on stderr.

mod bars;
mod json;
mod lines;

use integration_sdk::Event;
use tokio::sync::mpsc;

use crate::options::Format;
use crate::screen::Screen;

/// Events that may wait for their consumer before the job does.
pub(crate) const QUEUE: usize = 256;

/// Consumes one event after the other.
trait Consumer: Send {
    fn take(&mut self, event: &Event);
}

/// Shows what happens until the job ends: bars to a person, lines to a pipe, JSON to a program.
pub(crate) async fn follow(mut events: mpsc::Receiver<Event>, screen: Screen, format: Format) {
    let mut consumer: Option<Box<dyn Consumer>> = match format {
        Format::Json => Some(Box::new(json::Json::new(screen))),
        Format::Text if screen.quiet() => None,
        Format::Text if screen.is_watched() => Some(Box::new(bars::Bars::new(&screen))),
        Format::Text => Some(Box::new(lines::Lines::new(screen))),
    };
    while let Some(event) = events.recv().await {
        if let Some(consumer) = &mut consumer {
            consumer.take(&event);
        }
    }
}
