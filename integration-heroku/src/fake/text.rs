//! Texts of the organisation.

use std::borrow::Cow;

/// A text that is usually a constant. Borrowing it limits the memory of large organisations.
pub type Text = Cow<'static, str>;
