//! Classifies addresses: public, or with a meaning that depends on the machine or network.

use std::fmt;

/// Classes of addresses. Only [`Public`](Self::Public) ones are what a granted name may resolve to.
///
/// IPv4 inside IPv6 is seen through: the class of `64:ff9b::127.0.0.1` is [`Loopback`](Self::Loopback).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AddressClass {
    /// Reachable from everywhere.
    Public,
    /// "This host" or "this network": `0.0.0.0/8`, `::`. Systems connect it to loopback.
    Unspecified,
    /// This machine: `127.0.0.0/8`, `::1`.
    Loopback,
    /// A site's own network: `10.0.0.0/8`, `172.16.0.0/12`, `192.168.0.0/16`, and once `fec0::/10`.
    Private,
    /// A provider's own network, behind its address translation: `100.64.0.0/10`.
    CarrierGrade,
    /// The cable or cell: `169.254.0.0/16`, `fe80::/10`.
    LinkLocal,
    /// A site's own network in IPv6: `fc00::/7`.
    UniqueLocal,
    /// Groups: `224.0.0.0/4`, `ff00::/8`.
    Multicast,
    /// All of the local network: `255.255.255.255`.
    Broadcast,
    /// Examples in texts: `192.0.2.0/24`, `2001:db8::/32` and others.
    Documentation,
    /// Measurements in laboratories: `198.18.0.0/15`, `2001:2::/48`.
    Benchmarking,
    /// Held back by IANA or the IETF, or of a protocol that is no longer used.
    Reserved,
    /// Where a cloud gives a machine its credentials: `169.254.169.254`, `fd00:ec2::254` and others.
    Metadata,
    /// A public IPv4 address inside an IPv6 address of a kind that goes through a tunnel or a translator nobody named.
    EmbeddedV4(EmbeddedV4),
}

/// Ways to write an IPv4 address inside an IPv6 address.
///
/// IPv4-mapped addresses (`::ffff:0:0/96`) are not among them: to a socket they *are* IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum EmbeddedV4 {
    /// `::/96`, no longer used.
    Compatible,
    /// `::ffff:0:0:0/96`, of stateless translators.
    Translated,
    /// `64:ff9b::/96`. A public address inside is public: this is how IPv6-only networks reach IPv4.
    Nat64,
    /// `64:ff9b:1::/48`, a translator of the local network.
    LocalNat64,
    /// `2002::/16`.
    SixToFour,
    /// `2001::/32`.
    Teredo,
    /// Interface identifiers that begin with `0:5efe` or `200:5efe`.
    Isatap,
}

impl AddressClass {
    /// Whether a granted name may resolve to it.
    pub(crate) fn is_public(self) -> bool {
        self == Self::Public
    }
}

/// As it is said of one address: "is a loopback address".
impl fmt::Display for AddressClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "a public address",
            Self::Unspecified => "the address of no host, which means this machine",
            Self::Loopback => "a loopback address",
            Self::Private => "a private address",
            Self::CarrierGrade => "an address of a provider's own network",
            Self::LinkLocal => "a link-local address",
            Self::UniqueLocal => "a unique-local address",
            Self::Multicast => "a multicast address",
            Self::Broadcast => "the broadcast address",
            Self::Documentation => "an address for documentation",
            Self::Benchmarking => "an address for benchmarks",
            Self::Reserved => "a reserved address",
            Self::Metadata => "the address of a cloud's metadata service",
            Self::EmbeddedV4(form) => return write!(f, "an IPv4 address inside IPv6 ({form})"),
        })
    }
}

impl fmt::Display for EmbeddedV4 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Compatible => "IPv4-compatible",
            Self::Translated => "IPv4-translated",
            Self::Nat64 => "NAT64",
            Self::LocalNat64 => "local NAT64",
            Self::SixToFour => "6to4",
            Self::Teredo => "Teredo",
            Self::Isatap => "ISATAP",
        })
    }
}
