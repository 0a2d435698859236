//! Replies that are rendered once and reused.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use crate::{Fault, Reply, Request};

/// The identity of a page: path with query, range, and compression.
type Question = (String, [Option<String>; 3]);

/// Pages in their first rendering. A provider under measurement does its work before the clock starts.
#[derive(Default)]
pub(crate) struct KeptPages(Mutex<HashMap<Question, Reply>>);

impl KeptPages {
    /// Returns the cached page or renders it. A page with a deliberate fault is rendered each time.
    pub(crate) fn page<E>(
        &self,
        request: &Request,
        faults: &[Fault],
        make: impl FnOnce() -> Result<Reply, E>,
    ) -> Result<Reply, E> {
        if !faults.is_empty() {
            return make();
        }
        let text = |text: Option<&str>| text.map(str::to_owned);
        let asked = [request.query(), request.header("range"), request.header("accept-encoding")];
        let question = (request.path().to_owned(), asked.map(text));
        let kept = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reply) = kept().get(&question) {
            return Ok(reply.clone());
        }
        let reply = make()?;
        kept().insert(question, reply.clone());
        Ok(reply)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_page_is_made_once_and_a_spoiled_one_each_time() {
        let (kept, made) = (KeptPages::default(), Mutex::new(0));
        let ask = |path: &str, faults: &[Fault]| {
            let make = || {
                *made.lock().unwrap() += 1;
                Ok::<_, Infallible>(Reply::new(200, "text/plain", path.to_owned()))
            };
            let Ok(reply) = kept.page(&Request::example(path), faults, make);
            (reply.body, *made.lock().unwrap())
        };
        assert_eq!(ask("/a", &[]), ("/a".into(), 1));
        assert_eq!(ask("/a", &[]), ("/a".into(), 1));
        assert_eq!(ask("/a?x", &[]), ("/a?x".into(), 2));
        assert_eq!(ask("/a", &[Fault::DuplicatedItems]), ("/a".into(), 3));
    }

    #[test]
    fn a_page_for_those_who_take_it_compressed_is_another_one() {
        let kept = KeptPages::default();
        let body_for = |request: &Request, body: &'static str| {
            let Ok(reply) = kept.page(request, &[], || Ok::<_, Infallible>(Reply::new(200, "text/plain", body)));
            reply.body
        };
        let compressed = Request::example_with("/a", "accept-encoding", "gzip");
        assert_eq!(body_for(&compressed, "packed"), "packed");
        assert_eq!(body_for(&Request::example("/a"), "plain"), "plain");
        assert_eq!(body_for(&compressed, "made anew"), "packed");
    }
}
