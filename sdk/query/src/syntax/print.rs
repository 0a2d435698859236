//! Queries as text.
//!
//! The text of a tree that the parser returned parses to the same tree, apart from spans.

use std::fmt::{self, Display, Formatter, Write as _};

use super::keyword::is_structural;
use super::lexer::{continues_name, starts_name};
use super::tree::{
    Arithmetic, Comparison, Condition, Direction, Expression, Hop, Literal, Name, Node, Operand, Optional, OrderBy,
    Path, Query, Return, ReturnItem, Segment, Selector, Step, Verbs,
};

impl Display for Query {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let unique = if self.unique.is_some() { "UNIQUE " } else { "" };
        write!(formatter, "FIND {unique}{}", self.head)?;
        for step in &self.steps {
            write!(formatter, " {step}")?;
        }
        if let Some(condition) = &self.condition {
            write!(formatter, " WHERE {condition}")?;
        }
        if let Some(returns) = &self.returns {
            write!(formatter, " RETURN {returns}")?;
        }
        if let Some(order_by) = &self.order_by {
            write!(formatter, " ORDER BY {order_by}")?;
        }
        if let Some(skip) = &self.skip {
            write!(formatter, " SKIP {}", skip.value)?;
        }
        if let Some(limit) = &self.limit {
            write!(formatter, " LIMIT {}", limit.value)?;
        }
        Ok(())
    }
}

impl Display for Node {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.selector.value)?;
        if let Some(filter) = &self.filter {
            write!(formatter, " WITH {filter}")?;
        }
        alias(self.alias.as_ref(), formatter)
    }
}

impl Display for Selector {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::Names(names) => alternatives(names, formatter),
            Self::Tagged { tag, name: None } => write!(formatter, "#{}", tag.value),
            Self::Tagged { tag, name: Some(name) } => write!(formatter, "#{} {}", tag.value, name.value),
            Self::Text(text) => quoted(text, formatter),
        }
    }
}

impl Display for Step {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hop(hop) => hop.fmt(formatter),
            Self::Optional(part) => part.fmt(formatter),
        }
    }
}

impl Display for Hop {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let negation = if self.negated.is_some() { "!" } else { "" };
        write!(formatter, "THAT {negation}{}", self.verbs.value)?;
        match self.direction {
            Direction::Either => {}
            Direction::Forward => formatter.write_str(" >>")?,
            Direction::Backward => formatter.write_str(" <<")?,
        }
        alias(self.relationship.as_ref(), formatter)?;
        if let Some(filter) = &self.relationship_filter {
            write!(formatter, " WITH {filter}")?;
        }
        write!(formatter, " {}", self.node)
    }
}

impl Display for Verbs {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("RELATES TO"),
            Self::Of(names) => alternatives(names, formatter),
        }
    }
}

impl Display for Optional {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("(")?;
        joined(&self.steps, " ", |_| false, formatter)?;
        formatter.write_str(")?")?;
        alias(self.alias.as_ref(), formatter)
    }
}

impl Display for Condition {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => joined(parts, " AND ", |part| !matches!(part, Self::Compare(_)), formatter),
            Self::Or(parts) => joined(parts, " OR ", |part| matches!(part, Self::Or(_)), formatter),
            Self::Compare(comparison) => comparison.fmt(formatter),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {} {}", self.left, self.operator.value.text(), self.right)
    }
}

impl Display for Operand {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (parts, joint) = match self {
            Self::Literal(literal) => return literal.value.fmt(formatter),
            Self::Path(path) => return path.fmt(formatter),
            Self::Any(parts, _) => (parts, " OR "),
            Self::All(parts, _) => (parts, " AND "),
        };
        formatter.write_str("(")?;
        joined(parts, joint, |_| false, formatter)?;
        formatter.write_str(")")
    }
}

impl Display for Literal {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(text, formatter),
            Self::Number(number) => formatter.write_str(number),
            Self::Boolean(value) => value.fmt(formatter),
            Self::Undefined => formatter.write_str("undefined"),
            Self::Null => formatter.write_str("null"),
            Self::Date(date) => write!(formatter, "date({date})"),
            Self::Now { offset_ms } => offset(*offset_ms, formatter),
            Self::Parameter(name) => write!(formatter, "${{param.{name}}}"),
            Self::Regex { pattern, ignore_case } => regex(pattern, *ignore_case, formatter),
        }
    }
}

impl Display for Path {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                formatter.write_str(".")?;
            }
            segment.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Display for Segment {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let name = &self.name.value;
        if !self.bracketed {
            return formatter.write_str(name);
        }
        let is_plain = !name.contains([']', ',', '\n', '\r']) && !name.starts_with(['\'', '"']) && name.trim() == name;
        formatter.write_str("[")?;
        if is_plain {
            formatter.write_str(name)?
        } else {
            quoted(name, formatter)?
        }
        formatter.write_str("]")
    }
}

impl Display for Return {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(_) => formatter.write_str("TREE"),
            Self::Items(items) => joined(items, ", ", |_| false, formatter),
        }
    }
}

impl Display for ReturnItem {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.expression.fmt(formatter)?;
        match &self.alias {
            None => Ok(()),
            Some(name) if is_plain_alias(&name.value) => write!(formatter, " AS {}", name.value),
            Some(name) => {
                formatter.write_str(" AS ")?;
                quoted(&name.value, formatter)
            }
        }
    }
}

impl Display for OrderBy {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys.iter().enumerate() {
            let comma = if index > 0 { ", " } else { "" };
            let direction = if key.descending { " DESC" } else { "" };
            write!(formatter, "{comma}{}{direction}", key.expression)?;
        }
        Ok(())
    }
}

impl Display for Expression {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(formatter),
            Self::AllProperties(alias) => write!(formatter, "{}.*", alias.value),
            Self::Literal(literal) => literal.value.fmt(formatter),
            Self::Call { function, arguments, .. } => {
                write!(formatter, "{}(", function.value)?;
                joined(arguments, ", ", |_| false, formatter)?;
                formatter.write_str(")")
            }
            Self::Binary { operator, left, right } => {
                let binding = binding(self);
                let is_power = operator.value == Arithmetic::Power;
                let symbol = operator.value.text();
                let left_needs = left.binds() < binding + u8::from(is_power);
                // The exponent can be a negated value or another power.
                let right_needs = right.binds() < if is_power { NEGATION } else { binding + 1 };
                parenthesised(left, left_needs, formatter)?;
                write!(formatter, " {symbol} ")?;
                parenthesised(right, right_needs, formatter)
            }
            Self::Negate(value, _) => {
                formatter.write_char('-')?;
                parenthesised(value, value.binds() <= NEGATION, formatter)
            }
        }
    }
}

/// The binding of a negation, between products and powers.
const NEGATION: u8 = 3;

fn binding(expression: &Expression) -> u8 {
    match expression {
        Expression::Binary { operator, .. } => match operator.value {
            Arithmetic::Add | Arithmetic::Subtract => 1,
            Arithmetic::Multiply | Arithmetic::Divide => 2,
            Arithmetic::Power => 4,
        },
        Expression::Negate(..) => NEGATION,
        _ => 5,
    }
}

impl Expression {
    /// Returns how strongly the parts of the expression are bound; more is stronger.
    fn binds(&self) -> u8 {
        binding(self)
    }
}

impl Arithmetic {
    /// Returns the operator as written.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Power => "^",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Add => "+",
            Self::Subtract => "-",
        }
    }
}

fn parenthesised(part: &impl Display, is_needed: bool, formatter: &mut Formatter<'_>) -> fmt::Result {
    if is_needed { write!(formatter, "({part})") } else { part.fmt(formatter) }
}

fn joined<T: Display>(
    parts: &[T],
    joint: &str,
    needs_parentheses: impl Fn(&T) -> bool,
    formatter: &mut Formatter<'_>,
) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(joint)?;
        }
        parenthesised(part, needs_parentheses(part), formatter)?;
    }
    Ok(())
}

fn alias(alias: Option<&Name>, formatter: &mut Formatter<'_>) -> fmt::Result {
    alias.map_or(Ok(()), |alias| write!(formatter, " AS {}", alias.value))
}

/// Writes names of classes, types, or verbs. A name that is also a keyword is written in parentheses.
fn alternatives(names: &[Name], formatter: &mut Formatter<'_>) -> fmt::Result {
    let is_keyword = |word: &str| {
        is_structural(word)
            || ["unique", "order", "relates", "to", "not"].iter().any(|keyword| keyword.eq_ignore_ascii_case(word))
    };
    match names {
        [name] if !is_keyword(&name.value) => formatter.write_str(&name.value),
        names => {
            let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
            write!(formatter, "({})", names.join("|"))
        }
    }
}

fn is_plain_alias(name: &str) -> bool {
    name.starts_with(starts_name) && name.chars().all(continues_name)
}

/// Writes a text in single quotes.
fn quoted(text: &str, formatter: &mut Formatter<'_>) -> fmt::Result {
    formatter.write_char('\'')?;
    for letter in text.chars() {
        match letter {
            '\n' => formatter.write_str("\\n")?,
            '\r' => formatter.write_str("\\r")?,
            '\t' => formatter.write_str("\\t")?,
            '\'' | '\\' => write!(formatter, "\\{letter}")?,
            letter => formatter.write_char(letter)?,
        }
    }
    formatter.write_char('\'')
}

fn regex(pattern: &str, ignore_case: bool, formatter: &mut Formatter<'_>) -> fmt::Result {
    formatter.write_char('/')?;
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '/' => formatter.write_str("\\/")?,
            '\\' => {
                formatter.write_char('\\')?;
                letters.next().map_or(Ok(()), |escaped| formatter.write_char(escaped))?;
            }
            letter => formatter.write_char(letter)?,
        }
    }
    formatter.write_str(if ignore_case { "/i" } else { "/" })
}

/// Writes `date.now` with its offset in days or hours. The parser returns whole hours.
fn offset(offset_ms: i64, formatter: &mut Formatter<'_>) -> fmt::Result {
    const HOUR_MS: u64 = 60 * 60 * 1000;
    formatter.write_str("date.now")?;
    let sign = if offset_ms < 0 { '-' } else { '+' };
    let hours = offset_ms.unsigned_abs() / HOUR_MS;
    let (number, unit) = if hours.is_multiple_of(24) { (hours / 24, "day") } else { (hours, "hour") };
    match number {
        0 => Ok(()),
        1 => write!(formatter, " {sign} 1 {unit}"),
        number => write!(formatter, " {sign} {number} {unit}s"),
    }
}
