//! Fingerprints of certificates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// The first byte of a certificate in DER: a sequence.
const SEQUENCE: u8 = 0x30;

/// Returns the SHA-256 fingerprint of the first certificate in a PEM text, in hexadecimal digits.
///
/// The text may consist of the base64 part alone. The result is `None` if it contains no certificate.
pub fn fingerprint(pem: &str) -> Option<String> {
    let body = match pem.split_once(BEGIN) {
        Some((_, rest)) => rest.split_once(END)?.0,
        None => pem,
    };
    let base64: String = body.split_whitespace().collect();
    let der = STANDARD.decode(base64).ok().filter(|der| is_sequence(der))?;
    Some(Sha256::digest(der).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Returns whether bytes are exactly one sequence in DER.
fn is_sequence(der: &[u8]) -> bool {
    let [SEQUENCE, first, rest @ ..] = der else { return false };
    if *first < 0x80 {
        return rest.len() == usize::from(*first);
    }
    // A longer length follows in as many bytes as the lower bits say. More than four do not occur.
    let count = usize::from(*first & 0x7f);
    if !(1..=4).contains(&count) || rest.len() < count {
        return false;
    }
    let (length, content) = rest.split_at(count);
    length.iter().fold(0_usize, |length, byte| length << 8 | usize::from(*byte)) == content.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `30 03 02 01 05`, a sequence of one number.
    const SHORT: &str = "MAMCAQU=";
    const OF_SHORT: &str = "417c7763c4e320a6b747b3cb0c6d22f93741b29a32b48594b8eb4c144fe6d729";

    #[test]
    fn the_fingerprint_is_that_of_the_bytes_whatever_the_lines() {
        let armoured = format!("Subject: x\r\n{BEGIN}\r\nMAMC\r\nAQU=\r\n{END}\r\n{BEGIN}\nAAAA\n{END}\n");
        for text in [SHORT, armoured.as_str(), "  MAMC\n AQU=\n"] {
            assert_eq!(fingerprint(text).as_deref(), Some(OF_SHORT), "{text}");
        }
    }

    #[test]
    fn a_long_sequence_has_its_length_in_several_bytes() {
        let mut der = vec![SEQUENCE, 0x82, 0x01, 0x00];
        der.extend([7; 256]);
        assert!(is_sequence(&der));
        der.push(7);
        assert!(!is_sequence(&der), "a byte is left");
    }

    #[test]
    fn what_is_no_certificate_has_no_fingerprint() {
        let unended = format!("{BEGIN}\n{SHORT}\n");
        for text in ["", "not base64!", "AAAA", "MAMCAQ==", "MIID", "MP////8=", unended.as_str()] {
            assert_eq!(fingerprint(text), None, "{text}");
        }
    }
}
