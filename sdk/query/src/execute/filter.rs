//! Conditions over one object or over a path, evaluated by columns.
//!
//! A test is evaluated once for each distinct value of a column, when the value first occurs. After that it is a lookup.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::Budget;
use super::property::{Kind, Locator, PropertyReader};
use super::set::NumberSet;
use crate::bind::{Bound, Formula, LeafKind, Logic, Pattern, Place, SlotId};
use crate::error::QueryError;
use crate::graph::{AccountGraph, Column, GraphError, ValueRef};
use crate::syntax::Span;
use crate::value::{Relation, Test, holds_between};

/// The number of a slot that a path does not have.
pub(crate) const ABSENT: u32 = u32::MAX;

/// The readers of one query. Several conditions and columns share the reader of a property.
pub(crate) struct Readers<'g> {
    pub(crate) graph: &'g AccountGraph,
    kinds: Vec<Kind>,
    readers: RefCell<HashMap<(Kind, String), Rc<PropertyReader<'g>>>>,
}

impl<'g> Readers<'g> {
    pub(crate) fn new(graph: &'g AccountGraph, bound: &Bound) -> Self {
        let kind = |pattern: &Pattern| if matches!(pattern, Pattern::Edge(_)) { Kind::Edge } else { Kind::Node };
        let kinds = bound.slots.iter().map(|slot| kind(&slot.pattern)).collect();
        Self { graph, kinds, readers: RefCell::default() }
    }

    /// Returns the kind of the objects in a slot.
    pub(crate) fn kind(&self, slot: SlotId) -> Kind {
        self.kinds[slot]
    }

    /// Returns the reader of a property of the objects in a slot.
    pub(crate) fn of(&self, place: &Place) -> Rc<PropertyReader<'g>> {
        self.named(self.kind(place.slot), &place.property)
    }

    /// Returns the reader of a property.
    pub(crate) fn named(&self, kind: Kind, name: &str) -> Rc<PropertyReader<'g>> {
        let mut readers = self.readers.borrow_mut();
        let reader = || Rc::new(PropertyReader::new(self.graph, kind, name));
        Rc::clone(readers.entry((kind, name.to_owned())).or_insert_with(reader))
    }
}

/// The objects of a path, by slot.
pub(crate) trait Row {
    /// Returns the number of the object in a slot, or [`ABSENT`].
    fn object(&self, slot: SlotId) -> u32;
}

impl Row for [u32] {
    fn object(&self, slot: SlotId) -> u32 {
        self[slot]
    }
}

/// A row with one object, whatever the slot.
pub(crate) struct Single(pub(crate) u32);

impl Row for Single {
    fn object(&self, _: SlotId) -> u32 {
        self.0
    }
}

/// A condition that can be evaluated.
pub(crate) struct Filter<'g> {
    leaves: Vec<Evaluator<'g>>,
    program: Vec<Logic>,
    stack: RefCell<Vec<bool>>,
}

enum Evaluator<'g> {
    Test(SlotId, Tester<'g>),
    Compare {
        left: (SlotId, Rc<PropertyReader<'g>>),
        right: (SlotId, Rc<PropertyReader<'g>>),
        relation: Relation,
        is_negated: bool,
    },
    Same(SlotId, SlotId, bool),
    Present(SlotId, bool),
    Contains(SlotId, TextSearch<'g>),
}

impl<'g> Filter<'g> {
    pub(crate) fn new(readers: &Readers<'g>, formula: &Formula) -> Self {
        let leaf = |leaf: &crate::bind::Leaf| match &leaf.kind {
            LeafKind::Test(place, test) => {
                Evaluator::Test(place.slot, Tester::new(readers.of(place), test.clone(), leaf.span, &place.property))
            }
            LeafKind::Compare { left, relation, is_negated, right } => Evaluator::Compare {
                left: (left.slot, readers.of(left)),
                right: (right.slot, readers.of(right)),
                relation: *relation,
                is_negated: *is_negated,
            },
            LeafKind::Same { left, right, is_negated } => Evaluator::Same(*left, *right, *is_negated),
            LeafKind::Present { slot, is_negated } => Evaluator::Present(*slot, *is_negated),
            LeafKind::Contains(slot, text) => {
                Evaluator::Contains(*slot, TextSearch::new(readers, readers.kind(*slot), text))
            }
        };
        let leaves = formula.leaves.iter().map(leaf).collect();
        Self { leaves, program: formula.program.clone(), stack: RefCell::default() }
    }

    /// Whether a row satisfies the condition.
    pub(crate) fn accepts<R: Row + ?Sized>(&self, row: &R) -> Result<bool, GraphError> {
        if let [single] = self.leaves.as_slice() {
            return single.accepts(row);
        }
        let mut stack = self.stack.borrow_mut();
        stack.clear();
        for logic in &self.program {
            let result = match *logic {
                Logic::Leaf(leaf) => self.leaves[leaf].accepts(row)?,
                Logic::And(count) => {
                    let from = stack.len().saturating_sub(count);
                    stack.drain(from..).fold(true, |all, one| all & one)
                }
                Logic::Or(count) => {
                    let from = stack.len().saturating_sub(count);
                    stack.drain(from..).fold(false, |any, one| any | one)
                }
            };
            stack.push(result);
        }
        Ok(stack.pop().unwrap_or(true))
    }

    /// Returns the objects of a set that satisfy the condition. The condition must read one slot.
    pub(crate) fn select(&self, base: &NumberSet, bound: u32, budget: &Budget<'_>) -> Result<NumberSet, QueryError> {
        let mut stack: Vec<NumberSet> = Vec::new();
        for logic in &self.program {
            let set = match *logic {
                Logic::Leaf(leaf) => {
                    let mut set = NumberSet::new(bound);
                    self.leaves[leaf].select(base, &mut set, budget)?;
                    set
                }
                Logic::And(count) => {
                    let sets = stack.drain(stack.len().saturating_sub(count)..);
                    sets.reduce(|mut all, one| {
                        all.intersect(&one);
                        all
                    })
                    .unwrap_or_else(|| base.clone())
                }
                Logic::Or(count) => {
                    let sets = stack.drain(stack.len().saturating_sub(count)..);
                    sets.reduce(|mut any, one| {
                        any.union(&one);
                        any
                    })
                    .unwrap_or_else(|| NumberSet::new(bound))
                }
            };
            stack.push(set);
        }
        Ok(stack.pop().unwrap_or_else(|| base.clone()))
    }

    /// Returns the tests that met only values of other kinds than their constants.
    pub(crate) fn mismatches(&self) -> impl Iterator<Item = Mismatch<'_>> {
        self.leaves.iter().filter_map(|leaf| match leaf {
            Evaluator::Test(_, tester) => tester.mismatch(),
            _ => None,
        })
    }
}

impl Evaluator<'_> {
    /// Adds the objects of a set that satisfy the comparison.
    fn select(&self, base: &NumberSet, set: &mut NumberSet, budget: &Budget<'_>) -> Result<(), QueryError> {
        if let Self::Test(_, tester) = self {
            return tester.select(base, set, budget);
        }
        for number in base.iter() {
            budget.tick()?;
            if self.accepts(&Single(number))? {
                set.insert(number);
            }
        }
        Ok(())
    }

    fn accepts<R: Row + ?Sized>(&self, row: &R) -> Result<bool, GraphError> {
        Ok(match self {
            Self::Test(slot, tester) => tester.accepts(row.object(*slot))?,
            Self::Compare { left, right, relation, is_negated } => {
                let (left_object, right_object) = (row.object(left.0), row.object(right.0));
                let holds = left_object != ABSENT && right_object != ABSENT && {
                    let (left, right) = (left.1.read(left_object)?.value(), right.1.read(right_object)?.value());
                    holds_between(*relation, left.as_ref(), right.as_ref())
                };
                holds != *is_negated
            }
            Self::Same(left, right, is_negated) => {
                let (left, right) = (row.object(*left), row.object(*right));
                (left == right && left != ABSENT) != *is_negated
            }
            Self::Present(slot, is_negated) => (row.object(*slot) != ABSENT) != *is_negated,
            Self::Contains(slot, search) => match row.object(*slot) {
                ABSENT => false,
                object => search.accepts(object)?,
            },
        })
    }
}

/// A test with its results for the values that occurred.
struct Tester<'g> {
    reader: Rc<PropertyReader<'g>>,
    test: Test,
    span: Span,
    property: String,
    for_absent: bool,
    /// The results of each segment by code: 0 for unknown, 1 for false, 2 for true.
    known: RefCell<Vec<Vec<u8>>>,
    met: Cell<bool>,
    met_comparable: Cell<bool>,
}

/// Returns the results of a segment by code.
fn results_of(
    known: &mut Vec<Vec<u8>>,
    segment: usize,
    distinct: impl FnOnce() -> Result<u32, GraphError>,
) -> Result<&mut Vec<u8>, GraphError> {
    if known.len() <= segment {
        known.resize_with(segment + 1, Vec::new);
    }
    let results = &mut known[segment];
    if results.is_empty() {
        results.resize(distinct()? as usize + 1, 0);
    }
    Ok(results)
}

/// A test whose constants have another kind than all values that it met.
pub(crate) struct Mismatch<'f> {
    pub(crate) span: Span,
    pub(crate) property: &'f str,
    pub(crate) test: &'f Test,
}

impl<'g> Tester<'g> {
    fn new(reader: Rc<PropertyReader<'g>>, test: Test, span: Span, property: &str) -> Self {
        Self {
            reader,
            for_absent: test.passes(None),
            test,
            span,
            property: property.to_owned(),
            known: RefCell::default(),
            met: Cell::new(false),
            met_comparable: Cell::new(false),
        }
    }

    fn accepts(&self, object: u32) -> Result<bool, GraphError> {
        if object == ABSENT {
            return Ok(self.for_absent);
        }
        let value = self.reader.read(object)?;
        if value.code == 0 {
            return Ok(self.for_absent);
        }
        let mut known = self.known.borrow_mut();
        let distinct = || Ok(self.reader.column(value.segment)?.map_or(0, Column::distinct));
        let results = results_of(&mut known, value.segment, distinct)?;
        let result = &mut results[value.code as usize];
        if *result == 0 {
            *result = 1 + u8::from(self.evaluate(value.value().as_ref()));
        }
        Ok(*result == 2)
    }

    /// Adds the objects of a set that pass, segment by segment.
    fn select(&self, base: &NumberSet, set: &mut NumberSet, budget: &Budget<'_>) -> Result<(), QueryError> {
        let mut known = self.known.borrow_mut();
        for (number, segment) in self.reader.segments().iter().enumerate() {
            let mut objects = base.within(segment.range.clone()).peekable();
            if objects.peek().is_none() {
                continue;
            }
            budget.work(segment.length() as usize / 8)?;
            let Some(column) = self.reader.column(number)? else {
                if self.for_absent {
                    objects.for_each(|object| set.insert(object));
                }
                continue;
            };
            let results = results_of(&mut known, number, || Ok(column.distinct()))?;
            results[0] = 1 + u8::from(self.for_absent);
            for object in objects {
                let code = column.code(object - segment.range.start);
                let result = &mut results[code as usize];
                if *result == 0 {
                    *result = 1 + u8::from(self.evaluate(Some(&column.value(code))));
                }
                if *result == 2 {
                    set.insert(object);
                }
            }
        }
        Ok(())
    }

    fn evaluate(&self, value: Option<&ValueRef<'_>>) -> bool {
        if let Some(value) = value.filter(|_| !self.met_comparable.get()) {
            self.met.set(true);
            self.met_comparable.set(self.test.is_comparable(value));
        }
        self.test.passes(value)
    }

    fn mismatch(&self) -> Option<Mismatch<'_>> {
        let is_mismatch = self.met.get() && !self.met_comparable.get();
        is_mismatch.then_some(Mismatch { span: self.span, property: &self.property, test: &self.test })
    }
}

/// A search in the texts and numbers of all properties, in any case.
struct TextSearch<'g> {
    graph: &'g AccountGraph,
    kind: Kind,
    locator: Locator<'g>,
    /// The text in lower case.
    text: String,
    /// The columns with a match of each segment.
    segments: Vec<OnceCell<Vec<MatchingColumn<'g>>>>,
}

/// A column, and whether each of its codes matches.
type MatchingColumn<'g> = (PropertyReader<'g>, Vec<bool>);

/// Times that the store adds, in which nobody searches for digits.
const UNSEARCHED: [&str; 2] = ["_createdOn", "_beginOn"];

impl<'g> TextSearch<'g> {
    fn new(readers: &Readers<'g>, kind: Kind, text: &str) -> Self {
        let segments = kind.segments(readers.graph);
        Self {
            graph: readers.graph,
            kind,
            locator: Locator::new(segments),
            text: text.to_owned(),
            segments: std::iter::repeat_with(OnceCell::new).take(segments.len()).collect(),
        }
    }

    fn accepts(&self, object: u32) -> Result<bool, GraphError> {
        let (segment, position) = self.locator.locate(object);
        let columns = match self.segments[segment].get() {
            Some(columns) => columns,
            None => {
                let columns = self.search(segment)?;
                self.segments[segment].get_or_init(|| columns)
            }
        };
        for (reader, matches) in columns {
            if matches[reader.read_at(segment, position)?.code as usize] {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Searches the distinct values of a segment. Returns the columns with a match.
    fn search(&self, segment: usize) -> Result<Vec<MatchingColumn<'g>>, GraphError> {
        let names = match self.kind {
            Kind::Node => self.graph.node_properties(segment),
            Kind::Edge => self.graph.edge_properties(segment),
        };
        let mut found = Vec::new();
        for name in names.into_iter().filter(|name| !UNSEARCHED.contains(name)) {
            let reader = PropertyReader::new(self.graph, self.kind, name);
            let matches = match reader.column(segment)? {
                None => continue,
                Some(column) => {
                    let matches = (1..=column.distinct()).map(|code| contains(&column.value(code), &self.text));
                    std::iter::once(false).chain(matches).collect::<Vec<_>>()
                }
            };
            if matches.contains(&true) {
                found.push((reader, matches));
            }
        }
        Ok(found)
    }
}

/// Whether a text, a number, or an element of a list contains a text in lower case.
fn contains(value: &ValueRef<'_>, lower: &str) -> bool {
    match value {
        ValueRef::Text(text) => text.to_lowercase().contains(lower),
        ValueRef::Number(_, text) => text.to_lowercase().contains(lower),
        ValueRef::List(elements) => elements.iter().any(|element| contains(element, lower)),
        ValueRef::Null | ValueRef::Boolean(_) | ValueRef::Other(_) => false,
    }
}
