//! The names of slots: aliases, and the classes and types that stand for selectors without alias.

use std::collections::BTreeMap;

use super::suggestion::{listed, nearest};
use super::{Binder, Place, SlotId};
use crate::syntax::{Name, Path, Span};

/// The names that a query can use for its slots.
#[derive(Default)]
pub(super) struct Scope {
    aliases: BTreeMap<String, SlotId>,
    /// Classes and types of selectors without alias. A name of several selectors is ambiguous.
    implied: BTreeMap<String, Vec<SlotId>>,
    /// Classes and types of selectors that have an alias.
    renamed: BTreeMap<String, String>,
}

/// The clause that mentions a name. It decides the text of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    Where,
    /// The right side of a comparison in `WHERE`.
    Compared,
    Return,
    OrderBy,
}

impl Clause {
    fn noun(self) -> &'static str {
        match self {
            Self::Where | Self::Compared => "predicate filter",
            Self::Return => "return",
            Self::OrderBy => "order by",
        }
    }

    fn short(self) -> &'static str {
        match self {
            Self::Where | Self::Compared => "predicate",
            other => other.noun(),
        }
    }
}

/// What a path denotes: an object, or one of its properties.
pub(super) enum Denoted {
    Object(SlotId),
    Property(Place),
}

impl Binder<'_> {
    /// Records the alias of a slot. An alias names one slot.
    pub(super) fn add_alias(&mut self, alias: &Name, slot: SlotId) {
        if self.scope.aliases.insert(alias.value.clone(), slot).is_some() {
            let message = format!("the alias `{}` is used twice", alias.value);
            self.problems.error(message, alias.span, Some("give each selector its own alias".to_owned()));
        }
    }

    /// Records the class or type of a selector: as its name, or as a hint to its alias.
    pub(super) fn add_label(&mut self, label: &str, alias: Option<&Name>, slot: SlotId) {
        match alias {
            Some(alias) => {
                self.scope.renamed.insert(label.to_owned(), alias.value.clone());
            }
            None => self.scope.implied.entry(label.to_owned()).or_default().push(slot),
        }
    }

    /// Returns the slot of a name, without an error if there is none.
    pub(super) fn find_slot(&self, name: &str) -> Option<SlotId> {
        let implied = || match self.scope.implied.get(name).map(Vec::as_slice) {
            Some([slot]) => Some(*slot),
            _ => None,
        };
        self.scope.aliases.get(name).copied().or_else(implied)
    }

    /// Returns the slot of a name, or records an error.
    pub(super) fn slot(&mut self, name: &str, span: Span, clause: Clause) -> Option<SlotId> {
        let found = self.find_slot(name);
        if found.is_none() {
            self.unknown_slot(name, span, clause);
        }
        found
    }

    fn unknown_slot(&mut self, name: &str, span: Span, clause: Clause) {
        if self.scope.implied.contains_key(name) {
            let message = format!("`{name}` stands for several selectors of this query");
            return self.problems.error(message, span, Some(format!("name them: `{name} AS first`")));
        }
        let known: Vec<&str> = self.scope.aliases.keys().chain(self.scope.implied.keys()).map(String::as_str).collect();
        let (noun, short, valid) = (clause.noun(), clause.short(), listed(known.iter().copied()));
        let message = format!("Invalid {noun} selector provided: \"{name}\", valid {short} selectors are: {valid}");
        let renamed = self.scope.renamed.get(name).map(|alias| format!("this selector is named `{alias}` here"));
        let near = || nearest(name, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
        let aliases = || known.is_empty().then(|| "name a selector with `AS`, such as `FIND User AS u`".to_owned());
        let of_alias = |(alias, slot): (&String, SlotId)| {
            let has = self.names.has_property(&self.slots, slot, name);
            has.then(|| format!("did you mean `{alias}.{name}`?"))
        };
        let implied = self.scope.implied.iter().filter_map(|(label, slots)| Some((label, *slots.first()?)));
        let property =
            || self.scope.aliases.iter().map(|(alias, slot)| (alias, *slot)).chain(implied).find_map(of_alias);
        let value = || match (clause, known.first()) {
            (Clause::Compared, _) => Some("a text needs quotes".to_owned()),
            (Clause::Where, Some(alias)) => Some(format!("a property follows its alias, as in `{alias}.{name}`")),
            _ => None,
        };
        let help = renamed.or_else(property).or_else(near).or_else(aliases).or_else(value);
        self.problems.error(message, span, help);
    }

    /// Returns what a path outside of `WITH` denotes, or records an error.
    pub(super) fn denoted(&mut self, path: &Path, clause: Clause) -> Option<Denoted> {
        let (first, rest) = path.segments.split_first()?;
        let slot = self.slot(&first.name.value, first.name.span, clause)?;
        if rest.is_empty() {
            return Some(Denoted::Object(slot));
        }
        let property = dotted(rest.iter().map(|segment| segment.name.value.as_str()));
        self.check_property(slot, &property, path.span, None);
        Some(Denoted::Property(Place { slot, property }))
    }

    /// Returns the property that a path in the `WITH` of a slot denotes, or records an error.
    pub(super) fn own_property(&mut self, path: &Path, slot: SlotId) -> Option<Place> {
        self.own_place(path, slot, None)
    }

    /// Returns the property that a path on the right side of a comparison denotes, which may be a text without quotes.
    pub(super) fn own_value(&mut self, path: &Path, slot: SlotId) -> Option<Place> {
        let text = dotted(path.segments.iter().map(|segment| segment.name.value.as_str()));
        self.own_place(path, slot, Some(format!("a text needs quotes: '{text}'")))
    }

    fn own_place(&mut self, path: &Path, slot: SlotId, help: Option<String>) -> Option<Place> {
        let (first, rest) = path.segments.split_first()?;
        let mut property = dotted(path.segments.iter().map(|segment| segment.name.value.as_str()));
        let named = if first.bracketed || rest.is_empty() { None } else { self.scope.aliases.get(&first.name.value) };
        if let Some(named) = named.copied().filter(|_| !self.names.has_property(&self.slots, slot, &property)) {
            if named != slot {
                let message =
                    format!("`WITH` cannot read `{property}`: it sees the properties of its own selector only");
                let help = "compare properties of different aliases after `WHERE`".to_owned();
                self.problems.error(message, path.span, Some(help));
                return None;
            }
            property = dotted(rest.iter().map(|segment| segment.name.value.as_str()));
        }
        self.check_property(slot, &property, path.span, help);
        Some(Place { slot, property })
    }

    /// Records a warning if no object that fits into the slot has the property.
    fn check_property(&mut self, slot: SlotId, property: &str, span: Span, otherwise: Option<String>) {
        if let Some(near) = self.names.missing_property(&self.slots, slot, property) {
            let message = format!("no selected object has the property `{property}`");
            let help = near.map(|near| format!("did you mean `{near}`?")).or(otherwise);
            self.problems.warning(message, span, help);
        }
    }
}

fn dotted<'p>(parts: impl Iterator<Item = &'p str>) -> String {
    parts.collect::<Vec<_>>().join(".")
}
