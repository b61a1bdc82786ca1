//! What one guest may look up, connect and send to.
//!
//! A guest that connects to an address shows no name, so names are checked where they are looked up, and the answers are
//! remembered: the address that was checked is the address that is connected to, whatever the name resolves to by then.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use super::{
    super::grant_error::shown,
    answers::{Answers, MAX_ANSWERS},
    class::AddressClass,
    host::{Host, HostPattern},
    names::Name,
    ports::Ports,
    refusal::{Refusal, RefusalReason},
    rule::{NetworkRule, Protocol},
};

/// The network grants of one guest, and what was resolved for it.
///
/// Cloning it is for a further guest with the same grants only before anything is remembered: answers belong to one guest.
#[derive(Clone, Debug)]
pub(crate) struct NetworkPolicy {
    rules: Arc<[NetworkRule]>,
    answers: Answers,
}

/// How a look-up that is allowed is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LookUp<'a> {
    /// It is an address already; no resolver is asked.
    Address(IpAddr),
    /// The resolver is asked for `name`, and its answers go through [`NetworkPolicy::remember`].
    Ask {
        /// The name in normal form, which is what the resolver is asked for.
        name: Name,
        /// The rule that allowed it.
        rule: &'a NetworkRule,
    },
}

/// Why a connection or datagram is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowed<'a> {
    rule: &'a NetworkRule,
    name: Option<&'a Name>,
}

impl<'a> Allowed<'a> {
    /// The rule that allows it.
    pub(crate) fn rule(&self) -> &'a NetworkRule {
        self.rule
    }

    /// The name that led to the address. None when the rule is of the address.
    pub(crate) fn name(&self) -> Option<&'a Name> {
        self.name
    }
}

impl NetworkPolicy {
    /// The policy of a guest that holds `rules`, and has looked up nothing yet.
    pub(crate) fn new(rules: impl IntoIterator<Item = NetworkRule>) -> Self {
        Self { rules: rules.into_iter().collect(), answers: Answers::default() }
    }

    /// The rules it holds.
    pub(crate) fn rules(&self) -> &[NetworkRule] {
        &self.rules
    }

    /// Whether the guest may look up `host`, which it chose. A name is looked up only if some rule covers it, for any
    /// port or protocol: asking a resolver already tells others what was asked.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: the name is not granted, is under `.sidecar`, or is no name. An address in another form, such as
    /// `127.1` or `0x7f000001`, is none.
    pub(crate) fn may_look_up(&self, host: &str) -> Result<LookUp<'_>, Refusal> {
        let name = match Host::read_looked_up(host) {
            Ok(Host::Address(address)) => return Ok(LookUp::Address(address)),
            Ok(Host::Name(name)) => name,
            Err(reason) => {
                let text = format!("the name `{}` {reason}", shown(host));
                return Err(Refusal::new(RefusalReason::Malformed, text));
            }
        };
        match self.rule_of(&name) {
            Some(rule) => Ok(LookUp::Ask { name, rule }),
            None => Err(no_rule_for(&name)),
        }
    }

    /// Remembers what a resolver answered, and returns what of it the guest may be told: the first [`MAX_ANSWERS`] addresses
    /// that are public, or that a rule covers by address. None is no error.
    ///
    /// # Errors
    ///
    /// A [`Refusal`]: all addresses are of classes that no rule names, or no rule covers the name.
    pub(crate) fn remember(
        &mut self,
        name: &Name,
        answers: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Vec<IpAddr>, Refusal> {
        let Some(rule) = self.rule_of(name) else { return Err(no_rule_for(name)) };
        let mut refused = None;
        let mut told = Vec::new();
        for address in answers.into_iter().map(|address| address.to_canonical()) {
            if self.may_be_told(name, address) {
                if !told.contains(&address) {
                    told.push(address);
                }
            } else {
                refused.get_or_insert(address);
            }
            if told.len() == MAX_ANSWERS {
                break;
            }
        }
        if let (Some(address), true) = (refused, told.is_empty()) {
            return Err(resolves_to(name, address, rule.protocol(), rule.ports()));
        }
        self.answers.add(name, &told);
        Ok(told)
    }

    /// The remembered answers of a name, the newest first.
    #[cfg(test)]
    pub(crate) fn answers(&self, name: &Name) -> &[IpAddr] {
        self.answers.of(name)
    }

    /// Whether the guest may connect, or send one datagram, to `address`. The scope and flow of an IPv6 address are not
    /// looked at: they choose the interface, not the host.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] with the rule that would allow it.
    pub(crate) fn may_connect(
        &self,
        address: SocketAddr,
        protocol: Protocol,
    ) -> Result<Allowed<'_>, Refusal> {
        let (ip, port) = (address.ip().to_canonical(), address.port());
        let Some(ports) = Ports::one(port) else {
            let text = format!("`{address}` has port 0, which nothing can be reached at");
            return Err(Refusal::new(RefusalReason::Malformed, text));
        };
        if let Some(rule) = self.rules.iter().find(|rule| rule.covers_address(ip, protocol, port)) {
            return Ok(Allowed { rule, name: None });
        }
        let class = AddressClass::of(ip);
        let names = self.answers.names(ip);
        let mut not_for = None;
        for name in names {
            match self.rules.iter().find(|rule| rule.covers_name(name, protocol, port)) {
                Some(rule) if is_for(ip, name) => return Ok(Allowed { rule, name: Some(name) }),
                // Another name may lead there all the same.
                Some(_) => not_for = not_for.or(Some(name)),
                None => {}
            }
        }
        if let Some(name) = not_for {
            return Err(resolves_to(name, ip, protocol, ports));
        }
        let own = NetworkRule::new(protocol, HostPattern::address(ip), ports);
        let refusal = match names.first() {
            Some(name) if is_for(ip, name) => {
                let rule = NetworkRule::new(protocol, HostPattern::Name(name.clone()), ports);
                let text = format!("no grant covers `{rule}`, which is `{own}`");
                Refusal::new(RefusalReason::NotGranted, text).suggest(rule)
            }
            _ if class.is_public() => {
                let text = format!("no grant covers `{own}`, and no granted name resolved to it");
                Refusal::new(RefusalReason::NotGranted, text).suggest(own)
            }
            _ => {
                let text = format!(
                    "`{own}` is {class}; only a grant of that address or of a range of such covers it"
                );
                Refusal::new(RefusalReason::SpecialAddress(class), text).suggest(own)
            }
        };
        Err(refusal)
    }

    fn rule_of(&self, name: &Name) -> Option<&NetworkRule> {
        self.rules.iter().find(|rule| rule.host().covers_name(name))
    }

    fn may_be_told(&self, name: &Name, address: IpAddr) -> bool {
        is_for(address, name) || self.rules.iter().any(|rule| rule.names_address(address))
    }
}

/// Whether a name may lead to an address. `localhost` is this machine by definition, so nothing else is: a resolver that
/// answers otherwise is wrong or lies. The loopback behind a translator is another machine's.
fn is_for(address: IpAddr, name: &Name) -> bool {
    match name.is_localhost() {
        true => address.is_loopback(),
        false => AddressClass::of(address).is_public(),
    }
}

fn no_rule_for(name: &Name) -> Refusal {
    if name.is_sidecar() {
        let text = format!("`{name}` is under `.sidecar`, where other sidecars have their names");
        return Refusal::new(RefusalReason::Reserved, text);
    }
    // Which port it is for is not known yet, and almost everything is encrypted.
    let rule = format!("{name}:443");
    Refusal::new(RefusalReason::NotGranted, format!("no grant covers the name `{name}`"))
        .suggest(rule)
}

fn resolves_to(name: &Name, address: IpAddr, protocol: Protocol, ports: Ports) -> Refusal {
    let class = AddressClass::of(address);
    let rule = NetworkRule::new(protocol, HostPattern::address(address), ports);
    let text = format!(
        "`{name}` is granted but resolves to `{address}`, {class}; only a grant of that address or of a range of such covers it"
    );
    Refusal::new(RefusalReason::ResolvesTo(class), text).suggest(rule)
}
