//! Builds guests on another thread, in groups, while the demo builds its program.

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use anyhow::{Result, anyhow};
use wasi_sidecar_guests::Kind;

use crate::guests::Guest;

/// Guests in the order of building.
pub(crate) struct Plan {
    /// Built at once.
    first: Vec<Guest>,
    /// The other guests in Rust, built together after [`Arrivals::build_rest`].
    rust: Vec<Guest>,
    /// Guests in other languages, built last, one by one.
    others: Vec<Guest>,
}

impl Plan {
    pub(crate) fn new(guests: Vec<Guest>, first: &[Guest], quick: bool) -> Plan {
        let (others, rust): (Vec<_>, Vec<_>) =
            guests.into_iter().partition(|(kind, _)| matches!(kind, Kind::Language(_)));
        let (first, rust) = rust.into_iter().partition(|guest| first.contains(guest));
        Plan { first, rust, others: if quick { Vec::new() } else { others } }
    }

    pub(crate) fn all(&self) -> Vec<Guest> {
        [&self.first, &self.rust, &self.others].into_iter().flatten().copied().collect()
    }
}

/// Runs `job` while guests are built. The job receives each group of guests when it is ready. `download` gets the compilers
/// for guests in other languages.
pub(crate) fn build_beside(
    plan: &Plan,
    build: impl Fn(&[Guest]) -> Result<()> + Sync,
    download: impl Fn(&[Guest]) -> Result<()> + Sync,
    job: impl FnOnce(&mut Arrivals) -> Result<()>,
) -> Result<()> {
    let (build, download) = (&build, &download);
    let (sender, ready) = mpsc::channel();
    let (rest, gate) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            let send = |guests: &[Guest]| {
                if !guests.is_empty() {
                    build(guests)?;
                    // The receiver is gone if the job has failed, which returns that error.
                    let _ = sender.send(Ok(guests.to_vec()));
                }
                Ok(())
            };
            let built = send(&plan.first).and_then(|()| {
                if gate.recv().is_err() {
                    return Ok(());
                }
                let downloads = scope.spawn(|| download(&plan.others));
                send(&plan.rust)?;
                downloads.join().map_err(|_| anyhow!("a download panicked"))??;
                plan.others.chunks(1).try_for_each(send)
            });
            if let Err(error) = built {
                let _ = sender.send(Err(error));
            }
        });
        job(&mut Arrivals { ready, rest })
    })
}

/// Guests that are being built.
pub(crate) struct Arrivals {
    ready: Receiver<Result<Vec<Guest>>>,
    rest: Sender<()>,
}

impl Arrivals {
    /// Waits for the next group; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Vec<Guest>>> {
        self.ready.recv().ok().transpose()
    }

    /// Starts building the guests after the first group.
    pub(crate) fn build_rest(&self) {
        // The builder is gone if the first group has failed, which `next` returns.
        let _ = self.rest.send(());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use anyhow::bail;

    use super::*;

    const FIRST: [Guest; 2] = [(Kind::Component, "upper"), (Kind::Native, "upper")];
    const SPIN: Guest = (Kind::Component, "spin");
    const GO: Guest = (Kind::Language("go"), "echo");
    const JS: Guest = (Kind::Language("js"), "hello");

    fn plan(quick: bool) -> Plan {
        Plan::new(vec![GO, SPIN, FIRST[0], JS, FIRST[1]], &FIRST, quick)
    }

    #[test]
    fn first_guests_are_followed_by_rust_and_then_by_other_languages() {
        assert_eq!(plan(false).all(), [FIRST[0], FIRST[1], SPIN, GO, JS]);
        assert_eq!(plan(true).all(), [FIRST[0], FIRST[1], SPIN]);
    }

    type Built = Mutex<Vec<Guest>>;

    /// Records what is built, and fails at one guest.
    fn run(
        fails_at: Option<&str>,
        built: &Built,
        job: impl FnOnce(&mut Arrivals) -> Result<()>,
    ) -> Result<()> {
        let build = |guests: &[Guest]| {
            if let Some((_, name)) = guests.iter().find(|guest| Some(guest.1) == fails_at) {
                bail!("not built: {name}");
            }
            built.lock().unwrap().extend(guests);
            Ok(())
        };
        let download =
            |_: &[Guest]| if fails_at == Some("download") { bail!("no package") } else { Ok(()) };
        build_beside(&plan(false), build, download, job)
    }

    #[test]
    fn guests_arrive_in_groups_and_the_rest_only_when_asked_for() {
        let built = Built::default();
        run(None, &built, |guests| {
            assert_eq!(guests.next()?, Some(FIRST.to_vec()));
            assert_eq!(*built.lock().unwrap(), FIRST);
            guests.build_rest();
            for guest in [SPIN, GO, JS] {
                assert_eq!(guests.next()?, Some(vec![guest]));
            }
            assert_eq!(guests.next()?, None);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_failed_guest_does_not_affect_those_before_it() {
        for (fails_at, arrive, why) in [
            ("upper", 0, "not built: upper"),
            ("spin", 1, "not built: spin"),
            ("download", 2, "no package"),
            ("hello", 3, "not built: hello"),
        ] {
            run(Some(fails_at), &Built::default(), |guests| {
                guests.build_rest();
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
    fn a_failed_job_returns_its_error_and_stops_after_the_first_group() {
        let built = Built::default();
        let ended = run(None, &built, |_| bail!("the app does not build"));
        assert_eq!(ended.unwrap_err().to_string(), "the app does not build");
        assert_eq!(*built.lock().unwrap(), FIRST);
    }
}
