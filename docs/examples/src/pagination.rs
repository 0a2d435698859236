//! A custom pagination, for the page "Pagination" in `docs/how-to`.

use integration_sdk::RawJson;
use integration_sdk::http::{Answer, Next, Page, Pagination, Request};
use integration_sdk::serde::Deserialize;

/// A pagination whose bodies contain the page number and the number of pages.
pub struct Counted;

#[derive(Deserialize)]
#[serde(crate = "integration_sdk::serde")]
struct Body {
    records: Vec<RawJson>,
    page: u32,
    of: u32,
}

impl Pagination for Counted {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        request.query("page", position.unwrap_or("1"))
    }

    fn read(&self, answer: Answer<'_>, _: Option<&str>) -> Result<Page, String> {
        let Body { records, page, of } = answer.json()?;
        let next = if page < of { Next::At((page + 1).to_string()) } else { Next::End };
        Ok(Page { elements: records, next })
    }
}
