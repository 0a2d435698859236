//! The syntax tree of an expression.

use std::ops::Range;

use serde_json::Value;

use super::transform::Transform;

/// An expression with its place in the text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Expr {
    pub node: Node,
    pub span: Range<usize>,
    /// The height of the tree, which is bounded so that recursive functions need little stack.
    pub height: usize,
}

/// The kind of an expression.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    Literal(Value),
    List(Vec<Expr>),
    Object(Vec<(String, Expr)>),
    /// A name of the scope.
    Name(String),
    /// A member of the element that a filter inspects: `.name`.
    Relative(String),
    Member(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Filter(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary(Binary, Box<Expr>, Box<Expr>),
    /// A condition. Without the middle part, the condition is the result if it is true.
    Conditional(Box<Expr>, Option<Box<Expr>>, Box<Expr>),
    Transform(Transform, Box<Expr>, Vec<Expr>),
}

/// An operator between two operands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
    And,
    Or,
    Equal,
    NotEqual,
    Greater,
    AtLeast,
    Less,
    AtMost,
    In,
}

impl Binary {
    /// Returns the rank of the operator. A greater one binds stronger.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::And | Self::Or => 1,
            Self::Equal | Self::NotEqual | Self::Greater | Self::AtLeast | Self::Less | Self::AtMost | Self::In => 2,
            Self::Add | Self::Subtract => 3,
            Self::Multiply | Self::Divide | Self::FloorDivide => 4,
            Self::Remainder | Self::Power => 5,
        }
    }
}
