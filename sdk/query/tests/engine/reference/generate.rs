//! Random graphs and queries, from a sequence of choices. A shorter sequence, and smaller choices, are simpler.

use integration_query::syntax::{
    Arithmetic, Comparison, Condition, Direction, Expression, Hop, Literal, Name, Node, Operand, Operator, Optional,
    OrderBy, OrderKey, Path, Query, Return, ReturnItem, Segment, Selector, Span, Spanned, Step, Verbs,
};
use serde_json::{Value, json};

use super::model::Model;
use super::output::has_aggregate;
use crate::support::{edge, entity};

/// A sequence of choices. After its end every choice is the first one.
pub struct Choices<'b> {
    bytes: std::slice::Iter<'b, u8>,
}

impl<'b> Choices<'b> {
    pub fn new(bytes: &'b [u8]) -> Self {
        Self { bytes: bytes.iter() }
    }

    fn below(&mut self, bound: usize) -> usize {
        self.bytes.next().map_or(0, |byte| usize::from(*byte) % bound)
    }

    /// Whether something happens in one of `of` cases.
    fn once_in(&mut self, of: usize) -> bool {
        self.below(of) == of - 1
    }

    fn one<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }
}

/// The types and classes of the graphs. Both are in the catalogue, so that their absence is no error.
pub const TYPES: [&str; 3] = ["acme_one", "acme_two", "acme_three"];
pub const CLASSES: [&str; 3] = ["User", "Device", "Team"];
pub const VERBS: [&str; 3] = ["HAS", "USES", "OWNS"];
const PROPERTIES: [&str; 5] = ["p", "q", "at", "tag.x", "name"];

fn value(choices: &mut Choices<'_>) -> Value {
    let values = [
        json!("a"),
        json!("ab"),
        json!(1),
        json!(2),
        json!(2.5),
        json!(true),
        json!(false),
        json!(["a", "b"]),
        json!([1, "a"]),
        json!(40),
        json!(-3),
        json!("B"),
        json!([]),
        json!(["ab"]),
        json!("2"),
        json!([2, null]),
        Value::Null,
    ];
    choices.one(&values)
}

fn properties(choices: &mut Choices<'_>) -> Value {
    let mut object = serde_json::Map::new();
    for name in ["p", "q", "tag.x"] {
        if !choices.once_in(3) {
            object.insert(name.to_owned(), value(choices));
        }
    }
    let dates = [
        json!(1_704_067_200_000_i64),
        json!(1_703_980_800_000_i64),
        json!("2024-01-01"),
        json!("2024-01-02T00:00:00Z"),
    ];
    if choices.once_in(3) {
        object.insert("at".to_owned(), choices.one(&dates));
    }
    if choices.once_in(4) {
        object.insert("tags".to_owned(), json!(["Odd"]));
    }
    object.into()
}

pub fn graph(choices: &mut Choices<'_>) -> Model {
    let classes = [json!("User"), json!(["User", "Device"]), json!(["Device"]), json!("Team")];
    let count = 1 + choices.below(8).max(choices.below(8));
    let entities: Vec<Value> = (0..count)
        .map(|number| {
            let (object_type, class) = (choices.one(&TYPES), choices.one(&classes));
            entity(object_type, class, &format!("n{number}"), properties(choices))
        })
        .collect();
    let edges = choices.below(16).max(choices.below(16));
    let mut relationships = Vec::new();
    for number in 0..edges {
        let (from, to) = (choices.below(count), choices.below(count));
        let more = if choices.once_in(2) { properties(choices) } else { json!({}) };
        let mut relationship = edge(&format!("n{from}"), choices.one(&VERBS), &format!("n{to}"), more);
        relationship["_key"] = format!("e{number}").into();
        if choices.once_in(4) {
            relationship["_type"] = "acme_mixed".into();
        }
        relationships.push(relationship);
    }
    Model::new(entities, relationships)
}

fn name(text: &str) -> Name {
    Name { value: text.to_owned(), span: Span::default() }
}

fn path(parts: &[&str]) -> Path {
    let segments = parts.iter().map(|part| Segment { name: name(part), bracketed: false }).collect();
    Path { segments, span: Span::default() }
}

/// Returns the expression of a property of an alias.
pub fn property(alias: &str, name: &str) -> Expression {
    Expression::Path(path(&[alias, name]))
}

/// A name that later clauses can use.
#[derive(Clone)]
struct Alias {
    name: String,
    is_edge: bool,
}

/// Generates the parts of one query.
struct Generator<'c, 'b> {
    choices: &'c mut Choices<'b>,
    aliases: Vec<Alias>,
    /// The number of hops so far. Paths multiply with each.
    hops: usize,
}

pub fn query(choices: &mut Choices<'_>) -> Query {
    let mut generator = Generator { choices, aliases: Vec::new(), hops: 0 };
    let head = generator.node(true, true);
    let count = generator.choices.below(4);
    let steps = generator.steps(count, 0);
    let condition = generator.choices.once_in(3).then(|| generator.condition(None, 2)).flatten();
    let returns = generator.returns();
    let is_table = matches!(returns, Some(Return::Items(_)));
    let unique = (is_table && generator.choices.once_in(4)).then(Span::default);
    let order_by = generator.order_by(&head, returns.as_ref(), unique.is_some());
    let page = |choices: &mut Choices<'_>| choices.once_in(4).then(|| choices.below(5) as u64);
    let number = |value| Spanned { value, span: Span::default() };
    let (skip, limit) = (page(generator.choices).map(number), page(generator.choices).map(number));
    Query { unique, head, steps, condition, returns, order_by, skip, limit }
}

impl Generator<'_, '_> {
    fn alias(&mut self, is_edge: bool) -> Name {
        let alias = name(&format!("a{}", self.aliases.len()));
        self.aliases.push(Alias { name: alias.value.clone(), is_edge });
        alias
    }

    fn node(&mut self, has_alias: bool, is_head: bool) -> Node {
        let selector = match self.choices.below(8) {
            0..=2 => Selector::Any,
            3..=5 => Selector::Names(vec![self.label()]),
            6 => Selector::Names(vec![self.label(), self.label()]),
            _ if is_head => Selector::Text(self.choices.one(&["a", "2", "USER"]).to_owned()),
            _ => Selector::Tagged { tag: name("Odd"), name: self.choices.once_in(2).then(|| self.label()) },
        };
        let filter = self.choices.once_in(4).then(|| self.own_condition(2));
        let alias = (has_alias && !self.choices.once_in(4)).then(|| self.alias(false));
        Node { selector: Spanned { value: selector, span: Span::default() }, filter, alias }
    }

    fn label(&mut self) -> Name {
        let labels: Vec<&str> = TYPES.into_iter().chain(CLASSES).collect();
        name(self.choices.one(&labels))
    }

    fn steps(&mut self, count: usize, depth: usize) -> Vec<Step> {
        let mut steps = Vec::new();
        for _ in 0..count {
            if self.hops == 4 {
                break;
            }
            if depth < 2 && self.choices.once_in(4) {
                let (inner, known) = (1 + self.choices.below(2), self.aliases.len());
                let steps_within = self.steps(inner, depth + 1);
                let has_hop = steps_within.iter().any(|step| matches!(step, Step::Hop(_)));
                if !has_hop {
                    self.aliases.truncate(known);
                } else {
                    let alias = self.choices.once_in(2).then(|| self.alias(false));
                    steps.push(Step::Optional(Optional { steps: steps_within, alias, span: Span::default() }));
                }
            } else {
                steps.push(Step::Hop(Box::new(self.hop())));
            }
        }
        steps
    }

    fn hop(&mut self) -> Hop {
        self.hops += 1;
        let is_negated = self.choices.once_in(5);
        let verbs = match self.choices.below(3) {
            0 => Verbs::Any,
            1 => Verbs::Of(vec![name(self.choices.one(&VERBS))]),
            _ => Verbs::Of(vec![name("has"), name(self.choices.one(&VERBS))]),
        };
        let direction = self.choices.one(&[Direction::Either, Direction::Forward, Direction::Backward]);
        let relationship = (!is_negated && self.choices.once_in(3)).then(|| self.alias(true));
        let relationship_filter = (relationship.is_some() && self.choices.once_in(2)).then(|| self.own_condition(1));
        let node = self.node(!is_negated, false);
        Hop {
            negated: is_negated.then(Span::default),
            verbs: Spanned { value: verbs, span: Span::default() },
            direction,
            relationship,
            relationship_filter,
            node,
            span: Span::default(),
        }
    }

    fn own_condition(&mut self, depth: usize) -> Condition {
        self.condition(Some(()), depth).expect("a condition on an own property")
    }

    /// Returns a condition: on own properties, or on those of aliases, if there is one.
    fn condition(&mut self, own: Option<()>, depth: usize) -> Option<Condition> {
        if own.is_none() && self.aliases.is_empty() {
            return None;
        }
        if depth > 0 && self.choices.once_in(3) {
            let parts =
                (0..2 + self.choices.below(2)).map(|_| self.condition(own, depth - 1)).collect::<Option<_>>()?;
            return Some(if self.choices.once_in(2) { Condition::And(parts) } else { Condition::Or(parts) });
        }
        if own.is_none() && self.choices.once_in(5) {
            return Some(Condition::Compare(self.object_comparison()));
        }
        let left = self.compared(own);
        let operators = [
            Operator::Equal,
            Operator::NotEqual,
            Operator::Less,
            Operator::GreaterOrEqual,
            Operator::Greater,
            Operator::LessOrEqual,
            Operator::Contains,
            Operator::StartsWith,
            Operator::EndsWith,
            Operator::NotContains,
            Operator::NotStartsWith,
            Operator::NotEndsWith,
        ];
        let operator = self.choices.one(&operators);
        let right = self.operand(own, operator, 2);
        Some(Condition::Compare(comparison(left, operator, right)))
    }

    fn compared(&mut self, own: Option<()>) -> Path {
        let property = self.choices.one(&PROPERTIES);
        if own.is_some() {
            return path(&property.split('.').collect::<Vec<_>>());
        }
        let alias = self.choices.one(&self.aliases).name;
        path(&std::iter::once(alias.as_str()).chain(property.split('.')).collect::<Vec<_>>())
    }

    fn object_comparison(&mut self) -> Comparison {
        let aliases = self.aliases.clone();
        let left = self.choices.one(&aliases);
        let others: Vec<Alias> = aliases.into_iter().filter(|other| other.is_edge == left.is_edge).collect();
        let operator = self.choices.one(&[Operator::Equal, Operator::NotEqual]);
        let undefined = Operand::Literal(Spanned { value: Literal::Undefined, span: Span::default() });
        let right = match self.choices.once_in(2) {
            true => Operand::Path(path(&[&self.choices.one(&others).name])),
            false => undefined,
        };
        comparison(path(&[&left.name]), operator, right)
    }

    fn operand(&mut self, own: Option<()>, operator: Operator, depth: usize) -> Operand {
        if depth > 0 && self.choices.once_in(4) {
            let operands = (0..2 + self.choices.below(2)).map(|_| self.operand(own, operator, depth - 1)).collect();
            return match self.choices.once_in(2) {
                true => Operand::All(operands, Span::default()),
                false => Operand::Any(operands, Span::default()),
            };
        }
        if self.choices.once_in(6) {
            return Operand::Path(self.compared(own));
        }
        let text = |text: &str| Literal::Text(text.to_owned());
        let number = |text: &str| Literal::Number(text.to_owned());
        let regex = |pattern: &str, ignore_case| Literal::Regex { pattern: pattern.to_owned(), ignore_case };
        let mut literals = vec![text("a"), text("b"), text("ab"), text("2")];
        match operator {
            Operator::Equal | Operator::NotEqual => literals.extend([
                number("2"),
                number("2.5"),
                number("-3"),
                number("1.0"),
                Literal::Boolean(true),
                Literal::Boolean(false),
                Literal::Undefined,
                Literal::Null,
                Literal::Now { offset_ms: 0 },
                Literal::Date("2023-12-31".to_owned()),
                regex("b", true),
                regex("^a$", false),
            ]),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                literals.extend([
                    number("2"),
                    number("2.5"),
                    Literal::Now { offset_ms: -86_400_000 },
                    Literal::Date("2024-01-02".to_owned()),
                ]);
            }
            Operator::StartsWith | Operator::EndsWith => literals.extend([regex("[ab]", false), regex("B?", true)]),
            _ => literals.push(text("")),
        }
        Operand::Literal(Spanned { value: self.choices.one(&literals), span: Span::default() })
    }

    fn returns(&mut self) -> Option<Return> {
        match self.choices.below(5) {
            0 => None,
            1 => Some(Return::Tree(Span::default())),
            _ if self.aliases.is_empty() => None,
            2 if self.choices.once_in(3) => {
                let alias = self.choices.one(&self.aliases).name;
                let expression = Expression::AllProperties(name(&alias));
                Some(Return::Items(vec![ReturnItem {
                    text: expression.to_string(),
                    expression,
                    alias: None,
                    span: Span::default(),
                }]))
            }
            kind => {
                let with_aggregates = kind == 4;
                let items = (0..1 + self.choices.below(3)).map(|number| {
                    let expression = self.expression(2, with_aggregates);
                    let alias = self.choices.once_in(2).then(|| name(&format!("c{number}")));
                    ReturnItem { text: expression.to_string(), expression, alias, span: Span::default() }
                });
                let mut items: Vec<ReturnItem> = items.collect();
                // Equal columns are one column.
                let mut names = std::collections::BTreeSet::new();
                items.retain(|item| names.insert(item.alias.as_ref().map_or(&item.text, |alias| &alias.value).clone()));
                Some(Return::Items(items))
            }
        }
    }

    fn expression(&mut self, depth: usize, with_aggregates: bool) -> Expression {
        let aliases = self.aliases.clone();
        if with_aggregates && self.choices.once_in(2) {
            let function = self.choices.one(&["count", "COUNT", "min", "max", "avg", "sum"]);
            let argument = match self.choices.once_in(2) {
                true if function.eq_ignore_ascii_case("count") => {
                    Expression::Path(path(&[&self.choices.one(&aliases).name]))
                }
                _ => self.expression(depth.min(1), false).without_objects(),
            };
            // An aggregate of a constant is refused.
            let argument = if is_constant(&argument) { Expression::Path(self.compared(None)) } else { argument };
            return call(function, vec![argument]);
        }
        if depth == 0 || !self.choices.once_in(3) {
            if self.choices.once_in(6) {
                return Expression::Path(path(&[&self.choices.one(&aliases).name]));
            }
            return Expression::Path(self.compared(None));
        }
        let argument = |generator: &mut Self| generator.expression(depth - 1, with_aggregates).without_objects();
        match self.choices.below(6) {
            0 => {
                let literals = [Literal::Number("2".to_owned()), Literal::Text("-".to_owned()), Literal::Boolean(true)];
                Expression::Literal(Spanned { value: self.choices.one(&literals), span: Span::default() })
            }
            1 => Expression::Negate(Box::new(argument(self)), Span::default()),
            2 => {
                let function = self.choices.one(&["abs", "ceil", "FLOOR", "round", "sqrt"]);
                call(function, vec![argument(self)])
            }
            3 => {
                let function = self.choices.one(&["concat", "merge", "Coalesce"]);
                let arguments = (0..1 + self.choices.below(2)).map(|_| argument(self)).collect();
                call(function, arguments)
            }
            _ => {
                let operators = [Arithmetic::Add, Arithmetic::Subtract, Arithmetic::Multiply, Arithmetic::Divide];
                let operator = Spanned { value: self.choices.one(&operators), span: Span::default() };
                let (left, right) = (Box::new(argument(self)), Box::new(argument(self)));
                Expression::Binary { operator, left, right }
            }
        }
    }

    /// Returns sort keys that have an order: properties of the head of a list, or columns of a table.
    fn order_by(&mut self, head: &Node, returns: Option<&Return>, is_unique: bool) -> Option<OrderBy> {
        if !self.choices.once_in(3) {
            return None;
        }
        let expressions: Vec<Expression> = match returns {
            Some(Return::Items(items)) => {
                let is_grouped = items.iter().any(|item| has_aggregate(&item.expression));
                let is_value = |item: &&ReturnItem| {
                    // A text in `ORDER BY` is the name of a column.
                    !matches!(&item.expression, Expression::AllProperties(_) | Expression::Literal(_))
                        && !item.expression.is_object()
                };
                let column = |item: &ReturnItem| match &item.alias {
                    Some(alias) => Expression::Path(path(&[&alias.value])),
                    None => item.expression.clone(),
                };
                let mut keys: Vec<Expression> = items.iter().filter(is_value).map(column).collect();
                if !is_grouped && !is_unique {
                    keys.push(Expression::Path(self.compared(None)));
                }
                keys
            }
            _ => match &head.alias {
                Some(alias) => vec![property(&alias.value, "p"), property(&alias.value, "name")],
                None => vec![Expression::Path(path(&["q"]))],
            },
        };
        if expressions.is_empty() {
            return None;
        }
        let keys = (0..1 + self.choices.below(2)).map(|_| {
            let expression = self.choices.one(&expressions);
            OrderKey { expression, descending: self.choices.once_in(2), span: Span::default() }
        });
        Some(OrderBy { keys: keys.collect() })
    }
}

fn comparison(left: Path, operator: Operator, right: Operand) -> Comparison {
    Comparison { left, operator: Spanned { value: operator, span: Span::default() }, right, span: Span::default() }
}

fn is_constant(expression: &Expression) -> bool {
    match expression {
        Expression::Literal(_) => true,
        Expression::Negate(value, _) => is_constant(value),
        Expression::Binary { left, right, .. } => is_constant(left) && is_constant(right),
        Expression::Call { arguments, .. } => arguments.iter().all(is_constant),
        _ => false,
    }
}

fn call(function: &str, arguments: Vec<Expression>) -> Expression {
    Expression::Call { function: name(function), arguments, span: Span::default() }
}

trait Objects {
    fn is_object(&self) -> bool;
    fn without_objects(self) -> Self;
}

impl Objects for Expression {
    /// Whether the value is a whole object.
    fn is_object(&self) -> bool {
        matches!(self, Self::Path(path) if path.segments.len() == 1)
    }

    /// Replaces a whole object by one of its properties, because functions have no values for objects.
    fn without_objects(self) -> Self {
        match self {
            Self::Path(whole) if whole.segments.len() == 1 => property(&whole.segments[0].name.value, "p"),
            other => other,
        }
    }
}
