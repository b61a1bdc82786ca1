//! What a component is refused, and what the same program may do as a native one: all that its user may.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;
use wasi_sidecar::{
    Access, Backend, Command, Dir, ErrorKind, Framing, Grants, Program, ambient_authority,
};

use super::{Outcome, backend};
use crate::{
    measure::Run,
    screen,
    stage::{self, Stage},
};

/// A file that every user may read, and no guest.
const SYSTEM: &str = if cfg!(windows) { r"C:\Windows\win.ini" } else { "/etc/passwd" };
const NOTE: &str = "note.txt";
const WRITTEN: &str = "written by the host";

/// A folder with a note in it, which is granted read-only.
struct Notes {
    path: PathBuf,
    dir: Dir,
}

impl Notes {
    fn content(&self) -> Result<String> {
        self.dir.read_to_string(NOTE).context("cannot read the note")
    }
}

pub(super) async fn play(stage: &Stage, outcome: &mut Outcome) -> Result<()> {
    let place = tempfile::tempdir().context("cannot make a temporary folder")?;
    let dir = Dir::open_ambient_dir(place.path(), ambient_authority())?;
    dir.create_dir("notes")?;
    let notes = Notes { path: place.path().join("notes"), dir: dir.open_dir("notes")? };
    notes.dir.write(NOTE, WRITTEN)?;

    let fallbacks = stage.fallbacks("fs-probe").await?;
    too_wide_a_grant(&fallbacks[0], outcome)?;
    for program in fallbacks {
        probe(program, &notes, outcome).await?;
    }
    Ok(())
}

/// Four operations, of which a component may do one.
async fn probe(program: Program, notes: &Notes, outcome: &mut Outcome) -> Result<()> {
    let backend = backend(&program);
    let sandboxed = backend == Backend::Component;
    let mut command = Command::new(program);
    let folder = if sandboxed {
        let (guest, authority) = ("/notes", ambient_authority());
        let granted = Grants::new().dir(&notes.path, guest, Access::ReadOnly, authority)?;
        command.grants(granted);
        screen::line("component, which holds `/notes` read-only; nothing else exists for it:")?;
        Path::new(guest)
    } else {
        screen::line("native, which has all of your rights:")?;
        &notes.path
    };
    let note = folder.join(NOTE).display().to_string();
    let around = folder.join("..").join("notes").join(NOTE).display().to_string();
    let operations = [
        ("open", SYSTEM, "", false),
        ("read", &note, "", true),
        ("read", &around, "", false),
        ("write", &note, "written by the guest", false),
    ];

    let mut run = Run::start(&mut command, Framing::lines())?;
    for (operation, path, text, allowed) in operations {
        run.write(format!("{operation}\t{path}\t{text}\n").as_bytes()).await?;
        let answer = run.next().await?.context("fs-probe answers each line")?;
        let answer: Value = serde_json::from_slice(&answer).context("fs-probe answers in JSON")?;
        let done = answer["ok"].as_bool().context("fs-probe says how it went")?;
        let shown = screen::cut(&format!("  {operation:<5}  {:<22}  {path}", told(&answer)));
        if done { screen::line(&shown) } else { screen::refusal(&shown) }?;
        outcome.check(done == (allowed || !sandboxed), || {
            format!("{operation} {path} ({backend}) went the other way: {answer}")
        });
    }
    run.close_input();
    outcome.done("fs-probe", backend, run.finish().await?);

    let changed = notes.content()? != WRITTEN;
    outcome.check(changed != sandboxed, || {
        format!("after the {backend} program the note is `{}`", notes.content().unwrap_or_default())
    });
    Ok(())
}

fn told(answer: &Value) -> String {
    match answer["ok"].as_bool() {
        Some(true) => "done".to_owned(),
        _ => format!("refused: {}", answer["error"].as_str().unwrap_or("for no reason")),
    }
}

/// The repository holds the components and their compiled code, so that granting it is refused before anything runs.
fn too_wide_a_grant(program: &Program, outcome: &mut Outcome) -> Result<()> {
    let root = stage::root();
    let granted = Grants::new().dir(root, "/repository", Access::ReadWrite, ambient_authority())?;
    let mut command = Command::new(program.clone());
    match command.kill_on_drop(true).grants(granted).spawn() {
        Err(error) if error.kind() == ErrorKind::Grant => {
            screen::refusal(&error.to_string())?;
        }
        Err(error) => return Err(error.into()),
        Ok(_) => outcome.check(false, || "a grant of the repository was not refused".into()),
    }
    Ok(())
}
