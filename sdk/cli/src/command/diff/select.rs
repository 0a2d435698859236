//! Selects the two jobs of a comparison by their ids, their times, or their order.

use std::path::Path;

use integration_sdk::Timestamp;
use integration_sdk::graph::InstanceId;

use crate::account::Account;
use crate::failure::Failure;
use crate::job_lookup::{self, short};
use crate::moment;
use crate::shell::quoted;

/// A job that may be selected.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) instance: InstanceId,
    pub(super) ended: Option<Timestamp>,
    /// Whether the job ended with a graph.
    pub(super) has_graph: bool,
}

/// The description of a job on the command line.
enum Wanted<'a> {
    Newest,
    Previous,
    /// The newest job that ended by this time, in milliseconds.
    By(i64),
    Job(&'a str),
}

impl<'a> Wanted<'a> {
    fn parse(text: &'a str) -> Result<Self, Failure> {
        // Ids never have a dash after four digits.
        let is_date = text.as_bytes().get(4) == Some(&b'-');
        match (text, moment::parse(text)) {
            ("newest", _) => Ok(Self::Newest),
            ("previous", _) => Ok(Self::Previous),
            (_, Ok(moment)) if is_date => Ok(Self::By(moment.end().millis())),
            (_, Err(problem)) if is_date && !Path::new(text).exists() => {
                Err(Failure::Usage(format!("{text:?} is {problem}")))
            }
            _ => Ok(Self::Job(text)),
        }
    }
}

/// Returns the positions of the older and the newer job. The candidates are sorted, newest first.
pub(super) fn pair(
    jobs: &[Candidate],
    from: Option<&str>,
    to: Option<&str>,
    instance: Option<&InstanceId>,
    program: &str,
) -> Result<[usize; 2], Failure> {
    let from = from.map_or(Ok(Wanted::Previous), Wanted::parse)?;
    let to = to.map_or(Ok(Wanted::Newest), Wanted::parse)?;
    let named = |wanted: &Wanted<'_>| match wanted {
        Wanted::Job(id) => position(jobs, id, instance, program).map(Some),
        _ => Ok(None),
    };
    let (named_from, named_to) = (named(&from)?, named(&to)?);
    let of_named = named_to.or(named_from).map(|at| &jobs[at].instance);
    let newest = || jobs.first().map(|job| &job.instance);
    let instance = instance.or(of_named).or_else(newest).map_or("", InstanceId::as_str);
    let snapshots = Snapshots::of(jobs, instance, program);
    let older = named_from.map_or_else(|| snapshots.find(&from), Ok)?;
    let newer = named_to.map_or_else(|| snapshots.find(&to), Ok)?;
    if older == newer {
        let job = short(&jobs[older].id);
        return Err(Failure::Usage(match snapshots.positions.as_slice() {
            [_] => snapshots.only_one(),
            _ => format!("both sides are job {job}: run `{program} jobs list`, and name another job"),
        }));
    }
    Ok([older, newer])
}

fn position(jobs: &[Candidate], id: &str, instance: Option<&InstanceId>, program: &str) -> Result<usize, Failure> {
    let ids: Vec<&str> = jobs.iter().map(|job| job.id.as_str()).collect();
    let found = job_lookup::position(&ids, id);
    let at = match found {
        Err(Failure::UnknownJob { .. }) if Path::new(id).exists() => {
            return Err(Failure::Usage(format!(
                "there is no job {id:?}; to compare files, use `{program} diff --input OLDER --input NEWER`"
            )));
        }
        found => found?,
    };
    match instance {
        Some(instance) if *instance != jobs[at].instance => Err(Failure::Usage(format!(
            "job {} belongs to the instance {:?}; use --instance {}",
            jobs[at].id,
            jobs[at].instance,
            quoted(jobs[at].instance.as_str())
        ))),
        _ => Ok(at),
    }
}

/// The jobs of an instance that ended with a graph.
struct Snapshots<'a> {
    jobs: &'a [Candidate],
    instance: &'a str,
    program: &'a str,
    /// The positions, newest first.
    positions: Vec<usize>,
}

impl<'a> Snapshots<'a> {
    fn of(jobs: &'a [Candidate], instance: &'a str, program: &'a str) -> Self {
        let positions =
            (0..jobs.len()).filter(|&at| jobs[at].instance.as_str() == instance && jobs[at].has_graph).collect();
        Self { jobs, instance, program, positions }
    }

    fn find(&self, wanted: &Wanted<'_>) -> Result<usize, Failure> {
        let Some(&newest) = self.positions.first() else {
            return Err(Failure::Usage(format!(
                "no job of the instance {:?} has ended with a graph: run `{} jobs list` to list all jobs",
                self.instance, self.program
            )));
        };
        let found = match wanted {
            Wanted::Newest | Wanted::Job(_) => return Ok(newest),
            Wanted::Previous => self.positions.get(1).copied().ok_or_else(|| self.only_one()),
            Wanted::By(time) => self.by(*time),
        };
        found.map_err(Failure::Usage)
    }

    fn by(&self, time: i64) -> Result<usize, String> {
        let ended = |at: &usize| self.jobs[*at].ended.map(Timestamp::millis);
        let by_then = self.positions.iter().copied().filter(|at| ended(at).is_some_and(|ended| ended <= time));
        // Of jobs that ended at the same time, the first one is the newest.
        let found = by_then.rev().max_by_key(ended);
        found.ok_or_else(|| {
            let oldest = self.positions.last().map(|&at| &self.jobs[at]);
            let first = oldest.map_or_else(String::new, |job| {
                let ended = job.ended.map_or_else(String::new, |ended| format!(" at {ended}"));
                format!("; the first one, {}, ended{ended}", short(&job.id))
            });
            let time = Timestamp::from_millis(time / 1_000 * 1_000);
            format!("no job of the instance {:?} had ended by {time}{first}", self.instance)
        })
    }

    fn only_one(&self) -> String {
        let only = self.positions.first().map(|&at| &self.jobs[at]);
        let (job, options) =
            only.map_or_else(Default::default, |job| (short(&job.id), Account::of(&job.instance).options()));
        format!(
            "{job} is the only job of the instance {:?} with a graph: run `{} collect{options}` again to have another one, \
             or use --input to compare files",
            self.instance, self.program
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    /// Jobs that ended on 1 November 2026, one minute apart, newest first.
    fn jobs(states: &[(&str, &str, bool)]) -> Vec<Candidate> {
        let begun = "2026-11-01T00:00:00Z".parse::<jiff::Timestamp>().expect("a time").as_millisecond();
        let job = |(at, (id, instance, has_graph)): (usize, &(&str, &str, bool))| Candidate {
            id: (*id).to_owned(),
            instance: InstanceId::new(instance).expect("a name"),
            ended: Some(Timestamp::from_millis(begun + (states.len() - at) as i64 * MINUTE + 500)),
            has_graph: *has_graph,
        };
        states.iter().enumerate().map(job).collect()
    }

    fn chosen(jobs: &[Candidate], line: &str, instance: Option<&str>) -> Result<String, String> {
        let mut words = line.split_whitespace();
        let instance = instance.map(|name| InstanceId::new(name).expect("a name"));
        let pair = pair(jobs, words.next(), words.next(), instance.as_ref(), "space");
        let name = |at: usize| jobs[at].id.as_str();
        pair.map(|[older, newer]| format!("{} {}", name(older), name(newer))).map_err(|error| error.to_string())
    }

    #[test]
    fn jobs_are_chosen_by_order_id_and_time() {
        let jobs = jobs(&[
            ("01d-running", "default", false),
            ("01c", "default", true),
            ("01x", "east", true),
            ("01b", "default", true),
            ("01a", "default", true),
        ]);
        for (line, expected) in [
            ("", "01b 01c"),
            ("01a", "01a 01c"),
            ("newest previous", "01c 01b"),
            ("01b 01a", "01b 01a"),
            ("01x 01a", "01x 01a"),
            ("2026-11-01T00:01:00Z", "01a 01c"),
            ("2026-11-01T00:01:30+00:00 2026-11-01T00:03", "01a 01b"),
            ("01a 2026-12-01", "01a 01c"),
        ] {
            assert_eq!(chosen(&jobs, line, None), Ok(expected.to_owned()), "{line}");
        }
    }

    #[test]
    fn a_choice_that_leaves_no_two_jobs_is_refused_with_the_next_action() {
        let jobs = jobs(&[("01y", "east", true), ("01d-running", "default", false), ("01c", "default", true)]);
        for (line, instance, expected) in [
            ("", None, "01y is the only job of the instance \"east\""),
            ("", None, "run `space collect --instance east` again"),
            ("", Some("default"), "run `space collect` again"),
            ("01c", None, "01c is the only job"),
            ("01", None, "several jobs begin with \"01\""),
            ("01q", None, "there is no job \"01q\""),
            ("2026-13-01", None, "\"2026-13-01\" is not a time; use a date such as"),
            ("01y", Some("default"), "belongs to the instance \"east\""),
            (
                "2026-11-01 01c",
                None,
                "had ended by 2026-11-01T00:00:00Z; the first one, 01c, ended at 2026-11-01T00:01:00.5Z",
            ),
            ("", Some("west"), "no job of the instance \"west\" has ended with a graph"),
            ("01c 01c", None, "is the only job"),
            ("src", None, "use `space diff --input OLDER --input NEWER`"),
        ] {
            let error = chosen(&jobs, line, instance).expect_err(line);
            assert!(error.contains(expected), "{line}: {error}");
        }
        let jobs = self::jobs(&[("01b", "default", true), ("01a", "default", true)]);
        assert!(chosen(&jobs, "newest", None).expect_err("one job twice").contains("both sides are job 01b"));
    }
}
