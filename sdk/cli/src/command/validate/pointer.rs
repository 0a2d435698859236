//! A JSON pointer that is updated while a value is traversed.

use std::fmt::{self, Write};

/// The current place of a traversal.
#[derive(Debug, Default)]
pub(super) struct Pointer(String);

impl Pointer {
    /// Enters a property for the duration of `walk`.
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

    /// Enters an item of a list for the duration of `walk`.
    pub(super) fn within_item(&mut self, at: usize, walk: impl FnOnce(&mut Self)) {
        let here = self.0.len();
        // Writing to a string never fails.
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
