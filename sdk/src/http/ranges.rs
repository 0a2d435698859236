//! Lists that come in ranges: `Range` asks, 206 and `Next-Range` say that there is more.

use super::Request;
use super::pages::{Answer, Next, Page, Pagination};

/// A provider may fill pages with fewer elements than were asked for: with some multiple of this.
const ROUND: usize = 50;

/// How to ask for a list in ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranges {
    /// The property that puts the list in order.
    pub order_by: &'static str,
    /// Elements a page.
    pub max: u32,
}

/// Asks for a property; where that is refused, for one that the provider names; where that is refused, for no range.
pub(super) struct RangePages {
    order_by: Option<String>,
    max: u32,
    refused: Vec<String>,
}

impl RangePages {
    pub(super) fn new(ranges: Ranges) -> Self {
        Self { order_by: Some(ranges.order_by.to_owned()), max: ranges.max, refused: Vec::new() }
    }

    /// The next range as the provider told it; where it forgot the page's size, the one asked for.
    fn with_max(&self, range: &str) -> String {
        let parameters = range.split(';').skip(1);
        let tells_max = parameters.into_iter().any(|parameter| parameter.trim_start().starts_with("max"));
        if tells_max { range.to_owned() } else { format!("{range}; max={}", self.max) }
    }
}

impl Pagination for RangePages {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        match (position, &self.order_by) {
            (Some(range), _) => request.header("Range", range),
            (None, Some(property)) => request.header("Range", &format!("{property} ..; max={}", self.max)),
            (None, None) => request,
        }
    }

    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String> {
        let next = match (answer.status(), answer.header("Next-Range").map(str::trim).filter(|told| !told.is_empty())) {
            (206, Some(range)) => Next::At(self.with_max(range)),
            // The last of several ranges is still a part of the list.
            (206, None) if position.is_some() => Next::End,
            (206, None) => Next::Lost("the list is cut off (206) without a Next-Range to go on from".into()),
            _ => Next::End,
        };
        Ok(Page { elements: answer.elements()?, next })
    }

    /// A page that is not full would be longer if there were more.
    fn ends_in_body(&self, page: &Page) -> bool {
        let elements = page.elements.len();
        let round = elements > 0 && elements.is_multiple_of(ROUND);
        elements < self.max as usize && !round
    }

    fn refused(&mut self, answer: &Answer<'_>) -> bool {
        let Some(refused) = self.order_by.take() else { return false };
        self.refused.push(refused);
        if self.refused.len() == 1 {
            let named = answer.header("Accept-Ranges").unwrap_or_default().split(',').map(str::trim);
            let usable =
                |name: &&str| !matches!(*name, "" | "none" | "bytes") && !self.refused.iter().any(|r| r == name);
            self.order_by = named.into_iter().find(usable).map(str::to_owned);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use crate::RawJson;

    use super::*;

    #[test]
    fn a_last_page_that_may_be_full_does_not_tell_that_it_is_the_last() {
        let pages = RangePages::new(Ranges { order_by: "id", max: 30 });
        let ends = |elements| {
            pages.ends_in_body(&Page { elements: vec![RawJson::from(Value::Null); elements], next: Next::End })
        };
        assert!([0, 1, 29].into_iter().all(ends));
        assert!(![30, 31].into_iter().any(ends));
        let pages = RangePages::new(Ranges { order_by: "id", max: 1_000 });
        let page = |elements| Page { elements: vec![RawJson::from(Value::Null); elements], next: Next::End };
        assert!(pages.ends_in_body(&page(201)) && !pages.ends_in_body(&page(200)));
    }

    #[test]
    fn the_page_size_is_kept_where_the_provider_forgets_it() {
        let pages = RangePages::new(Ranges { order_by: "id", max: 1_000 });
        assert_eq!(pages.with_max("id ]a.."), "id ]a..; max=1000");
        assert_eq!(pages.with_max("id ]a..; order=asc"), "id ]a..; order=asc; max=1000");
        assert_eq!(pages.with_max("id ]a..; max=200"), "id ]a..; max=200");
    }
}
