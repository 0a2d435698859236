//! Evaluation of expressions.

use std::rc::Rc;

use super::filter::{ABSENT, Readers, Row};
use super::property::{Kind, PropertyReader};
use crate::bind::{Function, Instruction, Program, SlotId};
use crate::graph::GraphError;
use crate::syntax::Arithmetic;
use crate::value::{Number, Value};

/// An expression that can be evaluated.
pub(crate) struct Calculator<'g> {
    operations: Vec<Operation<'g>>,
}

enum Operation<'g> {
    Constant(Value),
    Object(SlotId, Kind),
    Property(SlotId, Rc<PropertyReader<'g>>),
    Key(usize),
    Aggregate(usize),
    Call(Function, usize),
    Arithmetic(Arithmetic),
    Negate,
}

/// The values of a group.
#[derive(Clone, Copy, Default)]
pub(crate) struct GroupValues<'v> {
    /// The values that the rows of the group have in common.
    pub(crate) keys: &'v [Value],
    /// The results of the aggregates.
    pub(crate) aggregates: &'v [Value],
}

impl<'g> Calculator<'g> {
    pub(crate) fn new(readers: &Readers<'g>, program: &Program) -> Self {
        let operation = |instruction: &Instruction| match instruction {
            Instruction::Constant(value) => Operation::Constant(value.clone()),
            Instruction::Slot(slot) => Operation::Object(*slot, readers.kind(*slot)),
            Instruction::Property(place) => Operation::Property(place.slot, readers.of(place)),
            Instruction::Key(key) => Operation::Key(*key),
            Instruction::Aggregate(aggregate) => Operation::Aggregate(*aggregate),
            Instruction::Call(function, arguments) => Operation::Call(*function, *arguments),
            Instruction::Arithmetic(operator) => Operation::Arithmetic(*operator),
            Instruction::Negate => Operation::Negate,
        };
        Self { operations: program.iter().map(operation).collect() }
    }

    /// Returns the slot and the reader of an expression that is one property.
    pub(crate) fn property(&self) -> Option<(SlotId, &Rc<PropertyReader<'g>>)> {
        match self.operations.as_slice() {
            [Operation::Property(slot, reader)] => Some((*slot, reader)),
            _ => None,
        }
    }

    /// Returns the slot of an expression that is one object.
    pub(crate) fn object(&self) -> Option<SlotId> {
        match self.operations.as_slice() {
            [Operation::Object(slot, _)] => Some(*slot),
            _ => None,
        }
    }

    /// Returns the value for a row.
    pub(crate) fn value<R: Row + ?Sized>(&self, row: &R) -> Result<Value, GraphError> {
        self.evaluate(row, GroupValues::default())
    }

    /// Returns the value for a group.
    pub(crate) fn group_value(&self, group: GroupValues<'_>) -> Result<Value, GraphError> {
        self.evaluate([].as_slice(), group)
    }

    fn evaluate<R: Row + ?Sized>(&self, row: &R, group: GroupValues<'_>) -> Result<Value, GraphError> {
        let mut stack: Vec<Value> = Vec::new();
        for operation in &self.operations {
            let value = match operation {
                Operation::Constant(value) => value.clone(),
                Operation::Object(slot, kind) => match (row.object(*slot), kind) {
                    (ABSENT, _) => Value::Undefined,
                    (number, Kind::Node) => Value::Node(number),
                    (number, Kind::Edge) => Value::Edge(number),
                },
                Operation::Property(slot, reader) => match row.object(*slot) {
                    ABSENT => Value::Undefined,
                    object => reader.read(object)?.value().as_ref().map_or(Value::Undefined, Value::from),
                },
                Operation::Key(key) => group.keys.get(*key).cloned().unwrap_or(Value::Undefined),
                Operation::Aggregate(aggregate) => {
                    group.aggregates.get(*aggregate).cloned().unwrap_or(Value::Undefined)
                }
                Operation::Call(function, count) => {
                    let arguments = stack.split_off(stack.len().saturating_sub(*count));
                    call(*function, arguments)
                }
                Operation::Arithmetic(operator) => {
                    let (right, left) = (stack.pop(), stack.pop());
                    left.zip(right).map_or(Value::Undefined, |(left, right)| arithmetic(*operator, &left, &right))
                }
                Operation::Negate => match stack.pop() {
                    Some(Value::Number(number)) => number_value(Number::Integer(0).difference(number)),
                    _ => Value::Undefined,
                },
            };
            stack.push(value);
        }
        Ok(stack.pop().unwrap_or(Value::Undefined))
    }
}

fn number_value(number: Option<Number>) -> Value {
    number.map_or(Value::Undefined, Value::Number)
}

/// Applies an operator. `+` joins texts with texts and numbers; otherwise only numbers have results.
fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Value {
    match (operator, left, right) {
        (_, Value::Number(left), Value::Number(right)) => number_value(match operator {
            Arithmetic::Power => left.power(*right),
            Arithmetic::Multiply => left.product(*right),
            Arithmetic::Divide => left.quotient(*right),
            Arithmetic::Add => left.sum(*right),
            Arithmetic::Subtract => left.difference(*right),
        }),
        (Arithmetic::Add, Value::Text(_), Value::Text(_) | Value::Number(_))
        | (Arithmetic::Add, Value::Number(_), Value::Text(_)) => {
            let texts = [left.as_text().unwrap_or_default(), right.as_text().unwrap_or_default()];
            Value::Text(texts.concat())
        }
        _ => Value::Undefined,
    }
}

fn call(function: Function, arguments: Vec<Value>) -> Value {
    match function {
        Function::Concat => {
            let texts: Vec<_> = arguments.iter().filter_map(Value::as_text).collect();
            if texts.is_empty() { Value::Undefined } else { Value::Text(texts.concat()) }
        }
        Function::Merge => {
            let elements = arguments.into_iter().flat_map(|argument| match argument {
                Value::List(elements) => elements,
                single => vec![single],
            });
            let defined: Vec<_> = elements.filter(|element| !element.is_undefined()).collect();
            if defined.is_empty() { Value::Undefined } else { Value::List(defined) }
        }
        Function::Coalesce => {
            arguments.into_iter().find(|argument| !argument.is_undefined()).unwrap_or(Value::Undefined)
        }
        Function::Abs | Function::Sqrt | Function::Ceil | Function::Floor | Function::Round => {
            match arguments.first() {
                Some(Value::Number(number)) => number_value(match function {
                    Function::Abs => number.absolute(),
                    Function::Sqrt => Number::float(number.as_f64().sqrt()),
                    Function::Ceil => number.rounded(f64::ceil),
                    Function::Floor => number.rounded(f64::floor),
                    _ => number.rounded(f64::round),
                }),
                _ => Value::Undefined,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Value {
        Value::Number(Number::parse(text).expect("a number"))
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    #[test]
    fn undefined_propagates_through_arithmetic() {
        for operator in
            [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide, Arithmetic::Power]
        {
            assert_eq!(arithmetic(operator, &number("1"), &Value::Undefined), Value::Undefined);
            assert_eq!(arithmetic(operator, &Value::Undefined, &text("a")), Value::Undefined);
        }
    }

    #[test]
    fn a_sum_of_texts_joins_them() {
        assert_eq!(arithmetic(Arithmetic::Add, &text("v"), &number("1.5")), text("v1.5"));
        assert_eq!(arithmetic(Arithmetic::Subtract, &text("v"), &number("1")), Value::Undefined);
    }

    #[test]
    fn functions_ignore_undefined_arguments() {
        assert_eq!(call(Function::Concat, vec![text("a"), Value::Undefined, number("2")]), text("a2"));
        assert_eq!(call(Function::Concat, vec![Value::Undefined]), Value::Undefined);
        assert_eq!(call(Function::Coalesce, vec![Value::Undefined, number("2")]), number("2"));
        let list = Value::List(vec![text("a"), text("b")]);
        assert_eq!(
            call(Function::Merge, vec![list, Value::Undefined, text("b")]),
            Value::List(vec![text("a"), text("b"), text("b")])
        );
    }

    #[test]
    fn rounding_is_half_away_from_zero() {
        assert_eq!(call(Function::Round, vec![number("2.5")]), number("3"));
        assert_eq!(call(Function::Round, vec![number("-2.5")]), number("-3"));
        assert_eq!(call(Function::Ceil, vec![number("1.2")]), number("2"));
        assert_eq!(call(Function::Floor, vec![number("-1.2")]), number("-2"));
        assert_eq!(call(Function::Abs, vec![number("-9007199254740993")]), number("9007199254740993"));
        assert_eq!(call(Function::Sqrt, vec![number("9")]), number("3"));
        assert_eq!(call(Function::Sqrt, vec![number("-1")]), Value::Undefined);
    }
}
