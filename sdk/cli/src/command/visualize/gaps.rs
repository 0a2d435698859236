//! The lines in a picture that state which data its job lacks.

use std::collections::BTreeSet;

use integration_sdk::Summary;
use integration_sdk::diff::{Coverage, Gap};
use integration_sdk::graph::ObjectType;
use integration_sdk::store::JobRow;

use crate::failure::Failure;
use crate::job_lookup;
use crate::report::stale;
use crate::report::text::{counted, list};

/// The maximum number of types in a line; the others are counted.
const NAMED: usize = 12;

/// Returns the coverage of a job, which may still be running.
pub(super) fn coverage(job: &JobRow) -> Result<Coverage, Failure> {
    Ok(job.summary()?.map_or_else(Coverage::unfinished, Coverage::of))
}

/// Describes the missing data of a job, and the stale objects in its graph.
pub(super) fn lines(job: &JobRow) -> Result<Vec<String>, Failure> {
    let summary = job.summary()?;
    let mut lines = described(&coverage(job)?, job.id.as_str(), &summary.map(off).unwrap_or_default());
    lines.extend(summary.and_then(stale::sentence));
    Ok(lines)
}

/// Describes the missing data of a job that has ended.
pub(super) fn lines_of(summary: &Summary) -> Vec<String> {
    described(&Coverage::of(summary), summary.job.as_str(), &off(summary))
}

/// The types of the sources that are off. They are absent on purpose, so no picture has to state it.
fn off(summary: &Summary) -> BTreeSet<&ObjectType> {
    let steps = summary.integration_step_results.iter().filter(|step| step.is_switched_off());
    steps.flat_map(|step| &step.declared_types).collect()
}

fn described(coverage: &Coverage, job: &str, off: &BTreeSet<&ObjectType>) -> Vec<String> {
    let job = job_lookup::short(job);
    if coverage.is_unfinished() {
        return vec![format!("Job {job} has not ended: any data may be missing.")];
    }
    let missing = coverage.types().into_iter().filter(|name| !coverage.not_collected().contains(*name));
    let objects = missing.map(|name| under(coverage, name));
    let amended = coverage.amended().iter().filter(|name| coverage.gap(name) == Gap::None);
    let missing: Vec<String> = objects.chain(amended.map(|name| format!("properties of {name}"))).collect();
    let absent = coverage.not_collected().iter().filter(|name| !off.contains(*name));
    let absent: Vec<String> = absent.map(ToString::to_string).collect();
    let mut lines = Vec::new();
    if !missing.is_empty() {
        lines.push(format!("Data are missing from job {job}: {}. `jobs show {job}` lists the causes.", named(missing)));
    }
    if !absent.is_empty() {
        lines.push(format!("Not collected by job {job}, whose steps did not all run: {}.", named(absent)));
    }
    lines
}

/// A type, with the parents under which its objects are missing.
fn under(coverage: &Coverage, object_type: &ObjectType) -> String {
    let Gap::Under(parents) = coverage.gap(object_type) else { return object_type.to_string() };
    let mut types: Vec<&ObjectType> = parents.iter().map(|parent| &parent.object_type).collect();
    types.dedup();
    match types.as_slice() {
        [one] => format!("{object_type} of {} {one}", parents.len()),
        _ => format!("{object_type} of {} parents", parents.len()),
    }
}

fn named(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match more {
        0 => list(names),
        more => format!("{} and {}", list(names), counted(more as u64, "more type", "more types")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_data_of_a_running_job_may_be_missing() {
        let lines = described(&Coverage::unfinished(), "0198f3a2-1111-7000-8000-000000000000", &BTreeSet::new());
        assert_eq!(lines, ["Job 0198f3a2-1111 has not ended: any data may be missing."]);
        assert!(described(&Coverage::default(), "0198f3a2-1111-7000-8000-000000000000", &BTreeSet::new()).is_empty());
    }

    #[test]
    fn many_types_are_counted() {
        let names = (0..20).map(|at| format!("t{at}")).collect();
        assert_eq!(named(names), "t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11 and 8 more types");
    }
}
