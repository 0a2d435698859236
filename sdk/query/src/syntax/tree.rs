//! The syntax tree of a query. Every part knows its place in the text.

use std::ops::Range;

/// A range of bytes in the text of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The offset of the first byte.
    pub start: usize,
    /// The offset after the last byte.
    pub end: usize,
}

impl Span {
    /// Returns the smallest span that contains both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

impl From<Range<usize>> for Span {
    fn from(range: Range<usize>) -> Self {
        Self { start: range.start, end: range.end }
    }
}

/// A value with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Its place.
    pub span: Span,
}

/// An identifier, such as an alias, as written.
pub type Name = Spanned<String>;

/// A complete query.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// The place of the keyword `UNIQUE`, if there is one.
    pub unique: Option<Span>,
    /// The first selector.
    pub head: Node,
    /// The traversal, in the order of the text.
    pub steps: Vec<Step>,
    /// The condition after `WHERE`.
    pub condition: Option<Condition>,
    /// The clause `RETURN`.
    pub returns: Option<Return>,
    /// The clause `ORDER BY`.
    pub order_by: Option<OrderBy>,
    /// The number after `SKIP`.
    pub skip: Option<Spanned<u64>>,
    /// The number after `LIMIT`.
    pub limit: Option<Spanned<u64>>,
}

/// A selector of entities with its filter and alias.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The selection by type or class.
    pub selector: Spanned<Selector>,
    /// The condition after `WITH`.
    pub filter: Option<Condition>,
    /// The name after `AS`.
    pub alias: Option<Name>,
}

/// The selection of a node.
#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    /// `*`: every entity.
    Any,
    /// Classes in TitleCase and types in snake_case; one of them must match.
    Names(Vec<Name>),
    /// `#Tag` or `#Tag Class`: entities with a tag, and optionally of a class or type.
    Tagged {
        /// The tag.
        tag: Name,
        /// The class or type.
        name: Option<Name>,
    },
    /// A text in quotes: entities with a property value that contains it. Only the head can have one.
    Text(String),
}

/// One part of the traversal.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// `THAT …`.
    Hop(Box<Hop>),
    /// `( THAT … )?`.
    Optional(Optional),
}

/// `THAT [!]verb [direction] [AS relationship] node`.
#[derive(Debug, Clone, PartialEq)]
pub struct Hop {
    /// The place of `!`, if the hop is negated.
    pub negated: Option<Span>,
    /// The classes of the relationship.
    pub verbs: Spanned<Verbs>,
    /// The direction of the relationship.
    pub direction: Direction,
    /// The alias of the relationship.
    pub relationship: Option<Name>,
    /// The condition on the relationship, written between its alias and the node.
    pub relationship_filter: Option<Condition>,
    /// The node at the other end.
    pub node: Node,
    /// The whole hop.
    pub span: Span,
}

/// The relationship classes of a hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verbs {
    /// `RELATES TO`: every class.
    Any,
    /// One of these classes, as written.
    Of(Vec<Name>),
}

/// The direction of a hop, seen from its left end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// No mark: both directions.
    Either,
    /// `>>`: from the left to the right.
    Forward,
    /// `<<`: from the right to the left.
    Backward,
}

/// An optional part of a traversal.
#[derive(Debug, Clone, PartialEq)]
pub struct Optional {
    /// The traversal within the parentheses. It contains at least one hop.
    pub steps: Vec<Step>,
    /// The name after `)? AS`, which stands for the entities before and after the part.
    pub alias: Option<Name>,
    /// The whole part.
    pub span: Span,
}

/// A condition after `WITH` or `WHERE`.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All conditions hold. There are at least two.
    And(Vec<Condition>),
    /// One of the conditions holds. There are at least two.
    Or(Vec<Condition>),
    /// A comparison.
    Compare(Comparison),
}

/// `path operator operand`.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// The property on the left.
    pub left: Path,
    /// The operator.
    pub operator: Spanned<Operator>,
    /// The right side.
    pub right: Operand,
    /// The whole comparison.
    pub span: Span,
}

/// The operator of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `~=`
    Contains,
    /// `^=`
    StartsWith,
    /// `$=`
    EndsWith,
    /// `!~=`
    NotContains,
    /// `!^=`
    NotStartsWith,
    /// `!$=`
    NotEndsWith,
}

/// The right side of a comparison.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    /// A constant.
    Literal(Spanned<Literal>),
    /// A property, possibly of another alias.
    Path(Path),
    /// `(a OR b …)`. There are at least two.
    Any(Vec<Operand>, Span),
    /// `(a AND b …)`. There are at least two.
    All(Vec<Operand>, Span),
}

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    /// A text in single or double quotes, without its escapes.
    Text(String),
    /// A number, as written.
    Number(String),
    /// `true` or `false`.
    Boolean(bool),
    /// `undefined`: the property is absent.
    Undefined,
    /// `null`, which equals `undefined`.
    Null,
    /// `date(…)`, as written within the parentheses.
    Date(String),
    /// `date.now` with an offset in milliseconds; months are 30 days and years 365 days.
    Now {
        /// The offset.
        offset_ms: i64,
    },
    /// `${param.name}`.
    Parameter(String),
    /// `/pattern/` or `/pattern/i`.
    Regex {
        /// The pattern between the slashes.
        pattern: String,
        /// Whether upper and lower case are equal.
        ignore_case: bool,
    },
}

/// A dotted path: a property, or an alias and a property. The binder decides.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Path {
    /// The parts between the dots. There is at least one.
    pub segments: Vec<Segment>,
    /// The whole path.
    pub span: Span,
}

/// A part of a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Segment {
    /// The name, without brackets.
    pub name: Name,
    /// Whether it was written in brackets, and is therefore never an alias and contains any characters.
    pub bracketed: bool,
}

/// The clause `RETURN`.
#[derive(Debug, Clone, PartialEq)]
pub enum Return {
    /// `RETURN TREE`.
    Tree(Span),
    /// The columns.
    Items(Vec<ReturnItem>),
}

/// One column of a result.
#[derive(Debug, Clone, PartialEq)]
pub struct ReturnItem {
    /// The value.
    pub expression: Expression,
    /// The name after `AS`.
    pub alias: Option<Name>,
    /// The text of the expression, which names a column without alias.
    pub text: String,
    /// The place of the expression.
    pub span: Span,
}

/// A value in `RETURN` or `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// An alias, or a property of an alias.
    Path(Path),
    /// `alias.*`: all properties of an alias.
    AllProperties(Name),
    /// A constant.
    Literal(Spanned<Literal>),
    /// A function or an aggregate, as written. The binder knows the names.
    Call {
        /// The name.
        function: Name,
        /// The arguments.
        arguments: Vec<Expression>,
        /// The whole call.
        span: Span,
    },
    /// Two values joined by an arithmetic operator.
    Binary {
        /// The operator.
        operator: Spanned<Arithmetic>,
        /// The left value.
        left: Box<Expression>,
        /// The right value.
        right: Box<Expression>,
    },
    /// `-value`.
    Negate(Box<Expression>, Span),
}

/// An arithmetic operator, by precedence: `^`, then `*` and `/`, then `+` and `-`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Arithmetic {
    /// `^`
    Power,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `+`, which also joins texts.
    Add,
    /// `-`
    Subtract,
}

/// The clause `ORDER BY`.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderBy {
    /// The sort keys, most significant first. There is at least one.
    pub keys: Vec<OrderKey>,
}

/// A sort key.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderKey {
    /// The value. The name of a column in quotes is a path of one segment in brackets.
    pub expression: Expression,
    /// Whether the order is descending.
    pub descending: bool,
    /// The place of the value.
    pub span: Span,
}

impl Expression {
    /// The place of the expression.
    pub fn span(&self) -> Span {
        match self {
            Self::Path(path) => path.span,
            Self::AllProperties(name) => name.span,
            Self::Literal(literal) => literal.span,
            Self::Call { span, .. } | Self::Negate(_, span) => *span,
            Self::Binary { left, right, .. } => left.span().to(right.span()),
        }
    }
}
