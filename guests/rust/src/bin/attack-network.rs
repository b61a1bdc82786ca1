//! Tries one way to the network: `attack-network CASE`, and says on standard output how it went.
//!
//! CASE is `tcp-connect`, `tcp-connect-out`, `tcp-listen`, `tcp-listen-low`, `udp-bind`, `udp-send`, `resolve` or `resolve-local`.
//! `refused` is an error of any kind that says it may not or cannot; a connection that nobody takes is `no answer`, since
//! somebody was asked. `reached` is anything that worked. Exit code: 0; 1 for a CASE it does not know.

use std::io::{self, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

/// Longest wait for an answer from outside.
const PATIENCE: Duration = Duration::from_millis(300);

/// An address that is kept for documentation, where nobody answers.
const OUT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)), 80);

fn main() -> ExitCode {
    let case = std::env::args().nth(1).unwrap_or_default();
    let tried = match case.as_str() {
        "tcp-connect" => TcpStream::connect("127.0.0.1:9").map(drop),
        "tcp-connect-out" => TcpStream::connect_timeout(&OUT, PATIENCE).map(drop),
        "tcp-listen" => TcpListener::bind("127.0.0.1:0").map(drop),
        "tcp-listen-low" => TcpListener::bind("0.0.0.0:22").map(drop),
        "udp-bind" => UdpSocket::bind("127.0.0.1:0").map(drop),
        "udp-send" => UdpSocket::bind("0.0.0.0:0").and_then(|it| it.send_to(b"x", OUT)).map(drop),
        "resolve" => "example.com:80".to_socket_addrs().map(drop),
        "resolve-local" => "localhost:80".to_socket_addrs().map(drop),
        _ => return ExitCode::FAILURE,
    };
    let said = match tried {
        Ok(()) => "reached",
        Err(error)
            if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::TimedOut) =>
        {
            "no answer"
        }
        Err(_) => "refused",
    };
    // A closed pipe leaves nobody to tell.
    let _ = writeln!(io::stdout(), "{said}");
    ExitCode::SUCCESS
}
