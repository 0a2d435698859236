//! The kept responses of one account, for conditional requests.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::http::{AccountKey, AnswerKey, CachedResponse, ResponseCache};
use crate::store::{ResponseStore, StoredResponse};

/// The part of a store's responses that belongs to one account.
pub(super) struct AccountResponses {
    store: Arc<dyn ResponseStore>,
    account: AccountKey,
}

impl AccountResponses {
    pub(super) fn of(store: Arc<dyn ResponseStore>, account: AccountKey) -> Self {
        Self { store, account }
    }
}

impl std::fmt::Debug for AccountResponses {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountResponses").field("account", &self.account).finish_non_exhaustive()
    }
}

impl ResponseCache for AccountResponses {
    fn get<'a>(&'a self, key: &'a AnswerKey) -> BoxFuture<'a, Option<CachedResponse>> {
        let cached = |found: Option<StoredResponse>| {
            let StoredResponse { etag, status, headers, body } = found?;
            Some(CachedResponse { etag, status, headers, body })
        };
        self.store.get(self.account.as_str(), key.as_str()).map(cached).boxed()
    }

    fn put(&self, key: AnswerKey, answer: CachedResponse) -> BoxFuture<'_, ()> {
        let CachedResponse { etag, status, headers, body } = answer;
        self.store.put(self.account.as_str(), key.as_str(), StoredResponse { etag, status, headers, body })
    }
}
