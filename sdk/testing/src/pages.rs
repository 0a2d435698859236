//! Lists that are paged by cursor or page number. The body contains the position of the next page.

use serde_json::{Value, json};

/// The page size, the parameter, and the body shape of a paged list.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    parameter: &'static str,
    size: usize,
    body: fn(&[Value], Option<&str>) -> Value,
}

impl Pages {
    /// Pages of `size`, selected by a query parameter such as `cursor`. The body is
    /// `{"items": [...], "next": "..."}`; the last page has no `next`.
    pub fn by(parameter: &'static str, size: usize) -> Self {
        Self { parameter, size: size.max(1), body: items_and_next }
    }

    /// Sets the shape of the body. It is built from a page's items and the next position.
    #[must_use]
    pub fn body(mut self, body: fn(&[Value], Option<&str>) -> Value) -> Self {
        self.body = body;
        self
    }

    /// Returns the page of a query, by default the first one. An invalid position yields an empty page.
    pub(crate) fn page(&self, items: &[Value], query: Option<&str>) -> Value {
        let position = query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            (name == self.parameter).then_some(value)
        });
        let number = position.map_or(Some(1), |text| text.parse::<usize>().ok()).unwrap_or(usize::MAX);
        let from = number.saturating_sub(1).saturating_mul(self.size).min(items.len());
        let to = from.saturating_add(self.size).min(items.len());
        let next = (to < items.len()).then(|| (number + 1).to_string());
        (self.body)(&items[from..to], next.as_deref())
    }
}

fn items_and_next(items: &[Value], next: Option<&str>) -> Value {
    match next {
        Some(next) => json!({"items": items, "next": next}),
        None => json!({"items": items}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_last_which_has_no_next() {
        let items = [json!(1), json!(2), json!(3)];
        let pages = Pages::by("cursor", 2);
        assert_eq!(pages.page(&items, None), json!({"items": [1, 2], "next": "2"}));
        assert_eq!(pages.page(&items, Some("a=b&cursor=2")), json!({"items": [3]}));
        for nowhere in ["cursor=9", "cursor=x"] {
            assert_eq!(pages.page(&items, Some(nowhere)), json!({"items": []}));
        }
    }

    #[test]
    fn another_provider_has_another_body() {
        let pages = Pages::by("page", 1).body(|items, next| json!({"data": items, "last": next.is_none()}));
        assert_eq!(pages.page(&[json!(1), json!(2)], Some("page=2")), json!({"data": [2], "last": true}));
    }
}
