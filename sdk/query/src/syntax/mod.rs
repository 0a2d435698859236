//! The syntax of J1QL: tokens, the syntax tree, the parser, and its errors.

mod tree;

pub use tree::{
    Arithmetic, Comparison, Condition, Direction, Expression, Hop, Literal, Name, Node, Operand, Operator, Optional,
    OrderBy, OrderKey, Path, Query, Return, ReturnItem, Segment, Selector, Span, Spanned, Step, Verbs,
};
