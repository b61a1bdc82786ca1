//! How a component comes to its code: asked for once, found or compiled on a thread of its own, told to all who wait.

use std::{panic::AssertUnwindSafe, thread, time::Instant};

use tokio::sync::watch;

use super::{Component, Inner, code::Compiled, status::State};
use crate::{
    CodeOrigin, Digest, Error, ErrorKind, Result,
    compile::{
        self, Urgency, advice,
        isolated::{self, Done, Job},
        prescan,
    },
    engine::Strangers,
};

impl Component {
    /// The code, once it is ready. The first caller starts the work on a thread of its own, so that neither a
    /// caller that gives up nor one that is killed takes it from the others.
    pub(super) async fn code(&self, urgency: Urgency) -> Result<Compiled> {
        let _waiting = self.0.engine.compile_queue().wait(&self.0.waiters, urgency);
        loop {
            let mut state = self.started()?;
            let over = |state: &State| {
                matches!(state, State::Ready(..) | State::Failed(_) | State::NotAsked)
            };
            match state.wait_for(over).await.as_deref() {
                Ok(State::Ready(compiled, _)) => return Ok(compiled.clone()),
                Ok(State::Failed(error)) => return Err(error.clone()),
                // No thread could be had by the one who asked first, or it was given up just before this one asked.
                Ok(_) => {}
                Err(_) => return Err(self.compiler_failed()),
            }
        }
    }

    /// Where the result appears. Starts the work if nobody has; that no thread could be had for it is an error
    /// of this caller only.
    fn started(&self) -> Result<watch::Receiver<State>> {
        let receiver = self.0.state.subscribe();
        let starts = self.0.state.send_if_modified(|state| {
            let starts = match state {
                State::NotAsked => true,
                // What the system refused it may grant the next time.
                State::Failed(error) => error.kind() == ErrorKind::Io,
                _ => false,
            };
            if starts {
                *state = State::Queued;
            }
            starts
        });
        if !starts {
            return Ok(receiver);
        }
        let component = self.clone();
        let work = move || {
            // The compiler is not meant to panic, whatever it is given. If it does, that is an answer too.
            let made = std::panic::catch_unwind(AssertUnwindSafe(|| component.make()));
            let result = made.unwrap_or_else(|_| Err(component.compiler_failed()));
            let result = result.map_err(|error| component.named(error));
            component.0.state.send_replace(match result {
                Ok(Some((compiled, origin))) => State::Ready(compiled, origin),
                Ok(None) => State::NotAsked,
                Err(error) => State::Failed(error),
            });
        };
        let thread = thread::Builder::new().name("wasi-sidecar-compile".into());
        if let Err(error) = thread.spawn(work) {
            self.0.state.send_replace(State::NotAsked);
            return Err(Error::io("start a thread for compiling", error));
        }
        Ok(receiver)
    }

    fn compiler_failed(&self) -> Error {
        let text = format!("the compiler failed on `{}`; please report the artifact", self.0.name);
        Error::new(ErrorKind::Compile, text)
    }

    /// Code that is there already, or else made and kept. Nothing if nobody waits for it any more.
    fn make(&self) -> Result<Option<(Compiled, CodeOrigin)>> {
        let Inner { engine, artifact, .. } = &*self.0;
        if let Some(found) = self.at_hand() {
            return Ok(Some(found));
        }
        let digest = artifact.digest();
        let Some(code) = self.compile_in_turn()? else { return Ok(None) };
        let compiled = self.link(&code)?;
        if let Some(cache) = engine.cache() {
            cache.put(&digest, engine.fingerprint(), &code);
        }
        Ok(Some((compiled, CodeOrigin::Compiled)))
    }

    /// Code that was made before.
    fn at_hand(&self) -> Option<(Compiled, CodeOrigin)> {
        let brought = self.brought().map(|compiled| (compiled, CodeOrigin::AheadOfTime));
        brought.or_else(|| self.cached().map(|compiled| (compiled, CodeOrigin::Cache)))
    }

    fn cached(&self) -> Option<Compiled> {
        let Inner { engine, artifact, .. } = &*self.0;
        let digest = artifact.digest();
        let code = engine.cache()?.get(&digest, engine.fingerprint())?;
        self.link(&code)
            .inspect_err(|error| {
                tracing::warn!(artifact = %digest, kind = ?error.kind(), "cached code was refused");
                tracing::debug!(artifact = %digest, error = %error.chain(), "cached code was refused because");
            })
            .ok()
    }

    /// Compiles when it is this artifact's turn. A stranger's is given up when nobody waits for it any more.
    fn compile_in_turn(&self) -> Result<Option<Vec<u8>>> {
        let Inner { engine, artifact, wasm, waiters, .. } = &*self.0;
        let strangers = match engine.strangers() {
            // Where there is no compiler, it says so.
            _ if !cfg!(feature = "compiler") => &Strangers::InProcess,
            _ if self.is_trusted() => &Strangers::InProcess,
            strangers => strangers,
        };
        let to_the_end = !matches!(strangers, Strangers::Isolated(_));
        let wanted = || to_the_end || waiters.are_there();
        let Some(_turn) = engine.compile_queue().turn(wasm.len(), waiters, wanted) else {
            return Ok(None);
        };
        let since = Instant::now();
        self.0.state.send_replace(State::Compiling(since));
        let code = match strangers {
            Strangers::InProcess => self.compile_here()?,
            Strangers::Scanned => self.scan_and_compile_here()?,
            Strangers::Isolated(child) => {
                match isolated::compile(child, self.job(&artifact.digest()), wanted, || {
                    waiters.is_urgent()
                })? {
                    Done::Made(code) => code,
                    Done::Abandoned => return Ok(None),
                    Done::NoChild => {
                        tracing::warn!(
                            ?child,
                            "this program is no compile child, so an artifact that nobody vouches for is compiled in the \
                         application's own process"
                        );
                        self.scan_and_compile_here()?
                    }
                }
            }
        };
        tracing::debug!(artifact = %artifact.digest(), elapsed = ?since.elapsed(), "compiled");
        Ok(Some(code))
    }

    fn job<'a>(&'a self, digest: &'a Digest) -> Job<'a> {
        let Inner { engine, wasm, .. } = &*self.0;
        let (guest_stack, fingerprint) = (engine.guest_stack(), engine.fingerprint());
        Job { form: self.form(), wasm, digest, guest_stack, fingerprint }
    }

    fn scan_and_compile_here(&self) -> Result<Vec<u8>> {
        prescan::check(&self.0.wasm)?;
        self.compile_here()
    }

    fn compile_here(&self) -> Result<Vec<u8>> {
        let Inner { engine, wasm, waiters, .. } = &*self.0;
        let since = Instant::now();
        // Decided once: it cannot be changed while it is under way.
        let background = !waiters.is_urgent();
        let code = compile::on_all_cores(background, || {
            compile::compile(engine.compiler(), self.form(), wasm)
        })??;
        advice::give_once(wasm.len(), since.elapsed());
        Ok(code)
    }

    pub(super) fn link(&self, code: &[u8]) -> Result<Compiled> {
        Compiled::link(&self.0.engine, self.form(), &self.0.name, code)
    }
}
