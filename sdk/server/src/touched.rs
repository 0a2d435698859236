//! The parts of the state that may differ from the stored ones.

use std::collections::BTreeSet;

/// The parts of the state that may have changed since they were stored.
///
/// Without this record, each turn of the loop would compare the states of all instances.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    /// Whether all present instances may have changed.
    all: bool,
    instances: BTreeSet<String>,
    notices: bool,
}

impl Touched {
    /// Returns the record of everything. `former` are instances that may be forgotten.
    pub(crate) fn all(former: impl IntoIterator<Item = String>) -> Self {
        Self { all: true, instances: former.into_iter().collect(), notices: true }
    }

    /// Notes all instances. `former` are instances that may be forgotten.
    pub(crate) fn everything<'a>(&mut self, former: impl IntoIterator<Item = &'a String>) {
        self.all = true;
        self.instances.extend(former.into_iter().cloned());
    }

    pub(crate) fn instance(&mut self, name: &str) {
        if !self.instances.contains(name) {
            self.instances.insert(name.to_owned());
        }
    }

    pub(crate) fn notices(&mut self) {
        self.notices = true;
    }

    pub(crate) fn has_notices(&self) -> bool {
        self.notices
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.all && !self.notices && self.instances.is_empty()
    }

    /// Returns the instances that may have changed. `present` are all instances of the scheduler.
    pub(crate) fn instances<'a>(&self, present: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
        let present = present.take(if self.all { usize::MAX } else { 0 }).map(str::to_owned);
        self.instances.iter().cloned().chain(present).collect()
    }
}
