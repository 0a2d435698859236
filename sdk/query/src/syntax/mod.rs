//! The syntax of J1QL: tokens, the syntax tree, the parser, and its errors.
//!
//! ```
//! let query = integration_query::syntax::parse("find User that has Device with platform = 'darwin' return User.email")?;
//! assert_eq!(query.to_string(), "FIND User THAT has Device WITH platform = 'darwin' RETURN User.email");
//! # Ok::<(), integration_query::diagnostic::Diagnostics>(())
//! ```

mod completion;
mod error;
mod expected;
mod keyword;
mod lexer;
mod parser;
mod print;
mod token;
mod tree;
mod variable;

pub use completion::{Completion, complete};
pub use expected::{Expected, Owner};
pub use keyword::{Keyword, is_reserved, special_words};
pub use parser::parse;
pub use tree::{
    Arithmetic, Comparison, Condition, Direction, Expression, Hop, Literal, Name, Node, Operand, Operator, Optional,
    OrderBy, OrderKey, Path, Query, Return, ReturnItem, Segment, Selector, Span, Spanned, Step, Verbs,
};
pub use variable::{MissingVariables, substitute, texts, variables};

#[cfg(test)]
mod tests;
