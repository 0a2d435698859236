//! A plan of many steps: derivation of the edges, and all checks.
//!
//! `cargo bench -p integration-sdk --bench plan [-- STEPS RUNS]`. Each step adds an entity type and a relationship
//! type, and reads three types of earlier steps. The benchmark also runs with a tenth and with ten times the number of
//! steps, to reveal superlinear growth.

use std::hint::black_box;
use std::time::Instant;

use integration_sdk::graph::{
    Class, EntityDeclaration, ObjectType, RelationshipClass, RelationshipDeclaration, StepId,
};
use integration_sdk::step::Step;
use integration_sdk::{Integration, Plan};

/// The number of earlier types that a step reads.
const READS: usize = 3;

fn name(step: usize) -> ObjectType {
    ObjectType::new(format!("bench_thing_{step}")).expect("a type")
}

fn scattered(number: usize, at: usize) -> usize {
    ((number * 31 + at) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> 16
}

fn step(number: usize) -> Step {
    let id = StepId::new(format!("fetch-{number}")).expect("an id");
    let own = EntityDeclaration::new("Thing", name(number), Class::literal("Record"));
    let step = Step::new(id, "Fetch", |_| async { Ok(()) }).entity(own);
    // Spread over all earlier steps, so that the graph is neither a chain nor a star.
    let above = (1..=READS).filter_map(|at| scattered(number, at).checked_rem(number));
    above.fold(step, |step, above| {
        let has = RelationshipDeclaration::new(name(above), RelationshipClass::HAS, name(number));
        step.reads(name(above)).relationship(has)
    })
}

fn measure(steps: usize, runs: usize) -> f64 {
    let integration =
        (0..steps).map(step).fold(Integration::without_provider::<()>("bench", "Bench"), Integration::step);
    let mut times: Vec<f64> = (0..runs)
        .map(|_| {
            let start = Instant::now();
            let plan = Plan::new(black_box(&integration)).expect("a plan");
            let time = start.elapsed().as_secs_f64();
            assert_eq!(plan.len(), steps);
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

fn main() {
    let given: Vec<usize> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .map(|text| text.parse().expect("a number"))
        .collect();
    let (steps, runs) = (given.first().copied().unwrap_or(1_000), given.get(1).copied().unwrap_or(15).max(1));
    for steps in [steps / 10, steps, steps * 10] {
        let seconds = measure(steps, runs);
        println!("{steps:>6} steps: {:8.2} ms, {:6.2} µs a step", seconds * 1e3, seconds * 1e6 / steps as f64);
    }
}
