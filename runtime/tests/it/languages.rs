//! The same two programs in other languages, and one of a single line: what sidecars are written in.

use wasi_sidecar::{Access, Command, Component};

use crate::support::{holding, load, run, temporary, text};

fn in_language(language: &str, name: &str) -> Component {
    load(&wasi_sidecar_guests::language(language, name).unwrap_or_else(|error| panic!("{error}")))
}

async fn echoes(language: &str) {
    let command = Command::new(in_language(language, "echo"));
    for input in [&b""[..], b"one\ntwo\n", b"no newline", &[b'x'; 200_000]] {
        let output = run(&command, input).await;
        assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
        assert!(output.stdout == input, "{} bytes of {}", output.stdout.len(), input.len());
    }
}

async fn probes(language: &str) {
    let place = temporary();
    std::fs::write(place.path().join("a"), "content").unwrap();
    #[cfg(unix)]
    drop(std::os::unix::net::UnixListener::bind(place.path().join("socket")).unwrap());
    let script = "read\t/data/a\nread\t/data/missing\nwrite\t/data/new\ttext\nread\t/data/new\nlist\t/data\n\
                  read\t/etc/passwd\nread\t/data/../x\n";
    let mut command = Command::new(in_language(language, "fs-probe"));
    command.grants(holding(place.path(), Access::ReadWrite));
    let output = run(&command, script.as_bytes()).await;
    let said = text(&output.stdout);
    let outcomes: Vec<serde_json::Value> =
        said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let ok: Vec<_> = outcomes.iter().map(|outcome| outcome["ok"].as_bool().unwrap()).collect();
    assert_eq!(ok, [true, false, true, true, true, false, false], "{said}{}", text(&output.stderr));
    assert_eq!(outcomes[0]["value"], "content", "{said}");
    assert_eq!(outcomes[1]["error"], "not-found", "{said}");
    // Whatever a directory holds, it can be listed.
    #[cfg(unix)]
    assert_eq!(outcomes[4]["value"], serde_json::json!(["a", "new", "socket"]), "{said}");
    assert_eq!(std::fs::read(place.path().join("new")).unwrap(), b"text");

    command.grants(holding(place.path(), Access::ReadOnly));
    let said = text(&run(&command, b"write\t/data/a\tother\nread\t/data/a\n").await.stdout);
    assert!(said.contains(r#""ok":false"#) && said.contains("content"), "{said}");
}

async fn says_hello(language: &str) {
    let output = run(&Command::new(in_language(language, "hello")), b"").await;
    assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
    assert_eq!(text(&output.stdout), "hello\n");
}

macro_rules! language {
    ($language:ident, echo) => {
        mod $language {
            #[tokio::test]
            async fn echo() {
                super::echoes(stringify!($language)).await;
            }
            #[tokio::test]
            async fn fs_probe() {
                super::probes(stringify!($language)).await;
            }
        }
    };
    // The pair is tested together, above.
    ($language:ident, fs_probe) => {};
    ($language:ident, hello) => {
        #[tokio::test]
        async fn hello_in_a_line() {
            says_hello(stringify!($language)).await;
        }
    };
}
wasi_sidecar_guests::foreach_language_guest!(language);
