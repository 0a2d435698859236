//! Faults that a test switches on: what goes wrong, where, and how often.

use std::{collections::HashMap, time::Duration};

use hyper::Method;

use crate::{Reply, path::PathPattern};

/// Something that goes wrong on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// This answer in the place of the right one. The request costs nothing from the rate bucket.
    Status(Reply),
    /// The connection is reset before anything is sent.
    ConnectionReset,
    /// Nothing is ever sent; the connection stays open.
    NoAnswer,
    /// The body ends after so many bytes, though `Content-Length` promised all, and the connection closes.
    TruncatedBody {
        /// How many bytes are sent; always fewer than there are.
        after: usize,
    },
    /// The body is cut in the middle of its JSON; `Content-Length` agrees.
    MalformedJson,
    /// The right status with no body.
    EmptyBody,
    /// The right body under another media type.
    WrongContentType(String),
    /// The body stops after so many bytes.
    Stall {
        /// How many bytes are sent before.
        after: usize,
        /// How long it stops; for ever without a value.
        pause: Option<Duration>,
    },
    /// From the second page on, `Next-Range` is the range that was asked for.
    RepeatedNextRange,
    /// After the last page, `Next-Range` leads back to the first one.
    CircularNextRange,
    /// Each page begins with the last item of the one before.
    DuplicatedItems,
    /// The right status with a JSON string of this many bytes as body (two at least).
    BodyOf {
        /// How many bytes.
        bytes: u64,
        /// Whether `Content-Length` announces them; otherwise they come in chunks.
        announced: bool,
    },
    /// The body comes in chunks that end in the middle of each character of more than one byte.
    SplitCharacters,
}

impl Fault {
    /// The fault on each request to paths that fit the pattern.
    pub fn on(self, pattern: &str) -> FaultRule {
        FaultRule { pattern: Some(PathPattern::new(pattern)), ..self.into() }
    }
}

/// A fault with the requests that it meets: by default all of them, every time.
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
    /// Only requests of this method.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only the first requests that fit, all paths counted together.
    #[must_use]
    pub fn first(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::First(times);
        self
    }

    /// Only the first requests to each path that fits.
    #[must_use]
    pub fn first_of_each_path(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::FirstOfEachPath(times);
        self
    }

    /// Only requests after so many that went well.
    #[must_use]
    pub fn after(mut self, times: u64) -> Self {
        self.occurrences = Occurrences::After(times);
        self
    }
}

/// Names a fault that was switched on, so that it can be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FaultId(u64);

/// The faults that are switched on, with how often each has met a request.
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

    /// What goes wrong with this request, in the order in which the faults were switched on.
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
