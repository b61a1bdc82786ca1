//! Decisions for one guest: what is looked up, what is remembered of it, and where it may connect.

use std::net::{IpAddr, SocketAddr, SocketAddrV6};

use super::{super::refusal::RefusalReason, *};

fn addresses(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn socket(text: &str) -> SocketAddr {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

#[test]
fn names_without_a_rule_are_refused_before_a_resolver_is_asked() {
    let policy = policy(&[
        "api.example.com:443",
        "*.cdn.example:443",
        "udp://ntp.example:123",
        "10.0.0.0/8:80",
    ]);
    let asked = [
        ("api.example.com", "api.example.com", "api.example.com:443"),
        ("API.EXAMPLE.COM.", "api.example.com", "api.example.com:443"),
        ("a.b.cdn.example", "a.b.cdn.example", "*.cdn.example:443"),
        ("ntp.example", "ntp.example", "udp://ntp.example:123"),
    ];
    for (text, expected, by) in asked {
        match policy.may_look_up(text) {
            Ok(LookUp::Ask { name, rule }) => {
                assert_eq!((name.as_str(), rule.to_string().as_str()), (expected, by), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
    for (text, expected) in
        [("10.0.0.1", "10.0.0.1"), ("::1", "::1"), ("::ffff:127.0.0.1", "127.0.0.1")]
    {
        assert_eq!(
            policy.may_look_up(text),
            Ok(LookUp::Address(expected.parse().unwrap())),
            "{text}"
        );
    }
    use RefusalReason::{Malformed, NotGranted, Reserved};
    let refused = [
        ("evil.example", NotGranted, Some("evil.example:443")),
        ("example.com", NotGranted, Some("example.com:443")),
        ("cdn.example", NotGranted, Some("cdn.example:443")),
        ("api.example.com.evil.com", NotGranted, Some("api.example.com.evil.com:443")),
        ("localhost", NotGranted, Some("localhost:443")),
        ("localhost.", NotGranted, Some("localhost:443")),
        ("\u{430}pi.example.com", NotGranted, Some("xn--pi-6kc.example.com:443")),
        ("127.1", Malformed, None),
        ("0x7f000001", Malformed, None),
        ("2130706433", Malformed, None),
        ("[::1]", Malformed, None),
        ("fe80::1%eth0", Malformed, None),
        ("", Malformed, None),
        ("api.example.com\0", Malformed, None),
        ("api.example.com ", Malformed, None),
        ("*.cdn.example", Malformed, None),
        ("api.example.com:443", Malformed, None),
        ("db.sidecar", Reserved, None),
    ];
    for (text, reason, suggestion) in refused {
        let refusal = policy.may_look_up(text).unwrap_err();
        assert_eq!(refusal.reason(), reason, "{text}: {refusal}");
        assert_eq!(refusal.suggestion(), suggestion, "{text}");
        assert!(!refusal.to_string().chars().any(char::is_control), "{refusal}");
    }
    assert!(policy.may_look_up(&"a".repeat(1_000_000)).unwrap_err().to_string().len() < 500);
}

#[test]
fn only_remembered_answers_of_a_granted_name_are_connected_to() {
    let mut policy = policy(&["api.example.com:443", "udp://api.example.com:53"]);
    let api = name("api.example.com");
    assert!(policy.may_connect(socket("1.2.3.4:443"), Protocol::Tcp).is_err());
    let told = policy.remember(&api, addresses(&["1.2.3.4", "2606:4700::1", "1.2.3.4"])).unwrap();
    assert_eq!(told, addresses(&["1.2.3.4", "2606:4700::1"]));
    assert_eq!(policy.answers(&api), told);
    let rows = [
        ("1.2.3.4:443", Protocol::Tcp, Ok("api.example.com:443")),
        ("[::ffff:1.2.3.4]:443", Protocol::Tcp, Ok("api.example.com:443")),
        ("[2606:4700::1]:443", Protocol::Tcp, Ok("api.example.com:443")),
        ("1.2.3.4:53", Protocol::Udp, Ok("udp://api.example.com:53")),
        ("1.2.3.4:443", Protocol::Udp, Err("udp://api.example.com:443")),
        ("1.2.3.4:53", Protocol::Tcp, Err("api.example.com:53")),
        ("1.2.3.5:443", Protocol::Tcp, Err("1.2.3.5:443")),
        // Not the same host, though a translator might lead to it.
        ("[64:ff9b::1.2.3.4]:443", Protocol::Tcp, Err("[64:ff9b::102:304]:443")),
    ];
    for (address, protocol, expected) in rows {
        let found = policy.may_connect(socket(address), protocol);
        let found = found.map(|allowed| allowed.rule().to_string());
        let found = found.map_err(|refusal| refusal.suggestion().unwrap().to_owned());
        assert_eq!(found.as_deref().map_err(String::as_str), expected, "{address} {protocol}");
    }
    let allowed = policy.may_connect(socket("1.2.3.4:443"), Protocol::Tcp).unwrap();
    assert_eq!(allowed.name(), Some(&api));
    // What is remembered is of one guest.
    let other = NetworkPolicy::new(policy.rules().iter().cloned());
    assert!(other.may_connect(socket("1.2.3.4:443"), Protocol::Tcp).is_err());
    assert_eq!(
        policy.may_connect(socket("1.2.3.4:0"), Protocol::Tcp).unwrap_err().reason(),
        RefusalReason::Malformed
    );
}

#[test]
fn a_name_that_resolves_to_a_special_address_is_refused_and_says_so() {
    let special = [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "fd00:ec2::254",
        "fd12::1",
        "fe80::1",
        "10.0.0.1",
        "100.64.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "198.18.0.1",
        "240.0.0.1",
        "168.63.129.16",
        "::7f00:1",
        "2606:4700::5efe:7f00:1",
    ];
    for text in special {
        let mut policy = policy(&[
            "api.example.com:443",
            "*.example.com:*",
            "0.0.0.0/0:443",
            "[::/0]:443",
            "[2000::/3]:443",
        ]);
        let address: IpAddr = text.parse().unwrap();
        let refusal = policy.remember(&name("api.example.com"), [address]).unwrap_err();
        assert!(matches!(refusal.reason(), RefusalReason::ResolvesTo(_)), "{text}: {refusal}");
        assert!(
            refusal.to_string().starts_with("`api.example.com` is granted but resolves to"),
            "{refusal}"
        );
        let refusal = policy.may_connect(SocketAddr::new(address, 443), Protocol::Tcp).unwrap_err();
        assert!(matches!(refusal.reason(), RefusalReason::SpecialAddress(_)), "{text}: {refusal}");
        // What is suggested is enough.
        let rule: NetworkRule = rule(refusal.suggestion().unwrap());
        let policy = NetworkPolicy::new([rule]);
        assert!(policy.may_connect(SocketAddr::new(address, 443), Protocol::Tcp).is_ok(), "{text}");
    }
}

#[test]
fn a_name_that_is_bound_again_leads_only_to_what_was_checked() {
    let mut policy = policy(&["api.example.com:*"]);
    let api = name("api.example.com");
    policy.remember(&api, addresses(&["1.2.3.4"])).unwrap();
    assert!(policy.remember(&api, addresses(&["127.0.0.1"])).is_err());
    assert!(policy.may_connect(socket("127.0.0.1:80"), Protocol::Tcp).is_err());
    assert!(policy.may_connect(socket("1.2.3.4:80"), Protocol::Tcp).is_ok());
    // One among many is left out.
    let mut many: Vec<IpAddr> = (0..50).map(|last| IpAddr::from([1, 1, 1, last])).collect();
    many.insert(25, "192.168.0.1".parse().unwrap());
    let told = policy.remember(&api, many).unwrap();
    assert_eq!(told.len(), 50);
    assert!(policy.may_connect(socket("192.168.0.1:80"), Protocol::Tcp).is_err());
    // Newer answers come first, and older ones stay.
    assert_eq!(policy.answers(&api).len(), 51);
    assert_eq!(policy.answers(&api).last(), Some(&"1.2.3.4".parse().unwrap()));
    // No answer is no refusal, and forgets nothing.
    assert_eq!(policy.remember(&api, []), Ok(vec![]));
    assert_eq!(policy.answers(&api).len(), 51);
    assert!(policy.remember(&name("evil.example"), addresses(&["1.2.3.4"])).is_err());
}

#[test]
fn a_range_means_what_lies_in_its_class() {
    // Rules, an address, and whether it is covered.
    let rows = [
        ("127.0.0.1:80", "127.0.0.1:80", true),
        ("127.0.0.1:80", "[::ffff:127.0.0.1]:80", true),
        ("127.0.0.1:80", "[::1]:80", false),
        ("127.0.0.1:80", "[64:ff9b::7f00:1]:80", false),
        ("127.0.0.1:80", "127.0.0.1:81", false),
        ("127.0.0.0/8:80", "127.9.9.9:80", true),
        ("126.0.0.0/7:80", "127.0.0.1:80", false),
        ("126.0.0.0/7:80", "126.0.0.1:80", true),
        ("10.0.0.0/8:80", "10.1.2.3:80", true),
        ("10.1.0.0/16:80", "10.1.2.3:80", true),
        ("10.1.0.0/16:80", "10.2.2.3:80", false),
        ("10.0.0.0/7:80", "10.1.2.3:80", false),
        ("0.0.0.0/0:80", "8.8.8.8:80", true),
        ("0.0.0.0/0:80", "10.1.2.3:80", false),
        ("0.0.0.0/0:80", "0.0.0.0:80", false),
        ("0.0.0.0/0:80", "168.63.129.16:80", false),
        ("0.0.0.0/8:80", "0.0.0.0:80", true),
        ("[::ffff:0:0/96]:80", "8.8.8.8:80", true),
        ("[::/0]:80", "[2606:4700::1]:80", true),
        ("[::/0]:80", "[::ffff:8.8.8.8]:80", false),
        ("[::/0]:80", "[::1]:80", false),
        ("[::/0]:80", "[fd00::1]:80", false),
        ("[::/0]:80", "[4000::1]:80", false),
        ("[::/0]:80", "[64:ff9b::808:808]:80", true),
        ("[::/0]:80", "[64:ff9b::7f00:1]:80", false),
        ("[64:ff9b::/96]:80", "[64:ff9b::7f00:1]:80", false),
        ("[64:ff9b::7f00:0/104]:80", "[64:ff9b::7f00:1]:80", true),
        ("[2002::/16]:80", "[2002:808:808::1]:80", true),
        ("[2002::/16]:80", "[2002:7f00:1::1]:80", false),
        ("[2002:7f00::/24]:80", "[2002:7f00:1::1]:80", true),
        ("[2001::/32]:80", "[2001:0:1::f7f7:f7f7]:80", true),
        ("[2001::/32]:80", "[2001:0:1::80ff:fffe]:80", false),
        ("[2606:4700::/64]:80", "[2606:4700::5efe:7f00:1]:80", false),
        ("[fd00::/8]:80", "[fd12::1]:80", true),
        ("[fd00::/8]:80", "[fd00:ec2::254]:80", false),
        ("[fd00:ec2::254]:80", "[fd00:ec2::254]:80", true),
        ("169.254.0.0/16:80", "169.254.1.1:80", true),
        ("169.254.0.0/16:80", "169.254.169.254:80", false),
        ("169.254.169.254:80", "169.254.169.254:80", true),
    ];
    for (text, address, expected) in rows {
        let policy = policy(&[text]);
        let found = policy.may_connect(socket(address), Protocol::Tcp);
        assert_eq!(found.is_ok(), expected, "{text} {address}: {found:?}");
        assert!(policy.may_connect(socket(address), Protocol::Udp).is_err(), "{text} {address}");
    }
    // An interface is chosen by the system's number of it, which is not a question of hosts.
    let scoped = SocketAddrV6::new("fe80::1".parse().unwrap(), 80, 0, 3);
    assert!(policy(&["[fe80::1]:80"]).may_connect(scoped.into(), Protocol::Tcp).is_ok());
}

#[test]
fn a_name_may_lead_into_a_range_that_is_granted_beside_it() {
    let mut policy = policy(&["intranet.example:*", "10.0.0.0/8:80"]);
    let intranet = name("intranet.example");
    assert_eq!(
        policy.remember(&intranet, addresses(&["10.0.0.5", "192.168.0.5"])),
        Ok(addresses(&["10.0.0.5"]))
    );
    let allowed = policy.may_connect(socket("10.0.0.5:80"), Protocol::Tcp).unwrap();
    assert_eq!(allowed.rule().to_string(), "10.0.0.0/8:80");
    let refusal = policy.may_connect(socket("10.0.0.5:443"), Protocol::Tcp).unwrap_err();
    assert_eq!(refusal.reason(), RefusalReason::ResolvesTo(AddressClass::Private));
    assert_eq!(refusal.suggestion().unwrap(), "10.0.0.5:443");
}

#[test]
fn one_of_the_names_that_lead_to_an_address_is_enough() {
    for order in [["intranet.example", "localhost"], ["localhost", "intranet.example"]] {
        let mut policy = policy(&["intranet.example:*", "127.0.0.1:80", "localhost:8080"]);
        for text in order {
            policy.remember(&name(text), addresses(&["127.0.0.1"])).unwrap();
        }
        let allowed = policy.may_connect(socket("127.0.0.1:8080"), Protocol::Tcp).unwrap();
        assert_eq!(allowed.name().map(Name::as_str), Some("localhost"));
        let refusal = policy.may_connect(socket("127.0.0.1:81"), Protocol::Tcp).unwrap_err();
        assert_eq!(refusal.reason(), RefusalReason::ResolvesTo(AddressClass::Loopback));
    }
}

#[test]
fn localhost_is_loopback_and_nothing_else() {
    let mut policy = policy(&["localhost:8080"]);
    let localhost = name("localhost");
    let told = policy
        .remember(&localhost, addresses(&["127.0.0.1", "::1", "8.8.8.8", "10.0.0.1"]))
        .unwrap();
    assert_eq!(told, addresses(&["127.0.0.1", "::1"]));
    assert!(policy.may_connect(socket("[::1]:8080"), Protocol::Tcp).is_ok());
    assert!(policy.may_connect(socket("[::1]:8081"), Protocol::Tcp).is_err());
    assert!(policy.may_connect(socket("8.8.8.8:8080"), Protocol::Tcp).is_err());
    // The last of them is the loopback of a translator.
    for other in ["8.8.8.8", "10.0.0.1", "0.0.0.0", "64:ff9b::7f00:1"] {
        assert!(policy.remember(&localhost, addresses(&[other])).is_err(), "{other}");
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let mut policy = policy(&["*.example.com:443"]);
    let nth = |n: usize| name(&format!("n{n}.example.com"));
    let address = |n: usize| IpAddr::from([1, 2, (n / 256) as u8, (n % 256) as u8]);
    for n in 0..MAX_NAMES {
        policy.remember(&nth(n), [address(n)]).unwrap();
    }
    // The first is looked up again, so the second goes.
    policy.remember(&nth(0), [address(0)]).unwrap();
    policy.remember(&nth(MAX_NAMES), [address(MAX_NAMES)]).unwrap();
    let may = |policy: &NetworkPolicy, n| {
        policy.may_connect(SocketAddr::new(address(n), 443), Protocol::Tcp).is_ok()
    };
    assert!(may(&policy, 0) && !may(&policy, 1) && may(&policy, 2) && may(&policy, MAX_NAMES));

    let many = |from: u32| (from..from + 200).map(|n| IpAddr::V4((0x0102_0000 + n).into()));
    assert_eq!(policy.remember(&nth(0), many(0)).unwrap().len(), MAX_ANSWERS);
    policy.remember(&nth(0), many(1000)).unwrap();
    assert_eq!(policy.answers(&nth(0)).len(), MAX_ANSWERS);
    assert!(!may(&policy, 0), "older answers give way");
}

#[test]
fn refusals_read_well() {
    let mut policy = policy(&["api.example.com:443"]);
    policy.remember(&name("api.example.com"), addresses(&["1.2.3.4"])).unwrap();
    let rows = [
        ("1.2.3.4:80", "no grant covers `api.example.com:80`, which is `1.2.3.4:80`"),
        ("9.9.9.9:53", "no grant covers `9.9.9.9:53`, and no granted name resolved to it"),
        (
            "127.0.0.1:80",
            "`127.0.0.1:80` is a loopback address; only a grant of that address or of a range of such covers it",
        ),
    ];
    for (address, expected) in rows {
        let refusal = policy.may_connect(socket(address), Protocol::Tcp).unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }
    let refusal = policy.remember(&name("api.example.com"), addresses(&["10.0.0.5"])).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "`api.example.com` is granted but resolves to `10.0.0.5`, a private address; only a grant of that address or of a \
         range of such covers it"
    );
    let refusal = policy.may_look_up("127.1").unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "the name `127.1` is an IPv4 address in another form; write `127.0.0.1`"
    );
}
