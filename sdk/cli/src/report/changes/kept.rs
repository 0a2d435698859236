//! The changes that a report shows: up to a limit, shared among the types.

use std::collections::BTreeMap;

use integration_sdk::diff::{ChangeKind, ObjectChange, ObjectKind};

/// The shown changes of one type.
pub(super) struct OfType {
    pub(super) object_type: String,
    /// Objects that were added, removed, or changed, by key.
    pub(super) certain: Vec<ObjectChange>,
    /// Unknown objects, by key.
    pub(super) unknown: Vec<ObjectChange>,
}

impl OfType {
    /// Returns the changes in the order of keys.
    pub(super) fn in_key_order(&self) -> Vec<&ObjectChange> {
        let mut all: Vec<&ObjectChange> = self.certain.iter().chain(&self.unknown).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }
}

/// Changes by type.
type ByType = BTreeMap<(ObjectKind, String), Vec<ObjectChange>>;

/// Changes up to a limit.
pub(super) struct Kept {
    limit: usize,
    certain: ByType,
    unknown: ByType,
    count: u64,
}

impl Kept {
    pub(super) fn up_to(limit: usize) -> Self {
        Self { limit, certain: ByType::new(), unknown: ByType::new(), count: 0 }
    }

    pub(super) fn add(&mut self, change: ObjectChange) {
        self.count += 1;
        let of = if change.kind == ChangeKind::Unknown { &mut self.unknown } else { &mut self.certain };
        let kept = of.entry((change.object_kind, change.object_type.clone())).or_default();
        if kept.len() < self.limit {
            kept.push(change);
        }
    }

    /// Shares the limit among the types, and returns the number of further changes. Unknown objects come last.
    pub(super) fn shared(self) -> (Vec<OfType>, u64) {
        let Self { limit, mut certain, mut unknown, count } = self;
        let left = limit - share(&mut certain, limit);
        let left = left - share(&mut unknown, left);
        let shown = limit - left;
        let mut types: BTreeMap<(ObjectKind, String), OfType> = BTreeMap::new();
        for (is_unknown, of) in [(false, certain), (true, unknown)] {
            for ((kind, object_type), changes) in of {
                let empty = OfType { object_type: object_type.clone(), certain: Vec::new(), unknown: Vec::new() };
                let of_type = types.entry((kind, object_type)).or_insert(empty);
                *if is_unknown { &mut of_type.unknown } else { &mut of_type.certain } = changes;
            }
        }
        let types = types.into_values().filter(|of| !of.certain.is_empty() || !of.unknown.is_empty()).collect();
        (types, count - shown as u64)
    }
}

/// Truncates each list to its share, and returns the number of changes that stay. Short lists leave their rest to others.
fn share(of: &mut ByType, limit: usize) -> usize {
    let mut lists: Vec<&mut Vec<ObjectChange>> = of.values_mut().collect();
    lists.sort_by_key(|list| list.len());
    let (mut left, mut waiting) = (limit, lists.len());
    for list in lists {
        list.truncate(left.div_ceil(waiting));
        left -= list.len();
        waiting -= 1;
    }
    limit - left
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(object_type: &str, key: usize, kind: ChangeKind) -> ObjectChange {
        ObjectChange {
            kind,
            object_kind: ObjectKind::Entity,
            object_type: object_type.to_owned(),
            key: format!("{key:03}"),
            display_name: None,
            properties: Vec::new(),
            raw_changed: false,
            gap: None,
            gap_side: None,
        }
    }

    fn shown(limit: usize, counts: &[(&str, usize, ChangeKind)]) -> (Vec<(String, usize, usize)>, u64) {
        let mut kept = Kept::up_to(limit);
        for (object_type, count, kind) in counts {
            (0..*count).for_each(|at| kept.add(change(object_type, at, *kind)));
        }
        let (types, omitted) = kept.shared();
        let sizes = types.into_iter().map(|of| (of.object_type, of.certain.len(), of.unknown.len()));
        (sizes.collect(), omitted)
    }

    #[test]
    fn a_large_type_leaves_space_to_the_others_and_unknown_objects_come_last() {
        let counts = [
            ("acme_app", 500, ChangeKind::Added),
            ("acme_team", 2, ChangeKind::Changed),
            ("acme_user", 40, ChangeKind::Removed),
            ("acme_user", 9, ChangeKind::Unknown),
        ];
        let names = |sizes: &[(&str, usize, usize)]| -> Vec<(String, usize, usize)> {
            sizes.iter().map(|(name, certain, unknown)| ((*name).to_owned(), *certain, *unknown)).collect()
        };
        assert_eq!(
            shown(100, &counts),
            (names(&[("acme_app", 58, 0), ("acme_team", 2, 0), ("acme_user", 40, 0)]), 451)
        );
        assert_eq!(shown(550, &counts), (names(&[("acme_app", 500, 0), ("acme_team", 2, 0), ("acme_user", 40, 8)]), 1));
        assert_eq!(shown(usize::MAX, &counts).1, 0);
        assert_eq!(shown(0, &counts), (vec![], 551));
    }
}
