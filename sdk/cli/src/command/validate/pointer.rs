//! A JSON pointer that follows a walk through a value.

use std::fmt::{self, Write};

/// The place where a walk is.
#[derive(Debug, Default)]
pub(super) struct Pointer(String);

impl Pointer {
    /// Walks into a property.
    pub(super) fn within(&mut self, name: &str, walk: impl FnOnce(&mut Self)) {
        let here = self.0.len();
        self.0.push('/');
        for letter in name.chars() {
            match letter {
                '~' => self.0.push_str("~0"),
                '/' => self.0.push_str("~1"),
                letter => self.0.push(letter),
            }
        }
        walk(self);
        self.0.truncate(here);
    }

    /// Walks into an item of a list.
    pub(super) fn within_item(&mut self, at: usize, walk: impl FnOnce(&mut Self)) {
        let here = self.0.len();
        // Writing into a text never fails.
        let _ = write!(self.0, "/{at}");
        walk(self);
        self.0.truncate(here);
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
