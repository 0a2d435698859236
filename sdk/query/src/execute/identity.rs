//! Small numbers for equal values, so that rows are compared and hashed as numbers.

use std::collections::HashMap;

use super::calculator::Calculator;
use super::filter::{ABSENT, Readers, Row};
use super::property::Kind;
use crate::bind::Program;
use crate::graph::GraphError;
use crate::value::Value;

/// The identity of undefined.
pub(crate) const UNDEFINED: u32 = 0;

/// Numbers the distinct values of one expression.
pub(crate) struct Identities<'g> {
    calculator: Calculator<'g>,
    /// The kind of the objects, if the expression is one object. Their numbers are then their own, plus one.
    object: Option<Kind>,
    numbers: HashMap<Vec<u8>, u32>,
    /// The values by number.
    values: Vec<Value>,
    /// For an expression that is one property: the numbers by segment and code, [`UNKNOWN`] if not yet computed.
    by_code: Vec<Vec<u32>>,
    buffer: Vec<u8>,
}

const UNKNOWN: u32 = u32::MAX;

impl<'g> Identities<'g> {
    pub(crate) fn new(readers: &Readers<'g>, program: &Program) -> Self {
        let calculator = Calculator::new(readers, program);
        Self {
            object: calculator.object().map(|slot| readers.kind(slot)),
            calculator,
            numbers: HashMap::new(),
            values: vec![Value::Undefined],
            by_code: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Whether every object has its own number.
    pub(crate) fn is_object(&self) -> bool {
        self.object.is_some()
    }

    /// Returns the number of the expression's value for a row.
    pub(crate) fn of<R: Row + ?Sized>(&mut self, row: &R) -> Result<u32, GraphError> {
        if let Some((slot, reader)) = self.calculator.property() {
            let object = row.object(slot);
            if object == ABSENT {
                return Ok(UNDEFINED);
            }
            let read = reader.read(object)?;
            if read.code == 0 {
                return Ok(UNDEFINED);
            }
            if self.by_code.len() <= read.segment {
                self.by_code.resize_with(read.segment + 1, Vec::new);
            }
            let known = &self.by_code[read.segment];
            if let Some(number) = known.get(read.code as usize).copied().filter(|number| *number != UNKNOWN) {
                return Ok(number);
            }
            let distinct = reader.column(read.segment)?.map_or(0, |column| column.distinct()) as usize;
            let (segment, code) = (read.segment, read.code as usize);
            let value = read.value().as_ref().map_or(Value::Undefined, Value::from);
            let number = self.number(value);
            self.by_code[segment].resize(distinct + 1, UNKNOWN);
            self.by_code[segment][code] = number;
            return Ok(number);
        }
        if let Some(slot) = self.calculator.object() {
            return Ok(row.object(slot).wrapping_add(1));
        }
        let value = self.calculator.value(row)?;
        Ok(self.number(value))
    }

    /// Returns the number of a value. The expression must not be one object.
    pub(crate) fn number(&mut self, value: Value) -> u32 {
        if value.is_undefined() {
            return UNDEFINED;
        }
        self.buffer.clear();
        value.identify(&mut self.buffer);
        if let Some(number) = self.numbers.get(&self.buffer) {
            return *number;
        }
        let number = u32::try_from(self.values.len()).unwrap_or(UNKNOWN);
        self.numbers.insert(self.buffer.clone(), number);
        self.values.push(value);
        number
    }

    /// Returns the value of a number.
    pub(crate) fn value(&self, number: u32) -> Value {
        match self.object {
            _ if number == UNDEFINED => Value::Undefined,
            Some(Kind::Node) => Value::Node(number - 1),
            Some(Kind::Edge) => Value::Edge(number - 1),
            None => self.values[number as usize].clone(),
        }
    }

    /// Returns the elements of a number's value, if it is a list.
    pub(crate) fn elements(&self, number: u32) -> Option<Vec<Value>> {
        match self.values.get(number as usize) {
            Some(Value::List(elements)) if self.object.is_none() => Some(elements.clone()),
            _ => None,
        }
    }
}
