//! Accepted tokens and their scopes. Tokens are never printed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use crate::{dialect::Refusal, request::Request};

/// The tokens that a provider accepts, each with its scopes.
#[derive(Clone, Default)]
pub struct Access {
    tokens: BTreeMap<String, BTreeSet<String>>,
    /// The header that contains the token. If absent, the token is a bearer token in `Authorization`.
    header: Option<String>,
}

impl Access {
    /// Accepts every request, with or without a token.
    pub fn open() -> Self {
        Self::default()
    }

    /// Accepts one token.
    pub fn token<S: Into<String>>(token: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        Self::open().and_token(token, scopes)
    }

    /// Accepts a further token.
    #[must_use]
    pub fn and_token<S: Into<String>>(mut self, token: impl Into<String>, scopes: impl IntoIterator<Item = S>) -> Self {
        self.tokens.insert(token.into(), scopes.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the token from this header, without a prefix, instead of `Authorization`.
    #[must_use]
    pub fn in_header(mut self, name: impl Into<String>) -> Self {
        self.header = Some(name.into());
        self
    }

    /// Returns the scopes of the token; `None` if no token is required.
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
