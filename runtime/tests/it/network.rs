//! What a guest reaches of the network: what a rule covers, at servers on this machine that the tests start.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::io::AsyncBufReadExt as _;
use wasi_sidecar::{
    Child, Command, Component, Engine, EngineConfig, ErrorKind, Grants, Limit, Limits, LoadOptions,
    NetworkRule, Stdio, Termination,
};

use crate::support::{self, finish, guest, module, native, run, soon, text};

/// A kill, and what is done after it, on a machine that does much else. A read that nobody answers takes for ever.
const KILL: Duration = Duration::from_secs(5);

fn grants(rules: &[&str]) -> Grants {
    let add = |grants: Grants, rule: &&str| grants.network(*rule).unwrap_or_else(|e| panic!("{e}"));
    rules.iter().fold(Grants::new(), add)
}

/// Answers `pong` to each connection that sends `ping`.
fn tcp_server(address: &str) -> SocketAddr {
    let listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            thread::spawn(move || {
                let mut ping = [0; 4];
                let answered =
                    stream.read_exact(&mut ping).and_then(|()| stream.write_all(b"pong"));
                drop(answered);
            });
        }
    });
    address
}

/// A listener that takes connections and says nothing. The streams are those it took.
fn silent_server() -> (SocketAddr, Arc<Mutex<Vec<TcpStream>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let streams = Arc::clone(&taken);
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            streams.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        }
    });
    (address, taken)
}

/// Answers `pong` to each datagram, and counts them.
fn udp_server() -> (SocketAddr, Arc<Mutex<usize>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let count: Arc<Mutex<usize>> = Arc::default();
    let seen = Arc::clone(&count);
    thread::spawn(move || {
        let mut buffer = [0; 64];
        while let Ok((_, from)) = socket.recv_from(&mut buffer) {
            *seen.lock().unwrap() += 1;
            let _ = socket.send_to(b"pong", from);
        }
    });
    (address, count)
}

fn command(component: Component, rules: &[&str], operations: &[&str]) -> Command {
    let mut command = Command::new(component);
    command.grants(grants(rules)).args(operations);
    command
}

/// The outcomes of operations, a line each.
fn outcomes(stdout: &[u8]) -> Vec<Value> {
    let lines = text(stdout);
    lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{lines}")))
        .collect()
}

async fn probe_with(component: Component, rules: &[&str], operations: &[&str]) -> Vec<Value> {
    let output = run(&command(component, rules, operations), b"").await;
    assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
    outcomes(&output.stdout)
}

async fn probe(rules: &[&str], operations: &[&str]) -> Vec<Value> {
    probe_with(guest("net-probe"), rules, operations).await
}

fn worked(outcome: &Value) -> bool {
    outcome["ok"] == true
}

fn refused(outcome: &Value) -> bool {
    outcome["error"] == "PermissionDenied"
}

/// An engine whose resolver knows these names, and the names it was asked for.
fn resolving(
    known: &'static [(&'static str, &'static [&'static str])],
) -> (Component, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = Arc::clone(&asked);
    let config = EngineConfig::new().resolver(move |name| {
        log.lock().unwrap().push(name.to_owned());
        let (_, found) = known
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        Ok(found.iter().map(|text| text.parse::<IpAddr>().unwrap()).collect())
    });
    (load(&config), asked)
}

fn load(config: &EngineConfig) -> Component {
    let engine = Engine::new(config).unwrap();
    let path = wasi_sidecar_guests::component("net-probe").unwrap_or_else(|e| panic!("{e}"));
    Component::load(&engine, std::fs::read(path).unwrap(), LoadOptions::new().name("net-probe"))
        .unwrap()
}

#[tokio::test]
async fn a_granted_address_answers_and_others_are_refused() {
    let (server, other) = (tcp_server("127.0.0.1:0"), tcp_server("127.0.0.1:0"));
    let (to, elsewhere) = (server.to_string(), other.to_string());
    let operations = ["tcp", to.as_str(), "tcp", &elsewhere];
    let native = run(Command::new(native("net-probe")).args(operations), b"").await;
    let said = outcomes(&native.stdout);
    assert!(said.iter().all(worked) && said[0]["value"][0] == "pong", "{said:?}");

    let said = probe(&[&to], &operations).await;
    assert_eq!(said[0], outcomes(&native.stdout)[0]);
    assert!(refused(&said[1]), "{said:?}");
    assert!(probe(&[], &operations).await.iter().all(refused));
    // The same host is another place with another protocol.
    assert!(probe(&[&format!("udp://{to}")], &operations).await.iter().all(refused));
}

#[tokio::test]
async fn ranges_of_addresses_and_ports_are_what_they_say() {
    let server = tcp_server("127.0.0.1:0");
    let (to, port) = (server.to_string(), server.port());
    for (rule, expected) in [
        (format!("127.0.0.0/8:{port}"), true),
        ("127.0.0.0/8:*".to_owned(), true),
        (format!("127.0.0.1:{port}-65535"), true),
        (format!("127.0.0.1:1-{}", port - 1), false),
        (format!("127.0.0.2/31:{port}"), false),
        (format!("[::1]:{port}"), false),
        // No range that is wider than loopback is meant for loopback.
        (format!("0.0.0.0/0:{port}"), false),
    ] {
        let said = probe(&[&rule], &["tcp", &to]).await;
        assert_eq!(
            (worked(&said[0]), refused(&said[0])),
            (expected, !expected),
            "{rule}: {said:?}"
        );
    }
}

#[tokio::test]
async fn a_granted_name_is_looked_up_and_led_to() {
    let server = tcp_server("127.0.0.1:0");
    let named = format!("localhost:{}", server.port());
    let said = probe(&[&named], &["tcp", &named, "tcp", &server.to_string()]).await;
    // What the name led to may be reached by its address as well.
    assert!(said.iter().all(worked), "{said:?}");
    let said = probe(&[&named], &["tcp", &server.to_string(), "tcp", &named]).await;
    assert!(refused(&said[0]) && worked(&said[1]), "{said:?}");
    let said = probe(&["localhost:1"], &["resolve", &named, "tcp", &named]).await;
    assert!(worked(&said[0]) && refused(&said[1]), "{said:?}");
}

#[tokio::test]
async fn a_name_without_a_rule_is_asked_of_nobody() {
    let (component, asked) = resolving(&[("api.example.com", &["93.184.215.14"])]);
    let operations = [
        "resolve",
        "secret.evil.example:80",
        "resolve",
        "example.com:80",
        "resolve",
        "localhost:80",
        "tcp",
        "api.example.com.evil.example:443",
        "resolve",
        "127.1:80",
    ];
    let said = probe_with(component.clone(), &["api.example.com:443"], &operations).await;
    assert!(said.iter().all(|outcome| !worked(outcome)), "{said:?}");
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    let said = probe_with(component.clone(), &[], &["resolve", "api.example.com:1"]).await;
    assert!(!worked(&said[0]), "{said:?}");
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());

    let said =
        probe_with(component, &["api.example.com:443"], &["resolve", "API.example.com:1"]).await;
    assert_eq!(said[0]["value"][0], "93.184.215.14", "{said:?}");
    assert_eq!(*asked.lock().unwrap(), ["api.example.com"]);
}

#[tokio::test]
async fn a_name_leads_to_public_addresses_only() {
    let server = tcp_server("127.0.0.1:0");
    let (component, _) = resolving(&[
        ("inside.example", &["127.0.0.1", "10.0.0.5", "::1", "169.254.169.254"]),
        ("mixed.example", &["10.0.0.1", "93.184.215.14", "::ffff:127.0.0.1"]),
        ("nobody.example", &[]),
    ]);
    let port = server.port();
    let (inside, to) = (format!("inside.example:{port}"), server.to_string());
    let rules = [inside.as_str(), "mixed.example:*", "nobody.example:*"];
    let operations = [
        "resolve",
        &inside,
        "tcp",
        &inside,
        "tcp",
        &to,
        "resolve",
        "mixed.example:1",
        "resolve",
        "nobody.example:1",
    ];
    let said = probe_with(component.clone(), &rules, &operations).await;
    assert!(!worked(&said[0]) && !worked(&said[1]) && refused(&said[2]), "{said:?}");
    assert_eq!(said[3]["value"], serde_json::json!(["93.184.215.14"]));
    assert!(!worked(&said[4]), "{said:?}");

    // Unless the address is granted as well.
    let said = probe_with(component, &[&inside, &to], &["tcp", &inside]).await;
    assert!(worked(&said[0]), "{said:?}");
}

#[tokio::test]
async fn guests_do_not_share_answers() {
    let server = tcp_server("127.0.0.1:0");
    let named = format!("localhost:{}", server.port());
    let to = server.to_string();
    let component = guest("net-probe");
    let mut first = command(component.clone(), &[&named], &["tcp", &named, "tcp", &to]);
    assert!(outcomes(&run(&first, b"").await.stdout).iter().all(worked));
    let second = probe_with(component, &[&named], &["tcp", &to]).await;
    assert!(refused(&second[0]), "{second:?}");
    // Nor does a second run of the same command.
    first.args(["tcp", &to]);
    assert!(outcomes(&run(&first, b"").await.stdout).iter().all(worked));
}

#[tokio::test]
async fn each_datagram_is_checked() {
    let ((server, answered), (other, strayed)) = (udp_server(), udp_server());
    let (to, rule) = (server.to_string(), format!("udp://{server}"));
    let operations = ["udp", to.as_str(), "udp-connect", &to];
    let said = probe(&[&rule], &operations).await;
    assert!(said.iter().all(|it| worked(it) && it["value"][0] == "pong"), "{said:?}");
    assert_eq!(*answered.lock().unwrap(), 2);
    assert!(probe(&[&to], &operations).await.iter().all(refused), "a rule for TCP");

    let (elsewhere, hop) = (other.to_string(), format!("{to},{other}"));
    let operations = ["udp-send", elsewhere.as_str(), "udp-connect", &elsewhere, "udp-hop", &hop];
    let said = probe(&[&rule], &operations).await;
    assert!(said.iter().all(|outcome| !worked(outcome)), "{said:?}");
    assert_eq!(*strayed.lock().unwrap(), 0);
}

#[tokio::test]
async fn nothing_can_be_listened_at() {
    let rules = ["127.0.0.0/8:*", "udp://127.0.0.0/8:*", "0.0.0.0:*", "udp://0.0.0.0:*"];
    let operations = [
        "listen",
        "127.0.0.1:0",
        "listen",
        "0.0.0.0:0",
        "listen",
        "0.0.0.0:8080",
        "bind",
        "127.0.0.1:0",
        "bind",
        "0.0.0.0:5353",
    ];
    let said = probe(&rules, &operations).await;
    assert!(said.iter().all(refused), "{said:?}");
    // What a client needs.
    assert!(worked(&probe(&rules, &["bind", "0.0.0.0:0"]).await[0]));
}

#[tokio::test]
async fn sockets_are_limited() {
    let (server, _taken) = silent_server();
    let to = server.to_string();
    for (limits, most) in [(Limits::new(), 64), (Limits::new().sockets(3), 3)] {
        let mut command = command(guest("net-probe"), &[&to], &["tcp-many", &to]);
        command.limits(limits);
        let child = command.spawn().unwrap();
        let output = finish(child, b"").await;
        let said = outcomes(&output.stdout);
        assert_eq!(said[0]["value"][0], most.to_string(), "{said:?}");
    }
    let mut command = command(guest("net-probe"), &[&to], &["tcp-many", &to]);
    command.limits(Limits::new().sockets(0)).stdout(Stdio::null());
    let mut child = command.spawn().unwrap();
    assert!(soon(child.wait()).await.unwrap().success());
    assert_eq!(child.usage().and_then(|usage| usage.refused), Some(Limit::Sockets));
}

/// Starts a guest that has connected and waits for an answer.
async fn waiting(limits: Limits) -> (Child, Arc<Mutex<Vec<TcpStream>>>) {
    let (server, taken) = silent_server();
    let to = server.to_string();
    let mut command = command(guest("net-probe"), &[&to], &["tcp-wait", &to]);
    command.limits(limits).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let mut stdout = tokio::io::BufReader::new(child.stdout.take().unwrap());
    soon(stdout.read_line(&mut line)).await.unwrap();
    assert_eq!(line.trim(), "connected");
    (child, taken)
}

/// Whether the guest's ends of these connections are closed, or become so.
fn are_closed(taken: &Mutex<Vec<TcpStream>>) -> bool {
    let mut streams = taken.lock().unwrap();
    let closed = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(KILL)).unwrap();
        match stream.read(&mut [0; 1]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    };
    !streams.is_empty() && streams.iter_mut().all(closed)
}

#[tokio::test]
async fn a_guest_that_waits_for_an_answer_can_be_killed() {
    let (mut child, taken) = waiting(Limits::new()).await;
    let began = Instant::now();
    let status = soon(child.kill()).await;
    assert!(status.is_ok() && began.elapsed() < KILL);
    assert!(are_closed(&taken), "its socket is closed");

    let limits = Limits::new().time(Duration::from_millis(300));
    let (mut child, taken) = waiting(limits).await;
    let status = soon(child.wait()).await.unwrap();
    assert_eq!(*status.termination(), Termination::OutOf(Limit::Time));
    assert!(are_closed(&taken), "its socket is closed");
}

#[tokio::test]
async fn a_guest_that_looks_up_can_be_killed() {
    let (asked, asks) = std::sync::mpsc::channel();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let component = load(&EngineConfig::new().resolver(move |_| {
        let _ = asked.send(());
        let _ = gate.lock().unwrap().recv();
        Ok(Vec::new())
    }));
    let operations = ["resolve", "slow.example:1"];
    let mut child = command(component, &["slow.example:1"], &operations).spawn().unwrap();
    let asks = tokio::task::spawn_blocking(move || (asks.recv_timeout(support::NEVER), asks));
    let (begun, _asks) = asks.await.unwrap();
    begun.expect("the resolver is asked");
    let began = Instant::now();
    soon(child.kill()).await.unwrap();
    assert!(began.elapsed() < KILL);
    release.send(()).expect("the look-up cannot be cancelled");
}

#[tokio::test]
async fn a_guest_that_connects_can_be_killed() {
    // Its queue is full, and a further connection waits.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let fill = || TcpStream::connect_timeout(&address, Duration::from_millis(300)).ok();
    let waiting: Vec<_> = std::iter::from_fn(fill).take(2000).collect();
    let to = address.to_string();
    let mut child = command(guest("net-probe"), &[&to], &["tcp-wait", &to])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_millis(200), child.wait()).await;
    assert!(ended.is_err(), "it waits");
    let began = Instant::now();
    soon(child.kill()).await.unwrap();
    assert!(began.elapsed() < KILL);
    drop(waiting);
}

#[tokio::test]
async fn a_module_has_no_sockets_and_a_grant_changes_nothing() {
    let server = tcp_server("127.0.0.1:0");
    let to = server.to_string();
    let output = run(&command(module("net-probe"), &[&to], &["tcp", &to]), b"").await;
    let said = outcomes(&output.stdout);
    assert!(!worked(&said[0]), "{said:?}");
}

#[test]
fn what_is_no_rule_is_told_with_what_to_write() {
    for (entry, expected) in [
        ("api.example.com", "`api.example.com` has no port; write `api.example.com:443`"),
        ("https://api.example.com/v1", "is a URL; grant requests to it as HTTP"),
        ("*:443", "covers every name there is"),
        ("", "is empty; write a host and a port"),
    ] {
        let error = Grants::new().network(entry).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Grant);
        assert!(error.to_string().contains(expected), "{error}");
    }
    let rule: NetworkRule = "API.Example.com.:443".parse().unwrap();
    assert_eq!(rule.to_string(), "api.example.com:443");
    let many =
        (0..300).try_fold(Grants::new(), |grants, n| grants.network(format!("a{n}.example:1")));
    assert!(many.unwrap_err().to_string().contains("more than 256"));
}
