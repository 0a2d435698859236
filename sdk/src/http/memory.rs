//! How much memory an answer takes: reserved before its request is sent, kept in step with its body.
//!
//! It owns the estimates by endpoint and the rooms of the client. It never waits once a request is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::RawJson;
use crate::room::{Hold, Rooms, Work};

use super::answer::{TransportError, WireResponse};

/// Times that an answer is in memory: its body, its elements, and the values that are made of some of them.
const TIMES: usize = 3;
/// An element from this size on is stored by itself: its values and objects are in memory as a whole.
const LARGE: usize = 1 << 20;
/// Times that a large element is in memory beside that.
const TIMES_LARGE: usize = 6;
/// The estimate for an endpoint without answers so far, and the least one.
const SMALLEST: usize = 64 << 10;

/// The memory for the answers of a client.
#[derive(Debug)]
pub(super) struct AnswerMemory {
    rooms: Rooms,
    /// Bytes in memory that an answer of an endpoint took.
    usual: Mutex<HashMap<String, usize>>,
}

/// The memory of one answer.
#[derive(Debug)]
pub(super) struct Reservation {
    hold: Hold,
    /// Bytes of a body that this is enough for.
    enough_for: usize,
    /// The largest body: whatever takes more is refused elsewhere.
    limit: usize,
}

impl AnswerMemory {
    pub(super) fn new(capacity: usize) -> Self {
        Self { rooms: Rooms::new(capacity), usual: Mutex::default() }
    }

    /// Waits for the memory that the next answer of an endpoint is likely to take, for a body of at least `least` bytes.
    pub(super) async fn reserve(&self, endpoint: &str, least: usize, limit: usize) -> Reservation {
        let usual = self.open().get(endpoint).copied().unwrap_or(0);
        let bytes = usual.max(TIMES * least.clamp(SMALLEST.min(limit), limit)).max(1);
        let work = Work::current().unwrap_or_else(Work::step);
        let hold = self.rooms.take(work, bytes).await;
        Reservation { hold, enough_for: bytes / TIMES, limit }
    }

    /// Learns how much memory an answer took: growth counts at once, and is forgotten by halves.
    pub(super) fn learn(&self, endpoint: &str, bytes: usize) {
        let mut usual = self.open();
        match usual.get_mut(endpoint) {
            Some(usual) => *usual = bytes.max(*usual / 2),
            None => drop(usual.insert(endpoint.to_owned(), bytes)),
        }
    }

    /// Learns that the memory did not suffice for a body of so many bytes.
    pub(super) fn lacked(&self, endpoint: &str, body: usize) {
        self.learn(endpoint, TIMES * body);
    }

    /// The most bytes that were reserved at once.
    pub(super) fn most_held(&self) -> usize {
        self.rooms.most_held()
    }

    /// Every change is one insertion, so the estimates hold even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.usual.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Makes sure that the memory is enough for a body of so many bytes.
    ///
    /// # Errors
    /// [`TransportError::NoRoom`] if it is not: the answer is to be dropped.
    pub(super) fn fit(&mut self, body: usize) -> Result<(), TransportError> {
        if body <= self.enough_for {
            return Ok(());
        }
        if self.enough_for >= self.limit {
            // A compressed body beside what it becomes: there is never more than this.
            self.hold.grow_to(TIMES * body);
            return Ok(());
        }
        // In large steps, so that a body in many pieces costs a few looks at what is free.
        let ahead = body.max(2 * self.enough_for).min(self.limit.max(body));
        let fits = [ahead, body].into_iter().find(|bytes| self.hold.try_grow_to(TIMES * bytes));
        self.enough_for = fits.ok_or(TransportError::NoRoom(ahead))?;
        Ok(())
    }

    /// The memory of a body, also of one that came without being asked for. It is [`settled`] when the body is read.
    pub(super) fn of_body(self, body: usize) -> Arc<Hold> {
        self.hold.grow_to(TIMES * body);
        Arc::new(self.hold)
    }
}

/// Gives back what was reserved in vain, and returns how much a body of so many bytes takes.
pub(super) fn settled(hold: &Hold, body: usize) -> usize {
    hold.shrink_to(TIMES * body);
    hold.total()
}

/// Holds the memory of an answer for one of its elements, and more for a large one that is within the limit.
pub(super) fn held_by(element: &mut RawJson, answer: &WireResponse, limit: usize) {
    let Some(hold) = &answer.hold else { return };
    let bytes = element.as_str().len();
    element.hold(match (LARGE..=limit).contains(&bytes) {
        true => hold.beside(TIMES_LARGE * bytes, TIMES * answer.body.len()),
        false => Arc::clone(hold),
    });
}
