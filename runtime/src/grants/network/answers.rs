//! The resolver's answers to one guest, up to a fixed number.
//!
//! A guest may connect to what it was answered and to nothing else that a name would lead to later. Answers do not expire: what
//! was checked is the address, and the guest keeps it for as long as it likes anyway.

use std::{collections::HashMap, net::IpAddr};

use super::names::Name;

/// Names whose answers are remembered for one guest. A guest with a wildcard decides how many it looks up; the one looked up
/// longest ago goes first. A program connects right after it has looked up, so this is far more than it needs at a time, and
/// with [`MAX_ANSWERS`] it bounds a guest's share to a third of a megabyte.
pub(crate) const MAX_NAMES: usize = 256;

/// Answers remembered for one name, the newest first. Whoever runs a granted domain decides how many there are; large services
/// answer with fewer than ten, and a program tries them one after the other.
pub(crate) const MAX_ANSWERS: usize = 64;

#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    names: HashMap<Name, Entry>,
    /// The other way round, since connections ask by address.
    led_by: HashMap<IpAddr, Vec<Name>>,
    /// Look-ups so far, to know which name was looked up longest ago.
    count: u64,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    last: u64,
    addresses: Vec<IpAddr>,
}

impl Answers {
    /// Adds answers in front of older ones of the same name, which a guest may still be trying.
    pub(super) fn add(&mut self, name: &Name, addresses: &[IpAddr]) {
        if addresses.is_empty() {
            return;
        }
        let older = self.remove(name);
        if self.names.len() >= MAX_NAMES
            && let Some(oldest) = self.oldest()
        {
            self.remove(&oldest);
        }
        let mut kept: Vec<IpAddr> = Vec::new();
        for address in addresses.iter().chain(&older) {
            if kept.len() == MAX_ANSWERS {
                break;
            }
            if !kept.contains(address) {
                kept.push(*address);
                self.led_by.entry(*address).or_default().push(name.clone());
            }
        }
        self.count += 1;
        self.names.insert(name.clone(), Entry { last: self.count, addresses: kept });
    }

    /// What `name` resolved to, the newest answers first.
    #[cfg(test)]
    pub(super) fn of(&self, name: &Name) -> &[IpAddr] {
        self.names.get(name).map_or(&[], |entry| &entry.addresses)
    }

    /// The names that resolved to `address`.
    pub(super) fn names(&self, address: IpAddr) -> &[Name] {
        self.led_by.get(&address).map_or(&[], |names| names)
    }

    fn oldest(&self) -> Option<Name> {
        self.names.iter().min_by_key(|(_, entry)| entry.last).map(|(name, _)| name.clone())
    }

    fn remove(&mut self, name: &Name) -> Vec<IpAddr> {
        let Some(entry) = self.names.remove(name) else { return Vec::new() };
        for address in &entry.addresses {
            if let Some(names) = self.led_by.get_mut(address) {
                names.retain(|other| other != name);
                if names.is_empty() {
                    self.led_by.remove(address);
                }
            }
        }
        entry.addresses
    }
}
