//! What the types promise besides their methods.

use wasi_sidecar::*;

fn send<T: Send>() {}
fn sync<T: Sync>() {}
fn shared<T: Send + Sync + Clone + std::fmt::Debug + 'static>() {}

#[test]
fn types_go_where_an_application_takes_them() {
    shared::<Engine>();
    shared::<EngineConfig>();
    shared::<Component>();
    shared::<Program>();
    shared::<Command>();
    shared::<Grants>();
    shared::<Limits>();
    shared::<Sidecar>();
    shared::<Error>();
    shared::<ExitStatus>();
    shared::<CommandEvent>();
    send::<Child>();
    sync::<Child>();
    send::<CommandChild>();
    sync::<CommandChild>();
    send::<ChildStdin>();
    send::<ChildStdout>();
    send::<ChildStderr>();
}

/// Futures can be spawned on any runtime.
#[test]
fn futures_are_send() {
    fn check<F: Future + Send>(_: impl Fn() -> F) {}
    fn child() -> Child {
        unreachable!("only its type is looked at")
    }
    fn command() -> Command {
        unreachable!("only its type is looked at")
    }
    check(|| async { child().wait().await });
    check(|| async { child().kill().await });
    check(|| async { child().wait_with_output().await });
    check(|| async { command().output().await });
    check(|| async { command().status().await });
    check(|| async {
        let (mut events, child) = child().into_events(Framing::lines());
        events.recv().await;
        child.kill().await
    });
}
