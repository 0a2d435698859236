//! How much there is in a collected graph, by type: counted by the store, or compared with an earlier one page by page.

use std::collections::{BTreeMap, VecDeque};

use integration_sdk::graph::{ObjectKey, ObjectType};
use integration_sdk::store::{Count, JobStore, Kind};
use integration_view::graph::{Changes, GraphCounts, TypeCount};

use super::collected::{Collected, PAGE};
use crate::failure::Failure;

/// The types of either graph.
pub(super) async fn read(collected: &Collected) -> Result<GraphCounts, Failure> {
    let earlier = collected.earlier.iter().flat_map(|(_, census)| census);
    let mut types: BTreeMap<(&ObjectType, Kind), u64> = earlier.map(|count| (named(count), 0)).collect();
    for count in &collected.census {
        *types.entry(named(count)).or_default() += count.objects;
    }
    let mut counts =
        GraphCounts { title: collected.title.clone(), subtitle: collected.subtitle.clone(), ..GraphCounts::default() };
    for ((object_type, kind), count) in types {
        let changes = match &collected.earlier {
            Some((earlier, _)) => changes(&collected.job, earlier, object_type).await?,
            None => Changes::default(),
        };
        let mapped = kind == Kind::MappedRelationship;
        let count = TypeCount { object_type: object_type.to_string(), count, mapped, changes };
        match kind {
            Kind::Entity => counts.entities.push(count),
            Kind::Relationship | Kind::MappedRelationship => counts.relationships.push(count),
        }
    }
    Ok(counts)
}

fn named(count: &Count) -> (&ObjectType, Kind) {
    (&count.object_type, count.kind)
}

/// Goes through both graphs in the order of the keys.
async fn changes(now: &JobStore, before: &JobStore, object_type: &ObjectType) -> Result<Changes, Failure> {
    let (mut now, mut before) = (Objects::of(now, object_type), Objects::of(before, object_type));
    let mut changes = Changes::default();
    let (mut one, mut other) = (now.next().await?, before.next().await?);
    loop {
        let (newer, older) = match (&one, &other) {
            (None, None) => return Ok(changes),
            (Some((key, json)), Some((other_key, other_json))) => {
                if key == other_key && json != other_json {
                    changes.changed += 1;
                }
                (key <= other_key, other_key <= key)
            }
            (one, other) => (one.is_some(), other.is_some()),
        };
        if newer != older {
            *if newer { &mut changes.added } else { &mut changes.removed } += 1;
        }
        if newer {
            one = now.next().await?;
        }
        if older {
            other = before.next().await?;
        }
    }
}

/// The objects of a type in the order of their keys, read a page at a time.
struct Objects<'a> {
    job: &'a JobStore,
    object_type: &'a ObjectType,
    page: VecDeque<(ObjectKey, String)>,
    last: Option<ObjectKey>,
    ended: bool,
}

impl<'a> Objects<'a> {
    fn of(job: &'a JobStore, object_type: &'a ObjectType) -> Self {
        Self { job, object_type, page: VecDeque::new(), last: None, ended: false }
    }

    async fn next(&mut self) -> Result<Option<(ObjectKey, String)>, Failure> {
        if self.page.is_empty() && !self.ended {
            let page = self.job.json_page(self.object_type.clone(), self.last.take(), PAGE).await?;
            self.page = page.objects.into();
            self.ended = page.next.is_none();
            self.last = page.next;
        }
        Ok(self.page.pop_front())
    }
}
