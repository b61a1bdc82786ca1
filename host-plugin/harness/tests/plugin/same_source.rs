//! The same text, compiled against the shell plugin and against ours: only the `use` line is another.

macro_rules! written_for_the_shell_plugin {
    () => {
        /// What an app does with a sidecar, in the words of the shell plugin.
        async fn talk(command: Command) -> (Vec<String>, Option<i32>, Option<i32>) {
            let command = command
                .arg("first")
                .args(["second", "third"])
                .env_clear()
                .env("A", "1")
                .envs([("B", "2"), ("C", "3")])
                .set_raw_out(false)
                .set_process_group(true)
                .kill_on_drop(false);
            let (mut events, mut child): (Receiver<CommandEvent>, CommandChild) =
                command.spawn().unwrap();
            let pid: u32 = child.pid();
            assert_ne!(pid, 0);
            // A program that does not read its input may be gone by now.
            let _ = child.write("message from Rust\n".as_bytes());
            let mut lines = Vec::new();
            let mut ended = None;
            while let Some(event) = events.recv().await {
                match event {
                    CommandEvent::Stdout(line) => lines.push(String::from_utf8(line).unwrap()),
                    CommandEvent::Stderr(line) => lines.push(String::from_utf8(line).unwrap()),
                    CommandEvent::Error(error) => panic!("{error}"),
                    CommandEvent::Terminated(payload) => ended = Some(payload),
                    _ => {}
                }
            }
            child.kill().unwrap();
            let TerminatedPayload { code, signal, .. } = ended.unwrap();
            (lines, code, signal)
        }

        async fn collect(command: Command) -> Option<String> {
            let output: Output = command.arg("one").output().await.unwrap();
            let status: ExitStatus = output.status;
            (status.success() && status.code() == Some(0))
                .then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
        }

        async fn succeeds(command: Command) -> bool {
            command.status().await.unwrap().success()
        }
    };
}

mod shell {
    use tauri::async_runtime::Receiver;
    use tauri_plugin_shell::process::{
        Command, CommandChild, CommandEvent, ExitStatus, Output, TerminatedPayload,
    };

    written_for_the_shell_plugin!();

    pub(super) fn run(command: impl Fn() -> Command) -> super::Transcript {
        let talk = super::wait(talk(command()));
        (talk, super::wait(collect(command())), super::wait(succeeds(command())))
    }
}

mod ours {
    use tauri::async_runtime::Receiver;
    use tauri_plugin_wasi_sidecar::process::{
        Command, CommandChild, CommandEvent, ExitStatus, Output, TerminatedPayload,
    };

    written_for_the_shell_plugin!();

    pub(super) fn run(command: impl Fn() -> Command) -> super::Transcript {
        let talk = super::wait(talk(command()));
        (talk, super::wait(collect(command())), super::wait(succeeds(command())))
    }
}

use tauri_plugin_shell::ShellExt;
use tauri_plugin_wasi_sidecar::SidecarExt;

use crate::support::{app, wait};

type Transcript = ((Vec<String>, Option<i32>, Option<i32>), Option<String>, bool);

#[test]
fn parity_05_the_same_source_does_the_same_with_both_plugins() {
    let mock = app();
    let native = wasi_sidecar_guests::native("args").expect("built");
    let theirs = shell::run(|| mock.app.shell().command(&native));
    for name in ["guests/args", "fallbacks/args"] {
        let ours = ours::run(|| mock.app.sidecar(name).expect("configured"));
        assert_eq!(ours, theirs, "{name}");
    }
    assert!(theirs.0.0.concat().contains("second"), "{theirs:?}");
}

#[test]
fn parity_01_the_shell_plugins_own_extension_trait_has_a_fallback() {
    use tauri_plugin_wasi_sidecar::ShellExt;

    let mock = app();
    let output = ShellExt::shell(&mock.app).sidecar("guests/args").expect("configured").output();
    assert!(wait(output).expect("it runs").status.success());
}
