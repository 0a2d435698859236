//! Objects that a step knows but does not add, with bounded lists of names.
//!
//! There are three kinds: list elements that could not be read, objects that are missing because of another gap, and
//! objects that the step omits on purpose. The first two are gaps. Names are kept up to a limit and only counted beyond
//! it. The smallest names are kept, so that the result does not depend on the order of responses.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::ObjectType;
use crate::graph::run::{ErrorCode, Gap, NamedCount, Parent, keep_name};

/// The maximum number of unreadable elements that are separate gaps of a step.
const UNREAD: usize = 1_000;
/// The maximum length of a name.
const LONGEST_NAME: usize = 120;

/// Names of objects that were omitted on purpose, by type and reason.
pub(crate) type LeftOut = BTreeMap<ObjectType, BTreeMap<String, BTreeSet<String>>>;

/// The objects that a step did not add.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    /// A gap for each unreadable element.
    unread: BTreeSet<Gap>,
    /// The numbers of further unreadable elements, by types and parent.
    further: BTreeMap<(BTreeSet<ObjectType>, Option<Parent>), u64>,
    missed: BTreeMap<Missed, NamedCount>,
    left_out: LeftOut,
}

/// The common attributes of missing objects that form one gap.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Missed {
    object_type: ObjectType,
    parent: Option<Parent>,
    reason: String,
}

impl Missed {
    /// Returns whether an inherited gap reports the objects already.
    fn is_covered_by(&self, gap: &Gap) -> bool {
        let is_near = gap.parent.is_none() || self.parent.is_none() || gap.parent == self.parent;
        is_near && gap.types.contains(&self.object_type)
    }
}

impl Losses {
    /// Records an element that could not be read.
    pub(crate) fn unread(&mut self, gap: Gap) {
        self.unread.insert(gap);
        if self.unread.len() > UNREAD
            && let Some(Gap { types, parent, .. }) = self.unread.pop_last()
        {
            *self.further.entry((types, parent)).or_default() += 1;
        }
    }

    /// Records an object that is missing because of another gap.
    pub(crate) fn missed(&mut self, object_type: &ObjectType, parent: Option<Parent>, reason: &str, name: &str) {
        let missed = Missed { object_type: object_type.clone(), parent, reason: reason.to_owned() };
        self.missed.entry(missed).or_default().add(name.to_owned());
    }

    /// The names of objects that were omitted on purpose.
    pub(crate) fn named_left_out(&mut self) -> &mut LeftOut {
        &mut self.left_out
    }

    /// Adds the names that a partition recorded before the job was resumed.
    pub(crate) fn take_over(&mut self, part: LeftOut) {
        for (object_type, reasons) in part {
            for (reason, names) in reasons {
                names.iter().for_each(|name| name_left_out(&mut self.left_out, &object_type, &reason, name));
            }
        }
    }

    /// Returns the gaps. Inherited gaps cover the missing objects of their types.
    ///
    /// An inherited gap of another parent does not cover objects that are missing under a parent: the members of one
    /// account may be in a team of another one.
    pub(crate) fn gaps(&self, inherited: &[Gap]) -> impl Iterator<Item = Gap> {
        let further = self.further.iter().map(|((types, parent), count)| {
            let cause = format!("{count} more list element(s) could not be read");
            Gap::new(types.clone(), ErrorCode::ProviderApi, cause).under(parent.clone()).not_resumable()
        });
        let covered = |missed: &Missed| inherited.iter().any(|gap| missed.is_covered_by(gap));
        let missed = self.missed.iter().filter(move |(missed, _)| !covered(missed)).map(|(missed, named)| {
            let cause = format!("{}: {}", missed.reason, named.text());
            Gap::new([missed.object_type.clone()], ErrorCode::Unexpected, cause).under(missed.parent.clone())
        });
        self.unread.iter().cloned().chain(further).chain(missed)
    }

    /// Returns the objects that are missing because of other gaps, by type and reason.
    pub(crate) fn named_missing(&self) -> BTreeMap<ObjectType, BTreeMap<String, NamedCount>> {
        let mut by_type: BTreeMap<ObjectType, BTreeMap<String, NamedCount>> = BTreeMap::new();
        for (Missed { object_type, reason, .. }, named) in &self.missed {
            let reasons = by_type.entry(object_type.clone()).or_default();
            reasons.entry(reason.clone()).or_default().merge(named.clone());
        }
        by_type
    }

    /// The objects that were omitted on purpose.
    pub(crate) fn left_out(&self) -> &LeftOut {
        &self.left_out
    }
}

/// Records the name of an object that was omitted on purpose.
pub(super) fn name_left_out(names: &mut LeftOut, object_type: &ObjectType, reason: &str, name: &str) {
    let reasons = names.entry(object_type.clone()).or_default();
    keep_name(reasons.entry(reason.to_owned()).or_default(), name.to_owned());
}

/// Formats a name on one line, truncated to the maximum length.
pub(super) fn short(name: &dyn std::fmt::Display) -> String {
    let name = name.to_string();
    let shown = name.chars().take(LONGEST_NAME).map(|letter| if letter.is_control() { ' ' } else { letter });
    let shown: String = shown.collect();
    if shown.len() < name.len() { shown + "…" } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::run::MAX_NAMES;

    fn moon() -> ObjectType {
        ObjectType::literal("space_moon")
    }

    fn element(number: usize) -> Gap {
        Gap::new([moon()], ErrorCode::ProviderApi, format!("element {number:05}")).not_resumable()
    }

    fn causes(losses: &Losses) -> Vec<String> {
        losses.gaps(&[]).map(|gap| gap.cause).collect()
    }

    #[test]
    fn many_unread_elements_are_counted_and_the_least_are_named_in_whatever_order_they_come() {
        let (mut up, mut down) = (Losses::default(), Losses::default());
        (0..UNREAD + 5).for_each(|number| up.unread(element(number)));
        (0..UNREAD + 5).rev().for_each(|number| down.unread(element(number)));
        assert_eq!(causes(&up), causes(&down));
        assert_eq!((causes(&up).len(), causes(&up)[0].as_str()), (UNREAD + 1, "element 00000"));
        assert_eq!(causes(&up)[UNREAD], "5 more list element(s) could not be read");
        assert!(up.gaps(&[]).all(|gap| !gap.resumable));
    }

    #[test]
    fn missing_objects_of_one_reason_are_one_gap_unless_an_inherited_one_covers_them() {
        let mut losses = Losses::default();
        (0..MAX_NAMES + 2)
            .for_each(|number| losses.missed(&moon(), None, "not collected", &format!("moon {number:03}")));
        let gaps: Vec<_> = losses.gaps(&[]).collect();
        assert_eq!(gaps.len(), 1);
        assert!(gaps[0].cause.starts_with("not collected: moon 000, moon 001, "), "{}", gaps[0].cause);
        assert!(gaps[0].cause.ends_with(" and 92 more") && gaps[0].resumable, "{}", gaps[0].cause);
        assert_eq!(losses.gaps(&[element(0)]).count(), 0);
        let named = &losses.named_missing()[&moon()]["not collected"];
        assert_eq!((named.count, named.names.len()), (MAX_NAMES as u64 + 2, MAX_NAMES));
    }

    #[test]
    fn objects_that_are_missing_under_a_parent_are_a_gap_even_if_one_is_inherited_of_another_parent() {
        let parent = |key: &str| {
            let key = crate::graph::ObjectKey::new(key).expect("a key");
            Some(Parent { object_type: ObjectType::literal("space_planet"), key })
        };
        let mut losses = Losses::default();
        losses.missed(&moon(), parent("planet:mars"), "not collected", "Phobos");
        let inherited = |of| element(0).under(of);
        assert_eq!(losses.gaps(&[inherited(parent("planet:jupiter"))]).count(), 1);
        assert_eq!(losses.gaps(&[inherited(parent("planet:mars"))]).count(), 0);
        assert_eq!(losses.gaps(&[inherited(None)]).count(), 0);
        losses.missed(&moon(), None, "not collected", "Deimos");
        assert_eq!(losses.gaps(&[inherited(parent("planet:jupiter"))]).count(), 1, "its parent is unknown");
    }

    #[test]
    fn names_of_parts_are_added_up_and_bounded() {
        let (mut part, mut losses) = (LeftOut::new(), Losses::default());
        name_left_out(losses.named_left_out(), &moon(), "too small", "Deimos");
        (0..MAX_NAMES).for_each(|number| name_left_out(&mut part, &moon(), "too small", &format!("moon {number:03}")));
        losses.take_over(part);
        let names = &losses.left_out()[&moon()]["too small"];
        assert_eq!((names.len(), names.first().map(String::as_str)), (MAX_NAMES, Some("Deimos")));
    }

    #[test]
    fn a_name_is_on_one_line_and_not_too_long() {
        assert_eq!(short(&"two\nlines"), "two lines");
        assert_eq!(short(&"x".repeat(500)).chars().count(), LONGEST_NAME + 1);
    }
}
