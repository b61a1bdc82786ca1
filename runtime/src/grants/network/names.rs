//! Names of hosts in one form: lower case, punycode, no dot at the end.
//!
//! Two names are the same host if and only if their normal forms are equal, so a comparison never has to normalise. What a
//! URL parser would read as an IPv4 address (`127.1`, `0x7f.1`, `2130706433`) is no name here, and no address either:
//! programs differ in how they read it, and a grant must not depend on which of them looks.

use std::{fmt, str::FromStr, sync::Arc};

use super::super::grant_error::GrantError;

/// Longest text that is read as a name, in bytes. A guest chooses it. Names have at most 253 bytes, and four times as
/// much leaves room for one in another script; normalising a longer text would be work for nothing.
const MAX_TEXT: usize = 1024;

/// Longest name in bytes without the last dot, and longest label: [RFC 1035](https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// The name of a host in normal form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name(Arc<str>);

impl Name {
    /// The normal form. International names are in punycode.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is below `domain`, at any depth. A domain is not below itself.
    pub(crate) fn is_below(&self, domain: &Self) -> bool {
        self.0.strip_suffix(domain.as_str()).is_some_and(|labels| labels.ends_with('.'))
    }

    /// Whether it means this machine by definition: `localhost` and names below it
    /// ([RFC 6761](https://www.rfc-editor.org/rfc/rfc6761#section-6.3)).
    pub(crate) fn is_localhost(&self) -> bool {
        self.last_label() == "localhost"
    }

    /// Whether it is `sidecar` or below it, where other sidecars have their names.
    pub(crate) fn is_sidecar(&self) -> bool {
        self.last_label() == "sidecar"
    }

    pub(super) fn is_single_label(&self) -> bool {
        !self.0.contains('.')
    }

    fn last_label(&self) -> &str {
        self.0.rsplit('.').next().unwrap_or_default()
    }

    /// Reads a name, or says what is wrong in words that go on after the whole entry.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(
                "has no host; write a name like `api.example.com`, or an address".to_owned()
            );
        }
        if text.len() > MAX_TEXT {
            return Err(format!(
                "has a name of more than {MAX_NAME} bytes, which DNS does not allow"
            ));
        }
        // Before anything decodes it: `%2e` is a dot to some readers and text to others.
        if let Some(other) = text.chars().find(|&c| c.is_ascii() && !is_ascii_of_names(c)) {
            return Err(match other {
                '@' => "has user information before `@`; remove it".to_owned(),
                '%' => "has a `%`: zones and percent-encoding are not read in hosts; remove it"
                    .to_owned(),
                '*' => {
                    "has a `*` that is not its whole first label; write `*.example.com`".to_owned()
                }
                other => format!(
                    "has `{}` in its host, which no name has; remove it",
                    other.escape_default()
                ),
            });
        }
        let domain = match url::Host::parse(text) {
            Ok(url::Host::Domain(domain)) => domain,
            Ok(url::Host::Ipv4(address)) => {
                return Err(format!("is an IPv4 address in another form; write `{address}`"));
            }
            Err(url::ParseError::InvalidIpv4Address) => {
                return Err(
                    "ends in a number and is no IPv4 address; write four decimal numbers without \
                            leading zeros"
                        .to_owned(),
                );
            }
            Ok(url::Host::Ipv6(_)) | Err(_) => {
                return Err("has a host that is no name, neither in ASCII nor internationally; write one like \
                            `api.example.com`"
                    .to_owned());
            }
        };
        let name = domain.strip_suffix('.').unwrap_or(&domain);
        if name.len() > MAX_NAME {
            return Err(format!(
                "has a name of more than {MAX_NAME} bytes, which DNS does not allow"
            ));
        }
        for label in name.split('.') {
            if label.is_empty() {
                return Err("has an empty label: it starts with a dot or has two dots in a row; remove the extra dot"
                    .to_owned());
            }
            if label.len() > MAX_LABEL {
                return Err(format!(
                    "has a label of more than {MAX_LABEL} bytes, which DNS does not allow"
                ));
            }
            // Once more, since what was not ASCII has become ASCII.
            if !label.chars().all(is_ascii_of_names) {
                return Err(
                    "has characters in its host that are mapped to other characters; write those instead"
                        .to_owned(),
                );
            }
        }
        Ok(Self(name.into()))
    }
}

/// Letters, digits, hyphens and dots; and underscores, which are in the names of services though not of hosts.
fn is_ascii_of_names(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

impl FromStr for Name {
    type Err = GrantError;

    fn from_str(text: &str) -> Result<Self, GrantError> {
        Self::read(text).map_err(|reason| GrantError::new(text, reason))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
