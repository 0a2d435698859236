//! Where recorded answers are found: by what was asked, and of which host.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::archive::{Archive, Located};
use super::har::Entry;
use super::pseudonym::Pseudonyms;
use super::question::{Detail, Host, Place, question};
use super::{Damage, RecordingError};

#[derive(Debug)]
pub(super) struct Index {
    pub(super) archive: Archive,
    pub(super) pseudonyms: Option<Pseudonyms>,
    pub(super) exchanges: usize,
    pub(super) places: HashMap<Place, Vec<Series>>,
    /// What all paths of a host begin with, segment by segment.
    pub(super) hosts: BTreeMap<Host, Vec<String>>,
}

/// The answers to one question, in their order.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) detail: Detail,
    pub(super) id: usize,
    pub(super) answers: Vec<(Option<i64>, Located)>,
}

impl Index {
    /// Reads every file below a folder, or one file.
    pub(super) fn read(path: &Path) -> Result<Self, RecordingError> {
        let mut gathered = Gathered::default();
        let archive = Archive::read(path, |at, entry| gathered.add(at, &entry))?;
        let pseudonyms = if path.is_dir() { Pseudonyms::of_folder(path)? } else { None };
        Ok(gathered.index(archive, pseudonyms))
    }

    pub(super) fn damaged(&self) -> &[Damage] {
        &self.archive.damaged
    }
}

#[derive(Debug, Default)]
struct Gathered {
    exchanges: usize,
    series: usize,
    places: HashMap<Place, Vec<Series>>,
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
                there.push(Series { detail, id: self.series, answers: Vec::new() });
                self.series += 1;
                let last = there.len() - 1;
                &mut there[last]
            }
        };
        series.answers.push((entry.order, at));
    }

    fn index(mut self, archive: Archive, pseudonyms: Option<Pseudonyms>) -> Index {
        // Stable: where nothing tells an order, that of the files holds.
        let all = self.places.values_mut().flatten();
        all.for_each(|series| series.answers.sort_by_key(|(order, _)| order.unwrap_or_default()));
        let (exchanges, places, hosts) = (self.exchanges, self.places, self.hosts);
        Index { archive, pseudonyms, exchanges, places, hosts }
    }
}
