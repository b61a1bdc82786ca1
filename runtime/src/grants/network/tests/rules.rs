//! What is a network grant, in which normal form, and what is none.

use super::*;

#[test]
fn rules_are_shown_in_normal_form() {
    let rows = [
        ("api.example.com:443", "api.example.com:443"),
        ("tcp://api.example.com:443", "api.example.com:443"),
        ("TCP://API.Example.COM.:443", "api.example.com:443"),
        ("udp://ntp.example.com:123", "udp://ntp.example.com:123"),
        ("Udp://[fd00::1]:53", "udp://[fd00::1]:53"),
        ("localhost:11434", "localhost:11434"),
        ("app.localhost:80", "app.localhost:80"),
        ("nas:8080", "nas:8080"),
        ("_service._tcp.example.com:1", "_service._tcp.example.com:1"),
        ("my_host.example.com:1", "my_host.example.com:1"),
        ("BÜCHER.example:443", "xn--bcher-kva.example:443"),
        ("xn--bcher-kva.example:443", "xn--bcher-kva.example:443"),
        ("例え。jp:443", "xn--r8jz45g.jp:443"),
        ("ｅｘａｍｐｌｅ.com:443", "example.com:443"),
        ("exa\u{ad}mple.com:443", "example.com:443"),
        ("example.com。:443", "example.com:443"),
        ("*.example.com:443", "*.example.com:443"),
        ("*.EXAMPLE.com.:*", "*.example.com:*"),
        ("example.com:8000-8010", "example.com:8000-8010"),
        ("example.com:8000-8000", "example.com:8000"),
        ("example.com:1-65535", "example.com:*"),
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("10.0.0.1/32:80", "10.0.0.1:80"),
        ("10.0.0.0/8:80", "10.0.0.0/8:80"),
        ("0.0.0.0/0:*", "0.0.0.0/0:*"),
        ("0.0.0.0:80", "0.0.0.0:80"),
        ("[::1]:80", "[::1]:80"),
        ("[0:0:0:0:0:0:0:1]:80", "[::1]:80"),
        ("[::1/128]:80", "[::1]:80"),
        ("[FD00::/8]:80", "[fd00::/8]:80"),
        ("[::/0]:443", "[::/0]:443"),
        ("[::ffff:127.0.0.1]:80", "127.0.0.1:80"),
        ("[::ffff:10.0.0.0/104]:80", "10.0.0.0/8:80"),
        ("[::ffff:0:0/96]:80", "0.0.0.0/0:80"),
        ("[64:ff9b::127.0.0.1]:80", "[64:ff9b::7f00:1]:80"),
    ];
    for (text, expected) in rows {
        let read: NetworkRule = rule(text);
        assert_eq!(read.to_string(), expected, "{text}");
        assert_eq!(rule(expected), read, "{text}");
    }
}

#[test]
fn what_is_no_rule_is_refused_with_what_to_write() {
    let rows = [
        ("", "is empty"),
        (" a:1", "space around"),
        ("a:1\n", "space around"),
        (
            "api.example.com",
            "has no port; write `api.example.com:443`, or `api.example.com:*` for all ports",
        ),
        ("10.0.0.0/8", "write `10.0.0.0/8:443`"),
        ("a b", "has no port and has ` ` in its host"),
        ("[::1]", "has no port; write it after the brackets"),
        ("::1", "IPv6 addresses in brackets"),
        ("::1:80", "IPv6 addresses in brackets"),
        ("fd00::/8:80", "IPv6 addresses in brackets"),
        ("[::1", "has no `]`"),
        ("[::1]80", "after its brackets"),
        ("[fd00::]/8:80", "write it inside, like `[fd00::/8]:443`"),
        ("[fd00::1/8]:80", "write `[fd00::/8]` for the range or `[fd00::1]` for the address"),
        ("10.0.0.1/8:80", "write `10.0.0.0/8` for the range or `10.0.0.1` for the address"),
        ("10.0.0.0/33:80", "a number from 0 to 32"),
        ("10.0.0.0/08:80", "a number from 0 to 32"),
        ("10.0.0.0/+8:80", "a number from 0 to 32"),
        ("10.0.0.0/:80", "a number from 0 to 32"),
        ("10.0.0.0/255.0.0.0:80", "a number from 0 to 32"),
        ("[fd00::/129]:80", "a number from 0 to 128"),
        ("[10.0.0.1]:80", "no IPv6 address in them"),
        ("[example.com]:80", "no IPv6 address in them"),
        ("[fe80::1%eth0]:80", "has a zone"),
        ("[fe80::1%25eth0]:80", "has a zone"),
        ("example.com:", "has no port after `:`"),
        (":443", "has no host"),
        ("udp://:443", "has no host"),
        ("example.com:0", "has port 0"),
        ("example.com:0-10", "has port 0"),
        ("example.com:65536", "no number from 1 to 65535"),
        ("example.com:0443", "no number from 1 to 65535"),
        ("example.com:+443", "no number from 1 to 65535"),
        ("example.com:-1", "has no port after `:`"),
        ("example.com:https", "no number from 1 to 65535"),
        ("example.com:1-2-3", "no number from 1 to 65535"),
        ("example.com:４４３", "no number from 1 to 65535"),
        ("example.com:8010-8000", "write `8000-8010`"),
        ("example.com:443/", "has a path"),
        ("example.com:443/v1", "has a path"),
        ("example.com/v1:443", "has a path"),
        ("example.com:443?q", "has a path"),
        ("user@example.com:443", "user information"),
        ("user:secret@example.com:443", "user information"),
        ("https://api.example.com/", "as HTTP, or connections as `api.example.com:443`"),
        ("http://api.example.com", "connections as `api.example.com:80`"),
        ("HTTP://api.example.com:8080/v1", "connections as `api.example.com:8080`"),
        ("wss://[::1]/socket", "connections as `[::1]:443`"),
        ("https://???", "is a URL; write a host and a port"),
        ("ftp://example.com:21", "neither `tcp://` nor `udp://`"),
        ("://example.com:21", "neither `tcp://` nor `udp://`"),
        ("tcp://udp://example.com:21", "more than one `:`"),
        ("*:443", "covers every name there is"),
        ("*.com:443", "top-level domain `com`"),
        ("*.localhost:443", "write `localhost`"),
        ("*.*.example.com:443", "not its whole first label"),
        ("a.*.example.com:443", "not its whole first label"),
        ("a*.example.com:443", "not its whole first label"),
        ("*example.com:443", "not its whole first label"),
        ("example.*:443", "not its whole first label"),
        ("*.10.0.0.1:443", "wildcard before an address"),
        ("*.0.0.1:443", "another form; write `0.0.0.1`"),
        ("*.[::1]:443", "more than one `:`"),
        ("*.[fd00]:443", "wildcard before an address"),
        ("*.:443", "has no host"),
        ("127.1:80", "another form; write `127.0.0.1`"),
        ("0x7f.1:80", "another form; write `127.0.0.1`"),
        ("0x7f000001:80", "another form; write `127.0.0.1`"),
        ("2130706433:80", "another form; write `127.0.0.1`"),
        ("017700000001:80", "another form; write `127.0.0.1`"),
        ("127.0.0.01:80", "another form; write `127.0.0.1`"),
        ("127.0.0.1.:80", "another form; write `127.0.0.1`"),
        ("１２７.0.0.1:80", "another form; write `127.0.0.1`"),
        ("127。0。0。1:80", "another form; write `127.0.0.1`"),
        ("256.0.0.1:80", "ends in a number"),
        ("example.1:80", "ends in a number"),
        ("example.0x1f:80", "ends in a number"),
        ("1.2.3.4.5:80", "ends in a number"),
        ("a..b:443", "empty label"),
        (".example.com:443", "empty label"),
        ("example.com..:443", "empty label"),
        (".:443", "empty label"),
        ("ex%61mple.com:443", "`%`"),
        ("example.com%00:443", "`%`"),
        ("exa mple.com:443", "has ` ` in its host"),
        ("exa\tmple.com:443", "has `\\t` in its host"),
        ("exa\0mple.com:443", "has `\\u{0}` in its host"),
        ("exa\\mple.com:443", "in its host"),
        ("a,b:443", "in its host"),
        ("xn--a:443", "no name, neither in ASCII nor internationally"),
        ("ex\u{2100}mple.com:443", "no name, neither"),
        ("a\u{ff05}b.com:443", "no name, neither"),
        ("sidecar:db:5432", "another sidecar"),
        ("SIDECAR:db:5432", "another sidecar"),
        ("tcp://sidecar:db:5432", "another sidecar"),
        ("db.sidecar:5432", "under `.sidecar`"),
        ("DB.Sidecar.:5432", "under `.sidecar`"),
        ("*.sidecar:5432", "under `.sidecar`"),
        ("*.db.sidecar:5432", "under `.sidecar`"),
    ];
    for (text, expected) in rows {
        match text.parse::<NetworkRule>() {
            Ok(rule) => panic!("`{text}` is read as `{rule}`"),
            Err(error) => {
                let said = error.to_string();
                assert!(said.contains(expected), "`{text}`: {said}");
                assert!(!said.ends_with('.') && !said.chars().any(char::is_control), "{said}");
            }
        }
    }
}

#[test]
fn long_names_are_refused_and_the_longest_is_not() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    assert_eq!(longest.len(), 253);
    rule(&format!("{longest}:1"));
    rule(&format!("{longest}.:1"));
    for text in [
        format!("a{longest}:1"),
        format!("a{label}.com:1"),
        "a".repeat(10_000),
        format!("{}:1", "ü".repeat(600)),
    ] {
        let error = text.parse::<NetworkRule>().unwrap_err();
        assert!(error.to_string().len() < 500, "{error}");
        assert!(error.to_string().contains("more than"), "{error}");
    }
}

#[test]
fn a_wildcard_covers_what_is_below_and_nothing_that_looks_like_it() {
    let rule = rule("*.example.com:443");
    let rows = [
        ("a.example.com", true),
        ("A.B.Example.com.", true),
        ("example.com", false),
        ("evilexample.com", false),
        ("example.com.evil.com", false),
        ("a.example.com.evil.com", false),
        // With a Cyrillic letter.
        ("a.ex\u{430}mple.com", false),
    ];
    for (text, expected) in rows {
        assert_eq!(rule.host().covers_name(&name(text)), expected, "{text}");
    }
}
