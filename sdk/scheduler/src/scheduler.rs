//! The decisions.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cadence::Cadence;
use crate::state::{InstanceState, LONGEST_DELAY, RunEnd, Running, StartReason};

/// The settings of an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The regular times.
    pub cadence: Cadence,
    /// The revision of the configuration, for example a digest. Another revision permits a run after refused credentials.
    pub revision: String,
}

/// A run that the caller starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The name of the instance.
    pub instance: String,
    /// The reason.
    pub reason: StartReason,
    /// The time at which the run was due.
    pub due: Timestamp,
}

/// An instance without settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no instance `{0}`")]
pub struct UnknownInstance(pub String);

/// The instances and their states.
///
/// All times are parameters. They may jump: a suspended machine continues later, and a corrected clock may continue earlier.
#[derive(Debug, Clone)]
pub struct Scheduler {
    limit: usize,
    instances: BTreeMap<String, Entry>,
    /// The greatest time of a decision, to recognise a clock that was set back.
    latest: Timestamp,
}

#[derive(Debug, Clone)]
struct Entry {
    /// `None` for an instance that was removed while it runs.
    settings: Option<Settings>,
    state: InstanceState,
}

impl Scheduler {
    /// Creates a scheduler with a limit on the number of runs at once, and the stored states of the instances.
    ///
    /// Runs in progress belong to an earlier process. They are due at once, and their jobs are resumed.
    pub fn new(limit: usize, states: BTreeMap<String, InstanceState>) -> Self {
        let restore = |(name, mut state): (String, InstanceState)| {
            if let Some(running) = state.running.take() {
                state.interrupted = Some(running.since);
            }
            (name, Entry { settings: None, state })
        };
        let instances = states.into_iter().map(restore).collect();
        Self { limit: limit.max(1), instances, latest: Timestamp::MIN }
    }

    /// Replaces the settings of all instances.
    ///
    /// An instance without settings is forgotten when its run has ended. A new instance with an interval is due at once, and
    /// one with a cron expression at its first time.
    pub fn configure(&mut self, settings: BTreeMap<String, Settings>, now: Timestamp) {
        let mut former = std::mem::take(&mut self.instances);
        for (name, settings) in settings {
            let entry = match former.remove(&name) {
                Some(entry) => entry.changed(&name, settings, now),
                None => Entry::new(&name, settings, now),
            };
            self.instances.insert(name, entry);
        }
        let running = former.into_iter().filter(|(_, entry)| entry.state.running.is_some());
        self.instances.extend(running.map(|(name, entry)| (name, Entry { settings: None, ..entry })));
    }

    /// Returns the runs to start now, those that are due for the longest time first.
    ///
    /// The caller starts all of them, and reports the end of each to [`ended`](Self::ended).
    pub fn start(&mut self, now: Timestamp) -> Vec<Start> {
        self.notice_clock(now);
        let mut ready: Vec<Start> = self.instances.iter().filter_map(|(name, entry)| entry.ready(name, now)).collect();
        ready.sort_by(|one, other| (one.due, &one.instance).cmp(&(other.due, &other.instance)));
        ready.truncate(self.limit.saturating_sub(self.running()));
        for start in &ready {
            if let Some(entry) = self.instances.get_mut(&start.instance) {
                entry.begin(start, now);
            }
        }
        ready
    }

    /// Records the end of a run. An instance without a run is left as it is.
    ///
    /// Regular times that passed during the run are left out, so that a run that takes longer than its interval is not
    /// followed by the next one at once.
    pub fn ended(&mut self, instance: &str, end: RunEnd, now: Timestamp) {
        let Some(entry) = self.instances.get_mut(instance) else { return };
        let revision = entry.settings.as_ref().map(|settings| settings.revision.clone()).unwrap_or_default();
        if !entry.state.end(end, &revision, now) {
            return;
        }
        if entry.settings.is_none() {
            self.instances.remove(instance);
        } else if entry.state.next.is_some_and(|next| next <= now) {
            entry.state.next = entry.upcoming(instance, now);
        }
    }

    /// Requests a run, even of an instance that is disabled, waits after a failure, or has refused credentials.
    ///
    /// # Errors
    /// [`UnknownInstance`] if the instance has no settings.
    pub fn request(&mut self, instance: &str, now: Timestamp) -> Result<(), UnknownInstance> {
        let entry = self.instances.get_mut(instance).filter(|entry| entry.settings.is_some());
        let entry = entry.ok_or_else(|| UnknownInstance(instance.to_owned()))?;
        entry.state.requested.get_or_insert(now);
        Ok(())
    }

    /// Returns the time at which [`start`](Self::start) is to be called again, if no run ends before.
    ///
    /// A time in the past means at once. The caller waits at most a minute at a time, because a timer of a suspended machine
    /// or of a corrected clock may be late.
    pub fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        if self.running() >= self.limit {
            return None;
        }
        self.instances.values().filter_map(|entry| entry.wake(now)).min()
    }

    /// Returns the number of runs in progress.
    pub fn running(&self) -> usize {
        self.instances.values().filter(|entry| entry.state.running.is_some()).count()
    }

    /// Returns the states to store, by the names of the instances.
    pub fn states(&self) -> impl Iterator<Item = (&str, &InstanceState)> {
        self.instances.iter().map(|(name, entry)| (name.as_str(), &entry.state))
    }

    /// Returns the state of an instance.
    pub fn state(&self, instance: &str) -> Option<&InstanceState> {
        self.instances.get(instance).map(|entry| &entry.state)
    }

    #[cfg(test)]
    pub(crate) fn limit_for_test(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Corrects times that a clock in the future has set.
    fn notice_clock(&mut self, now: Timestamp) {
        if now < self.latest {
            self.instances.iter_mut().for_each(|(name, entry)| entry.correct(name, now));
        }
        self.latest = now;
    }
}

impl Entry {
    fn new(name: &str, settings: Settings, now: Timestamp) -> Self {
        let mut entry = Self { settings: Some(settings), state: InstanceState::new(now) };
        let is_interval = entry.cadence().is_some_and(|cadence| matches!(cadence, Cadence::Every(_)));
        entry.state.next = entry.upcoming(name, now);
        if is_interval && entry.state.next.is_some() {
            entry.state.next = Some(now);
        }
        entry
    }

    /// Applies other settings.
    fn changed(mut self, name: &str, settings: Settings, now: Timestamp) -> Self {
        let has_other_cadence = self.settings.as_ref().is_some_and(|former| former.cadence != settings.cadence);
        let has_other_revision = self.settings.as_ref().is_some_and(|former| former.revision != settings.revision);
        // After a restart, only the revision of refused credentials is known.
        let is_corrected = self.state.refused.as_ref().is_some_and(|refused| refused.revision != settings.revision)
            || has_other_revision && self.state.retry.is_some();
        self.settings = Some(settings);
        let is_overdue = self.state.next.is_some_and(|next| next <= now);
        if self.cadence().is_some_and(|cadence| !cadence.is_regular()) {
            self.state.next = None;
        } else if self.state.next.is_none() || has_other_cadence && !is_overdue {
            self.state.next = self.upcoming(name, now);
        }
        if is_corrected {
            (self.state.refused, self.state.failures, self.state.retry) = (None, 0, None);
            self.state.requested.get_or_insert(now);
        }
        self.correct(name, now);
        self
    }

    fn cadence(&self) -> Option<&Cadence> {
        self.settings.as_ref().map(|settings| &settings.cadence)
    }

    /// Returns the next regular time, with jitter.
    fn upcoming(&self, name: &str, now: Timestamp) -> Option<Timestamp> {
        let cadence = self.cadence()?;
        let jitter = cadence.jitter(name);
        let base = cadence.next_after(now.checked_sub(jitter).ok()?, self.state.created_on)?;
        base.checked_add(jitter).ok()
    }

    /// Replaces a next time that is further away than two regular times, because the clock or the settings were others.
    fn correct(&mut self, name: &str, now: Timestamp) {
        let first = self.upcoming(name, now);
        let second = first.and_then(|first| self.upcoming(name, first));
        if let (Some(next), Some(second)) = (self.state.next, second)
            && next > second
        {
            self.state.next = first;
        }
    }

    fn ready(&self, name: &str, now: Timestamp) -> Option<Start> {
        let (due, reason) = self.due(now)?;
        (due <= now).then(|| Start { instance: name.to_owned(), reason, due })
    }

    /// Returns the time and the reason of the next run.
    fn due(&self, now: Timestamp) -> Option<(Timestamp, StartReason)> {
        let (settings, state) = (self.settings.as_ref()?, &self.state);
        if state.running.is_some() {
            return None;
        }
        if let Some(requested) = state.requested {
            return Some((requested.min(now), StartReason::Request));
        }
        if state.refused.is_some() {
            return None;
        }
        if let Some(since) = state.interrupted {
            return Some((since.min(now), StartReason::Resume));
        }
        match state.retry {
            Some(retry) if settings.cadence.is_regular() => {
                // A clock in the future has set a time that is further away.
                let is_wrong = retry.duration_since(now) > LONGEST_DELAY;
                Some((if is_wrong { now } else { retry }, StartReason::Retry))
            }
            _ => Some((state.next?, StartReason::Due)),
        }
    }

    fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.due(now).map(|(due, _)| due)
    }

    fn begin(&mut self, start: &Start, now: Timestamp) {
        self.state.next = self.upcoming(&start.instance, now);
        self.state.running = Some(Running { since: now, reason: start.reason });
        (self.state.requested, self.state.interrupted, self.state.refused) = (None, None, None);
    }
}
