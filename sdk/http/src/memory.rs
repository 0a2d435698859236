//! Memory of responses: reserved before a request, and adjusted while the body arrives.
//!
//! This module owns the estimates per endpoint and the memory of the client. A request waits for memory only before it
//! is sent. Two half-read responses could otherwise wait for each other forever, so a response that needs more memory
//! than is free is dropped and requested again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::room::{Hold, Rooms, Work};
use integration_graph::RawJson;

use super::answer::ReceivedResponse;
use super::wire::TransportError;

/// The number of copies of a response in memory.
///
/// They are the body, its elements, and the values made from some of the elements.
const TIMES: usize = 3;
/// The minimum size of an element that is stored alone.
///
/// Its values and objects are in memory as a whole.
const LARGE: usize = 1 << 20;
/// The number of additional copies of a large element.
const TIMES_LARGE: usize = 6;
/// The minimum estimate, and the estimate for an endpoint without previous responses.
const SMALLEST: usize = 64 << 10;

/// The memory for the responses of a client.
#[derive(Debug)]
pub(super) struct AnswerMemory {
    rooms: Rooms,
    /// The memory in bytes that a response of each endpoint takes.
    usual: Mutex<HashMap<String, usize>>,
}

/// The memory reserved for one response.
///
/// A [`Transport`](super::Transport) extends it while the body arrives.
#[derive(Debug)]
pub struct Reservation {
    hold: Hold,
    /// The largest body in bytes that the reservation covers.
    enough_for: usize,
    /// The maximum size of a body. A larger one is rejected elsewhere.
    limit: usize,
}

impl AnswerMemory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { rooms: Rooms::new(capacity), usual: Mutex::default() }
    }

    /// Waits for the memory that the next response of an endpoint is likely to take.
    ///
    /// `least` is the minimum size of the body that the reservation covers.
    pub(super) async fn reserve(&self, endpoint: &str, least: usize, limit: usize) -> Reservation {
        let usual = self.open().get(endpoint).copied().unwrap_or(0);
        let bytes = usual.max(TIMES * least.clamp(SMALLEST.min(limit), limit)).max(1);
        let work = Work::current().unwrap_or_else(Work::step);
        let hold = self.rooms.take(work, bytes).await;
        Reservation { hold, enough_for: bytes / TIMES, limit }
    }

    /// Updates the estimate with the memory that a response took.
    ///
    /// Growth counts at once, while a decrease at most halves the estimate.
    pub(super) fn learn(&self, endpoint: &str, bytes: usize) {
        let mut usual = self.open();
        match usual.get_mut(endpoint) {
            Some(usual) => *usual = bytes.max(*usual / 2),
            None => drop(usual.insert(endpoint.to_owned(), bytes)),
        }
    }

    /// Updates the estimate after the memory was too small for a body.
    pub(super) fn lacked(&self, endpoint: &str, body: usize) {
        self.learn(endpoint, TIMES * body);
    }

    /// Returns the peak of the reserved bytes.
    pub(super) fn most_held(&self) -> usize {
        self.rooms.most_held()
    }

    /// Locks the estimates.
    ///
    /// Every change is one insertion, so the estimates stay valid even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Extends the reservation to a body of `body` bytes.
    ///
    /// # Errors
    /// [`TransportError::NoRoom`] if the memory is in use: the caller must drop the response.
    pub fn fit(&mut self, body: usize) -> Result<(), TransportError> {
        if body <= self.enough_for {
            return Ok(());
        }
        if self.enough_for >= self.limit {
            // The compressed and the decompressed body are in memory together. The limit bounds both.
            self.hold.grow_to(TIMES * body);
            return Ok(());
        }
        // Grow in large steps, so that a body in many pieces needs few checks of the free memory.
        let ahead = body.max(2 * self.enough_for).min(self.limit.max(body));
        let fits = [ahead, body].into_iter().find(|bytes| self.hold.try_grow_to(TIMES * bytes));
        self.enough_for = fits.ok_or(TransportError::NoRoom(ahead))?;
        Ok(())
    }

    /// Returns the memory of a body, including one from the cache or a replay.
    ///
    /// The caller shrinks it with [`settled`] after decoding the body.
    pub(super) fn of_body(self, body: usize) -> Arc<Hold> {
        self.hold.grow_to(TIMES * body);
        Arc::new(self.hold)
    }
}

/// Releases unused memory, and returns the memory that a body of this size takes.
pub(super) fn settled(hold: &Hold, body: usize) -> usize {
    hold.shrink_to(TIMES * body);
    hold.total()
}

/// Attaches the memory of a response to one of its elements.
///
/// A large element within the limit receives additional memory.
pub(super) fn held_by(element: &mut RawJson, answer: &ReceivedResponse, limit: usize) {
    let Some(hold) = &answer.hold else { return };
    let bytes = element.as_str().len();
    let hold = match (LARGE..=limit).contains(&bytes) {
        true => hold.beside(TIMES_LARGE * bytes, TIMES * answer.body.len()),
        false => Arc::clone(hold),
    };
    element.hold(hold);
}
