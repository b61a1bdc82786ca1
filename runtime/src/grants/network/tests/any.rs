//! What holds for any text and any address, against `url` and `ipnet` read on their own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ipnet::IpNet;
use proptest::prelude::*;

use super::*;

/// Text made of what matters in rules, next to any other.
fn entry() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("example.com"),
        Just("a"),
        Just("*"),
        Just("."),
        Just(":"),
        Just("["),
        Just("]"),
        Just("/"),
        Just("8"),
        Just("443"),
        Just("10.0.0.0"),
        Just("127.0.0.1"),
        Just("::ffff:"),
        Just("fd00::"),
        Just("udp://"),
        Just("tcp://"),
        Just("https://"),
        Just("@"),
        Just("%2e"),
        Just("-"),
        Just("localhost"),
        Just("ü"),
        Just("。"),
        Just("xn--"),
        Just("0x7f"),
        Just("sidecar"),
        Just("\0"),
        Just(" "),
        Just("\u{202e}"),
    ];
    prop_oneof![
        any::<String>(),
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    ]
}

#[derive(Clone, Debug)]
enum Grant {
    Name(&'static str),
    Below(&'static str),
    Net(IpNet),
}

const NAMES: [&str; 5] =
    ["example.com", "a.example.com", "b.a.example.com", "evilexample.com", "localhost"];

fn address() -> impl Strategy<Value = IpAddr> {
    let few = prop::sample::select(vec![
        "127.0.0.1",
        "10.0.0.1",
        "8.8.8.8",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "2606:4700::1",
        "::ffff:10.0.0.1",
        "64:ff9b::808:808",
        "64:ff9b::a00:1",
        "192.168.1.1",
        "0.0.0.0",
        "fe80::1",
    ]);
    prop_oneof![
        few.prop_map(|text| text.parse().unwrap()),
        any::<u32>().prop_map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits))),
        any::<u128>().prop_map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits))),
    ]
}

fn grant() -> impl Strategy<Value = Grant> {
    prop_oneof![
        prop::sample::select(&NAMES[..]).prop_map(Grant::Name),
        prop::sample::select(&NAMES[..3]).prop_map(Grant::Below),
        (address(), 0u8..=128).prop_map(|(address, length)| {
            let address = address.to_canonical();
            let most = if address.is_ipv4() { 32 } else { 128 };
            Grant::Net(IpNet::new(address, length.min(most)).unwrap().trunc())
        }),
    ]
}

fn rule_of(grant: &Grant, port: u16) -> NetworkRule {
    rule(&match grant {
        Grant::Name(name) => format!("{name}:{port}"),
        Grant::Below(domain) => format!("*.{domain}:{port}"),
        Grant::Net(IpNet::V4(net)) => format!("{net}:{port}"),
        Grant::Net(IpNet::V6(net)) => format!("[{net}]:{port}"),
    })
}

/// What the standard library knows to be special, without looking into IPv6.
fn is_surely_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_loopback()
                || v4.is_private()
                || v4.is_link_local()
                || v4.is_broadcast()
                || v4.is_documentation()
                || v4.is_multicast()
                || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                || v6.is_multicast()
                || v6.is_unspecified()
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_a_rule_or_refused(text in entry()) {
        match text.parse::<NetworkRule>() {
            Ok(rule) => {
                let shown = rule.to_string();
                let again = shown.parse::<NetworkRule>();
                prop_assert_eq!(again.as_ref().ok(), Some(&rule), "{} as {}", text, shown);
                // Whoever reads the normal form as a URL sees the same host.
                if let HostPattern::Name(name) = rule.host() {
                    let url = url::Url::parse(&format!("http://{name}/")).unwrap();
                    prop_assert_eq!(url.host_str(), Some(name.as_str()));
                }
            }
            Err(error) => {
                let said = error.to_string();
                prop_assert!(said.len() < 1000 && !said.chars().any(crate::text::is_hidden), "{said:?}");
            }
        }
    }

    #[test]
    fn any_text_can_be_looked_up_or_is_refused(text in entry()) {
        let policy = policy(&["example.com:443", "*.example.com:443"]);
        match policy.may_look_up(&text) {
            Ok(LookUp::Ask { name, .. }) => {
                let host = url::Host::parse(&text).map(|host| host.to_string());
                let host = host.unwrap_or_default();
                prop_assert_eq!(host.strip_suffix('.').unwrap_or(&host), name.as_str());
                prop_assert!(name.as_str() == "example.com" || name.as_str().ends_with(".example.com"));
            }
            Ok(LookUp::Address(address)) => {
                let bare = text.parse::<IpAddr>().map(|address| address.to_canonical());
                prop_assert_eq!(bare, Ok(address));
            }
            Err(refusal) => prop_assert!(!refusal.to_string().chars().any(crate::text::is_hidden)),
        }
    }

    #[test]
    fn what_is_allowed_is_allowed_by_an_independent_check(
        grants in prop::collection::vec((grant(), 1u16..4), 0..4),
        lookups in prop::collection::vec((prop::sample::select(&NAMES[..]), prop::collection::vec(address(), 0..4)), 0..4),
        destination in address(),
        port in 0u16..4,
    ) {
        let mut policy = NetworkPolicy::new(grants.iter().map(|(grant, port)| rule_of(grant, *port)));
        for (name, answers) in &lookups {
            let covered = grants.iter().any(|(grant, _)| covers(grant, name));
            match policy.may_look_up(name) {
                Ok(LookUp::Ask { name, .. }) => {
                    prop_assert!(covered);
                    let _ = policy.remember(&name, answers.iter().copied());
                }
                other => prop_assert!(!covered, "{other:?}"),
            }
        }
        let destination = destination.to_canonical();
        let allowed = policy.may_connect(SocketAddr::new(destination, port), Protocol::Tcp);
        let by_address = grants.iter().any(|(grant, of)| {
            let Grant::Net(net) = grant else { return false };
            let exact = net.prefix_len() == net.max_prefix_len();
            *of == port && net.contains(&destination)
                && (exact || !is_surely_special(destination) || is_surely_special(net.network()) && is_surely_special(net.broadcast()))
        });
        let by_name = lookups.iter().any(|(name, answers)| {
            answers.iter().any(|answer| answer.to_canonical() == destination)
                && grants.iter().any(|(grant, of)| *of == port && covers(grant, name))
                && match *name {
                    "localhost" => destination.is_loopback(),
                    _ => !is_surely_special(destination),
                }
        });
        match &allowed {
            Ok(_) => prop_assert!(by_address || by_name, "{allowed:?}"),
            // What is refused is either not granted or special, and the suggestion would allow it.
            Err(refusal) => {
                prop_assert!(port == 0 || !(by_address || by_name) || !AddressClass::of(destination).is_public());
                if let Some(suggestion) = refusal.suggestion() {
                    let rules = policy.rules().iter().cloned().chain([rule(suggestion)]);
                    let mut policy = NetworkPolicy::new(rules);
                    for (name, answers) in &lookups {
                        let _ = policy.remember(&self::name(name), answers.iter().copied());
                    }
                    prop_assert!(policy.may_connect(SocketAddr::new(destination, port), Protocol::Tcp).is_ok());
                }
            }
        }
    }

    #[test]
    fn an_address_and_its_mapped_form_are_one(bits in any::<u32>()) {
        let v4 = Ipv4Addr::from_bits(bits);
        let class = AddressClass::of(IpAddr::V4(v4));
        prop_assert_eq!(AddressClass::of(IpAddr::V6(v4.to_ipv6_mapped())), class);
        // Nothing that is special is public through a translator.
        let translated = Ipv6Addr::from_bits((0x0064_ff9b_u128 << 96) | u128::from(bits));
        prop_assert_eq!(AddressClass::of(IpAddr::V6(translated)), class);
        if is_surely_special(IpAddr::V4(v4)) {
            prop_assert!(!class.is_public());
        }
    }

    #[test]
    fn what_the_standard_library_calls_special_is(address in address()) {
        if is_surely_special(address) {
            prop_assert!(!AddressClass::of(address).is_public());
        }
    }
}

fn covers(grant: &Grant, name: &str) -> bool {
    match grant {
        Grant::Name(own) => *own == name,
        Grant::Below(domain) => name.ends_with(&format!(".{domain}")),
        Grant::Net(_) => false,
    }
}
