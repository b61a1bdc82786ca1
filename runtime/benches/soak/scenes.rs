//! What is done, over and over: each scene starts children of one kind, lets something happen to them, and checks what came of
//! it. One whose outcome depends on the moment accepts each outcome that is right at some moment, and no other.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncWriteExt;
use wasi_sidecar::{
    Access, Child, CodeOrigin, Framing, Grants, Limit, Limits, Termination, ambient_authority,
};

use crate::{
    outcome::{ended_as, hear, is, is_flood, is_refused, read_flood, same},
    random::Random,
    world::World,
};

/// A child is killed within so long of its start.
const LIFE: Duration = Duration::from_millis(40);

/// Guests of one scene that are there at once.
const CROWD: usize = 12;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    Spawn,
    Native,
    Exit,
    Echo,
    Lines,
    Flood,
    UnreadFlood,
    BigLine,
    Kill,
    KillCrowd,
    BlockedWrite,
    Trap,
    TrapEvents,
    Memory,
    OutOfTime,
    Files,
    Cache,
    Drop,
}

impl Scene {
    /// Each with how often it comes: what costs little comes often.
    pub(crate) const ALL: [(Self, usize); 18] = [
        (Self::Spawn, 12),
        (Self::Native, 1),
        (Self::Exit, 6),
        (Self::Echo, 4),
        (Self::Lines, 4),
        (Self::Flood, 3),
        (Self::UnreadFlood, 4),
        (Self::BigLine, 3),
        (Self::Kill, 10),
        (Self::KillCrowd, 1),
        (Self::BlockedWrite, 2),
        (Self::Trap, 4),
        (Self::TrapEvents, 3),
        (Self::Memory, 2),
        (Self::OutOfTime, 2),
        (Self::Files, 4),
        (Self::Cache, 4),
        (Self::Drop, 6),
    ];

    pub(crate) fn any(random: &mut Random) -> Self {
        let mut left = random.below(Self::ALL.iter().map(|(_, weight)| weight).sum());
        for (scene, weight) in Self::ALL {
            match left.checked_sub(weight) {
                Some(rest) => left = rest,
                None => return scene,
            }
        }
        Self::Spawn
    }

    pub(crate) async fn play(self, world: &World, random: &mut Random) -> Result<()> {
        match self {
            Self::Spawn => spawn(world, random).await,
            Self::Native => native(world, random).await,
            Self::Exit => exit(world, random).await,
            Self::Echo => echo(world, random).await,
            Self::Lines => lines(world, random).await,
            Self::Flood => flood(world, random).await,
            Self::UnreadFlood => unread_flood(world, random).await,
            Self::BigLine => big_line(world, random).await,
            Self::Kill => kill(world, random).await,
            Self::KillCrowd => crowd(world, random, CROWD).await,
            Self::BlockedWrite => blocked_write(world, random).await,
            Self::Trap => trap(world, random).await,
            Self::TrapEvents => trap_events(world, random).await,
            Self::Memory => memory(world, random).await,
            Self::OutOfTime => out_of_time(world, random).await,
            Self::Files => files(world, random).await,
            Self::Cache => cache(world, random).await,
            Self::Drop => dropped(world, random).await,
        }
    }
}

async fn spawn(world: &World, random: &mut Random) -> Result<()> {
    let words: Vec<_> = (0..random.below(5)).map(|_| random.between(1, 40)).collect();
    let words: Vec<_> = words.into_iter().map(|length| random.text(length)).collect();
    let output = world.guest(random, "args")?.args(&words).output().await?;
    is(&output, 0, words.iter().map(|word| format!("{word}\n")).collect::<String>().as_bytes(), b"")
}

/// A native child beside the guests, which has descriptors of its own.
async fn native(world: &World, random: &mut Random) -> Result<()> {
    if random.once_in(2) {
        let word = random.text(20);
        let output = world.native("args")?.arg(&word).output().await?;
        return is(&output, 0, format!("{word}\n").as_bytes(), b"");
    }
    let mut child = world.native("spin")?.spawn()?;
    tokio::time::sleep(random.moment(LIFE)).await;
    child.start_kill()?;
    ended_as(&child.wait().await?, |end| *end == Termination::Killed)
}

async fn exit(world: &World, random: &mut Random) -> Result<()> {
    let code = random.below(256);
    let length = random.below(60);
    let (said, complained) = (random.text(length), random.text(30));
    let mut command = world.guest(random, "exit")?;
    let output = command.args([&code.to_string(), &said, &complained]).output().await?;
    is(&output, code as i32, said.as_bytes(), complained.as_bytes())
}

async fn echo(world: &World, random: &mut Random) -> Result<()> {
    let length = random.between(1, 300_000);
    let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
    let mut child = world.guest(random, "echo")?.spawn()?;
    let mut stdin = child.stdin.take().context("its input is piped")?;
    let pieces = random.between(1, 9);
    let write = async {
        for piece in bytes.chunks(length.div_ceil(pieces)) {
            stdin.write_all(piece).await?;
            tokio::task::yield_now().await;
        }
        stdin.shutdown().await?;
        anyhow::Ok(())
    };
    let (written, output) = tokio::join!(write, child.wait_with_output());
    written?;
    is(&output?, 0, &bytes, b"")
}

async fn lines(world: &World, random: &mut Random) -> Result<()> {
    let (count, width) = (random.below(6000), random.between(20, 200));
    let mut command = world.guest(random, "lines")?;
    command.args([count.to_string(), width.to_string()]);
    if random.once_in(3) {
        command.arg("--each");
    }
    let (events, _child) = command.spawn()?.into_events(Framing::lines());
    let heard = hear(events, random).await?;
    heard.ended_as(|end| *end == Termination::Exited(0))?;
    ensure!(heard.stdout.len() == count, "{} lines of {count}", heard.stdout.len());
    for (number, line) in heard.stdout.iter().enumerate() {
        let mut wanted = format!("line {} ", number + 1);
        wanted.extend(std::iter::repeat_n('.', width - 1 - wanted.len()));
        wanted.push('\n');
        same("a line", line, wanted.as_bytes())?;
    }
    Ok(())
}

async fn flood(world: &World, random: &mut Random) -> Result<()> {
    let (bytes, chunk) = (random.below(1 << 20), random.pick(&[700, 4096, 65_536, 100_003]));
    let mut command = world.guest(random, "flood")?;
    let mut child = command.args(["both", &bytes.to_string(), &chunk.to_string()]).spawn()?;
    let stdout = child.stdout.take().context("its output is piped")?;
    let stderr = child.stderr.take().context("its errors are piped")?;
    let (mut one, mut other) = (random.fork(), random.fork());
    let (out, err) = tokio::join!(
        read_flood(stdout, usize::MAX, &mut one),
        read_flood(stderr, usize::MAX, &mut other)
    );
    let seen = (out?, err?);
    ensure!(seen == (bytes, bytes), "{seen:?} bytes came of {bytes}");
    ended_as(&child.wait().await?, |end| *end == Termination::Exited(0))
}

/// Nobody reads, or only a little; then it is killed, or those who would read go away.
async fn unread_flood(world: &World, random: &mut Random) -> Result<()> {
    let mut command = world.guest(random, "flood")?;
    command.args([random.pick(&["stdout", "stderr"]), "forever", "65536"]);
    let killed = |end: &Termination| *end == Termination::Killed;
    if random.once_in(2) {
        let (mut events, child) = command.spawn()?.into_events(Framing::Raw);
        tokio::time::sleep(random.moment(LIFE)).await;
        child.start_kill();
        let mut seen = [0; 2];
        // What was waiting in the pipes may come or not; what comes is what was written.
        let end = loop {
            let (at, bytes) = match events.recv().await.context("no `Terminated`")? {
                wasi_sidecar::CommandEvent::Stdout(bytes) => (0, bytes),
                wasi_sidecar::CommandEvent::Stderr(bytes) => (1, bytes),
                wasi_sidecar::CommandEvent::Terminated(end) => break end,
                other => anyhow::bail!("an event that nobody expects: {other:?}"),
            };
            is_flood(&bytes, seen[at])?;
            seen[at] += bytes.len();
        };
        ensure!(end.termination.as_ref().is_some_and(killed), "it ended with {end:?}");
        ensure!(events.recv().await.is_none(), "there is an event after `Terminated`");
        return Ok(());
    }
    let mut child = command.spawn()?;
    if let Some(stdout) = child.stdout.take_if(|_| random.once_in(2)) {
        // Of a guest that writes to its other stream nothing comes here, until it is killed.
        let enough = random.below(200_000);
        let read = read_flood(stdout, enough, random);
        let _ = tokio::time::timeout(LIFE, read).await.unwrap_or(Ok(0))?;
    }
    child.start_kill()?;
    // One whose output was dropped above finds a closed pipe, and may have noticed before it was killed.
    let quietly = |end: &Termination| killed(end) || matches!(end, Termination::Exited(0 | 1));
    ended_as(&child.wait().await?, quietly)
}

async fn big_line(world: &World, random: &mut Random) -> Result<()> {
    let (bytes, max) = (random.below(3 << 20), random.between(1 << 10, 1 << 20));
    let newline = random.once_in(2);
    let mut command = world.guest(random, "big-line")?;
    command.arg(bytes.to_string());
    if newline {
        command.arg("--newline");
    }
    let (events, _child) = command.spawn()?.into_events(Framing::lines().max_line(max));
    let heard = hear(events, random).await?;
    heard.ended_as(|end| *end == Termination::Exited(0))?;
    let longest = heard.stdout.iter().map(Vec::len).max().unwrap_or_default();
    ensure!(longest <= max, "a piece of {longest} bytes where {max} are the most");
    let mut wanted = vec![b'x'; bytes];
    wanted.extend(newline.then_some(b'\n'));
    same("a big line", &heard.stdout.concat(), &wanted)
}

/// One of those that never end, and one that ends soon, at any moment: before its code runs too.
async fn kill(world: &World, random: &mut Random) -> Result<()> {
    let (name, args): (_, &[&str]) = random.pick(&[
        ("spin", &[] as &[&str]),
        ("sleep", &["600000"]),
        ("echo", &[]),
        ("memory-hog", &["200"]),
        ("lines", &["100000000"]),
        ("args", &["x"]),
    ]);
    let mut child = world.guest(random, name)?.args(args).spawn()?;
    tokio::time::sleep(random.moment(LIFE)).await;
    kill_one(&mut child, matches!(name, "args")).await
}

async fn kill_one(child: &mut Child, can_end: bool) -> Result<()> {
    child.start_kill()?;
    child.start_kill()?;
    let status = child.wait().await?;
    ended_as(&status, |end| {
        *end == Termination::Killed || can_end && *end == Termination::Exited(0)
    })?;
    // It stays ended, and with the same end.
    ensure!(child.wait().await? == status && child.try_wait()? == Some(status), "it has two ends");
    Ok(())
}

/// Many at once, so that those of the pool and those outside of it are both there.
pub(crate) async fn crowd(world: &World, random: &mut Random, count: usize) -> Result<()> {
    let mut children = Vec::new();
    for _ in 0..count {
        children.push(world.guest(random, "echo")?.spawn()?);
    }
    for (number, child) in children.iter_mut().enumerate() {
        let line = format!("{number}\n");
        child.stdin.as_mut().context("its input is piped")?.write_all(line.as_bytes()).await?;
        let chunk = child.stdout.as_mut().context("its output is piped")?.chunk().await?;
        same("an answer", &chunk.context("it has ended")?, line.as_bytes())?;
    }
    while !children.is_empty() {
        let mut child = children.swap_remove(random.below(children.len()));
        if random.once_in(2) {
            kill_one(&mut child, false).await?;
        } else {
            ended_as(&child.wait().await?, |end| *end == Termination::Exited(0))?;
        }
    }
    Ok(())
}

/// A write that the guest does not take: it waits, and is refused when the guest has ended.
async fn blocked_write(world: &World, random: &mut Random) -> Result<()> {
    let name = random.pick(&["spin", "sleep"]);
    let mut command = world.guest(random, name)?;
    let (mut events, mut child) = command.arg("600000").spawn()?.into_events(Framing::lines());
    events.recv().await.context("it says that it runs")?;
    let mut stdin = child.take_stdin().context("its input is piped")?;
    let write = tokio::spawn(async move { stdin.write_all(&[b'x'; 1 << 20]).await });
    tokio::time::sleep(random.moment(LIFE)).await;
    ensure!(!write.is_finished(), "a write was taken that nobody has read");
    child.start_kill();
    hear(events, random).await?.ended_as(|end| *end == Termination::Killed)?;
    let refused = write.await?.expect_err("more than a pipe holds");
    ensure!(refused.kind() == std::io::ErrorKind::BrokenPipe, "the write failed with {refused}");
    is_refused(child.write(b"x").await)
}

fn trapping(random: &mut Random) -> Vec<String> {
    let text = random.text(30);
    match random.below(3) {
        0 => vec![text],
        1 => vec![text, "--recursion".to_owned()],
        _ => vec![text, "--panic".to_owned(), "the end".to_owned()],
    }
}

async fn trap(world: &World, random: &mut Random) -> Result<()> {
    let args = trapping(random);
    let output = world.guest(random, "trap")?.args(&args).output().await?;
    ended_as(&output.status, |end| matches!(end, Termination::Trapped(_)))?;
    same("what it said before", &output.stdout, args[0].as_bytes())
}

async fn trap_events(world: &World, random: &mut Random) -> Result<()> {
    let args = trapping(random);
    let (events, _child) =
        world.guest(random, "trap")?.args(&args).spawn()?.into_events(Framing::lines());
    let heard = hear(events, random).await?;
    heard.ended_as(|end| matches!(end, Termination::Trapped(_)))?;
    ensure!(heard.errors.len() == 1, "a trap is told as {:?}", heard.errors);
    same("what it said before", &heard.stdout.concat(), args[0].as_bytes())
}

/// More memory than it may have: it is refused, and the guest says so or faults.
async fn memory(world: &World, random: &mut Random) -> Result<()> {
    let (most, faults) = (random.between(4, 48), random.once_in(2));
    let mut command = world.guest(random, "memory-hog")?;
    command.limits(Limits::new().memory((most as u64) << 20));
    if faults {
        command.arg("--abort");
    }
    let output = command.output().await?;
    let text = String::from_utf8(output.stdout)?;
    let held = text.lines().filter(|line| line.starts_with("held")).count();
    ensure!(held < most, "it held {held} MiB of {most}");
    if faults {
        return ended_as(&output.status, |end| *end == Termination::OutOf(Limit::Memory));
    }
    ensure!(text.ends_with(&format!("refused at {held} MiB\n")), "it said `{text}`");
    ended_as(&output.status, |end| *end == Termination::Exited(1))
}

async fn out_of_time(world: &World, random: &mut Random) -> Result<()> {
    let time = Duration::from_millis(random.between(1, 40) as u64);
    let (limits, limit) = if random.once_in(2) {
        (Limits::new().time(time), Limit::Time)
    } else {
        (Limits::new().cpu_time(time), Limit::CpuTime)
    };
    let (events, _child) =
        world.guest(random, "spin")?.limits(limits).spawn()?.into_events(Framing::lines());
    hear(events, random).await?.ended_as(|end| *end == Termination::OutOf(limit))
}

async fn files(world: &World, random: &mut Random) -> Result<()> {
    let folder = world.directory()?;
    let length = random.between(1, 2000);
    let text = random.text(length);
    fs::write(folder.join("old"), "from the host")?;
    let access = random.pick(&[Access::ReadOnly, Access::ReadWrite]);
    let granted = Grants::new().dir(&folder, "/data", access, ambient_authority())?;
    let mut child = world.guest(random, "fs-probe")?.grants(granted).spawn()?;
    let script =
        format!("read\t/data/old\nwrite\t/data/new\t{text}\nlist\t/data\nread\t/data/../old\n");
    let mut stdin = child.stdin.take().context("its input is piped")?;
    stdin.write_all(script.as_bytes()).await?;
    if random.once_in(4) {
        // In the middle of it, and its files are given back all the same.
        tokio::time::sleep(random.moment(LIFE)).await;
        kill_one(&mut child, false).await?;
    } else {
        drop(stdin);
        let output = child.wait_with_output().await?;
        ended_as(&output.status, |end| *end == Termination::Exited(0))?;
        let lines = String::from_utf8(output.stdout)?;
        let lines: Vec<_> = lines.lines().collect();
        ensure!(lines.len() == 4, "it did {lines:?}");
        ensure!(lines[0].ends_with(r#""ok":true,"value":"from the host"}"#), "{}", lines[0]);
        ensure!(lines[3].contains(r#""ok":false"#), "it got out: {}", lines[3]);
        let written = access == Access::ReadWrite;
        let list = if written { r#"["new","old"]"# } else { r#"["old"]"# };
        ensure!(lines[1].contains(r#""ok":true"#) == written, "{access:?}: {}", lines[1]);
        ensure!(lines[2].ends_with(&format!(r#""value":{list}}}"#)), "{access:?}: {}", lines[2]);
        let found = fs::read(folder.join("new")).ok();
        let wanted = written.then(|| text.into_bytes());
        ensure!(found == wanted, "the file holds something else");
    }
    fs::remove_dir_all(folder)?;
    Ok(())
}

/// An engine that comes and goes, with a code cache whose files somebody damages: it costs time and never a right result.
async fn cache(world: &World, random: &mut Random) -> Result<()> {
    let name = random.pick(&["args", "echo", "clock-random", "stdin-count"]);
    let (engine, component) = world.another_engine(random, name)?;
    let mut command = wasi_sidecar::Command::new(component.clone());
    let (input, wanted) = match name {
        "args" => ("", "a\nb\n"),
        "echo" => ("here and back", "here and back"),
        "stdin-count" => ("two\nlines\n", "bytes=10 lines=2\n"),
        _ => ("", "monotonic ok\nwall ok\nrandom ok\n"),
    };
    if name == "args" {
        command.args(["a", "b"]);
    }
    let mut child = command.spawn()?;
    // The engine goes while its guest is compiled or runs, which keeps what it needs.
    drop((engine, command));
    if random.once_in(6) {
        tokio::time::sleep(random.moment(LIFE)).await;
        return kill_one(&mut child, true).await;
    }
    let mut stdin = child.stdin.take().context("its input is piped")?;
    // One that takes no input may be gone.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    is(&child.wait_with_output().await?, 0, wanted.as_bytes(), b"")?;
    let counter = match component.code_origin().context("it has run")? {
        CodeOrigin::Cache => &world.from_cache,
        _ => &world.compiled_anew,
    };
    counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Ok(())
}

/// Whoever started it lets go of it, in parts or as a whole.
async fn dropped(world: &World, random: &mut Random) -> Result<()> {
    let (name, args): (_, &[&str]) = random.pick(&[
        ("flood", &[] as &[&str]),
        ("spin", &[]),
        ("sleep", &["600000"]),
        ("echo", &[]),
        ("interleave", &["100000000"]),
    ]);
    let mut command = world.guest(random, name)?;
    let kill = random.once_in(2);
    let mut child = command.args(args).kill_on_drop(kill).spawn()?;
    let watch = child.watch();
    if random.once_in(2) {
        tokio::time::sleep(random.moment(LIFE)).await;
    }
    match random.below(4) {
        0 => drop(child),
        1 => drop(child.into_events(Framing::lines())),
        2 => {
            let (events, handle) = child.into_events(Framing::Raw);
            drop(events);
            tokio::time::sleep(random.moment(LIFE)).await;
            drop(handle);
        }
        _ => {
            drop(child.stdout.take());
            tokio::time::sleep(random.moment(LIFE)).await;
            drop((child.stdin.take(), child));
        }
    }
    if !kill {
        watch.start_kill();
    }
    // One that reads may have read the end of its input; each may have found its output closed, and failed.
    ended_as(&watch.wait().await?, |end| match end {
        Termination::Exited(0) => matches!(name, "flood" | "echo" | "interleave"),
        end => matches!(end, Termination::Exited(1) | Termination::Killed),
    })
}
