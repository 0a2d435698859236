//! Routes: paths with their handlers and conditions.

use std::sync::Arc;

use hyper::Method;
use serde_json::Value;

use crate::{Answer, PageLimits, Pages, Request, Rows, path::PathPattern};

type Handler = Arc<dyn Fn(&Request) -> Answer + Send + Sync>;

/// A path with its handlers. The first matching route wins.
#[derive(Clone)]
pub struct Route {
    pub(crate) method: Method,
    pub(crate) pattern: PathPattern,
    pub(crate) handler: Handler,
    pub(crate) scopes: Vec<String>,
    pub(crate) silent_about_scopes: bool,
    pub(crate) sortable: Vec<String>,
    pub(crate) limits: Option<PageLimits>,
    pub(crate) free_of_charge: bool,
}

impl Route {
    /// Creates a route with a handler for one method. Segments in braces are parameters: `/teams/{id}/members`.
    pub fn new(method: Method, pattern: &str, handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            method,
            pattern: PathPattern::new(pattern),
            handler: Arc::new(handler),
            scopes: Vec::new(),
            silent_about_scopes: false,
            sortable: Vec::new(),
            limits: None,
            free_of_charge: false,
        }
    }

    /// Creates a route with a handler for GET.
    pub fn get(pattern: &str, handler: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> Self {
        Self::new(Method::GET, pattern, handler)
    }

    /// Creates a route to a fixed document.
    pub fn document(pattern: &str, document: Value) -> Self {
        Self::get(pattern, move |_| Answer::Document(document.clone()))
    }

    /// Creates a route to a fixed list.
    pub fn list(pattern: &str, rows: impl Rows + 'static) -> Self {
        let rows = Arc::new(rows);
        Self::get(pattern, move |_| Answer::list(rows.clone()))
    }

    /// Creates a route to a fixed list that is paged by cursor or page number.
    pub fn pages(pattern: &str, items: Vec<Value>, pages: Pages) -> Self {
        Self::get(pattern, move |request| Answer::Document(pages.page(&items, request.query())))
    }

    /// Sets the scopes, of which a token needs at least one. Without scopes, every accepted token suffices.
    #[must_use]
    pub fn scopes<S: Into<String>>(mut self, scopes: impl IntoIterator<Item = S>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// Omits the headers about scopes, as some paths of real providers do.
    #[must_use]
    pub fn silent_about_scopes(mut self) -> Self {
        self.silent_about_scopes = true;
        self
    }

    /// Sets the properties by which the list can be sorted, starting with the default.
    ///
    /// Without sortable properties, the list ignores ranges and is returned as a whole.
    #[must_use]
    pub fn sortable<S: Into<String>>(mut self, properties: impl IntoIterator<Item = S>) -> Self {
        self.sortable = properties.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the page sizes of this list, which replace those of the provider.
    #[must_use]
    pub fn page_limits(mut self, limits: PageLimits) -> Self {
        self.limits = Some(limits);
        self
    }

    /// Exempts a call from the rate bucket.
    #[must_use]
    pub fn free_of_charge(mut self) -> Self {
        self.free_of_charge = true;
        self
    }
}
