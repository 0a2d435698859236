//! The objects of one type in key order, read one page at a time.

use std::collections::VecDeque;

use crate::graph::{ObjectKey, ObjectType};
use crate::store::{JobStore, StoreError, Stored};

/// The number of objects in a page.
const PAGE: usize = 1_000;

pub(super) struct Pages<'a> {
    job: &'a JobStore,
    object_type: &'a ObjectType,
    page: VecDeque<Stored>,
    last: Option<ObjectKey>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn of(job: &'a JobStore, object_type: &'a ObjectType) -> Self {
        Self { job, object_type, page: VecDeque::new(), last: None, ended: false }
    }

    /// Returns the next object without consuming it.
    pub(super) async fn peek(&mut self) -> Result<Option<&Stored>, StoreError> {
        if self.page.is_empty() && !self.ended {
            let page = self.job.stored_page(self.object_type.clone(), self.last.take(), PAGE, true).await?;
            self.ended = page.next.is_none();
            (self.page, self.last) = (page.objects.into(), page.next);
        }
        Ok(self.page.front())
    }

    pub(super) fn take(&mut self) -> Option<Stored> {
        self.page.pop_front()
    }
}
