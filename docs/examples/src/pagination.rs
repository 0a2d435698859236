//! Pages by number, for "Pagination" in `docs/how-to`.

use integration_sdk::http::{Answer, Next, Page, Pagination, Request};

/// `?page=1&per_page=100`; a page that is not full is the last one.
pub struct Numbered {
    /// Elements of a page.
    pub size: usize,
}

impl Pagination for Numbered {
    fn ask(&self, request: Request, position: Option<&str>) -> Request {
        request.query("page", position.unwrap_or("1")).query("per_page", self.size)
    }

    fn read(&self, answer: Answer<'_>, position: Option<&str>) -> Result<Page, String> {
        let elements = answer.elements()?;
        let number = position.map_or(Ok(1), str::parse::<u32>).map_err(|error| error.to_string())?;
        let next = if elements.len() < self.size { Next::End } else { Next::At((number + 1).to_string()) };
        Ok(Page { elements, next })
    }
}
