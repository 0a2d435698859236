//! Compression of response bodies.

use std::io::Write;

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::header::{CONTENT_ENCODING, HeaderValue, VARY};

use crate::{Reply, Request};

/// The smallest body worth compressing.
const SMALLEST: usize = 1024;

pub(crate) fn accepts_gzip(request: &Request) -> bool {
    let names = request.header("accept-encoding").unwrap_or_default();
    names.split(',').any(|name| name.trim().eq_ignore_ascii_case("gzip"))
}

/// Compresses the body of a reply, unless it is already compressed or would not shrink.
pub(crate) fn gzipped(mut reply: Reply) -> Reply {
    if reply.body.len() < SMALLEST || reply.header(CONTENT_ENCODING.as_str()).is_some() {
        return reply;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    if let Ok(body) = encoder.write_all(&reply.body).and_then(|()| encoder.finish()) {
        reply.body = Bytes::from(body);
        reply.headers.push((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
        reply.headers.push((VARY, HeaderValue::from_static("accept-encoding")));
    }
    reply
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_body_becomes_smaller_once_and_a_short_one_stays() {
        let plain = Reply::new(200, "text/plain", "again and ".repeat(500));
        let packed = gzipped(plain.clone());
        assert!(packed.body.len() < 200);
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut text).unwrap();
        assert_eq!(text, plain.body);
        assert_eq!(gzipped(packed.clone()), packed);
        let short = Reply::new(200, "text/plain", "once");
        assert_eq!(gzipped(short.clone()), short);
    }
}
