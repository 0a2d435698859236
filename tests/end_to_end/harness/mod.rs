//! The tools of every test: a fake Heroku, a program folder, and the results.

mod export;
mod heroku;
mod place;
mod said;

pub use export::{Graph, Objects, assert_same, assert_same_objects, files_below};
pub use heroku::{Heroku, refusal};
pub use place::{Place, Running};
pub use said::{Said, steady_json};

use std::sync::OnceLock;

/// The sample's graph, as an undisturbed run exports it.
pub fn undisturbed() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| {
        let heroku = Heroku::sample();
        let (said, graph) = Place::before(&heroku).collect("");
        assert_eq!(said.code, 0, "{}", said.all());
        graph
    })
}

/// Runs independent cases in parallel. Most of their time is spent in pauses, not on the processor.
pub fn side_by_side<T: Send>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let check = &check;
        let cases: Vec<_> = cases.into_iter().map(|case| scope.spawn(move || check(case))).collect();
        cases.into_iter().for_each(|case| case.join().expect("the case passes"));
    });
}
