//! F: the network. No release grants any yet; what a guest tries without a grant is refused.

use wasi_sidecar::Command;

use super::{
    bare,
    table::{Row, row},
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
    rows
}
