//! Responses of providers, kept across jobs for conditional requests.

use futures::future::BoxFuture;

/// A response as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredResponse {
    /// The entity tag, exactly as received.
    pub etag: String,
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Kept responses. They are named by two digests: that of the account and that of the request.
///
/// The responses save transfers and are never needed, so that no function fails: a response that cannot be read counts
/// as missing, and one that cannot be written is not kept.
pub trait ResponseStore: Send + Sync {
    /// Returns a response, and records its use.
    fn get(&self, account: &str, request: &str) -> BoxFuture<'_, Option<StoredResponse>>;

    /// Keeps a response. It replaces that of an earlier, equal request.
    fn put(&self, account: &str, request: &str, response: StoredResponse) -> BoxFuture<'_, ()>;

    /// Stores the recorded uses, and evicts old responses. A job calls it at its end.
    fn evict(&self) -> BoxFuture<'_, ()>;
}
