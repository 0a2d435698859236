//! Faults that a test switches on: their kind, place, and frequency.

use std::{collections::HashMap, time::Duration};

use hyper::Method;

use crate::{Reply, path::PathPattern};

/// A deliberate failure.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This reply replaces the real one. The request takes nothing from the rate bucket.
    Status(Reply),
    /// The connection is reset before any byte is sent.
    ConnectionReset,
    /// No byte is ever sent; the connection stays open.
    NoAnswer,
    /// The body ends early although `Content-Length` promised all of it, and the connection closes.
    TruncatedBody {
        /// The number of bytes sent; always fewer than the body has.
        after: usize,
    },
    /// The body is cut in the middle of its JSON; `Content-Length` agrees.
    MalformedJson,
    /// The body is empty; the status is unchanged.
    EmptyBody,
    /// The media type is replaced; the body is unchanged.
    WrongContentType(String),
    /// The body pauses in the middle.
    Stall {
        /// The number of bytes sent before the pause.
        after: usize,
        /// The duration of the pause; endless if absent.
        pause: Option<Duration>,
    },
    /// From the second page on, `Next-Range` repeats the requested range.
    RepeatedNextRange,
    /// After the last page, `Next-Range` leads back to the first one.
    CircularNextRange,
    /// Each page starts with the last item of the previous one.
    DuplicatedItems,
    /// The body is a JSON string of this many bytes. There are at least two; the status is unchanged.
    BodyOf {
        /// The number of bytes.
        bytes: u64,
        /// Whether `Content-Length` announces them; otherwise they come in chunks.
        announced: bool,
    },
    /// The body arrives in chunks that end in the middle of every multi-byte character.
    SplitCharacters,
}

impl Fault {
    /// Applies the fault to each request whose path matches the pattern.
    pub fn on(self, pattern: &str) -> FaultRule {
        FaultRule { pattern: Some(PathPattern::new(pattern)), ..self.into() }
    }
}

/// A fault and the requests that it applies to; by default, to all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultRule {
    fault: Fault,
    pattern: Option<PathPattern>,
    method: Option<Method>,
    occurrences: Occurrences,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Occurrences {
    Always,
    First(u64),
    FirstOfEachPath(u64),
    After(u64),
}

impl From<Fault> for FaultRule {
    fn from(fault: Fault) -> Self {
        Self { fault, pattern: None, method: None, occurrences: Occurrences::Always }
    }
}

impl FaultRule {
    /// Restricts the fault to a method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Restricts the fault to the first matching requests, all paths counted together.
    #[must_use]
    pub fn first(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::First(times);
        self
    }

    /// Restricts the fault to the first requests to each matching path.
    #[must_use]
    pub fn first_of_each_path(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::FirstOfEachPath(times);
        self
    }

    /// Skips this many matching requests first.
    #[must_use]
    pub fn after(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::After(times);
        self
    }
}

/// The handle of an active fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// The active faults, with the number of requests that each has affected.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    active: Vec<ActiveFault>,
    last_id: u64,
}

#[derive(Debug)]
struct ActiveFault {
    id: FaultId,
    rule: FaultRule,
    met: u64,
    met_by_path: HashMap<String, u64>,
}

impl Faults {
    pub(crate) fn add(&mut self, rule: FaultRule) -> FaultId {
        self.last_id += 1;
        let id = FaultId(self.last_id);
        self.active.push(ActiveFault { id, rule, met: 0, met_by_path: HashMap::new() });
        id
    }

    pub(crate) fn lift(&mut self, id: FaultId) {
        self.active.retain(|active| active.id != id);
    }

    pub(crate) fn lift_all(&mut self) {
        self.active.clear();
    }

    /// Returns the faults of this request, in the order of their activation.
    pub(crate) fn meet(&mut self, method: &Method, path: &str) -> Vec<Fault> {
        self.active.iter_mut().filter_map(|active| active.meet(method, path)).collect()
    }
}

impl ActiveFault {
    fn meet(&mut self, method: &Method, path: &str) -> Option<Fault> {
        let rule = &self.rule;
        let fits = rule.method.as_ref().is_none_or(|expected| expected == method)
            && rule.pattern.as_ref().is_none_or(|pattern| pattern.fits(path));
        if !fits {
            return None;
        }
        self.met += 1;
        let strikes = match rule.occurrences {
            Occurrences::Always => true,
            Occurrences::First(times) => self.met <= times,
            Occurrences::After(times) => self.met > times,
            Occurrences::FirstOfEachPath(times) => {
                let met = self.met_by_path.entry(path.to_owned()).or_default();
                *met += 1;
                *met <= times
            }
        };
        strikes.then(|| rule.fault.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(rule: FaultRule, paths: &[&str]) -> Vec<bool> {
        let mut faults = Faults::default();
        faults.add(rule);
        paths.iter().map(|path| !faults.meet(&Method::GET, path).is_empty()).collect()
    }

    #[test]
    fn a_fault_meets_the_requests_of_its_rule_only() {
        let paths = ["/a/1", "/b/1", "/a/1", "/a/2", "/a/1"];
        let rule = || Fault::EmptyBody.on("/a/{id}");
        assert_eq!(strikes(rule(), &paths), [true, false, true, true, true]);
        assert_eq!(strikes(rule().first(2), &paths), [true, false, true, false, false]);
        assert_eq!(strikes(rule().after(2), &paths), [false, false, false, true, true]);
        assert_eq!(strikes(rule().first_of_each_path(1), &paths), [true, false, false, true, false]);
        assert_eq!(strikes(rule().method(Method::POST), &paths), [false; 5]);
        assert_eq!(strikes(Fault::EmptyBody.into(), &paths), [true; 5]);
    }

    #[test]
    fn a_lifted_fault_is_gone_and_the_others_stay() {
        let mut faults = Faults::default();
        let first = faults.add(Fault::EmptyBody.into());
        faults.add(Fault::MalformedJson.into());
        faults.lift(first);
        assert_eq!(faults.meet(&Method::GET, "/"), [Fault::MalformedJson]);
        faults.lift_all();
        assert_eq!(faults.meet(&Method::GET, "/"), []);
    }
}
