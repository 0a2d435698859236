//! The transport of a client: the network, the network with a recording, or a replay.

use reqwest::header::HeaderMap;

use crate::redact::Redaction;

use super::{Endpoint, EndpointError};

/// The transport that a job selects for its client.
#[derive(Debug, Clone, Default)]
pub(crate) enum Tape {
    /// The network alone.
    #[default]
    Off,
    /// The network, with a recording of every exchange.
    #[cfg(feature = "recording")]
    Record(crate::recording::Recorder),
    /// A recording instead of the network.
    #[cfg(feature = "recording")]
    Replay(crate::recording::Replay),
}

/// The transport of one client.
///
/// A replay contains nothing that could open a connection.
pub(super) enum Wire {
    Network(reqwest::Client),
    #[cfg(feature = "recording")]
    Recorded(reqwest::Client, Box<crate::recording::RecordingTransport>),
    #[cfg(feature = "recording")]
    Replayed(Box<crate::recording::ReplayTransport>),
}

impl Tape {
    /// Returns whether the job replays a recording, which requires no credentials.
    pub(crate) fn is_replay(&self) -> bool {
        match self {
            #[cfg(feature = "recording")]
            Self::Replay(_) => true,
            _ => false,
        }
    }
}

impl Wire {
    #[cfg_attr(not(feature = "recording"), expect(unused_variables, reason = "only recordings use the redaction"))]
    pub(super) fn new(
        endpoint: &Endpoint,
        headers: HeaderMap,
        tape: &Tape,
        redaction: &Redaction,
    ) -> Result<Self, EndpointError> {
        let client = || super::connections::client(endpoint, headers);
        match tape {
            Tape::Off => Ok(Self::Network(client()?)),
            #[cfg(feature = "recording")]
            Tape::Record(recorder) => {
                let listener = recorder.listener(endpoint.clone(), redaction.clone());
                Ok(Self::Recorded(client()?, Box::new(listener)))
            }
            #[cfg(feature = "recording")]
            Tape::Replay(replay) => {
                let limits = crate::recording::Limits {
                    success: endpoint.largest_body,
                    error: super::answer::LARGEST_ERROR_BODY,
                };
                let player = replay.player(endpoint.clone(), redaction.clone(), limits);
                Ok(Self::Replayed(Box::new(player)))
            }
        }
    }

    /// Returns whether the responses are already recorded, so that waiting is pointless.
    pub(super) fn is_replay(&self) -> bool {
        match self {
            #[cfg(feature = "recording")]
            Self::Replayed(_) => true,
            _ => false,
        }
    }

    /// Returns whether a 304 without a body is an acceptable response.
    ///
    /// It is not while responses are recorded or replayed, because a recording needs the body.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Network(_))
    }
}

#[cfg(feature = "recording")]
mod taped {
    use jiff::Timestamp;
    use tokio::time::Instant;

    use crate::http::answer::{TransportError, WireResponse};
    use crate::http::call::WireRequest;
    use crate::http::memory::Reservation;
    use crate::http::{Endpoint, EndpointError};
    use crate::recording::{Asked, Heard, RecordingTransport, ReplayTransport, Times};

    type Outcome = Result<WireResponse, TransportError>;

    /// Sends a request over the network and records the outcome.
    pub(in crate::http) async fn listened(
        listener: &RecordingTransport,
        endpoint: &Endpoint,
        call: &WireRequest,
        outcome: impl Future<Output = Outcome>,
    ) -> Outcome {
        let (sent, started) = (Timestamp::now(), Instant::now());
        let outcome = outcome.await;
        let received = outcome.as_ref().map_or(0, |answer| answer.received);
        let unconnected = matches!(outcome, Err(TransportError::Unconnected(_)));
        let heard = match outcome {
            Ok(WireResponse { status, headers, body, .. }) => Heard::Answer { status, headers, body },
            Err(TransportError::Connection(why)) => Heard::TransportError(why),
            Err(TransportError::Unconnected(why)) => Heard::TransportError(why),
            Err(TransportError::TimedOut(why)) => Heard::TransportError(why.to_owned()),
            Err(TransportError::TooLarge) => Heard::TooLarge,
            Err(
                other @ (TransportError::NotRecorded(_)
                | TransportError::Unasked(_)
                | TransportError::Untrusted(_)
                | TransportError::NoRoom(_)),
            ) => {
                return Err(other);
            }
        };
        // The endpoint has already sent these headers, so they are valid.
        if let Ok(asked) = asked(endpoint, call) {
            listener.heard(&asked, &heard, Times { sent, took: started.elapsed() });
        }
        match heard {
            Heard::TransportError(why) if unconnected => Err(TransportError::Unconnected(why)),
            heard => outcome_of(heard, received),
        }
    }

    pub(in crate::http) fn played(
        player: &ReplayTransport,
        endpoint: &Endpoint,
        call: &WireRequest,
        reservation: &mut Reservation,
    ) -> Outcome {
        let asked = asked(endpoint, call).map_err(|error| TransportError::NotRecorded(error.to_string()))?;
        let mut fitted = Ok(());
        let fits = |bytes| {
            fitted = reservation.fit(bytes);
            fitted.is_ok()
        };
        let heard = player.answer_if(&asked, fits).map_err(TransportError::NotRecorded)?;
        fitted?;
        let heard = heard.ok_or_else(|| TransportError::NotRecorded("no recorded response was selected".to_owned()))?;
        let received = if let Heard::Answer { body, .. } = &heard { body.len() } else { 0 };
        outcome_of(heard, received)
    }

    fn asked(endpoint: &Endpoint, call: &WireRequest) -> Result<Asked, EndpointError> {
        let mut headers = endpoint.request_headers()?;
        for (name, value) in &call.headers {
            headers.insert(name, value.clone());
        }
        Ok(Asked { method: call.subject.method.clone(), url: call.url.clone(), headers, body: call.body.clone() })
    }

    fn outcome_of(heard: Heard, received: usize) -> Outcome {
        match heard {
            Heard::Answer { status, headers, body } => {
                Ok(WireResponse { status, headers, body, received, hold: None, repeats_secrets: false })
            }
            Heard::TransportError(why) => Err(TransportError::Connection(why)),
            Heard::TooLarge => Err(TransportError::TooLarge),
        }
    }
}

#[cfg(feature = "recording")]
pub(super) use taped::{listened, played};
