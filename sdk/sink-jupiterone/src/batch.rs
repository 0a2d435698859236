//! Batches: the bodies of uploads, bounded by size, and compressed.
//!
//! A batch that waits for its upload is kept in its compressed form, so that concurrent uploads hold little memory. The few
//! batches that the service refuses as too large are decompressed again.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::value::RawValue;

/// The kind of uploaded objects, which determines the path of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Entities.
    Entities,
    /// Relationships, including mapped ones.
    Relationships,
}

impl Kind {
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Entities => "entities",
            Self::Relationships => "relationships",
        }
    }

    fn open(self) -> String {
        format!("{{\"{}\":[", self.member())
    }
}

const END: &str = "]}";

/// The bytes of a batch around its objects.
const AROUND: usize = "{\"relationships\":[]}".len();

/// A batch that grows.
#[derive(Debug)]
pub(crate) struct Batch {
    kind: Kind,
    text: String,
    objects: usize,
    /// The key of the only object, if it lost raw data.
    shrunk_key: Option<String>,
}

impl Batch {
    pub(crate) fn new(kind: Kind) -> Self {
        Self { kind, text: kind.open(), objects: 0, shrunk_key: None }
    }

    /// Creates a batch of one object that lost raw data.
    pub(crate) fn of_shrunk(kind: Kind, object: &str, key: String) -> Self {
        let mut batch = Self::new(kind);
        batch.push(object);
        batch.shrunk_key = Some(key);
        batch
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.objects == 0
    }

    pub(crate) fn objects(&self) -> usize {
        self.objects
    }

    /// The size of the complete body.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + END.len()
    }

    /// The size of a body with one object of this size.
    pub(crate) fn bytes_with(object: usize) -> usize {
        AROUND + object
    }

    pub(crate) fn push(&mut self, object: &str) {
        if self.objects > 0 {
            self.text.push(',');
        }
        self.text.push_str(object);
        self.objects += 1;
    }

    /// Compresses the body.
    pub(crate) fn pack(mut self) -> Packed {
        self.text.push_str(END);
        // Uploads wait for the network and the service rather than for the processor, and JSON compresses well anyway.
        let mut encoder = GzEncoder::new(Vec::with_capacity(self.text.len() / 8), Compression::fast());
        let written = encoder.write_all(self.text.as_bytes()).and_then(|()| encoder.finish());
        let gzip = written.expect("writing into memory does not fail");
        let (kind, bytes, objects, shrunk_key) = (self.kind, self.text.len(), self.objects, self.shrunk_key);
        Packed { kind, gzip, bytes, objects, shrunk_key }
    }
}

/// A complete batch in compressed form.
#[derive(Debug, Clone)]
pub(crate) struct Packed {
    pub(crate) kind: Kind,
    pub(crate) gzip: Vec<u8>,
    /// The size before compression.
    pub(crate) bytes: usize,
    pub(crate) objects: usize,
    /// The key of the only object, if it lost raw data.
    pub(crate) shrunk_key: Option<String>,
}

impl Packed {
    /// Divides a batch of several objects into two, of about the same size if the objects allow it.
    pub(crate) fn halves(&self) -> Result<Vec<Self>, serde_json::Error> {
        let text = self.text().map_err(serde_json::Error::io)?;
        let half = self.bytes / 2;
        let mut batches = vec![Batch::new(self.kind)];
        for object in objects(&text)? {
            let first = &batches[0];
            if batches.len() == 1 && !first.is_empty() && first.bytes() + object.get().len() > half {
                batches.push(Batch::new(self.kind));
            }
            let last = batches.len() - 1;
            batches[last].push(object.get());
        }
        Ok(batches.into_iter().map(Batch::pack).collect())
    }

    /// The only object of a batch.
    pub(crate) fn only_object(&self) -> Result<Box<RawValue>, serde_json::Error> {
        let text = self.text().map_err(serde_json::Error::io)?;
        let mut objects = objects(&text)?.into_iter();
        objects.next().map(ToOwned::to_owned).ok_or_else(|| serde::de::Error::custom("the batch is empty"))
    }

    fn text(&self) -> io::Result<String> {
        let mut text = String::with_capacity(self.bytes);
        GzDecoder::new(self.gzip.as_slice()).read_to_string(&mut text)?;
        Ok(text)
    }
}

fn objects(batch: &str) -> Result<Vec<&RawValue>, serde_json::Error> {
    let members: std::collections::BTreeMap<&str, Vec<&RawValue>> = serde_json::from_str(batch)?;
    Ok(members.into_values().next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(objects: &[String]) -> Packed {
        let mut batch = Batch::new(Kind::Entities);
        objects.iter().for_each(|object| batch.push(object));
        batch.pack()
    }

    #[test]
    fn a_batch_is_the_body_that_the_service_reads() {
        let packed = batch(&[r#"{"a":1}"#.to_owned(), "{}".to_owned()]);
        assert_eq!(packed.text().unwrap(), r#"{"entities":[{"a":1},{}]}"#);
        assert_eq!((packed.bytes, packed.objects), (25, 2));
        assert_eq!(Batch::new(Kind::Relationships).pack().text().unwrap(), r#"{"relationships":[]}"#);
        assert!(Batch::of_shrunk(Kind::Relationships, "{}", "k".to_owned()).bytes() <= Batch::bytes_with(2));
    }

    #[test]
    fn halves_keep_every_object_once_and_in_order() {
        for count in [2, 3, 7, 50] {
            let mut objects: Vec<String> = (0..count).map(|n| format!("{{\"n\":{}}}", 10_u64.pow(n % 9))).collect();
            objects.push(format!("{{\"n\":\"{}\"}}", "x".repeat(100 * count as usize)));
            let halves = batch(&objects).halves().unwrap();
            assert_eq!(halves.len(), 2, "{count}");
            assert!(halves.iter().all(|half| half.objects > 0));
            let texts: Vec<String> = halves.iter().map(|half| half.text().unwrap()).collect();
            let again: Vec<&str> =
                texts.iter().flat_map(|text| super::objects(text).unwrap()).map(RawValue::get).collect();
            assert_eq!(again, objects);
        }
    }
}
