//! Lists that are paged by ranges, including deliberate defects of their pages.

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

use crate::{
    dialect::{Dialect, Refusal},
    fault::Fault,
    range::{Order, Range, Start},
};

/// The rows of a list. Only the rows of the requested page are rendered.
///
/// Values of a sortable property must be unique, because a page continues after the last value of the previous one.
pub trait Rows: Send + Sync {
    /// The number of rows.
    fn count(&self) -> usize;
    /// The value by which a row is sorted; rows without one come first.
    fn sort_key(&self, row: usize, property: &str) -> Cow<'_, str>;
    /// One row as JSON.
    fn render(&self, row: usize) -> Value;
}

impl Rows for Vec<Value> {
    fn count(&self) -> usize {
        self.len()
    }

    fn sort_key(&self, row: usize, property: &str) -> Cow<'_, str> {
        match &self[row][property] {
            Value::String(text) => Cow::Borrowed(text),
            Value::Null => Cow::Borrowed(""),
            other => Cow::Owned(other.to_string()),
        }
    }

    fn render(&self, row: usize) -> Value {
        self[row].clone()
    }
}

impl<R: Rows + ?Sized> Rows for Arc<R> {
    fn count(&self) -> usize {
        (**self).count()
    }

    fn sort_key(&self, row: usize, property: &str) -> Cow<'_, str> {
        (**self).sort_key(row, property)
    }

    fn render(&self, row: usize) -> Value {
        (**self).render(row)
    }
}

/// The limits of the page size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimits {
    /// The page size without `max` in the request.
    pub default: usize,
    /// The largest page size that a request can set with `max`.
    pub maximum: usize,
}

impl Default for PageLimits {
    fn default() -> Self {
        Self { default: 200, maximum: 1000 }
    }
}

/// One page with the content of its headers.
#[derive(Debug, PartialEq)]
pub(crate) struct Page {
    pub rows: Vec<Value>,
    pub content_range: Option<String>,
    pub next_range: Option<String>,
}

impl Page {
    /// Creates one page with all rows, for a list without ranges.
    pub(crate) fn whole(rows: &dyn Rows) -> Self {
        Self { rows: (0..rows.count()).map(|row| rows.render(row)).collect(), content_range: None, next_range: None }
    }
}

/// A list with all inputs of paging.
pub(crate) struct Paging<'a> {
    pub sortable: &'a [String],
    pub limits: PageLimits,
    pub dialect: &'a Dialect,
    pub faults: &'a [Fault],
}

impl Paging<'_> {
    /// Returns the page that the header requests, or the first one.
    pub(crate) fn page(&self, rows: &dyn Rows, header: Option<&str>) -> Result<Page, Refusal> {
        let range = self.range(header)?;
        let max = range.max.unwrap_or(self.limits.default).clamp(1, self.limits.maximum.max(1));
        let sorted = sorted_within(rows, &range);
        let mut begin = first_of(&sorted, &range);
        let end = (begin + max).min(sorted.len());
        let last = sorted[begin..end].last().map(|(key, _)| key.to_string());
        let next = last.filter(|_| end < sorted.len()).map(|last| Range { from: Start::After(last), ..range.clone() });
        if self.faults.contains(&Fault::DuplicatedItems) {
            begin = begin.saturating_sub(1);
        }
        let page = &sorted[begin..end];
        Ok(Page {
            rows: page.iter().map(|(_, row)| rows.render(*row)).collect(),
            content_range: page
                .first()
                .zip(page.last())
                .map(|((first, _), (last, _))| format!("{} {first}..{last}", range.property)),
            next_range: self.offered(next, &range, &sorted).map(|next| self.written(next)),
        })
    }

    fn range(&self, header: Option<&str>) -> Result<Range, Refusal> {
        let Some(header) = header else {
            return Ok(Range::whole(self.sortable.first().map_or("id", String::as_str)));
        };
        let range = Range::parse(header).map_err(|reason| Refusal::MalformedRange { reason })?;
        if let (Some(max), Some(largest)) = (range.max, self.dialect.largest_max)
            && max > largest
        {
            return Err(Refusal::MalformedRange { reason: format!("`max` is larger than {largest}: {max}") });
        }
        if !self.sortable.contains(&range.property) {
            let reason =
                format!("`{}` is not a sortable property; choose one of: {}", range.property, self.sortable.join(", "));
            return Err(Refusal::UnusableRange { given: header.to_owned(), reason });
        }
        Ok(range)
    }

    /// Returns the value of `Next-Range`, faults included.
    fn offered(&self, next: Option<Range>, asked: &Range, sorted: &[(Cow<'_, str>, usize)]) -> Option<Range> {
        if self.faults.contains(&Fault::RepeatedNextRange) {
            if asked.from != Start::Beginning {
                return Some(asked.clone());
            }
            let last = sorted.last().map(|(key, _)| key.to_string()).unwrap_or_default();
            return next.or(Some(Range { from: Start::After(last), ..asked.clone() }));
        }
        if self.faults.contains(&Fault::CircularNextRange) {
            return next.or(Some(Range { from: Start::Beginning, ..asked.clone() }));
        }
        next
    }

    fn written(&self, next: Range) -> String {
        let max = next.max.filter(|_| self.dialect.max_in_next_range);
        let order = next.order.or(self.dialect.order_in_next_range.then_some(Order::Ascending));
        Range { max, order, ..next }.to_string()
    }
}

/// Returns the rows in the order of the range, up to its end.
fn sorted_within<'r>(rows: &'r dyn Rows, range: &Range) -> Vec<(Cow<'r, str>, usize)> {
    let mut sorted: Vec<_> = (0..rows.count()).map(|row| (rows.sort_key(row, &range.property), row)).collect();
    sorted.sort_unstable();
    if range.is_descending() {
        sorted.reverse();
    }
    if let Some(to) = &range.to {
        sorted.retain(|(key, _)| if range.is_descending() { **key >= **to } else { **key <= **to });
    }
    sorted
}

fn first_of(sorted: &[(Cow<'_, str>, usize)], range: &Range) -> usize {
    sorted.partition_point(|(key, _)| match &range.from {
        Start::Beginning => false,
        Start::At(from) if range.is_descending() => **key > **from,
        Start::At(from) => **key < **from,
        Start::After(from) if range.is_descending() => **key >= **from,
        Start::After(from) => **key <= **from,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn letters() -> Vec<Value> {
        ["c", "a", "e", "b", "d"].iter().map(|id| json!({"id": id})).collect()
    }

    fn page(header: Option<&str>, faults: &[Fault]) -> Result<Page, Refusal> {
        let sortable = ["id".to_owned()];
        let limits = PageLimits { default: 2, maximum: 3 };
        let dialect = Dialect { largest_max: Some(100), ..Dialect::default() };
        Paging { sortable: &sortable, limits, dialect: &dialect, faults }.page(&letters(), header)
    }

    fn ids(page: &Page) -> String {
        page.rows.iter().filter_map(|row| row["id"].as_str()).collect()
    }

    #[test]
    fn pages_follow_each_other_without_gap_or_overlap() {
        let first = page(Some("id ..; max=2"), &[]).unwrap();
        assert_eq!(
            (ids(&first).as_str(), first.next_range.as_deref(), first.content_range.as_deref()),
            ("ab", Some("id ]b..; max=2"), Some("id a..b"))
        );
        let second = page(first.next_range.as_deref(), &[]).unwrap();
        assert_eq!((ids(&second).as_str(), second.next_range.as_deref()), ("cd", Some("id ]d..; max=2")));
        let third = page(second.next_range.as_deref(), &[]).unwrap();
        assert_eq!((ids(&third).as_str(), third.next_range), ("e", None));
    }

    #[test]
    fn the_limits_hold_whatever_is_asked() {
        assert_eq!(ids(&page(None, &[]).unwrap()), "ab");
        assert_eq!(ids(&page(Some("id ..; max=100"), &[]).unwrap()), "abc");
    }

    #[test]
    fn a_range_may_run_backwards_and_have_both_ends() {
        let first = page(Some("id ..; order=desc,max=2"), &[]).unwrap();
        assert_eq!((ids(&first).as_str(), first.next_range.as_deref()), ("ed", Some("id ]d..; order=desc,max=2")));
        assert_eq!(ids(&page(first.next_range.as_deref(), &[]).unwrap()), "cb");
        assert_eq!(ids(&page(Some("id b..c; max=3"), &[]).unwrap()), "bc");
    }

    #[test]
    fn a_property_that_is_not_sortable_is_refused() {
        let refused = page(Some("name ..; max=2"), &[]).unwrap_err();
        assert!(matches!(refused, Refusal::UnusableRange { reason, .. } if reason.contains("one of: id")));
    }

    #[test]
    fn a_range_that_is_malformed_or_too_large_is_refused() {
        for header in ["id ..; max=2; order=asc", "id", "id ..; max=101", "id ..; size=2"] {
            assert!(matches!(page(Some(header), &[]), Err(Refusal::MalformedRange { .. })), "{header}");
        }
    }

    #[test]
    fn the_order_is_named_by_providers_that_always_do() {
        let sortable = ["id".to_owned()];
        let dialect = Dialect { order_in_next_range: true, ..Dialect::default() };
        let limits = PageLimits::default();
        let paging = Paging { sortable: &sortable, limits, dialect: &dialect, faults: &[] };
        let first = paging.page(&letters(), Some("id ..; max=2")).unwrap();
        assert_eq!(first.next_range.as_deref(), Some("id ]b..; order=asc,max=2"));
        let second = paging.page(&letters(), first.next_range.as_deref()).unwrap();
        assert_eq!(ids(&second), "cd");
    }

    #[test]
    fn a_page_after_the_last_value_is_empty() {
        let empty = page(Some("id ]e.."), &[]).unwrap();
        assert_eq!((ids(&empty).as_str(), empty.next_range, empty.content_range), ("", None, None));
    }
}
