//! Errors in the text of a query: where they are, what was expected, and the likely remedy.
//!
//! The parser and the binder report errors of this type. A diagnostic is plain data; [`render`](Diagnostic::render)
//! makes a message with the source line and a caret from it.

mod location;
mod render;

use std::error::Error;
use std::fmt;

pub use location::Location;
pub(crate) use location::floor;
pub use render::Part;
pub(crate) use render::{excerpt, is_hidden};

use crate::syntax::Span;

/// One error in the text of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The sentence that names the error, such as `Error parsing query. Unexpected token "X" at line 1 column 6`.
    pub message: String,
    /// The place of the error.
    pub span: Span,
    /// The text at the caret, usually the tokens that were expected.
    pub label: Option<String>,
    /// The likely remedy.
    pub help: Option<String>,
}

impl Diagnostic {
    /// Creates a diagnostic without label and help.
    #[must_use]
    pub fn new(message: impl Into<String>, span: Span) -> Self {
        Self { message: message.into(), span, label: None, help: None }
    }

    /// Sets the text at the caret.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Sets the likely remedy.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Returns the line and the column at which the error starts.
    #[must_use]
    pub fn location(&self, text: &str) -> Location {
        Location::of(text, self.span.start)
    }

    /// Renders the message, the source lines, the caret, and the help as plain text.
    ///
    /// `text` is the text of the query. The result ends with a line feed. Control characters are visible in it.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        self.render_with(text, |_, piece| piece.to_owned())
    }

    /// Renders like [`render`](Self::render); `paint` receives each piece and can add colours.
    #[must_use]
    pub fn render_with(&self, text: &str, paint: impl FnMut(Part, &str) -> String) -> String {
        render::render(self, text, paint)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Diagnostic {}

/// The errors in the text of one query, in the order of the text. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Sorts the diagnostics by their place; returns `None` if there are none.
    #[must_use]
    pub fn new(mut diagnostics: Vec<Diagnostic>) -> Option<Self> {
        diagnostics.sort_by_key(|diagnostic| diagnostic.span.start);
        (!diagnostics.is_empty()).then_some(Self(diagnostics))
    }

    /// Returns the diagnostics in the order of the text.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// Renders all diagnostics as plain text, with an empty line between two.
    #[must_use]
    pub fn render(&self, text: &str) -> String {
        self.render_with(text, |_, piece| piece.to_owned())
    }

    /// Renders like [`render`](Self::render); `paint` receives each piece and can add colours.
    #[must_use]
    pub fn render_with(&self, text: &str, mut paint: impl FnMut(Part, &str) -> String) -> String {
        let rendered: Vec<String> = self.0.iter().map(|diagnostic| diagnostic.render_with(text, &mut paint)).collect();
        rendered.join("\n")
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            diagnostic.fmt(formatter)?;
        }
        Ok(())
    }
}

impl Error for Diagnostics {}
