//! Elements of lists.

use std::borrow::Cow;

use serde_json::Value;

use super::fields::dates;
use crate::fake::organisation::Organisation;
use crate::fake::table::Row;

/// An element of the provider's lists.
pub(crate) trait Listed: Row + Send + Sync + 'static {
    /// The value by which a list is sorted.
    fn sort_key(&self, property: &str) -> Cow<'_, str> {
        match property {
            "id" => Cow::Owned(self.uuid().to_string()),
            "updated_at" => Cow::Owned(dates(self.uuid()).1),
            _ => Cow::Borrowed(self.name()),
        }
    }

    /// The JSON body of the element.
    fn body(&self, organisation: &Organisation) -> Value;
}
