//! The index of recorded responses by request and host.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::archive::{Archive, Located, Unreadable};
use super::har::{Entry, Response};
use super::headers::header;
use super::matching::{Host, RequestKey, RequestVariant, question};
use super::pseudonym::Pseudonyms;
use super::{Damage, RecordingError};

#[derive(Debug)]
pub(super) struct Index {
    pub(super) archive: Archive,
    pub(super) pseudonyms: Option<Pseudonyms>,
    pub(super) exchanges: usize,
    pub(super) places: HashMap<RequestKey, Vec<Series>>,
    /// The segments with which all paths of a host begin.
    pub(super) hosts: BTreeMap<Host, Vec<String>>,
}

/// The recorded responses to one request, in order.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) detail: RequestVariant,
    pub(super) id: usize,
    pub(super) answers: Vec<(Option<f64>, Located)>,
    /// The end of the list, if the last response belongs to a list.
    pub(super) end: End,
    /// Whether all responses only point to others, such as redirects.
    pub(super) is_pointer: bool,
}

/// The continuation of a list after a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// The list is complete.
    Whole,
    /// The list continues with this range.
    Next(String),
    /// The continuation is unknown.
    Unknown,
}

impl End {
    fn of(response: &Response) -> Self {
        match (response.status, header(&response.headers, "next-range")) {
            (200 | 206, Some(range)) => Self::Next(range.trim().to_owned()),
            (200, None) => Self::Whole,
            _ => Self::Unknown,
        }
    }
}

impl Index {
    /// Reads every file below a folder, or a single file.
    pub(super) fn read(path: &Path) -> Result<Self, RecordingError> {
        let mut gathered = Gathered::default();
        let archive = Archive::read(path, |at, entry| gathered.add(at, &entry))?;
        let pseudonyms = if path.is_dir() { Pseudonyms::of_folder(path)? } else { None };
        Ok(gathered.index(archive, pseudonyms))
    }

    /// Returns whether a list is recorded from its first page to its end.
    pub(super) fn is_whole(there: &[Series], first: &Series) -> bool {
        let mut end = &first.end;
        // A list that leads back to itself has no end.
        for _ in 0..=there.len() {
            let End::Next(range) = end else { return *end == End::Whole };
            let asked = RequestVariant { range: Some(range.clone()), body: first.detail.body.clone() };
            let next = there.iter().filter_map(|series| Some((asked.distance(&series.detail, || false)?, series)));
            match next.min_by_key(|(distance, _)| *distance) {
                Some((_, series)) => end = &series.end,
                None => return false,
            }
        }
        false
    }

    /// Returns the recorded responses for a request.
    ///
    /// A value that is redacted in the request may be present in the recording of another tool, so a redacted value
    /// matches every value.
    pub(super) fn there(&self, place: &RequestKey) -> Option<&[Series]> {
        let same = self.places.get(place);
        let without = || {
            let mut alike: Vec<_> = self.places.iter().filter(|(other, _)| place.is_answered_by(other)).collect();
            alike.sort_by_key(|(other, _)| *other);
            alike.first().map(|(_, series)| *series)
        };
        let found = if place.hides_values() { same.or_else(without) } else { same };
        found.map(Vec::as_slice)
    }

    pub(super) fn unreadable(&self) -> &[Unreadable] {
        &self.archive.unreadable
    }

    pub(super) fn damaged(&self) -> &[Damage] {
        &self.archive.damaged
    }
}

#[derive(Debug, Default)]
struct Gathered {
    exchanges: usize,
    series: usize,
    places: HashMap<RequestKey, Vec<Series>>,
    hosts: BTreeMap<Host, Vec<String>>,
}

impl Gathered {
    fn add(&mut self, at: Located, entry: &Entry) {
        let Some((place, detail)) = question(&entry.request) else { return };
        self.exchanges += 1;
        let segments = || place.path.split('/').map(str::to_owned).collect::<Vec<_>>();
        let shared = self.hosts.entry(place.host.clone()).or_insert_with(segments);
        let equal = shared.iter().zip(place.path.split('/')).take_while(|(one, other)| one == other).count();
        shared.truncate(equal);
        let there = self.places.entry(place).or_default();
        let series = match there.iter_mut().position(|series| series.detail == detail) {
            Some(at) => &mut there[at],
            None => {
                let (id, answers, end) = (self.series, Vec::new(), End::Unknown);
                there.push(Series { detail, id, answers, end, is_pointer: true });
                self.series += 1;
                let last = there.len() - 1;
                &mut there[last]
            }
        };
        let is_pointer = entry.response.is_pointer();
        match (series.is_pointer, is_pointer) {
            // Browsers revalidate their cache and follow redirects before the response with the body.
            (true, false) => series.answers.clear(),
            (false, true) => return,
            _ => {}
        }
        series.is_pointer = is_pointer;
        series.end = End::of(&entry.response);
        series.answers.push((entry.order, at));
    }

    fn index(mut self, archive: Archive, pseudonyms: Option<Pseudonyms>) -> Index {
        // The sort is stable, so the order of the files decides between equal or missing positions.
        let all = self.places.values_mut().flatten();
        all.for_each(|series| {
            series
                .answers
                .sort_by(|(one, _), (other, _)| one.unwrap_or_default().total_cmp(&other.unwrap_or_default()));
        });
        let (exchanges, places, hosts) = (self.exchanges, self.places, self.hosts);
        Index { archive, pseudonyms, exchanges, places, hosts }
    }
}
