//! Places for parts, shared by all steps of a job.
//!
//! A part holds a page of its provider's answers in memory, and more parts than the requests in flight can feed would only hold
//! more. Where parts wait, the step goes first whose end most other steps wait for: what is left when it has ended can then go on
//! beside the rest.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// The places, free and taken.
#[derive(Debug)]
pub(crate) struct Places {
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    free: usize,
    /// By rank, and among equals by the order of asking.
    waiting: BTreeMap<(Reverse<usize>, u64), oneshot::Sender<Place>>,
    asked: u64,
}

/// A place that is taken; given on when it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Option<Arc<Places>>);

impl Places {
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::new(State { free: most, waiting: BTreeMap::new(), asked: 0 }) })
    }

    /// How many there are.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// Waits for a place behind those of the same rank and before those of a lower one.
    pub(crate) async fn enter(self: &Arc<Self>, rank: usize) -> Place {
        let turn = {
            let mut state = self.open();
            if state.free > 0 {
                state.free -= 1;
                return Place(Some(Arc::clone(self)));
            }
            let (sender, turn) = oneshot::channel();
            state.asked += 1;
            let asked = state.asked;
            state.waiting.insert((Reverse(rank), asked), sender);
            turn
        };
        turn.await.expect("who waits is in the list until a place is sent")
    }

    fn give_on(self: Arc<Self>) {
        loop {
            let next = {
                let mut state = self.open();
                match state.waiting.pop_first() {
                    Some((_, next)) => next,
                    None => {
                        state.free += 1;
                        return;
                    }
                }
            };
            match next.send(Place(Some(Arc::clone(&self)))) {
                Ok(()) => return,
                // Whoever waited has gone: this place is not theirs to give on.
                Err(mut place) => place.0 = None,
            }
        }
    }

    /// Every change is one step, so the state holds even after a panic elsewhere.
    fn open(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            places.give_on();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_highest_rank_goes_first_and_equals_in_the_order_of_asking() {
        let places = Places::new(1);
        let taken = places.enter(0).await;
        let mut waiting: Vec<_> = [0, 2, 1, 2].map(|rank| Some(Box::pin(places.enter(rank)))).into();
        assert!(waiting.iter_mut().flatten().all(|turn| turn.now_or_never().is_none()));
        let mut held = taken;
        for next in [1, 3, 2, 0] {
            drop(held);
            let turns: Vec<Option<Place>> =
                waiting.iter_mut().map(|turn| turn.as_mut().and_then(FutureExt::now_or_never)).collect();
            let (at, place) = turns.into_iter().enumerate().find_map(|(at, place)| Some((at, place?))).unwrap();
            assert_eq!(at, next);
            (held, waiting[next]) = (place, None);
        }
    }

    #[tokio::test]
    async fn a_place_is_not_lost_with_those_who_wait_for_it() {
        let places = Places::new(1);
        let taken = places.enter(0).await;
        let mut gone = Box::pin(places.enter(1));
        let mut told = Box::pin(places.enter(1));
        assert!(gone.as_mut().now_or_never().is_none() && told.as_mut().now_or_never().is_none());
        drop(gone);
        drop(taken);
        // It has been sent a place, and does not live to take it.
        drop(told);
        assert!(places.enter(0).now_or_never().is_some());
    }
}
