//! Binding: names of a query become slots, properties, functions, and values.
//!
//! A name that cannot be right is an error with a suggestion: an unknown alias, function, or parameter, a misspelt type,
//! class, or verb. A name that may be right elsewhere is a warning: a class of the data model, or a type of an
//! integration, that the graph does not contain, and a property that no selected object has. So a pack of questions for
//! many integrations runs everywhere, and a misspelt name is never silently an empty result.

mod condition;
mod literal;
mod names;
mod output;
mod scope;
mod suggestion;
mod traversal;
mod tree;

pub(crate) use traversal::conjunction;
pub(crate) use tree::*;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::error::QueryError;
use crate::graph::AccountGraph;
use crate::options::Options;
use crate::syntax::{self, Span};

use names::Names;
use scope::Scope;

/// The maximum depth of parentheses, calls, and operators. The parser allows 256 operators, which join to the left.
const MAX_DEPTH: usize = 400;

/// Resolves the names of a query in a graph. Returns the query, and warnings.
pub(crate) fn bind(
    query: &syntax::Query,
    graph: &AccountGraph,
    options: &Options,
) -> Result<(Bound, Vec<Diagnostic>), QueryError> {
    let mut binder = Binder {
        names: Names::new(graph, &options.catalogue),
        options,
        problems: Problems::default(),
        slots: Vec::new(),
        steps: Vec::new(),
        scope: Scope::default(),
    };
    binder.traversal(query)?;
    let conditions = query.condition.as_ref().map_or_else(Vec::new, |condition| binder.conjuncts(condition));
    let (output, order) = binder.output(query)?;
    let Binder { problems: Problems { errors, warnings }, slots, steps, .. } = binder;
    if let Some(errors) = Diagnostics::new(errors) {
        return Err(QueryError::Invalid(errors));
    }
    let bound = Bound {
        slots,
        steps,
        conditions,
        output,
        is_unique: query.unique.is_some(),
        order,
        skip: query.skip.as_ref().map_or(0, |skip| skip.value),
        limit: query.limit.as_ref().map(|limit| limit.value).or(options.default_limit),
    };
    Ok((bound, warnings))
}

/// The state of binding one query.
struct Binder<'b> {
    names: Names<'b>,
    options: &'b Options,
    problems: Problems,
    slots: Vec<Slot>,
    steps: Vec<Step>,
    scope: Scope,
}

/// The errors and warnings found so far. Binding continues after an error, so that a user sees all of them.
#[derive(Default)]
struct Problems {
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

impl Problems {
    fn error(&mut self, message: impl Into<String>, span: Span, help: Option<String>) {
        self.errors.push(diagnostic(message, span, help));
    }

    fn warning(&mut self, message: impl Into<String>, span: Span, help: Option<String>) {
        let warning = diagnostic(message, span, help);
        if !self.warnings.contains(&warning) {
            self.warnings.push(warning);
        }
    }

    /// Records an error if the depth exceeds the maximum; returns whether it does.
    fn is_too_deep(&mut self, depth: usize, span: Span) -> bool {
        let is_too_deep = depth > MAX_DEPTH;
        if is_too_deep {
            let message = format!("the query is nested more than {MAX_DEPTH} levels deep");
            self.error(message, span, Some("shorten the expression, or split the query".to_owned()));
        }
        is_too_deep
    }
}

fn diagnostic(message: impl Into<String>, span: Span, help: Option<String>) -> Diagnostic {
    let diagnostic = Diagnostic::new(message, span);
    match help {
        Some(help) => diagnostic.with_help(help),
        None => diagnostic,
    }
}
