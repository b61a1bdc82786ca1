//! Hosts: one that a guest names, and the pattern of a rule that may cover it.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use ipnet::{IpNet, Ipv4Net};

use super::names::Name;

/// A host, by name or by address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Host {
    /// To be looked up.
    Name(Name),
    /// IPv4 in IPv6 form (`::ffff:10.0.0.1`) is IPv4 here.
    Address(IpAddr),
}

/// Which hosts a rule covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum HostPattern {
    /// One name.
    Name(Name),
    /// All names below one, at any depth, and not the name itself.
    Subdomains(Name),
    /// An address, or a range of them. IPv4 in IPv6 form is IPv4 here.
    Net(IpNet),
}

impl Host {
    /// Reads what a program hands to a resolver: IPv6 has no brackets.
    pub(super) fn read_looked_up(text: &str) -> Result<Self, String> {
        match text.parse::<IpAddr>() {
            Ok(address) => Ok(Self::Address(address.to_canonical())),
            Err(_) => Name::read(text).map(Self::Name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(IpAddr::V4(address)) => address.fmt(f),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

impl HostPattern {
    /// One address.
    pub(in super::super) fn address(address: IpAddr) -> Self {
        Self::Net(IpNet::from(address.to_canonical()))
    }

    /// Reads the host of a rule, or says what is wrong in words that go on after the whole entry.
    pub(in super::super) fn read(text: &str) -> Result<Self, String> {
        if let Some(domain) = text.strip_prefix("*.") {
            return read_subdomains(domain);
        }
        if text == "*" {
            return Err("covers every name there is, which no grant does; write a domain like \
                        `*.example.com`, or ranges of addresses"
                .to_owned());
        }
        let (inside, brackets) = match text.strip_prefix('[') {
            Some(rest) => {
                (rest.strip_suffix(']').ok_or("has no `]` after its IPv6 address; add it")?, true)
            }
            None => (text, false),
        };
        let (address, length) = match inside.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (inside, None),
        };
        let address = if brackets {
            IpAddr::V6(read_v6(address)?)
        } else if let Ok(address) = address.parse::<Ipv4Addr>() {
            IpAddr::V4(address)
        } else if length.is_some() {
            return Err("has a path; a host has none. A range is an address and a length, like \
                        `10.0.0.0/8` or `[fd00::/8]`"
                .to_owned());
        } else {
            return reserved(Name::read(address)?).map(Self::Name);
        };
        match length {
            Some(length) => read_net(address, length).map(Self::Net),
            None => Ok(Self::address(address)),
        }
    }

    /// Whether it is `name` or covers it by a wildcard.
    pub(crate) fn covers_name(&self, name: &Name) -> bool {
        match self {
            Self::Name(own) => own == name,
            Self::Subdomains(domain) => name.is_below(domain),
            Self::Net(_) => false,
        }
    }

    /// The range, of a pattern that is one.
    pub(super) fn net(&self) -> Option<&IpNet> {
        match self {
            Self::Net(net) => Some(net),
            Self::Name(_) | Self::Subdomains(_) => None,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Subdomains(domain) => write!(f, "*.{domain}"),
            Self::Net(net) if net.prefix_len() == net.max_prefix_len() => {
                Host::Address(net.addr()).fmt(f)
            }
            Self::Net(IpNet::V4(net)) => net.fmt(f),
            Self::Net(IpNet::V6(net)) => write!(f, "[{net}]"),
        }
    }
}

fn read_subdomains(domain: &str) -> Result<HostPattern, String> {
    if domain.parse::<Ipv4Addr>().is_ok() || domain.starts_with('[') {
        return Err(
            "has a wildcard before an address; write a range, like `10.0.0.0/8` or `[fd00::/8]`"
                .to_owned(),
        );
    }
    let domain = reserved(Name::read(domain)?)?;
    if domain.is_localhost() {
        return Err("has a wildcard before `localhost`; write `localhost`".to_owned());
    }
    // A whole top-level domain is nearly as much as all names, and anybody can have a name in it.
    if domain.is_single_label() {
        return Err(format!(
            "covers all of the top-level domain `{domain}`; write a domain in it, like `*.example.{domain}`"
        ));
    }
    Ok(HostPattern::Subdomains(domain))
}

fn reserved(name: Name) -> Result<Name, String> {
    if name.is_sidecar() {
        return Err(
            "is under `.sidecar`, where other sidecars have their names; write another host"
                .to_owned(),
        );
    }
    Ok(name)
}

fn read_v6(text: &str) -> Result<Ipv6Addr, String> {
    if text.contains('%') {
        return Err("has a zone after `%`, which differs between machines; remove it".to_owned());
    }
    text.parse().map_err(|_| {
        "has brackets, and no IPv6 address in them; write one like `[2001:4860::1]`".to_owned()
    })
}

fn read_net(address: IpAddr, length: &str) -> Result<IpNet, String> {
    let most = if address.is_ipv4() { 32 } else { 128 };
    let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (length == "0" || !length.starts_with('0'));
    let net = length
        .parse()
        .ok()
        .filter(|_| canonical)
        .and_then(|length| IpNet::new(address, length).ok());
    let Some(net) = net else {
        return Err(format!("has no length of a range after `/`; write a number from 0 to {most}"));
    };
    if net.trunc() != net {
        return Err(format!(
            "has an address and a range in one; write `{}` for the range or `{}` for the address",
            HostPattern::Net(net.trunc()),
            HostPattern::address(address)
        ));
    }
    Ok(canonical_net(net))
}

/// A range of IPv4 in IPv6 form as IPv4, since addresses are compared that way.
fn canonical_net(net: IpNet) -> IpNet {
    /// Bits before the IPv4 address in `::ffff:0:0/96`.
    const MAPPED: u8 = 96;
    let length = net.prefix_len().checked_sub(MAPPED);
    match (net, net.addr().to_canonical(), length) {
        (IpNet::V6(_), IpAddr::V4(address), Some(length)) => {
            Ipv4Net::new(address, length).map_or(net, IpNet::V4)
        }
        _ => net,
    }
}
