//! IPv4 addresses inside IPv6 addresses, which tunnels and translators connect to.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::class::{AddressClass, EmbeddedV4};

/// What an interface identifier of ISATAP begins with, and the same with the bit for "assigned by an authority":
/// [RFC 5214](https://www.rfc-editor.org/rfc/rfc5214#section-6.1).
const ISATAP: [u32; 2] = [0x0000_5efe, 0x0200_5efe];

/// An IPv4 address inside an IPv6 address.
pub(super) struct Embedded {
    pub(super) form: EmbeddedV4,
    pub(super) inside: Ipv4Addr,
    /// The bits before it, where it stands as it is.
    pub(super) before: Option<u8>,
}

/// The IPv4 address inside an address that is of `class` in the table.
pub(super) fn find(address: Ipv6Addr, class: AddressClass) -> Option<Embedded> {
    let form = match class {
        AddressClass::EmbeddedV4(form) => form,
        AddressClass::Public if is_isatap(address) => EmbeddedV4::Isatap,
        _ => return None,
    };
    let bits = address.to_bits();
    let (inside, before) = match form {
        // The prefix of a local translator may end earlier, which no one can see from outside; /96 is what is in use.
        EmbeddedV4::Compatible
        | EmbeddedV4::Translated
        | EmbeddedV4::Nat64
        | EmbeddedV4::LocalNat64 => (low(bits), Some(96)),
        EmbeddedV4::SixToFour => (low(bits >> 80), Some(16)),
        // Inverted, so that translators on the way leave it alone: RFC 4380, section 4.
        EmbeddedV4::Teredo => (low(!bits), None),
        // Behind the network's own part, so there is no range of them.
        EmbeddedV4::Isatap => (low(bits), None),
    };
    Some(Embedded { form, inside: Ipv4Addr::from_bits(inside), before })
}

fn is_isatap(address: Ipv6Addr) -> bool {
    ISATAP.contains(&low(address.to_bits() >> 32))
}

/// The lowest 32 bits.
#[expect(clippy::cast_possible_truncation, reason = "the lowest bits are what is asked for")]
fn low(bits: u128) -> u32 {
    bits as u32
}
