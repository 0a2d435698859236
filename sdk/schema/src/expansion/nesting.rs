//! The number of schemas that apply to one value deep within an object.
//!
//! A value within gets the schemas of each schema around it. If two of them refer to the same one for a property, and that
//! one refers twice to the next, the number doubles with every level of the object. The levels are followed one by one, each
//! from the numbers of the one below, until the numbers stay the same.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::{Applied, Excess, Expansion, MOST, applied, children};

/// The number of levels that are followed. JSON that nests deeper is not read.
const LEVELS: usize = 128;

/// Numbers of schemas for the values directly within a value.
#[derive(Debug, Clone, Default)]
struct Within<'a> {
    /// For the members of an object by name, and for other members.
    named: BTreeMap<&'a str, u64>,
    other: u64,
    /// For the first items of a list, and for other items.
    items: BTreeMap<usize, u64>,
    rest: u64,
}

impl Within<'_> {
    fn add(&mut self, more: &Self) {
        fn merge<K: Ord + Clone>(all: &mut BTreeMap<K, u64>, other: u64, more: &BTreeMap<K, u64>, more_other: u64) {
            for (key, number) in all.iter_mut() {
                *number = number.saturating_add(more.get(key).copied().unwrap_or(more_other));
            }
            for (key, number) in more {
                all.entry(key.clone()).or_insert_with(|| other.saturating_add(*number));
            }
        }
        merge(&mut self.named, self.other, &more.named, more.other);
        self.other = self.other.saturating_add(more.other);
        merge(&mut self.items, self.rest, &more.items, more.rest);
        self.rest = self.rest.saturating_add(more.rest);
    }

    fn most(&self) -> u64 {
        let listed = self.named.values().chain(self.items.values()).copied();
        listed.chain([self.other, self.rest]).max().unwrap_or(0)
    }
}

type Place = *const Value;

/// One level of nesting, computed from the one below.
struct Level<'e, 'a> {
    expansion: &'e Expansion<'a>,
    /// The numbers for the level below, by schema.
    below: &'e HashMap<Place, u64>,
    /// `None` while it is being computed.
    known: HashMap<Place, Option<Within<'a>>>,
    /// Schemas for values within, which get their numbers on this level too. They are computed later: a schema within may lead
    /// back to the one that is being computed.
    pending: Vec<(&'a str, &'a Value)>,
}

/// The first class whose schemas apply too many schemas to one value at any depth.
pub(super) fn first_excess<'a>(expansion: &Expansion<'a>) -> Option<&'a str> {
    let classes = expansion.classes;
    let size = |known: &Option<Result<super::Size, Excess>>| known.and_then(Result::ok).map_or(0, |size| size.schemas);
    let mut below: HashMap<Place, u64> = expansion.known.iter().map(|(place, known)| (*place, size(known))).collect();
    for _ in 0..LEVELS {
        let mut level = Level { expansion, below: &below, known: HashMap::new(), pending: Vec::new() };
        for (class, schema) in classes {
            if level.within(class, schema).most() > MOST {
                return Some(class);
            }
        }
        while let Some((class, schema)) = level.pending.pop() {
            level.within(class, schema);
        }
        let most = |within: &Option<Within<'_>>| within.as_ref().map_or(0, Within::most);
        let numbers: HashMap<Place, u64> = level.known.iter().map(|(place, within)| (*place, most(within))).collect();
        if numbers.values().all(|number| *number == 0) || numbers == below {
            return None;
        }
        below = numbers;
    }
    None
}

impl<'a> Level<'_, 'a> {
    /// The numbers for the values within a value to which a schema applies.
    fn within(&mut self, class: &'a str, node: &'a Value) -> Within<'a> {
        let place = std::ptr::from_ref(node);
        match self.known.get(&place) {
            Some(Some(within)) => return within.clone(),
            Some(None) => return Within::default(),
            None => drop(self.known.insert(place, None)),
        }
        let mut within = self.own(class, node);
        for (class, child) in self.in_place(class, node) {
            within.add(&self.within(class, child));
        }
        self.known.insert(place, Some(within.clone()));
        within
    }

    /// The schemas that apply to the same value as a schema does.
    fn in_place(&self, class: &'a str, node: &'a Value) -> Vec<(&'a str, &'a Value)> {
        let Value::Object(words) = node else { return Vec::new() };
        let mut found = Vec::new();
        for (word, value) in words {
            match (word.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                    found.extend(self.expansion.target(class, reference));
                }
                (word, value) if matches!(applied(word), Applied::InPlace) => {
                    found.extend(children(word, value).into_iter().map(|(_, child)| (class, child)));
                }
                _ => {}
            }
        }
        found
    }

    /// The numbers that the words of a schema itself add.
    fn own(&mut self, class: &'a str, node: &'a Value) -> Within<'a> {
        let mut own = Within::default();
        let Value::Object(words) = node else { return own };
        let word = |name: &str| words.get(name);
        for (name, child) in word("properties").and_then(Value::as_object).into_iter().flatten() {
            own.named.insert(name, self.below(class, child));
        }
        let patterns: Vec<&Value> =
            word("patternProperties").and_then(Value::as_object).into_iter().flat_map(|named| named.values()).collect();
        let patterns = patterns.into_iter().fold(0, |sum: u64, child| sum.saturating_add(self.below(class, child)));
        own.named.values_mut().for_each(|number| *number = number.saturating_add(patterns));
        let others = ["additionalProperties", "unevaluatedProperties"]
            .map(|name| word(name).map(|child| self.below(class, child)));
        own.other = others.into_iter().flatten().chain([patterns]).max().unwrap_or(0);
        for (at, child) in
            ["prefixItems", "items"].iter().filter_map(|name| word(name)?.as_array()).flatten().enumerate()
        {
            own.items.insert(at, self.below(class, child));
        }
        let rest = ["items", "additionalItems", "unevaluatedItems"]
            .map(|name| word(name).filter(|child| !child.is_array()).map(|child| self.below(class, child)));
        own.rest = rest.into_iter().flatten().max().unwrap_or(0);
        if let Some(contained) = word("contains").map(|child| self.below(class, child)) {
            own.items.values_mut().chain([&mut own.rest]).for_each(|number| *number = number.saturating_add(contained));
        }
        own
    }

    /// The number for a schema on the level below.
    fn below(&mut self, class: &'a str, node: &'a Value) -> u64 {
        self.pending.push((class, node));
        self.below.get(&std::ptr::from_ref(node)).copied().unwrap_or(0)
    }
}
