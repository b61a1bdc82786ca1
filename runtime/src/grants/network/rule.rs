//! One network grant: `HOST:PORT`, as it is written in configuration.

use std::{fmt, net::IpAddr, str::FromStr};

use super::{
    super::{grant_error::GrantError, refusal},
    host::HostPattern,
    names::Name,
    place::Place,
    ports::Ports,
};
use crate::Error;

/// Longest entry that is read, in bytes: longer than any name with its port. An app's own page can hand over entries.
const MAX_ENTRY: usize = 2048;

/// What a socket speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Protocol {
    /// Connections; what a rule means that names no protocol.
    Tcp,
    /// Datagrams.
    Udp,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        })
    }
}

/// A host, ports and a protocol that a guest may connect or send to.
///
/// Written `api.example.com:443`, `*.example.com:8000-8010`, `10.0.0.0/8:*`, `[fd00::1]:53`, `[fd00::/8]:80`, each also
/// with `udp://` or `tcp://` in front. It is shown in normal form: lower case, international names in punycode, no dot at the
/// end of a name, IPv4 in IPv6 form as IPv4, `tcp://` left out.
///
/// A rule of a *name* covers what the name resolves to only where that is a public address; the exception is `localhost`, which
/// is this machine by definition. A rule of an *address* covers that address, whatever it is. A rule of a *range* covers the
/// public addresses in it, and others if the range lies within their class: `10.0.0.0/8` covers private addresses, `0.0.0.0/0`
/// does not.
///
/// ```
/// use wasi_sidecar::NetworkRule;
///
/// let rule: NetworkRule = "TCP://API.Example.com.:443".parse()?;
/// assert_eq!(rule.to_string(), "api.example.com:443");
/// assert!("https://api.example.com/".parse::<NetworkRule>().is_err());
/// # Ok::<(), wasi_sidecar::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NetworkRule {
    protocol: Protocol,
    host: HostPattern,
    ports: Ports,
}

impl NetworkRule {
    pub(in super::super) fn new(protocol: Protocol, host: HostPattern, ports: Ports) -> Self {
        Self { protocol, host, ports }
    }

    /// TCP or UDP.
    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// Which hosts it covers.
    pub(crate) fn host(&self) -> &HostPattern {
        &self.host
    }

    /// Which ports it covers.
    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// Whether it covers connections to `name`, as far as that depends on the name.
    pub(super) fn covers_name(&self, name: &Name, protocol: Protocol, port: u16) -> bool {
        self.host.covers_name(name) && self.covers_port(protocol, port)
    }

    /// Whether it covers connections to an address that no name led to.
    pub(super) fn covers_address(&self, address: IpAddr, protocol: Protocol, port: u16) -> bool {
        self.names_address(address) && self.covers_port(protocol, port)
    }

    /// Whether its range has `address`, and means it: a range that reaches beyond the class of an address that is not public
    /// was hardly written for it.
    pub(super) fn names_address(&self, address: IpAddr) -> bool {
        let Some(net) = self.host.net().filter(|net| net.contains(&address)) else { return false };
        let place = Place::of(address);
        place.class.is_public()
            || net.prefix_len() == net.max_prefix_len()
            || place.net.contains(net)
    }

    fn covers_port(&self, protocol: Protocol, port: u16) -> bool {
        self.protocol == protocol && self.ports.contains(port)
    }

    fn read(entry: &str) -> Result<Self, String> {
        if entry.is_empty() {
            return Err(format!("is empty; {HELP}"));
        }
        if entry.len() > MAX_ENTRY {
            return Err(format!("has more than {MAX_ENTRY} bytes; {HELP}"));
        }
        if entry.trim() != entry {
            return Err("has space around it; remove it".to_owned());
        }
        let (protocol, rest) = match entry.split_once("://") {
            Some((scheme, rest)) => (read_protocol(scheme, rest)?, rest),
            None => (Protocol::Tcp, entry),
        };
        if rest.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("sidecar:")) {
            return Err(
                "is about another sidecar, whose network is not reached by a host; write a host"
                    .to_owned(),
            );
        }
        if rest.contains('@') {
            return Err("has user information before `@`; remove it".to_owned());
        }
        let (host, ports) = split_port(rest)?;
        Ok(Self { protocol, host: HostPattern::read(host)?, ports: Ports::read(ports)? })
    }
}

/// What to write, for entries that are too far from a rule to say more.
const HELP: &str = "write a host and a port, like `api.example.com:443`";

fn read_protocol(scheme: &str, rest: &str) -> Result<Protocol, String> {
    match scheme.to_ascii_lowercase().as_str() {
        "tcp" => Ok(Protocol::Tcp),
        "udp" => Ok(Protocol::Udp),
        url @ ("http" | "https" | "ws" | "wss") => {
            let port = if matches!(url, "http" | "ws") { "80" } else { "443" };
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let (host, port) = split_port(authority).unwrap_or((authority, port));
            Err(match (HostPattern::read(host), Ports::read(port)) {
                (Ok(host), Ok(ports)) => format!(
                    "is a URL; grant requests to it as HTTP, or connections as `{host}:{ports}`"
                ),
                _ => format!("is a URL; {HELP}"),
            })
        }
        _ => Err("has a protocol that is neither `tcp://` nor `udp://`; write one of them, or none for TCP".to_owned()),
    }
}

/// Splits at the last colon that is not inside brackets.
fn split_port(text: &str) -> Result<(&str, &str), String> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or("has no `]` after its IPv6 address; add it")?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(ports) => Ok((host, ports)),
            None if rest.is_empty() => {
                Err("has no port; write it after the brackets, like `[fd00::1]:443`".to_owned())
            }
            None if rest.starts_with('/') => Err(
                "has its prefix length after the brackets; write it inside, like `[fd00::/8]:443`"
                    .to_owned(),
            ),
            None => {
                Err("has something other than `:` and a port after its brackets; remove it"
                    .to_owned())
            }
        };
    }
    let Some((host, ports)) = text.rsplit_once(':') else {
        return Err(match HostPattern::read(text) {
            Ok(host) => format!("has no port; write `{host}:443`, or `{host}:*` for all ports"),
            Err(reason) => format!("has no port and {reason}"),
        });
    };
    if host.contains(':') {
        return Err("has more than one `:`; write IPv6 addresses in brackets, like `[fd00::1]:443`, and no path".to_owned());
    }
    Ok((host, ports))
}

impl FromStr for NetworkRule {
    type Err = Error;

    /// The error is of the kind [`Grant`](crate::ErrorKind::Grant). It names the entry, what is wrong and what to write instead.
    fn from_str(entry: &str) -> Result<Self, Error> {
        Self::read(entry).map_err(|reason| refusal(GrantError::new(entry, reason).to_string()))
    }
}

impl TryFrom<&str> for NetworkRule {
    type Error = Error;

    fn try_from(entry: &str) -> Result<Self, Error> {
        entry.parse()
    }
}

impl TryFrom<String> for NetworkRule {
    type Error = Error;

    fn try_from(entry: String) -> Result<Self, Error> {
        entry.parse()
    }
}

impl fmt::Display for NetworkRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.protocol != Protocol::Tcp {
            write!(f, "{}://", self.protocol)?;
        }
        write!(f, "{}:{}", self.host, self.ports)
    }
}
