//! Formats of values that published class schemas use beyond those of the standard.

use std::net::{IpAddr, Ipv6Addr};

use jsonschema::ValidationOptions;
use jsonschema::json::Json;

/// Adds the formats to a validator and enables the validation of all formats.
pub(super) fn checked<R, F: Json>(options: ValidationOptions<'_, R, F>) -> ValidationOptions<'_, R, F> {
    options
        .with_format("ip", is_address)
        .with_format("ipCidr", is_address_range)
        .with_format("asn", is_autonomous_system)
        .should_validate_formats(true)
}

/// Accepts IPv4 and IPv6 addresses; the latter may have a zone.
fn is_address(text: &str) -> bool {
    match text.split_once('%') {
        Some((address, zone)) => address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty(),
        None => text.parse::<IpAddr>().is_ok(),
    }
}

/// Accepts an address with the length of its prefix.
fn is_address_range(text: &str) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    !prefix.is_empty()
        && prefix.bytes().all(|digit| digit.is_ascii_digit())
        && prefix.parse().is_ok_and(|length: u8| length <= longest)
}

/// Accepts `AS` followed by a number of 32 bits.
fn is_autonomous_system(text: &str) -> bool {
    let Some(number) = text.strip_prefix("AS") else { return false };
    number.bytes().all(|digit| digit.is_ascii_digit()) && number.parse::<u32>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_of_either_family() {
        for good in ["192.0.2.1", "2001:db8::1", "::", "fe80::1%eth0"] {
            assert!(is_address(good), "{good}");
        }
        for bad in ["", "192.0.2.256", "192.0.2.1/24", "192.0.2.1%eth0", "fe80::1%", "host"] {
            assert!(!is_address(bad), "{bad}");
        }
    }

    #[test]
    fn a_range_has_a_prefix_within_its_family() {
        for good in ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "::/128"] {
            assert!(is_address_range(good), "{good}");
        }
        for bad in ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "2001:db8::/129", "x/8"] {
            assert!(!is_address_range(bad), "{bad}");
        }
    }

    #[test]
    fn an_autonomous_system_is_numbered() {
        assert!(is_autonomous_system("AS64512") && is_autonomous_system("AS4294967295"));
        assert!(["AS", "64512", "AS4294967296", "AS-1", "ASx"].iter().all(|bad| !is_autonomous_system(bad)));
    }
}
