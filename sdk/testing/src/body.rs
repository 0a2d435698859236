//! Bodies in transit, complete or broken on purpose. This module controls the transfer of the bytes, not their content.

use std::{future, io, iter, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;

use crate::Fault;

static FILLER: [u8; 65_536] = [b'x'; 65_536];

pub(crate) type FakeBody = UnsyncBoxBody<Bytes, io::Error>;

/// A body with its announced length if that differs from the actual one.
pub(crate) struct Delivery {
    pub body: FakeBody,
    pub content_length: Option<u64>,
}

impl Delivery {
    /// Returns the body after all faults.
    pub(crate) fn new(body: Bytes, faults: &[Fault]) -> Self {
        let body = faults.iter().fold(body, altered);
        let length = body.len() as u64;
        let broken = faults.iter().find_map(|fault| match fault {
            Fault::TruncatedBody { after } => {
                let sent = body.slice(..(*after).min(body.len().saturating_sub(1)));
                Some((Some(length.max(1)), pieces([Piece::Data(sent), Piece::Flush, Piece::Break])))
            }
            Fault::Stall { after, pause } => {
                let mut head = body.clone();
                let tail = head.split_off((*after).min(body.len()));
                let stop = pause.map_or(Piece::Forever, Piece::Pause);
                let sent = [Piece::Data(head), Piece::Flush, stop, Piece::Data(tail)];
                Some((Some(length), pieces(sent)))
            }
            Fault::BodyOf { bytes, announced } => {
                Some((announced.then_some((*bytes).max(2)), pieces(string_of(*bytes))))
            }
            Fault::SplitCharacters => Some((None, pieces(split_characters(&body)))),
            _ => None,
        });
        match broken {
            Some((content_length, body)) => Self { body, content_length },
            None => {
                let whole = Full::new(body).map_err(|never| match never {});
                Self { body: whole.boxed_unsync(), content_length: None }
            }
        }
    }
}

fn altered(body: Bytes, fault: &Fault) -> Bytes {
    match fault {
        Fault::EmptyBody => Bytes::new(),
        Fault::MalformedJson if body.len() < 2 => Bytes::from_static(b"{"),
        Fault::MalformedJson => body.slice(..body.len() / 2),
        _ => body,
    }
}

/// The actions on a body in transit, in order.
enum Piece {
    Data(Bytes),
    /// Flushes the bytes written so far before the next action.
    Flush,
    Pause(Duration),
    Forever,
    /// Ends the body with the connection.
    Break,
}

impl Piece {
    async fn frame(self) -> Option<Result<Frame<Bytes>, io::Error>> {
        match self {
            Self::Data(data) => Some(Ok(Frame::data(data))),
            Self::Flush => {
                tokio::task::yield_now().await;
                None
            }
            Self::Pause(pause) => {
                tokio::time::sleep(pause).await;
                None
            }
            Self::Forever => future::pending().await,
            Self::Break => Some(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "broken on purpose"))),
        }
    }
}

fn pieces<I>(pieces: I) -> FakeBody
where
    I: IntoIterator<Item = Piece>,
    I::IntoIter: Send + 'static,
{
    StreamBody::new(stream::iter(pieces).then(Piece::frame).filter_map(future::ready)).boxed_unsync()
}

/// A JSON string of this many bytes, including quotes.
fn string_of(bytes: u64) -> impl Iterator<Item = Piece> + Send + 'static {
    let mut missing = bytes.saturating_sub(2);
    let filler = iter::from_fn(move || {
        let length = missing.min(FILLER.len() as u64);
        missing -= length;
        (length > 0).then(|| Piece::Data(Bytes::from_static(&FILLER).slice(..length as usize)))
    });
    let quote = || iter::once(Piece::Data(Bytes::from_static(b"\"")));
    quote().chain(filler).chain(quote())
}

/// Chunks that end within each multi-byte character.
fn split_characters(body: &Bytes) -> Vec<Piece> {
    let continues = |at: &usize| body[*at] & 0b1100_0000 == 0b1000_0000;
    let cuts: Vec<usize> = (0..body.len()).filter(continues).chain([body.len()]).collect();
    let starts = iter::once(0).chain(cuts.iter().copied());
    let chunks = starts.zip(&cuts).map(|(start, end)| body.slice(start..*end));
    chunks.flat_map(|chunk| [Piece::Data(chunk), Piece::Flush]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn collected(delivery: Delivery) -> Bytes {
        delivery.body.collect().await.unwrap().to_bytes()
    }

    #[tokio::test]
    async fn a_body_of_a_size_has_exactly_that_many_bytes_and_is_json() {
        for size in [2, 3, 65_538, 200_000] {
            let fault = [Fault::BodyOf { bytes: size, announced: false }];
            let body = collected(Delivery::new(Bytes::new(), &fault)).await;
            assert_eq!(body.len() as u64, size);
            assert!(serde_json::from_slice::<String>(&body).is_ok());
        }
    }

    #[tokio::test]
    async fn a_truncated_body_is_always_shorter_than_promised() {
        for (body, after) in [("", 0), ("ab", 100)] {
            let delivery = Delivery::new(Bytes::from_static(body.as_bytes()), &[Fault::TruncatedBody { after }]);
            assert_eq!(delivery.content_length, Some(body.len().max(1) as u64));
            assert!(delivery.body.collect().await.is_err());
        }
    }

    #[tokio::test]
    async fn splitting_characters_loses_no_byte() {
        let text = "Müßig 佐藤 🚚";
        let delivery = Delivery::new(Bytes::from_static(text.as_bytes()), &[Fault::SplitCharacters]);
        assert_eq!(collected(delivery).await, text.as_bytes());
    }
}
