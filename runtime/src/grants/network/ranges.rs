//! The tables of address ranges. The smallest range that has an address decides.
//!
//! They follow the [IPv4](https://www.iana.org/assignments/iana-ipv4-special-registry) and
//! [IPv6](https://www.iana.org/assignments/iana-ipv6-special-registry) special-purpose registries: what is "globally reachable"
//! there is public here. IPv6 outside `2000::/3`, of which nothing is assigned, is reserved as in the [IPv6 address
//! space](https://www.iana.org/assignments/ipv6-address-space). The addresses of clouds are in no registry.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::class::{
    AddressClass::{
        self, Benchmarking, Broadcast, CarrierGrade, Documentation, LinkLocal, Loopback, Metadata,
        Multicast, Private, Public, Reserved, UniqueLocal, Unspecified,
    },
    EmbeddedV4,
};

pub(super) const V4: &[(Ipv4Net, AddressClass)] = &[
    (v4([0, 0, 0, 0], 8), Unspecified),
    (v4([10, 0, 0, 0], 8), Private),
    (v4([100, 64, 0, 0], 10), CarrierGrade),
    (v4([127, 0, 0, 0], 8), Loopback),
    (v4([169, 254, 0, 0], 16), LinkLocal),
    (v4([172, 16, 0, 0], 12), Private),
    // Protocol assignments; two anycast addresses among them are reachable: PCP and TURN.
    (v4([192, 0, 0, 0], 24), Reserved),
    (v4([192, 0, 0, 9], 32), Public),
    (v4([192, 0, 0, 10], 32), Public),
    (v4([192, 0, 2, 0], 24), Documentation),
    // 6to4 relays, withdrawn.
    (v4([192, 88, 99, 0], 24), Reserved),
    (v4([192, 168, 0, 0], 16), Private),
    (v4([198, 18, 0, 0], 15), Benchmarking),
    (v4([198, 51, 100, 0], 24), Documentation),
    (v4([203, 0, 113, 0], 24), Documentation),
    (v4([224, 0, 0, 0], 4), Multicast),
    (v4([240, 0, 0, 0], 4), Reserved),
    (v4([255, 255, 255, 255], 32), Broadcast),
    // Clouds: EC2, Azure, Google, Oracle and most others; ECS and EKS credentials; Scaleway; Azure's host, which
    // looks public; Alibaba; Oracle.
    (v4([169, 254, 169, 254], 32), Metadata),
    (v4([169, 254, 170, 2], 32), Metadata),
    (v4([169, 254, 170, 23], 32), Metadata),
    (v4([169, 254, 42, 42], 32), Metadata),
    (v4([168, 63, 129, 16], 32), Metadata),
    (v4([100, 100, 100, 200], 32), Metadata),
    (v4([192, 0, 0, 192], 32), Metadata),
];

pub(super) const V6: &[(Ipv6Net, AddressClass)] = &[
    // What is not global unicast.
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 8), Reserved),
    (v6([0x0100, 0, 0, 0, 0, 0, 0, 0], 8), Reserved),
    (v6([0x0200, 0, 0, 0, 0, 0, 0, 0], 7), Reserved),
    (v6([0x0400, 0, 0, 0, 0, 0, 0, 0], 6), Reserved),
    (v6([0x0800, 0, 0, 0, 0, 0, 0, 0], 5), Reserved),
    (v6([0x1000, 0, 0, 0, 0, 0, 0, 0], 4), Reserved),
    (v6([0x4000, 0, 0, 0, 0, 0, 0, 0], 3), Reserved),
    (v6([0x6000, 0, 0, 0, 0, 0, 0, 0], 3), Reserved),
    (v6([0x8000, 0, 0, 0, 0, 0, 0, 0], 3), Reserved),
    (v6([0xa000, 0, 0, 0, 0, 0, 0, 0], 3), Reserved),
    (v6([0xc000, 0, 0, 0, 0, 0, 0, 0], 3), Reserved),
    (v6([0xe000, 0, 0, 0, 0, 0, 0, 0], 4), Reserved),
    (v6([0xf000, 0, 0, 0, 0, 0, 0, 0], 5), Reserved),
    (v6([0xf800, 0, 0, 0, 0, 0, 0, 0], 6), Reserved),
    (v6([0xfe00, 0, 0, 0, 0, 0, 0, 0], 9), Reserved),
    // The special-purpose registry.
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 128), Unspecified),
    (v6([0, 0, 0, 0, 0, 0, 0, 1], 128), Loopback),
    (v6([0, 0, 0, 0, 0, 0, 0, 0], 96), AddressClass::EmbeddedV4(EmbeddedV4::Compatible)),
    (v6([0, 0, 0, 0, 0xffff, 0, 0, 0], 96), AddressClass::EmbeddedV4(EmbeddedV4::Translated)),
    (v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96), AddressClass::EmbeddedV4(EmbeddedV4::Nat64)),
    (v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48), AddressClass::EmbeddedV4(EmbeddedV4::LocalNat64)),
    // Discard-only, dummy.
    (v6([0x100, 0, 0, 0, 0, 0, 0, 0], 64), Reserved),
    (v6([0x100, 0, 0, 1, 0, 0, 0, 0], 64), Reserved),
    // Protocol assignments, and what of them is reachable: PCP, TURN and DNS-SD anycast, AMT, AS112, ORCHIDv2, DETs.
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 23), Reserved),
    (v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32), AddressClass::EmbeddedV4(EmbeddedV4::Teredo)),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 1], 128), Public),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 2], 128), Public),
    (v6([0x2001, 1, 0, 0, 0, 0, 0, 3], 128), Public),
    (v6([0x2001, 2, 0, 0, 0, 0, 0, 0], 48), Benchmarking),
    (v6([0x2001, 3, 0, 0, 0, 0, 0, 0], 32), Public),
    (v6([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48), Public),
    (v6([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28), Public),
    (v6([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28), Public),
    (v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32), Documentation),
    (v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16), AddressClass::EmbeddedV4(EmbeddedV4::SixToFour)),
    (v6([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20), Documentation),
    // Segment routing.
    (v6([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16), Reserved),
    (v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7), UniqueLocal),
    (v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10), LinkLocal),
    (v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10), Private),
    (v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8), Multicast),
    // Clouds: EC2, EKS credentials, Google, Scaleway.
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128), Metadata),
    (v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23], 128), Metadata),
    (v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128), Metadata),
    (v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128), Metadata),
];

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)
}

const fn v6([a, b, c, d, e, f, g, h]: [u16; 8], length: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, g, h), length)
}
