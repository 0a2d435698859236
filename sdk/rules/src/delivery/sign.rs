//! Signatures of Standard Webhooks.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;

/// The sizes of a key in bytes that Standard Webhooks accepts.
const KEY_SIZES: std::ops::RangeInclusive<usize> = 24..=64;

/// The key of the signatures of one receiver.
#[derive(Clone)]
pub struct SigningSecret(hmac::Key);

/// A text that is no signing secret. The message does not repeat the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The text after `whsec_` is not base64.
    #[error("the signing secret is not base64 after an optional `whsec_`")]
    Encoding,
    /// The key is too short or too long.
    #[error("the signing secret has {0} bytes, expected 24 to 64")]
    Size(usize),
}

/// A request whose signature is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The time of the request differs too much from the clock.
    #[error("the time of the request differs from the clock by more than the tolerance")]
    Time,
    /// No signature belongs to the key and the body.
    #[error("no signature of the request belongs to the key")]
    Signature,
}

impl SigningSecret {
    /// Reads a secret in the form `whsec_` and base64. The prefix may be absent.
    ///
    /// # Errors
    /// [`SecretError`] if the text is no base64, or if the key has an unusual size.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let encoded = text.strip_prefix("whsec_").unwrap_or(text);
        let key = STANDARD.decode(encoded).map_err(|_| SecretError::Encoding)?;
        if !KEY_SIZES.contains(&key.len()) {
            return Err(SecretError::Size(key.len()));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &key)))
    }

    /// Returns the signature of a request: `v1,` and base64.
    pub fn sign(&self, id: &str, at: Timestamp, body: &[u8]) -> String {
        let tag = hmac::sign(&self.0, &signed(id, at.as_second(), body));
        format!("v1,{}", STANDARD.encode(tag))
    }

    /// Returns the three headers of a request. The time is that of the attempt, not of the first one.
    pub fn headers(&self, id: &str, at: Timestamp, body: &[u8]) -> [(&'static str, String); 3] {
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at.as_second().to_string()),
            ("webhook-signature", self.sign(id, at, body)),
        ]
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(***)")
    }
}

fn signed(id: &str, second: i64, body: &[u8]) -> Vec<u8> {
    let mut content = format!("{id}.{second}.").into_bytes();
    content.extend_from_slice(body);
    content
}

/// Verifies a request as its receiver does.
///
/// `signatures` is the header `webhook-signature`: one or more signatures, separated by blanks.
///
/// # Errors
/// [`SignatureError`] if the time is too far from the clock, or if no signature belongs to the key.
pub fn verify(
    secret: &SigningSecret,
    (id, timestamp, signatures): (&str, &str, &str),
    body: &[u8],
    now: Timestamp,
    tolerance: SignedDuration,
) -> Result<(), SignatureError> {
    let second = timestamp.parse().map_err(|_| SignatureError::Time)?;
    let at = Timestamp::from_second(second).map_err(|_| SignatureError::Time)?;
    if now.duration_since(at).abs() > tolerance {
        return Err(SignatureError::Time);
    }
    let content = signed(id, second, body);
    let is_valid = |signature: &str| {
        let decoded = signature.strip_prefix("v1,").and_then(|encoded| STANDARD.decode(encoded).ok());
        decoded.is_some_and(|tag| hmac::verify(&secret.0, &content, &tag).is_ok())
    };
    if signatures.split(' ').any(is_valid) { Ok(()) } else { Err(SignatureError::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn secret() -> SigningSecret {
        SigningSecret::parse(SECRET).expect("a secret")
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    #[test]
    fn the_signature_of_the_published_example() {
        let signature = secret().sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), b"{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_receiver_accepts_one_of_several_signatures_within_the_tolerance() {
        let (id, time, signature) = ("msg_1", "1000", secret().sign("msg_1", at(1_000), b"body"));
        let tolerance = SignedDuration::from_mins(5);
        let check =
            |signatures: &str, body: &[u8], now| verify(&secret(), (id, time, signatures), body, at(now), tolerance);
        assert_eq!(check(&signature, b"body", 1_300), Ok(()));
        assert_eq!(check(&format!("v1,AAAA v2,x {signature}"), b"body", 700), Ok(()));
        assert_eq!(check(&signature, b"body", 1_301), Err(SignatureError::Time));
        assert_eq!(check(&signature, b"other", 1_000), Err(SignatureError::Signature));
        assert_eq!(check("", b"body", 1_000), Err(SignatureError::Signature));
        assert_eq!(
            verify(&secret(), (id, "now", &signature), b"body", at(1_000), tolerance),
            Err(SignatureError::Time)
        );
    }

    #[test]
    fn secrets_are_checked_and_never_shown() {
        assert!(matches!(SigningSecret::parse("whsec_***"), Err(SecretError::Encoding)));
        assert!(matches!(SigningSecret::parse("whsec_c2hvcnQ="), Err(SecretError::Size(5))));
        assert!(SigningSecret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").is_ok());
        assert_eq!(format!("{:?}", secret()), "SigningSecret(***)");
    }

    proptest! {
        #[test]
        fn only_the_signed_request_is_accepted(
            id in "[a-z0-9_]{1,8}", body in prop::collection::vec(any::<u8>(), 0..20), other in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let signature = secret().sign(&id, at(1_000), &body);
            let check = |body: &[u8]| verify(&secret(), (&id, "1000", &signature), body, at(1_000), SignedDuration::ZERO);
            prop_assert!(check(&body).is_ok());
            prop_assert_eq!(check(&other).is_ok(), body == other);
        }
    }
}
