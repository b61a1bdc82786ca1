//! `cargo xtask demo`: the main job on real input, from nothing.
//!
//! In a window it is the example app, `examples/app`; where there is no display it is driven through its main path, and
//! leaves pictures. In a terminal it is a program of its own, `examples/headless`. Both get what they need and no more: the
//! guests they run, which are not all there are, and a build.
//!
//! A first run takes minutes, most of them for the engine and the webview. So everything goes on beside that: what is
//! downloaded, and the guests in Rust. The app opens as soon as it and one sidecar are built, and the other sidecars appear
//! in it. Guests in other languages are compiled only then, since on a small machine they would delay that moment.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, bail};
use wasi_sidecar_guests::Kind;

use crate::announce::{self, Needs};
use crate::guests::{self, Guest, Guests};
use crate::{app, build, e2e, javascript, paths, setup, step, webview};

const HEADLESS: &str = "headless-demo";
/// What the scenes in `examples/headless` run: programs in Rust, each with its native twin, and guests in other languages.
const HEADLESS_TWINS: [&str; 5] = ["markdown", "word-count", "echo", "fs-probe", "spin"];
const HEADLESS_OTHERS: [&str; 2] = ["go/echo", "python/echo"];

/// What the app opens with.
const FIRST: [Guest; 2] = [(Kind::Component, "upper"), (Kind::Native, "upper")];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Show the same sidecars in this terminal, without a window
    #[arg(long)]
    headless_cli: bool,
    /// Only the sidecars in Rust: no compilers for other languages are downloaded
    #[arg(long)]
    quick: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match arguments.headless_cli {
        true => in_the_terminal(arguments.quick),
        false => in_a_window(arguments.quick),
    }
}

fn in_a_window(quick: bool) -> Result<()> {
    let start = Instant::now();
    let display = webview::has_display();
    let wanted = Wanted::new(app::guests()?, &FIRST, quick);
    announce::tell(&Needs {
        program: app::APP,
        opens: if display { "the window opens" } else { "the first picture is there" },
        guests: &wanted.all(),
        system: webview::download(!display),
        npm: javascript::download(),
        quick,
    });
    setup::set_up_languages()?;
    alongside(&Guests::lock()?, &wanted, |guests| {
        let app = app_beside_its_page(display)?;
        let shown = Shown { app: &app, start };
        if display { shown.to_a_person(guests) } else { shown.to_the_driver(guests, quick) }
    })
}

/// Builds the app. What does not need a webview is compiled while the system gets one, and npm the page.
fn app_beside_its_page(display: bool) -> Result<PathBuf> {
    step::line("building", &format!("{}, for development", app::APP));
    thread::scope(|scope| {
        let page = scope.spawn(|| {
            if display {
                webview::set_up_building()?
            } else {
                webview::set_up_driving()?
            }
            javascript::build()
        });
        // It has the engine in common with the app, and none of the rest.
        let engine = build::executable(&["build"], "--bin", HEADLESS);
        page.join().map_err(|_| anyhow!("building the page has panicked"))??;
        engine?;
        build::executable(&["build"], "--bin", app::APP)
    })
}

fn in_the_terminal(quick: bool) -> Result<()> {
    let guests = headless_guests();
    let wanted = Wanted::new(guests, &[], quick);
    announce::tell(&Needs {
        program: HEADLESS,
        opens: "the first scene is played",
        guests: &wanted.all(),
        system: None,
        npm: None,
        quick,
    });
    // The compilers for Go and Python come as packages of Python's.
    setup::set_up_python()?;
    alongside(&Guests::lock()?, &wanted, |mut guests| {
        step::line("building", &format!("{HEADLESS}, for development"));
        let demo = build::executable(&["build"], "--bin", HEADLESS)?;
        guests.go_on();
        while guests.next()?.is_some() {}
        let mut demo = step::command(demo);
        if quick {
            demo.arg("--quick");
        }
        let status = demo.current_dir(paths::workspace()).status();
        let status = status.context("cannot start the demo")?;
        if !status.success() {
            bail!("the demo did not do all it should ({status}); what went wrong is said above");
        }
        Ok(())
    })
}

fn headless_guests() -> Vec<Guest> {
    let twins =
        HEADLESS_TWINS.iter().flat_map(|name| [(Kind::Component, *name), (Kind::Native, *name)]);
    twins.chain(HEADLESS_OTHERS.iter().filter_map(|name| guests::find(name))).collect()
}

/// The app, built, with guests that arrive.
struct Shown<'a> {
    app: &'a Path,
    start: Instant,
}

impl Shown<'_> {
    /// Opens the window with the first sidecar, and gives it the others as they are built.
    fn to_a_person(&self, mut guests: Arriving) -> Result<()> {
        self.provide(&mut guests)?;
        self.provide_what_is_there(&mut guests)?;
        step::line("opening", &format!("{}, after {}", self.app.display(), self.time()));
        guests.go_on();
        let mut window = step::command(self.app).spawn().context("cannot start the app")?;
        let rest = (|| {
            while self.provide(&mut guests)? {
                if window.try_wait()?.is_some() {
                    step::line(
                        "note",
                        "the window is closed, and what it lacked is still being built; Ctrl+C ends that",
                    );
                }
            }
            Ok(())
        })();
        if let Err(error) = &rest {
            // Whoever is in front of the window waits for it otherwise.
            step::line("failed", &format!("{error:#}"));
        }
        let status = window.wait().context("cannot wait for the app")?;
        rest.and_then(
            |()| if status.success() { Ok(()) } else { bail!("the app failed ({status})") },
        )
    }

    /// Drives the window on a display of its own, as far as there are sidecars for it.
    fn to_the_driver(&self, mut guests: Arriving, quick: bool) -> Result<()> {
        let pictures = paths::workspace().join("target/demo");
        let [first, main, arrival] = e2e::DEMO;
        forget(&pictures)?;
        self.provide(&mut guests)?;
        self.provide_what_is_there(&mut guests)?;
        step::line("driving", "the app on a display of its own (Xvfb), since there is none here");
        e2e::demo(self.app, &pictures, first)?;
        step::line(
            "picture",
            &format!("after {}: {}", self.time(), pictures.join("talking.png").display()),
        );
        guests.go_on();
        while guests.rust_to_come > 0 && self.provide(&mut guests)? {}
        e2e::demo(self.app, &pictures, main)?;
        while self.provide(&mut guests)? {}
        if !quick {
            e2e::demo(self.app, &pictures, arrival)?;
        }
        step::line("pictures", &format!("of what it showed are in {}", pictures.display()));
        Ok(())
    }

    /// Waits for the next guests and puts them beside the app; whether there were any.
    fn provide(&self, guests: &mut Arriving) -> Result<bool> {
        let Some(arrived) = guests.next()? else { return Ok(false) };
        app::provide(self.app, &arrived)?;
        Ok(true)
    }

    /// Puts those beside the app that were built while it was.
    fn provide_what_is_there(&self, guests: &mut Arriving) -> Result<()> {
        while let Some(arrived) = guests.next_if_there()? {
            app::provide(self.app, &arrived)?;
        }
        Ok(())
    }

    fn time(&self) -> String {
        step::time(self.start.elapsed())
    }
}

/// Removes the pictures of an earlier run, which would be taken for those of this one.
fn forget(pictures: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(pictures) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "png") {
            std::fs::remove_file(&path)
                .with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Guests in the order in which they are built: groups that arrive together.
struct Wanted {
    /// Those in Rust, what is needed first before the others.
    rust: Vec<Vec<Guest>>,
    /// Those in other languages, one by one.
    others: Vec<Guest>,
}

impl Wanted {
    fn new(guests: Vec<Guest>, first: &[Guest], quick: bool) -> Wanted {
        let (others, rust): (Vec<_>, Vec<_>) =
            guests.into_iter().partition(|(kind, _)| matches!(kind, Kind::Language(_)));
        let (first, rest): (Vec<_>, Vec<_>) =
            rust.into_iter().partition(|guest| first.contains(guest));
        let rust = [first, rest].into_iter().filter(|group| !group.is_empty()).collect();
        Wanted { rust, others: if quick { Vec::new() } else { others } }
    }

    fn all(&self) -> Vec<Guest> {
        self.rust.iter().flatten().chain(&self.others).copied().collect()
    }
}

/// What builds guests: [`Guests`], and a pretended one in tests.
trait Builder: Sync {
    /// Downloads what these need.
    fn set_up(&self, guests: &[Guest]) -> Result<()>;
    fn build(&self, guests: &[Guest]) -> Result<()>;
}

impl Builder for Guests {
    fn set_up(&self, guests: &[Guest]) -> Result<()> {
        self.set_up(guests)
    }

    fn build(&self, guests: &[Guest]) -> Result<()> {
        self.build(guests)
    }
}

/// Builds guests while `build` does something else, and lets it know of those that are there.
fn alongside(
    builder: &impl Builder,
    wanted: &Wanted,
    build: impl FnOnce(Arriving) -> Result<()>,
) -> Result<()> {
    let (sender, arrived) = mpsc::channel();
    let (go_on, gate) = mpsc::channel();
    thread::scope(|scope| {
        let downloads = scope.spawn(move || builder.set_up(&wanted.others));
        scope.spawn(move || {
            let built = (|| {
                for group in &wanted.rust {
                    builder.build(group)?;
                    // Nobody waits for it any more if the other side has failed, which is told there.
                    let _ = sender.send(Ok(group.clone()));
                }
                downloads.join().map_err(|_| anyhow!("a download has panicked"))??;
                if gate.recv().is_err() {
                    return Ok(());
                }
                for guest in &wanted.others {
                    builder.build(&[*guest])?;
                    let _ = sender.send(Ok(vec![*guest]));
                }
                Ok(())
            })();
            if let Err(error) = built {
                let _ = sender.send(Err(error));
            }
        });
        build(Arriving { arrived, go_on, rust_to_come: wanted.rust.len() })
    })
}

/// Guests that are being built, for whoever uses them.
struct Arriving {
    arrived: Receiver<Result<Vec<Guest>>>,
    go_on: Sender<()>,
    /// Groups of those in Rust that are not there yet.
    rust_to_come: usize,
}

impl Arriving {
    /// The next ones that are there; `None` after the last. Those in other languages come only after [`go_on`](Self::go_on).
    fn next(&mut self) -> Result<Option<Vec<Guest>>> {
        let next = self.arrived.recv().ok().transpose()?;
        self.rust_to_come = self.rust_to_come.saturating_sub(1);
        Ok(next)
    }

    /// The same without waiting.
    fn next_if_there(&mut self) -> Result<Option<Vec<Guest>>> {
        let next = self.arrived.try_recv().ok().transpose()?;
        if next.is_some() {
            self.rust_to_come = self.rust_to_come.saturating_sub(1);
        }
        Ok(next)
    }

    /// Has those in other languages built as well.
    fn go_on(&self) {
        // Where the other side has failed there is nothing to go on with.
        let _ = self.go_on.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_the_app_opens_with_comes_first_and_rust_before_the_others() {
        let guests = app::guests().expect("the app's configuration");
        let wanted = Wanted::new(guests.clone(), &FIRST, false);
        assert_eq!(wanted.rust[0].len(), FIRST.len());
        assert!(FIRST.iter().all(|guest| wanted.rust[0].contains(guest)), "{:?}", wanted.rust);
        assert_eq!(wanted.all().len(), guests.len());
        assert!(!wanted.others.is_empty());
        let quick = Wanted::new(guests, &FIRST, true);
        assert_eq!(quick.rust, wanted.rust);
        assert!(quick.others.is_empty());
    }

    #[test]
    fn the_demo_in_a_terminal_names_no_guest_that_is_not_built_for_it() {
        let scenes = paths::workspace().join("examples/headless/src/scenes");
        let mut found = Vec::new();
        for scene in std::fs::read_dir(scenes).expect("the scenes") {
            let text = std::fs::read_to_string(scene.expect("a scene").path()).expect("its text");
            for name in text.split("twins(\"").skip(1).filter_map(|rest| rest.split('"').next()) {
                found.extend([(Kind::Component, name.to_owned()), (Kind::Native, name.to_owned())]);
            }
            // `("go/echo", "go")`
            for name in
                text.split('"').filter(|word| word.ends_with("/echo") && !word.starts_with("rust/"))
            {
                found.extend(guests::find(name).map(|(kind, name)| (kind, name.to_owned())));
            }
        }
        let built = headless_guests();
        assert_eq!(built.len(), 2 * HEADLESS_TWINS.len() + HEADLESS_OTHERS.len(), "{built:?}");
        for (kind, name) in &found {
            assert!(built.contains(&(*kind, name.as_str())), "{kind:?} {name} is not in {built:?}");
        }
        for (kind, name) in &built {
            assert!(found.contains(&(*kind, (*name).to_owned())), "no scene runs {kind:?} {name}");
        }
    }

    /// Remembers what was built, and fails at one guest.
    struct Pretended {
        built: Mutex<Vec<Guest>>,
        fails_at: Option<&'static str>,
    }

    impl Builder for Pretended {
        fn set_up(&self, _: &[Guest]) -> Result<()> {
            if self.fails_at == Some("download") { bail!("no such package") } else { Ok(()) }
        }

        fn build(&self, guests: &[Guest]) -> Result<()> {
            if let Some((_, name)) = guests.iter().find(|guest| Some(guest.1) == self.fails_at) {
                bail!("not built: {name}");
            }
            self.built.lock().unwrap().extend(guests);
            Ok(())
        }
    }

    fn pretended(fails_at: Option<&'static str>) -> (Pretended, Wanted) {
        let rust = vec![FIRST.to_vec(), vec![(Kind::Component, "spin")]];
        let others = vec![(Kind::Language("go"), "echo"), (Kind::Language("js"), "hello")];
        (Pretended { built: Mutex::default(), fails_at }, Wanted { rust, others })
    }

    #[test]
    fn guests_arrive_in_groups_and_those_in_other_languages_when_the_app_is_built() {
        let (builder, wanted) = pretended(None);
        alongside(&builder, &wanted, |mut guests| {
            assert_eq!(guests.next()?, Some(FIRST.to_vec()));
            assert_eq!(guests.next()?, Some(vec![(Kind::Component, "spin")]));
            assert_eq!(builder.built.lock().unwrap().len(), 3);
            assert_eq!(guests.rust_to_come, 0);
            // Nothing else comes by itself.
            assert_eq!(guests.next_if_there()?, None);
            guests.go_on();
            assert_eq!(guests.next()?, Some(vec![(Kind::Language("go"), "echo")]));
            assert_eq!(guests.next()?, Some(vec![(Kind::Language("js"), "hello")]));
            assert_eq!(guests.next()?, None);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_guest_that_does_not_build_takes_nothing_from_those_before_it() {
        for (fails_at, arrive, why) in [
            ("spin", 1, "not built: spin"),
            ("download", 2, "no such package"),
            ("hello", 3, "not built: hello"),
        ] {
            let (builder, wanted) = pretended(Some(fails_at));
            alongside(&builder, &wanted, |mut guests| {
                guests.go_on();
                for _ in 0..arrive {
                    assert!(guests.next()?.is_some(), "{fails_at}");
                }
                assert_eq!(guests.next().unwrap_err().to_string(), why);
                assert_eq!(guests.next()?, None, "{fails_at}");
                Ok(())
            })
            .unwrap();
        }
    }

    #[test]
    fn an_app_that_does_not_build_is_told_and_nothing_more_is_begun() {
        let (builder, wanted) = pretended(None);
        let ended = alongside(&builder, &wanted, |_| bail!("the app does not build"));
        assert_eq!(ended.unwrap_err().to_string(), "the app does not build");
        assert!(
            builder
                .built
                .lock()
                .unwrap()
                .iter()
                .all(|(kind, _)| !matches!(kind, Kind::Language(_)))
        );
    }
}
