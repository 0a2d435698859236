//! Groups and aggregates.
//!
//! Every aggregate takes each combination of its objects once, however many paths visit them: `COUNT` counts distinct
//! objects or values, and `SUM` adds the property of an entity once. The elements of a list count one by one.

use std::collections::HashSet;

use super::Budget;
use super::calculator::{Calculator, GroupValues};
use super::filter::{ABSENT, Readers, Row};
use super::hash::{HashedNumbers, Tuples};
use super::identity::{Identities, UNDEFINED};
use super::set::NumberSet;
use crate::bind::{Aggregate, Aggregation, SlotId, Table};
use crate::error::QueryError;
use crate::value::{Number, Value};

/// Collects rows into groups.
pub(crate) struct Grouping<'e, 'g> {
    budget: &'e Budget<'e>,
    keys: Vec<Identities<'g>>,
    aggregates: Vec<Accumulator<'g>>,
    /// The numbers of tuples of keys, one level for each key.
    levels: Vec<Tuples>,
    /// The keys of each group.
    groups: Vec<Vec<u32>>,
    buffer: Vec<u32>,
}

/// The position of a group.
type GroupId = usize;

impl<'e, 'g> Grouping<'e, 'g> {
    pub(crate) fn new(readers: &Readers<'g>, table: &Table, budget: &'e Budget<'e>) -> Self {
        let keys: Vec<_> = table.keys.iter().map(|key| Identities::new(readers, key)).collect();
        let mut grouping = Self {
            budget,
            levels: keys.iter().map(|_| Tuples::default()).collect(),
            keys,
            aggregates: table.aggregates.iter().map(|aggregate| Accumulator::new(readers, aggregate)).collect(),
            groups: Vec::new(),
            buffer: Vec::new(),
        };
        // Without a key there is one group, even without rows.
        if grouping.keys.is_empty() {
            grouping.open();
        }
        grouping
    }

    /// Adds a row to its group.
    pub(crate) fn add<R: Row + ?Sized>(&mut self, row: &R) -> Result<(), QueryError> {
        let group = self.group(row)?;
        for aggregate in &mut self.aggregates {
            aggregate.add(group, row, self.budget)?;
        }
        Ok(())
    }

    /// Returns the group of a row.
    pub(crate) fn group<R: Row + ?Sized>(&mut self, row: &R) -> Result<GroupId, QueryError> {
        self.buffer.clear();
        let (mut number, mut is_new) = (0, false);
        for (key, level) in self.keys.iter_mut().zip(&mut self.levels) {
            let own = key.of(row)?;
            self.buffer.push(own);
            (number, is_new) = level.pair(number, own);
        }
        if is_new {
            self.budget.charge(64 + self.buffer.len() * 32 + self.aggregates.len() * 48, "groups")?;
            self.open();
        }
        Ok(number as usize)
    }

    /// Adds a row to one aggregate of a group.
    pub(crate) fn add_to<R: Row + ?Sized>(
        &mut self,
        group: GroupId,
        aggregate: usize,
        row: &R,
    ) -> Result<(), QueryError> {
        self.aggregates[aggregate].add(group, row, self.budget)
    }

    /// Adds all objects of a set to one aggregate of the only group.
    pub(crate) fn add_all(&mut self, aggregate: usize, nodes: &NumberSet) -> Result<(), QueryError> {
        let aggregate = &mut self.aggregates[aggregate];
        if aggregate.operation == Aggregation::Count && aggregate.identities.is_object() {
            aggregate.states[0].count += nodes.count();
            return Ok(());
        }
        for node in nodes.iter() {
            self.budget.tick()?;
            aggregate.add(0, &super::filter::Single(node), self.budget)?;
        }
        Ok(())
    }

    fn open(&mut self) {
        self.groups.push(self.buffer.clone());
        for aggregate in &mut self.aggregates {
            aggregate.states.push(State::default());
        }
    }

    /// Returns the values of each group, in the order of their first rows.
    pub(crate) fn finish(&self) -> impl Iterator<Item = (Vec<Value>, Vec<Value>)> {
        self.groups.iter().enumerate().map(|(number, group)| {
            let keys = self.keys.iter().zip(group).map(|(key, number)| key.value(*number)).collect();
            let result = |aggregate: &Accumulator<'_>| aggregate.states[number].result(aggregate.operation);
            (keys, self.aggregates.iter().map(result).collect())
        })
    }

    /// The number of groups.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }
}

/// One aggregate over all groups.
struct Accumulator<'g> {
    operation: Aggregation,
    identities: Identities<'g>,
    calculator: Calculator<'g>,
    slots: Vec<SlotId>,
    states: Vec<State>,
    /// Groups with values or objects that were added, each pair as one number.
    seen: HashedNumbers<u64>,
    /// The same for combinations of several objects.
    seen_combinations: HashSet<(GroupId, Vec<u32>)>,
}

/// The bytes of an element of a set, with its share of empty places.
const ELEMENT_BYTES: usize = 20;

impl<'g> Accumulator<'g> {
    fn new(readers: &Readers<'g>, aggregate: &Aggregate) -> Self {
        Self {
            operation: aggregate.operation,
            identities: Identities::new(readers, &aggregate.argument),
            calculator: Calculator::new(readers, &aggregate.argument),
            slots: aggregate.slots.clone(),
            states: Vec::new(),
            seen: HashedNumbers::default(),
            seen_combinations: HashSet::new(),
        }
    }

    fn add<R: Row + ?Sized>(&mut self, group: GroupId, row: &R, budget: &Budget<'_>) -> Result<(), QueryError> {
        match self.operation {
            Aggregation::Count => self.count(group, row, budget),
            operation => {
                if !self.see_objects(group, row, budget)? {
                    return Ok(());
                }
                let state = &mut self.states[group];
                match self.calculator.value(row)? {
                    Value::List(elements) => elements.into_iter().for_each(|element| state.add(operation, element)),
                    single => state.add(operation, single),
                }
                Ok(())
            }
        }
    }

    fn count<R: Row + ?Sized>(&mut self, group: GroupId, row: &R, budget: &Budget<'_>) -> Result<(), QueryError> {
        let number = self.identities.of(row)?;
        if number == UNDEFINED {
            return Ok(());
        }
        let Some(elements) = self.identities.elements(number) else {
            self.states[group].count += u64::from(self.see(group, number, budget)?);
            return Ok(());
        };
        for element in elements.into_iter().filter(|element| !element.is_undefined()) {
            let element = self.identities.number(element);
            self.states[group].count += u64::from(self.see(group, element, budget)?);
        }
        Ok(())
    }

    /// Records a value of a group; returns whether it is new.
    fn see(&mut self, group: GroupId, number: u32, budget: &Budget<'_>) -> Result<bool, QueryError> {
        let is_new = self.seen.insert((group as u64) << 32 | u64::from(number));
        if is_new {
            budget.charge(ELEMENT_BYTES, "distinct values of aggregates")?;
        }
        Ok(is_new)
    }

    /// Records the objects of a row; returns whether there are any, and they are new in the group.
    fn see_objects<R: Row + ?Sized>(
        &mut self,
        group: GroupId,
        row: &R,
        budget: &Budget<'_>,
    ) -> Result<bool, QueryError> {
        match self.slots.as_slice() {
            [] => self.see(group, 0, budget),
            [slot] => match row.object(*slot) {
                ABSENT => Ok(false),
                object => self.see(group, object, budget),
            },
            slots => {
                let objects: Vec<u32> = slots.iter().map(|slot| row.object(*slot)).collect();
                if objects.iter().all(|object| *object == ABSENT) {
                    return Ok(false);
                }
                budget.charge(ELEMENT_BYTES * 3 + objects.len() * 4, "distinct values of aggregates")?;
                Ok(self.seen_combinations.insert((group, objects)))
            }
        }
    }
}

/// The state of an aggregate in one group.
#[derive(Default)]
struct State {
    value: Option<Value>,
    count: u64,
}

impl State {
    fn add(&mut self, operation: Aggregation, value: Value) {
        match operation {
            _ if value.is_undefined() => {}
            Aggregation::Min | Aggregation::Max => {
                let is_better = |known: &Value| match operation {
                    Aggregation::Min => value.order(known).is_lt(),
                    _ => value.order(known).is_gt(),
                };
                if self.value.as_ref().is_none_or(is_better) {
                    self.value = Some(value);
                }
            }
            _ => {
                let Value::Number(number) = value else { return };
                self.count += 1;
                let sum = match &self.value {
                    Some(Value::Number(sum)) => sum.sum(number),
                    _ => Some(number),
                };
                self.value = sum.map(Value::Number);
            }
        }
    }

    fn result(&self, operation: Aggregation) -> Value {
        match (operation, &self.value) {
            (Aggregation::Count, _) => Value::Number(Number::Integer(i128::from(self.count))),
            (Aggregation::Sum, None) => Value::Number(Number::Integer(0)),
            (Aggregation::Average, Some(Value::Number(sum))) => {
                let count = Number::Integer(i128::from(self.count));
                sum.quotient(count).map_or(Value::Undefined, Value::Number)
            }
            (_, value) => value.clone().unwrap_or(Value::Undefined),
        }
    }
}

/// Evaluates the columns of groups.
pub(crate) fn values(
    calculators: &[Calculator<'_>],
    keys: &[Value],
    aggregates: &[Value],
) -> Result<Vec<Value>, QueryError> {
    let group = GroupValues { keys, aggregates };
    calculators.iter().map(|calculator| Ok(calculator.group_value(group)?)).collect()
}
