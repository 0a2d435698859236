//! The objects of one type in key order, read one page at a time.

use std::collections::VecDeque;

use crate::graph::{ObjectKey, ObjectType};
use crate::store::{PageSelection, Snapshot, StoreError, Stored};

/// The number of objects in a page.
const PAGE: usize = 1_000;

pub(super) struct Pages<'a> {
    graph: &'a Snapshot,
    object_type: &'a ObjectType,
    page: VecDeque<Stored>,
    last: Option<ObjectKey>,
    ended: bool,
}

impl<'a> Pages<'a> {
    pub(super) fn of(graph: &'a Snapshot, object_type: &'a ObjectType) -> Self {
        Self { graph, object_type, page: VecDeque::new(), last: None, ended: false }
    }

    /// Returns the next object without consuming it.
    pub(super) async fn peek(&mut self) -> Result<Option<&Stored>, StoreError> {
        if self.page.is_empty() && !self.ended {
            let selection =
                PageSelection { after: self.last.take(), ..PageSelection::of(self.object_type.clone(), PAGE) };
            let page = self.graph.page(selection).await?;
            self.ended = page.next.is_none();
            (self.page, self.last) = (page.objects.into(), page.next);
        }
        Ok(self.page.front())
    }

    pub(super) fn take(&mut self) -> Option<Stored> {
        self.page.pop_front()
    }
}
