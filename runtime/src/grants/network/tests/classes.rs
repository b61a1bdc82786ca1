//! The registries, row by row: the first address of each range, the last, and those on both sides.

use std::net::IpAddr;

use AddressClass::{
    Benchmarking, Broadcast, CarrierGrade, Documentation, LinkLocal, Loopback, Metadata, Multicast,
    Private, Public, Reserved, UniqueLocal, Unspecified,
};

use super::*;

fn class(text: &str) -> AddressClass {
    AddressClass::of(text.parse().unwrap_or_else(|error| panic!("{text}: {error}")))
}

/// First, last, class, and the classes before and after.
type Row = (&'static str, &'static str, AddressClass, AddressClass, AddressClass);

const V4: &[Row] = &[
    ("0.0.0.0", "0.255.255.255", Unspecified, Unspecified, Public),
    ("10.0.0.0", "10.255.255.255", Private, Public, Public),
    ("100.64.0.0", "100.127.255.255", CarrierGrade, Public, Public),
    ("127.0.0.0", "127.255.255.255", Loopback, Public, Public),
    ("169.254.0.0", "169.254.255.255", LinkLocal, Public, Public),
    ("172.16.0.0", "172.31.255.255", Private, Public, Public),
    ("192.0.0.0", "192.0.0.8", Reserved, Public, Public),
    // Anycast of PCP and TURN.
    ("192.0.0.9", "192.0.0.10", Public, Reserved, Reserved),
    ("192.0.0.11", "192.0.0.191", Reserved, Public, Metadata),
    ("192.0.0.193", "192.0.0.255", Reserved, Metadata, Public),
    ("192.0.2.0", "192.0.2.255", Documentation, Public, Public),
    // AS112 and AMT are in the registry, and reachable.
    ("192.31.196.0", "192.31.196.255", Public, Public, Public),
    ("192.52.193.0", "192.52.193.255", Public, Public, Public),
    ("192.175.48.0", "192.175.48.255", Public, Public, Public),
    ("192.88.99.0", "192.88.99.255", Reserved, Public, Public),
    ("192.168.0.0", "192.168.255.255", Private, Public, Public),
    ("198.18.0.0", "198.19.255.255", Benchmarking, Public, Public),
    ("198.51.100.0", "198.51.100.255", Documentation, Public, Public),
    ("203.0.113.0", "203.0.113.255", Documentation, Public, Public),
    ("224.0.0.0", "239.255.255.255", Multicast, Public, Reserved),
    ("240.0.0.0", "255.255.255.254", Reserved, Multicast, Broadcast),
    ("255.255.255.255", "255.255.255.255", Broadcast, Reserved, Broadcast),
    ("169.254.169.254", "169.254.169.254", Metadata, LinkLocal, LinkLocal),
    ("169.254.170.2", "169.254.170.2", Metadata, LinkLocal, LinkLocal),
    ("169.254.170.23", "169.254.170.23", Metadata, LinkLocal, LinkLocal),
    ("169.254.42.42", "169.254.42.42", Metadata, LinkLocal, LinkLocal),
    ("168.63.129.16", "168.63.129.16", Metadata, Public, Public),
    ("100.100.100.200", "100.100.100.200", Metadata, CarrierGrade, CarrierGrade),
    ("192.0.0.192", "192.0.0.192", Metadata, Reserved, Reserved),
];

const COMPATIBLE: AddressClass = AddressClass::EmbeddedV4(EmbeddedV4::Compatible);
const LOCAL_NAT64: AddressClass = AddressClass::EmbeddedV4(EmbeddedV4::LocalNat64);

const V6: &[Row] = &[
    ("::", "::", Unspecified, Unspecified, Loopback),
    ("::1", "::1", Loopback, Unspecified, Unspecified),
    // IPv4-compatible, of the classes inside.
    ("::2", "::00ff:ffff", Unspecified, Loopback, COMPATIBLE),
    ("::ffff:ffff", "::ffff:ffff", Broadcast, Reserved, Reserved),
    // IPv4-translated.
    (
        "::ffff:0:0:0",
        "::ffff:0:ff:ffff",
        Unspecified,
        Reserved,
        AddressClass::EmbeddedV4(EmbeddedV4::Translated),
    ),
    ("64:ff9b::", "64:ff9b::ff:ffff", Unspecified, Reserved, Public),
    ("64:ff9b::ffff:ffff", "64:ff9b::ffff:ffff", Broadcast, Reserved, Reserved),
    ("64:ff9b:1::", "64:ff9b:1::ff:ffff", Unspecified, Reserved, LOCAL_NAT64),
    (
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
        Broadcast,
        Reserved,
        Reserved,
    ),
    ("100::", "100::ffff:ffff:ffff:ffff", Reserved, Reserved, Reserved),
    ("100:0:0:1::", "100:0:0:1:ffff:ffff:ffff:ffff", Reserved, Reserved, Reserved),
    // Before it is Teredo's last address, whose IPv4 is inverted.
    ("2001:1::", "2001:1::", Reserved, Unspecified, Public),
    ("2001:1::1", "2001:1::3", Public, Reserved, Reserved),
    ("2001:2::", "2001:2:0:ffff:ffff:ffff:ffff:ffff", Benchmarking, Reserved, Reserved),
    ("2001:3::", "2001:3:ffff:ffff:ffff:ffff:ffff:ffff", Public, Reserved, Reserved),
    ("2001:4:112::", "2001:4:112:ffff:ffff:ffff:ffff:ffff", Public, Reserved, Reserved),
    // The first ORCHID, withdrawn, before what replaced it and DETs.
    ("2001:10::", "2001:1f:ffff:ffff:ffff:ffff:ffff:ffff", Reserved, Reserved, Public),
    ("2001:20::", "2001:2f:ffff:ffff:ffff:ffff:ffff:ffff", Public, Reserved, Public),
    ("2001:30::", "2001:3f:ffff:ffff:ffff:ffff:ffff:ffff", Public, Public, Reserved),
    ("2001:40::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved, Public, Public),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Documentation, Public, Public),
    (
        "2002::",
        "2002:ff:ffff:ffff:ffff:ffff:ffff:ffff",
        Unspecified,
        Public,
        AddressClass::EmbeddedV4(EmbeddedV4::SixToFour),
    ),
    ("2002:ffff:ffff::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Broadcast, Reserved, Public),
    ("2620:4f:8000::", "2620:4f:8000:ffff:ffff:ffff:ffff:ffff", Public, Public, Public),
    // After it is Teredo's first address, whose IPv4 is inverted.
    ("2000::", "2000:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Public, Reserved, Broadcast),
    ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Documentation, Public, Public),
    (
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        Public,
        Public,
        Reserved,
    ),
    ("4000::", "fbff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved, Public, UniqueLocal),
    ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved, Reserved, Reserved),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", UniqueLocal, Reserved, Reserved),
    ("fe00::", "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Reserved, UniqueLocal, LinkLocal),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", LinkLocal, Reserved, Private),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Private, LinkLocal, Multicast),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Multicast, Private, Multicast),
    ("fd00:ec2::254", "fd00:ec2::254", Metadata, UniqueLocal, UniqueLocal),
    ("fd00:ec2::23", "fd00:ec2::23", Metadata, UniqueLocal, UniqueLocal),
    ("fd20:ce::254", "fd20:ce::254", Metadata, UniqueLocal, UniqueLocal),
    ("fd00:42::42", "fd00:42::42", Metadata, UniqueLocal, UniqueLocal),
];

#[test]
fn every_range_begins_and_ends_where_the_registries_say() {
    for (first, last, expected, before, after) in V4.iter().chain(V6) {
        let (first, last): (IpAddr, IpAddr) = (first.parse().unwrap(), last.parse().unwrap());
        assert_eq!(AddressClass::of(first), *expected, "{first}");
        assert_eq!(AddressClass::of(last), *expected, "{last}");
        assert_eq!(AddressClass::of(step(first, false)), *before, "before {first}");
        assert_eq!(AddressClass::of(step(last, true)), *after, "after {last}");
    }
}

#[test]
fn every_row_of_the_tables_has_a_test() {
    let tested = |first: IpAddr| V4.iter().chain(V6).any(|row| row.0.parse() == Ok(first));
    let blocks = [
        "100::", "200::", "400::", "800::", "1000::", "6000::", "8000::", "a000::", "c000::",
        "e000::", "f000::", "f800::",
    ];
    for (net, class) in ranges::V6 {
        let first = IpAddr::V6(net.network());
        let named = blocks.iter().any(|block| block.parse() == Ok(first));
        let embedded = matches!(class, AddressClass::EmbeddedV4(_));
        // Teredo is at its start, and the rest of it is tested between what else it has.
        let assignments = net.prefix_len() == 23;
        // The anycast addresses are tested as one range.
        let anycast = net.prefix_len() == 128 && *class == Public;
        assert!(tested(first) || named || embedded || assignments || anycast, "{net}");
        if named {
            assert_eq!(
                (AddressClass::of(first), AddressClass::of(IpAddr::V6(net.broadcast()))),
                (Reserved, Reserved)
            );
        }
    }
    for (net, class) in ranges::V4 {
        let first = IpAddr::V4(net.network());
        assert!(tested(first) || *class == Public, "{net}");
    }
}

#[test]
fn ipv4_is_seen_through_in_each_form() {
    // The address inside, and its class.
    let inside = [
        ("127.0.0.1", "7f00:1", Loopback),
        ("10.1.2.3", "a01:203", Private),
        ("169.254.169.254", "a9fe:a9fe", Metadata),
        ("100.64.0.1", "6440:1", CarrierGrade),
        ("0.0.0.2", "0:2", Unspecified),
    ];
    for (v4, hex, expected) in inside {
        let bits = v4.parse::<std::net::Ipv4Addr>().unwrap().to_bits();
        let (high, low) = (!bits >> 16, !bits & 0xffff);
        for text in [
            v4.to_owned(),
            format!("::ffff:{hex}"),
            format!("::{hex}"),
            format!("::ffff:0:{hex}"),
            format!("64:ff9b::{hex}"),
            format!("64:ff9b:1::{hex}"),
            format!("64:ff9b:1:1:2:3:{hex}"),
            format!("2002:{hex}::1"),
            format!("2001:0:808:808:0:0:{high:x}:{low:x}"),
            format!("2606:4700::5efe:{hex}"),
            format!("2606:4700::200:5efe:{hex}"),
        ] {
            assert_eq!(class(&text), expected, "{text}");
        }
    }
    let public = [
        ("::ffff:8.8.8.8", Public),
        ("64:ff9b::8.8.8.8", Public),
        ("::8.8.8.8", COMPATIBLE),
        ("::ffff:0:8.8.8.8", AddressClass::EmbeddedV4(EmbeddedV4::Translated)),
        ("64:ff9b:1::8.8.8.8", LOCAL_NAT64),
        ("2002:808:808::1", AddressClass::EmbeddedV4(EmbeddedV4::SixToFour)),
        // Teredo with 8.8.8.8, inverted.
        ("2001:0:1::f7f7:f7f7", AddressClass::EmbeddedV4(EmbeddedV4::Teredo)),
        ("2606:4700::5efe:8.8.8.8", AddressClass::EmbeddedV4(EmbeddedV4::Isatap)),
        ("2606:4700::100:5efe:7f00:1", Public),
        ("fe80::5efe:8.8.8.8", LinkLocal),
    ];
    for (text, expected) in public {
        assert_eq!(class(text), expected, "{text}");
    }
}

/// The next address, or the one before; the same at the ends.
fn step(address: IpAddr, up: bool) -> IpAddr {
    match address {
        IpAddr::V4(v4) if up => IpAddr::V4(v4.to_bits().saturating_add(1).into()),
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().saturating_sub(1).into()),
        IpAddr::V6(v6) if up => IpAddr::V6(v6.to_bits().saturating_add(1).into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().saturating_sub(1).into()),
    }
}
