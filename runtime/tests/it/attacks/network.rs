//! F: the network. What a guest tries without a grant is refused; `network.rs` has what it tries with one.

use wasi_sidecar::Command;

use super::{
    bare,
    table::{Row, held, row},
    wasm::ends_by_itself,
};
use crate::support::{guest, module, run, text};

const TRIES: &[(&str, &str)] = &[
    ("tcp-connect", "connecting to this machine"),
    ("tcp-connect-out", "connecting to another machine"),
    ("tcp-listen", "listening for connections"),
    ("tcp-listen-low", "listening at a port of the system"),
    ("udp-bind", "binding a socket for datagrams"),
    ("udp-send", "sending a datagram"),
    ("resolve", "looking up a name"),
    ("resolve-local", "looking up this machine's own name"),
];

const IN_ALL: &str = "runtime/tests/it/network.rs";
const POLICY: &str = "runtime/src/grants/network/tests/policy.rs";
const CLASSES: &str = "runtime/src/grants/network/tests/classes.rs";
const RULES: &str = "runtime/src/grants/network/tests/rules.rs";

/// What is tried with a grant, and the test that tries it.
const WITH_A_GRANT: &[(u16, &str, &str, &str)] = &[
    (
        102,
        "looking up a name that no rule covers",
        IN_ALL,
        "a_name_without_a_rule_is_asked_of_nobody",
    ),
    (
        103,
        "a granted name that leads to a private, local or metadata address",
        IN_ALL,
        "a_name_leads_to_public_addresses_only",
    ),
    (
        103,
        "each range of special addresses, at its ends and beside them",
        CLASSES,
        "every_range_begins_and_ends_where_the_registries_say",
    ),
    (
        103,
        "an address in decimal, hexadecimal or with parts left out, as a rule",
        RULES,
        "what_is_no_rule_is_refused_with_what_to_write",
    ),
    (103, "`localhost`, and names below it", POLICY, "localhost_is_loopback_and_nothing_else"),
    (
        104,
        "a name that is bound again after it was checked",
        POLICY,
        "a_name_that_is_bound_again_leads_only_to_what_was_checked",
    ),
    (104, "an answer that another guest was given", IN_ALL, "guests_do_not_share_answers"),
    (104, "more names and answers than are remembered", POLICY, "what_is_remembered_is_bounded"),
    (
        107,
        "a datagram to another address than a granted one, on the same socket",
        IN_ALL,
        "each_datagram_is_checked",
    ),
    (108, "more sockets than the limit", IN_ALL, "sockets_are_limited"),
    (
        108,
        "a server that never answers, and a kill or a limit",
        IN_ALL,
        "a_guest_that_waits_for_an_answer_can_be_killed",
    ),
    (
        108,
        "a resolver that never answers, and a kill",
        IN_ALL,
        "a_guest_that_looks_up_can_be_killed",
    ),
    (
        108,
        "a connection that is never made, and a kill",
        IN_ALL,
        "a_guest_that_connects_can_be_killed",
    ),
    (109, "listening and binding with a grant", IN_ALL, "nothing_can_be_listened_at"),
    (
        109,
        "addresses and ports beside the granted ones",
        IN_ALL,
        "ranges_of_addresses_and_ports_are_what_they_say",
    ),
    (
        110,
        "names that look like what a wildcard covers",
        RULES,
        "a_wildcard_covers_what_is_below_and_nothing_that_looks_like_it",
    ),
];

pub(super) fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (case, what) in TRIES {
        let component = row(102, format!("{what}, with no grant"), "refused", async move |_| {
            let mut command = Command::new(guest("attack-network"));
            text(&run(command.arg(case), b"").await.stdout).trim().to_owned()
        });
        rows.push(component.bare(move |_| {
            let wasm = std::fs::read(wasi_sidecar_guests::component("attack-network").unwrap());
            bare::run(&wasm.unwrap(), &[case], None).0.trim().to_owned()
        }));
    }
    rows.push(row(102, "all of these from a preview1 module", "refused", async |_| {
        let mut said = Vec::new();
        for (case, _) in TRIES {
            let mut command = Command::new(module("attack-network"));
            said.push(text(&run(command.arg(case), b"").await.stdout).trim().to_owned());
        }
        said.dedup();
        said.join(", ")
    }));
    rows.push(row(102, "a component that imports HTTP", "refused: unsupported", async |_| {
        let text = r#"(component
            (import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func))))
            (core module $m (func (export "run") (result i32) (i32.const 0)))
            (core instance $i (instantiate $m))
            (func $run (result (result)) (canon lift (core func $i "run")))
            (instance $e (export "run" (func $run))) (export "wasi:cli/run@0.2.0" (instance $e)))"#;
        ends_by_itself(wat::parse_str(text).unwrap()).await
    }));
    rows.extend(
        WITH_A_GRANT.iter().map(|(case, attack, file, test)| held(*case, attack, file, test)),
    );
    rows
}
