//! Tokens and their scopes. Tokens are never printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{dialect::Refusal, request::Request};

/// The tokens that a provider knows, each with its scopes.
#[derive(Clone, Default)]
pub struct Access {
    tokens: BTreeMap<String, BTreeSet<String>>,
    /// Where the token stands; after `Bearer` in `Authorization`, if absent.
    header: Option<String>,
}

impl Access {
    /// A provider that asks for no token.
    pub fn open() -> Self {
        Self::default()
    }

    /// A provider that knows one token.
    pub fn token<S: Into<String>>(token: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        Self::open().and_token(token, scopes)
    }

    /// One token more.
    #[must_use]
    pub fn and_token<S: Into<String>>(mut self, token: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        self.tokens.insert(token.into(), scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Tokens stand in this header, alone, rather than after `Bearer` in `Authorization`.
    #[must_use]
    pub fn in_header(mut self, name: impl Into<String>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// The scopes of the request's token; `None` where no token is asked for.
    pub(crate) fn scopes_of(&self, request: &Request) -> Result<Option<&BTreeSet<String>>, Refusal> {
        if self.tokens.is_empty() {
            return Ok(None);
        }
        let token = match &self.header {
            Some(name) => request.header(name),
            None => request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")),
        };
        token.and_then(|token| self.tokens.get(token.trim())).map(Some).ok_or(Refusal::UnknownToken)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.values()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_scopes_and_no_token() {
        let shown = format!("{:?}", Access::token("very-secret", ["read"]));
        assert!(shown.contains("read") && !shown.contains("very-secret"));
    }
}
