//! The kinds of network addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressKind {
    /// An address of the internet.
    Public,
    /// An address of this machine, including the unspecified one, which connects to this machine.
    Loopback,
    /// An address of a private network, including carrier networks.
    Private,
    /// An address of the local link, where clouds serve the credentials of a machine.
    LinkLocal,
    /// An address of many machines.
    Multicast,
    /// An address without a machine: reserved, for documentation, or for measurements.
    Reserved,
}

/// Returns the kind of an address. An IPv6 address that contains an IPv4 address has the kind of the latter.
pub fn kind_of(address: IpAddr) -> AddressKind {
    match address {
        IpAddr::V4(address) => kind_of_v4(address),
        IpAddr::V6(address) => kind_of_v6(address),
    }
}

fn kind_of_v4(address: Ipv4Addr) -> AddressKind {
    match address.octets() {
        [0 | 127, ..] => AddressKind::Loopback,
        [10, ..] | [192, 168, ..] => AddressKind::Private,
        [172, second, ..] if (16..32).contains(&second) => AddressKind::Private,
        // Carrier networks.
        [100, second, ..] if (64..128).contains(&second) => AddressKind::Private,
        [169, 254, ..] => AddressKind::LinkLocal,
        // Protocol assignments, documentation, relays of 6to4, measurements.
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [192, 88, 99, _] | [198, 18 | 19, ..] => {
            AddressKind::Reserved
        }
        [first, ..] if (224..240).contains(&first) => AddressKind::Multicast,
        [240..=255, ..] => AddressKind::Reserved,
        _ => AddressKind::Public,
    }
}

fn kind_of_v6(address: Ipv6Addr) -> AddressKind {
    let segments = address.segments();
    let embedded = |high: u16, low: u16| {
        let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
        kind_of_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // Unspecified and loopback. The others with this prefix are obsolete forms of IPv4 addresses.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => AddressKind::Loopback,
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] => embedded(high, low),
        // IPv4-translated addresses.
        [0, 0, 0, 0, 0xffff, 0, high, low] => embedded(high, low),
        // Translation between IPv6 and IPv4, globally and in one network.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => embedded(high, low),
        [0x64, 0xff9b, 1, ..] => AddressKind::Private,
        // 6to4.
        [0x2002, high, low, ..] => embedded(high, low),
        // Teredo, benchmarks, and other protocol assignments; documentation.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressKind::Reserved,
        [first, ..] if first & 0xff00 == 0xff00 => AddressKind::Multicast,
        // Unique local addresses, and the obsolete site-local ones.
        [first, ..] if first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfec0 => AddressKind::Private,
        [first, ..] if first & 0xffc0 == 0xfe80 => AddressKind::LinkLocal,
        // Only this block is assigned to the internet.
        [first, ..] if first & 0xe000 == 0x2000 => AddressKind::Public,
        _ => AddressKind::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn kind(text: &str) -> AddressKind {
        kind_of(text.parse().expect(text))
    }

    #[test]
    fn kinds_of_addresses() {
        use AddressKind::{LinkLocal, Loopback, Multicast, Private, Public, Reserved};
        for (text, expected) in [
            ("8.8.8.8", Public),
            ("172.15.0.1", Public),
            ("172.32.0.1", Public),
            ("100.63.0.1", Public),
            ("223.255.255.255", Public),
            ("192.0.1.1", Public),
            ("198.20.0.1", Public),
            ("0.0.0.0", Loopback),
            ("0.1.2.3", Loopback),
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("10.0.0.1", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.0.1", Private),
            ("100.64.0.1", Private),
            ("100.127.255.255", Private),
            ("169.254.169.254", LinkLocal),
            ("192.0.0.8", Reserved),
            ("192.0.2.1", Reserved),
            ("198.51.100.1", Reserved),
            ("203.0.113.1", Reserved),
            ("192.88.99.1", Reserved),
            ("198.18.0.1", Reserved),
            ("198.19.255.255", Reserved),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Reserved),
            ("224.0.0.1", Multicast),
            ("239.255.255.255", Multicast),
            ("2606:4700::1111", Public),
            ("2a00:1450::1", Public),
            ("2001:4860::8888", Public),
            ("::", Loopback),
            ("::1", Loopback),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:8.8.8.8", Public),
            ("::ffff:169.254.169.254", LinkLocal),
            ("::10.0.0.1", Private),
            ("::ffff:0:10.0.0.1", Private),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b:1::1", Private),
            ("2002:7f00:1::", Loopback),
            ("2002:a00:1::1", Private),
            ("2002:808:808::", Public),
            ("2001::1", Reserved),
            ("2001:db8::1", Reserved),
            ("3fff::1", Reserved),
            ("100::1", Reserved),
            ("4000::1", Reserved),
            ("::2:0:0", Reserved),
            ("fc00::1", Private),
            ("fd12::1", Private),
            ("fec0::1", Private),
            ("fe80::1", LinkLocal),
            ("febf::1", LinkLocal),
            ("ff02::1", Multicast),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_embedded_address_has_the_kind_of_its_ipv4_address(address in any::<[u8; 4]>()) {
            let inner = Ipv4Addr::from(address);
            let expected = kind_of(IpAddr::V4(inner));
            prop_assert_eq!(kind_of(IpAddr::V6(inner.to_ipv6_mapped())), expected);
            let [a, b, c, d] = address;
            let text = format!("64:ff9b::{a}.{b}.{c}.{d}");
            prop_assert_eq!(kind(&text), expected);
        }

        /// The standard library knows some of the kinds.
        #[test]
        fn public_means_none_of_the_known_kinds(address in any::<[u8; 4]>(), v6 in any::<[u16; 8]>()) {
            let address = Ipv4Addr::from(address);
            if kind_of(IpAddr::V4(address)) == AddressKind::Public {
                prop_assert!(!address.is_private() && !address.is_loopback() && !address.is_link_local());
                prop_assert!(!address.is_multicast() && !address.is_broadcast() && !address.is_documentation() && !address.is_unspecified());
            }
            let address = Ipv6Addr::from(v6);
            if kind_of(IpAddr::V6(address)) == AddressKind::Public {
                prop_assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast());
                prop_assert!(!address.is_unique_local() && !address.is_unicast_link_local());
            }
        }
    }
}
