//! Indexes in memory.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

use integration_store::SnapshotId;

use super::{IndexCache, IndexSink, IndexSource};

/// A cache in memory, without a limit.
#[derive(Debug, Clone, Default)]
pub struct MemoryCache(Arc<Mutex<HashMap<SnapshotId, Arc<Vec<u8>>>>>);

impl IndexCache for MemoryCache {
    fn open(&self, snapshot: &SnapshotId) -> Option<Arc<dyn IndexSource>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(snapshot).map(|bytes| Arc::new(Bytes(Arc::clone(bytes))) as Arc<dyn IndexSource>)
    }

    fn create(&self, snapshot: &SnapshotId) -> io::Result<Box<dyn IndexSink>> {
        Ok(Box::new(Shared { cache: self.clone(), snapshot: snapshot.clone(), bytes: Unshared::default() }))
    }

    fn remove(&self, snapshot: &SnapshotId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(snapshot);
    }
}

/// An index that only its reader has.
#[derive(Debug, Default)]
pub(in super::super) struct Unshared(Vec<u8>);

impl Write for Unshared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IndexSink for Unshared {
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn IndexSource>> {
        Ok(Arc::new(Bytes(Arc::new(self.0))))
    }
}

/// An index that is added to the cache when it is complete.
struct Shared {
    cache: MemoryCache,
    snapshot: SnapshotId,
    bytes: Unshared,
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IndexSink for Shared {
    fn finish(self: Box<Self>) -> io::Result<Arc<dyn IndexSource>> {
        let bytes = Arc::new(self.bytes.0);
        let mut known = self.cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(self.snapshot, Arc::clone(&bytes));
        Ok(Arc::new(Bytes(bytes)))
    }
}

struct Bytes(Arc<Vec<u8>>);

impl IndexSource for Bytes {
    fn length(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_at(&self, position: u64, buffer: &mut [u8]) -> io::Result<()> {
        let begin = usize::try_from(position).ok();
        let range = begin.and_then(|begin| Some(begin..begin.checked_add(buffer.len())?));
        let bytes = range.and_then(|range| self.0.get(range)).ok_or(ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}
