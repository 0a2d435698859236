//! Groups and aggregates.
//!
//! Every aggregate takes each combination of its objects once, however many paths visit them: `COUNT` counts distinct
//! objects or values, and `SUM` adds the property of an entity once. The elements of a list count one by one.

use std::collections::{HashMap, HashSet};

use super::Budget;
use super::calculator::{Calculator, GroupValues};
use super::filter::{ABSENT, Readers, Row};
use super::identity::{Identities, UNDEFINED};
use crate::bind::{Aggregate, Aggregation, SlotId, Table};
use crate::error::QueryError;
use crate::value::{Number, Value};

/// Collects rows into groups.
pub(crate) struct Grouping<'e, 'g> {
    budget: &'e Budget<'e>,
    keys: Vec<Identities<'g>>,
    aggregates: Vec<Input<'g>>,
    /// The positions of the groups by the numbers of their keys.
    positions: HashMap<Vec<u32>, usize>,
    groups: Vec<Group>,
    buffer: Vec<u32>,
}

/// The argument of an aggregate.
struct Input<'g> {
    operation: Aggregation,
    identities: Identities<'g>,
    calculator: Calculator<'g>,
    slots: Vec<SlotId>,
}

struct Group {
    keys: Vec<u32>,
    states: Vec<State>,
}

/// The state of an aggregate in one group.
#[derive(Default)]
struct State {
    /// The combinations of objects, or the numbers of the values, that were added.
    seen: HashSet<Box<[u32]>>,
    value: Option<Value>,
    count: u64,
}

impl<'e, 'g> Grouping<'e, 'g> {
    pub(crate) fn new(readers: &Readers<'g>, table: &Table, budget: &'e Budget<'e>) -> Self {
        let input = |aggregate: &Aggregate| Input {
            operation: aggregate.operation,
            identities: Identities::new(readers, &aggregate.argument),
            calculator: Calculator::new(readers, &aggregate.argument),
            slots: aggregate.slots.clone(),
        };
        let mut grouping = Self {
            budget,
            keys: table.keys.iter().map(|key| Identities::new(readers, key)).collect(),
            aggregates: table.aggregates.iter().map(input).collect(),
            positions: HashMap::new(),
            groups: Vec::new(),
            buffer: Vec::new(),
        };
        // Without a key there is one group, even without rows.
        if grouping.keys.is_empty() {
            grouping.group();
        }
        grouping
    }

    /// Adds a row to its group.
    pub(crate) fn add<R: Row + ?Sized>(&mut self, row: &R) -> Result<(), QueryError> {
        self.buffer.clear();
        for key in &mut self.keys {
            self.buffer.push(key.of(row)?);
        }
        let position = match self.positions.get(self.buffer.as_slice()) {
            Some(position) => *position,
            None => {
                self.budget.charge(64 + self.buffer.len() * 8 + self.aggregates.len() * 96, "groups")?;
                self.group()
            }
        };
        for aggregate in 0..self.aggregates.len() {
            self.add_to(position, aggregate, row)?;
        }
        Ok(())
    }

    /// Adds a row to one aggregate of the only group.
    pub(crate) fn add_single<R: Row + ?Sized>(&mut self, aggregate: usize, row: &R) -> Result<(), QueryError> {
        self.add_to(0, aggregate, row)
    }

    fn group(&mut self) -> usize {
        let states = std::iter::repeat_with(State::default).take(self.aggregates.len()).collect();
        self.groups.push(Group { keys: self.buffer.clone(), states });
        self.positions.insert(self.buffer.clone(), self.groups.len() - 1);
        self.groups.len() - 1
    }

    fn add_to<R: Row + ?Sized>(&mut self, group: usize, aggregate: usize, row: &R) -> Result<(), QueryError> {
        let input = &mut self.aggregates[aggregate];
        let state = &mut self.groups[group].states[aggregate];
        match input.operation {
            Aggregation::Count => {
                let number = input.identities.of(row)?;
                if number == UNDEFINED || !state.see(&[number], self.budget)? {
                    return Ok(());
                }
                match input.identities.value(number).clone() {
                    Value::List(elements) => {
                        for element in elements.into_iter().filter(|element| !element.is_undefined()) {
                            let element = input.identities.number(element);
                            // A list and its element have different numbers, and a second component keeps them apart.
                            if state.see(&[element, 1], self.budget)? {
                                state.count += 1;
                            }
                        }
                    }
                    _ => {
                        if state.see(&[number, 1], self.budget)? {
                            state.count += 1;
                        }
                    }
                }
            }
            operation => {
                let objects: Vec<u32> = input.slots.iter().map(|slot| row.object(*slot)).collect();
                if objects.contains(&ABSENT) && objects.iter().all(|object| *object == ABSENT) && !objects.is_empty() {
                    return Ok(());
                }
                if !state.see(&objects, self.budget)? {
                    return Ok(());
                }
                match input.calculator.value(row)? {
                    Value::List(elements) => elements.into_iter().for_each(|element| state.add(operation, element)),
                    single => state.add(operation, single),
                }
            }
        }
        Ok(())
    }

    /// Returns the values of each group, in the order of their first rows.
    pub(crate) fn finish(&self) -> impl Iterator<Item = (Vec<Value>, Vec<Value>)> {
        self.groups.iter().map(|group| {
            let keys = self.keys.iter().zip(&group.keys).map(|(key, number)| key.value(*number).clone()).collect();
            let results = self.aggregates.iter().zip(&group.states).map(|(input, state)| state.result(input.operation));
            (keys, results.collect())
        })
    }

    /// The number of groups.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }
}

impl State {
    /// Records a combination; returns whether it is new.
    fn see(&mut self, combination: &[u32], budget: &Budget<'_>) -> Result<bool, QueryError> {
        if self.seen.contains(combination) {
            return Ok(false);
        }
        budget.charge(24 + combination.len() * 4, "distinct values of aggregates")?;
        self.seen.insert(combination.into());
        Ok(true)
    }

    fn add(&mut self, operation: Aggregation, value: Value) {
        let replaces = match (&self.value, &value) {
            (_, Value::Undefined) => return,
            (None, _) => true,
            (Some(known), new) => match operation {
                Aggregation::Min => new.order(known).is_lt(),
                Aggregation::Max => new.order(known).is_gt(),
                _ => false,
            },
        };
        match operation {
            Aggregation::Min | Aggregation::Max if replaces => self.value = Some(value),
            Aggregation::Sum | Aggregation::Average => {
                let Value::Number(number) = value else { return };
                self.count += 1;
                let sum = match &self.value {
                    Some(Value::Number(sum)) => sum.sum(number),
                    _ => Some(number),
                };
                self.value = sum.map(Value::Number);
            }
            _ => {}
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
