//! The expression language of rules: Jexl, over JSON values.
//!
//! A text is parsed once into an [`Expression`] or a [`Template`] and evaluated any number of times in a [`Scope`]. The
//! parser reports positions; the evaluator works within [`Limits`].
//!
//! ```
//! use integration_rules::jexl::{Environment, Limits, Scope, Template, Templates};
//! use serde_json::json;
//!
//! let base = json!({"queries": {"query0": {"total": 2}}});
//! let (scope, templates) = (Scope::new(&base), Templates::default());
//! let environment = Environment { scope, templates: &templates, limits: Limits::default() };
//! let text = Template::parse("{{queries.query0.total}} members")?.render(&environment)?;
//! assert_eq!(text, json!("2 members"));
//! let typed = Template::parse("{{queries.query0.total > 1}}")?.render(&environment)?;
//! assert_eq!(typed, json!(true));
//! # Ok::<(), integration_rules::jexl::Error>(())
//! ```
//!
//! # Operators, the strongest first
//!
//! | operators | |
//! | --- | --- |
//! | `a.b` `a['b']` `a[0]` `a[.b == 1]` `a\|transform(x)` | members, elements, filters, transforms |
//! | `!a` `-a` | |
//! | `a ^ b` `a % b` | power and remainder, of equal rank and from the left |
//! | `a * b` `a / b` `a // b` | `//` rounds down |
//! | `a + b` `a - b` | `+` joins texts |
//! | `a == b` `!=` `>` `>=` `<` `<=` `in` | |
//! | `a && b` `a \|\| b` | of equal rank and from the left, as in Jexl; parentheses make the order clear |
//! | `a ? b : c` `a ?: b` | from the right |
//!
//! # Values of different kinds
//!
//! JSON has neither `undefined` nor `NaN`, so both are `null`. The rules below are those of JavaScript except where its
//! result would be useless in an alert.
//!
//! | operation | result |
//! | --- | --- |
//! | truth | `null`, `false`, `0`, and the empty text are false; everything else is true, including empty lists |
//! | member of `null`, a text, or a number | `null` |
//! | member of a list | the member of its first element |
//! | arithmetic | texts of digits, `true`, and `false` count as numbers; anything else gives `null`, and so does division by zero |
//! | `+` with a text | the joined text; `null` is the empty text, a list is its elements joined by commas, an object is JSON |
//! | `==` | numbers, texts of digits, `true`, and `false` are compared as numbers; `null` equals only `null`; lists and objects are compared by content |
//! | `<` and the like | two texts by their letters, everything else as numbers; `false` with `null` |
//! | `in` | an element of a list, or a part of a text |
//! | `&&`, `\|\|`, `?:` | the deciding operand, not only its truth |

mod arithmetic;
mod compose;
mod error;
mod eval;
mod expression;
mod lexer;
mod parser;
mod query_place;
mod references;
mod render;
mod rows;
mod scope;
mod syntax;
mod template;
#[cfg(test)]
mod tests;
mod transform;
mod values;

pub(crate) use compose::Language;
pub use error::Error;
pub use expression::Expression;
pub(crate) use references::{References, dotted};
pub use scope::{Environment, Limits, Scope};
pub(crate) use syntax::{Binary, Expr, Node};
pub use template::{JsonTemplate, Template, Templates};
pub(crate) use values::{compare, loosely_equal};
pub use values::{is_true, to_text};
