//! The class of an address, and the range that a rule must be within to cover it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{
    class::{AddressClass, EmbeddedV4},
    embedded::{self, Embedded},
    ranges::{V4, V6},
};

impl AddressClass {
    /// The class of an address.
    pub(crate) fn of(address: IpAddr) -> Self {
        Place::of(address).class
    }
}

/// The class of an address, and the range that gives it that class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) class: AddressClass,
    /// A rule for a range inside this one means addresses of this class.
    pub(super) net: IpNet,
}

impl Place {
    pub(super) fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                let (net, class) = row_of_v4(address);
                Self { class, net: net.into() }
            }
            IpAddr::V6(address) => {
                let (net, class) = row_of_v6(address);
                match embedded::find(address, class) {
                    Some(embedded) => see_through(address, net, embedded),
                    None => Self { class, net: net.into() },
                }
            }
        }
    }
}

fn row_of_v4(address: Ipv4Addr) -> (Ipv4Net, AddressClass) {
    let rows = V4.iter().filter(|(net, _)| net.contains(&address));
    let row = rows.max_by_key(|(net, _)| net.prefix_len());
    row.copied().unwrap_or((Ipv4Net::default(), AddressClass::Public))
}

/// The row of the table, before any IPv4 inside is looked at.
fn row_of_v6(address: Ipv6Addr) -> (Ipv6Net, AddressClass) {
    let rows = V6.iter().filter(|(net, _)| net.contains(&address));
    let row = rows.max_by_key(|(net, _)| net.prefix_len());
    row.copied().unwrap_or((Ipv6Net::default(), AddressClass::Public))
}

/// Where an address belongs that is in the range `net` of the table and has an IPv4 address inside.
///
/// An address that leads to one which is not public has the class of that one, whatever it looks like. One that leads to a public
/// address is public only through NAT64's well-known prefix, which IPv6-only networks use for all of IPv4. The other ways are out
/// of use, or belong to a network that a grant has to name.
fn see_through(address: Ipv6Addr, net: Ipv6Net, embedded: Embedded) -> Place {
    let Embedded { form, inside, before } = embedded;
    let (row, class) = row_of_v4(inside);
    if class.is_public() {
        // An interface identifier makes no range of the table.
        let net = if form == EmbeddedV4::Isatap { Ipv6Net::from(address) } else { net };
        let class = match form {
            EmbeddedV4::Nat64 => AddressClass::Public,
            form => AddressClass::EmbeddedV4(form),
        };
        return Place { class, net: net.into() };
    }
    // Only a range as narrow as that of the class inside means it.
    let narrow = before.and_then(|before| Ipv6Net::new(address, before + row.prefix_len()).ok());
    Place { class, net: IpNet::V6(narrow.map_or(Ipv6Net::from(address), |net| net.trunc())) }
}
