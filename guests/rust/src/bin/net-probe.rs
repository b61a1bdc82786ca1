//! Tries network operations and reports how each went, one JSON line per operation, flushed.
//!
//! Arguments: operations as pairs `OP TARGET`. Outcomes: `{"op":"tcp","target":"127.0.0.1:80","ok":true,"value":["pong"]}`, or
//! `{"op":"tcp","target":"[::1]:80","ok":false,"error":"PermissionDenied","detail":"…"}`. `error` is std's `ErrorKind`; `detail` is
//! the system's own text. Exit code: 0 whatever the outcomes are; 1 for an unknown OP and when standard output fails.
//!
//! | OP | TARGET | does | value |
//! |---|---|---|---|
//! | `tcp` | `HOST:PORT` | connects, sends `ping`, reads to the end | what it read |
//! | `tcp-wait` | `HOST:PORT` | connects, says `connected` on a line, reads to the end | what it read |
//! | `tcp-many` | `HOST:PORT` | opens 100 connections and keeps them | how many it got, and the error that stopped it |
//! | `udp` | `HOST:PORT` | sends `ping` from any port, receives once | what it received |
//! | `udp-send` | `HOST:PORT` | sends `ping` from any port | nothing |
//! | `udp-hop` | `ADDRESS,ADDRESS` | sends to the first, then to the second from the same socket | nothing |
//! | `udp-connect` | `HOST:PORT` | connects, sends `ping`, receives once | what it received |
//! | `resolve` | `HOST:PORT` | looks HOST up | its addresses |
//! | `listen`, `bind` | `HOST:PORT` | listens with TCP, binds with UDP | nothing |

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;

/// More than any limit lets it have by default.
const MANY: usize = 100;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    for pair in arguments.chunks(2) {
        let [op, target] = pair else { return ExitCode::FAILURE };
        if !probe(op, target).is_ok_and(|known| known) {
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// Tries one operation. The value is whether there is such an operation.
fn probe(op: &str, target: &str) -> io::Result<bool> {
    let tried = match op {
        "tcp" => tcp(target),
        "tcp-wait" => tcp_wait(target),
        "tcp-many" => tcp_many(target),
        "udp" => udp(target),
        "udp-send" => udp_send(target),
        "udp-hop" => udp_hop(target),
        "udp-connect" => udp_connect(target),
        "resolve" => target
            .to_socket_addrs()
            .map(|found| found.map(|address| address.ip().to_string()).collect()),
        "listen" => TcpListener::bind(target).map(|_| Vec::new()),
        "bind" => UdpSocket::bind(target).map(|_| Vec::new()),
        _ => return Ok(false),
    };
    let said = match tried {
        Ok(values) => {
            let values: Vec<_> = values.iter().map(|value| quoted(value)).collect();
            format!("\"ok\":true,\"value\":[{}]", values.join(","))
        }
        Err(error) => {
            let (kind, detail) = (format!("{:?}", error.kind()), quoted(&error.to_string()));
            format!("\"ok\":false,\"error\":\"{kind}\",\"detail\":{detail}")
        }
    };
    let mut output = io::stdout().lock();
    writeln!(output, "{{\"op\":\"{op}\",\"target\":{},{said}}}", quoted(target))?;
    output.flush()?;
    Ok(true)
}

fn tcp(target: &str) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(target)?;
    stream.write_all(b"ping")?;
    rest(&mut stream)
}

fn tcp_wait(target: &str) -> io::Result<Vec<String>> {
    let mut stream = TcpStream::connect(target)?;
    let mut output = io::stdout().lock();
    writeln!(output, "connected")?;
    output.flush()?;
    drop(output);
    rest(&mut stream)
}

fn tcp_many(target: &str) -> io::Result<Vec<String>> {
    let mut kept = Vec::new();
    let mut stopped = String::new();
    while kept.len() < MANY {
        match TcpStream::connect(target) {
            Ok(stream) => kept.push(stream),
            Err(error) => {
                stopped = error.to_string();
                break;
            }
        }
    }
    Ok(vec![kept.len().to_string(), stopped])
}

fn rest(stream: &mut TcpStream) -> io::Result<Vec<String>> {
    let mut read = String::new();
    stream.read_to_string(&mut read)?;
    Ok(vec![read])
}

fn any_port(target: SocketAddr) -> io::Result<UdpSocket> {
    UdpSocket::bind(if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" })
}

fn first(target: &str) -> io::Result<SocketAddr> {
    target.to_socket_addrs()?.next().ok_or_else(|| io::ErrorKind::NotFound.into())
}

fn udp(target: &str) -> io::Result<Vec<String>> {
    let target = first(target)?;
    let socket = any_port(target)?;
    socket.send_to(b"ping", target)?;
    received(&socket)
}

fn udp_send(target: &str) -> io::Result<Vec<String>> {
    let target = first(target)?;
    any_port(target)?.send_to(b"ping", target)?;
    Ok(Vec::new())
}

fn udp_hop(targets: &str) -> io::Result<Vec<String>> {
    let (one, other) = targets.split_once(',').ok_or(io::ErrorKind::InvalidInput)?;
    let (one, other) = (first(one)?, first(other)?);
    let socket = any_port(one)?;
    socket.send_to(b"ping", one)?;
    socket.send_to(b"ping", other)?;
    // A refusal may come with the datagram after the one that is refused.
    socket.send_to(b"ping", one)?;
    Ok(Vec::new())
}

fn udp_connect(target: &str) -> io::Result<Vec<String>> {
    let target = first(target)?;
    let socket = any_port(target)?;
    socket.connect(target)?;
    socket.send(b"ping")?;
    received(&socket)
}

fn received(socket: &UdpSocket) -> io::Result<Vec<String>> {
    let mut buffer = [0; 64];
    let (length, _) = socket.recv_from(&mut buffer)?;
    let bytes = buffer.get(..length).unwrap_or_default();
    Ok(vec![String::from_utf8_lossy(bytes).into_owned()])
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(control)));
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}
