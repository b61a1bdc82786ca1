//! Finds or compiles a component's machine code once, on a thread of its own, for all who wait.

use std::{panic::AssertUnwindSafe, thread, time::Instant};

use tokio::sync::watch;

use super::{
    component::{Component, Inner},
    status::{CodeOrigin, State},
};
use crate::{
    Digest, Error, ErrorKind, Result,
    compile::{
        self, Urgency, debug_build_hint,
        isolated::{self, Done, Job},
        prescan,
    },
    engine::UntrustedPolicy,
    guest::code::Compiled,
};

/// Bytes of an artifact whose existing code is loaded without a thread of its own.
const SMALL: usize = 512 << 10;

impl Component {
    /// The code, once it is ready. The first caller starts the work on a thread of its own, so that a caller that is
    /// cancelled or killed does not take it from the others.
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
                // The first caller got no thread, or the work was abandoned just before this caller asked.
                Ok(_) => {}
                Err(_) => return Err(self.compiler_failed()),
            }
        }
    }

    /// Where the result appears. Starts the work if nobody has. Failing to start a thread is an error of this caller
    /// only.
    fn started(&self) -> Result<watch::Receiver<State>> {
        let receiver = self.0.state.subscribe();
        if !self.claim() {
            return Ok(receiver);
        }
        let component = self.clone();
        let work = move || {
            // The compiler should not panic on any input. If it does, that is an error and not the end of the thread.
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

    /// Whether the work falls to the caller, because nobody has begun it.
    fn claim(&self) -> bool {
        self.0.state.send_if_modified(|state| {
            let is_free = match state {
                State::NotAsked => true,
                // A lack of system resources may be over.
                State::Failed(error) => error.kind() == ErrorKind::Io,
                _ => false,
            };
            if is_free {
                *state = State::Queued;
            }
            is_free
        })
    }

    /// Loads existing code of a small artifact on the thread of the guest that needs it. That takes a few hundred microseconds;
    /// a new thread for it takes as long again.
    pub(super) fn load_if_small(&self) {
        if self.0.wasm.len() <= SMALL && self.claim() {
            let found = std::panic::catch_unwind(AssertUnwindSafe(|| self.at_hand()));
            self.0.state.send_replace(match found {
                Ok(Some((compiled, origin))) => State::Ready(compiled, origin),
                _ => State::NotAsked,
            });
        }
    }

    fn compiler_failed(&self) -> Error {
        let text = format!("the compiler failed on `{}`; please report the artifact", self.0.name);
        Error::new(ErrorKind::Compile, text)
    }

    /// Existing code, or else newly compiled code that is stored in the cache. `None` if nobody waits for it any more.
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

    /// Code that was compiled earlier.
    fn at_hand(&self) -> Option<(Compiled, CodeOrigin)> {
        let precompiled = self.precompiled().map(|compiled| (compiled, CodeOrigin::AheadOfTime));
        precompiled.or_else(|| self.cached().map(|compiled| (compiled, CodeOrigin::Cache)))
    }

    fn precompiled(&self) -> Option<Compiled> {
        let artifact = self.0.artifact.digest();
        let code = self.take_precompiled()?.read(artifact)?;
        self.link(&code)
            .inspect_err(|error| {
                tracing::debug!(%artifact, error = %error.chain(), "code made ahead of time does not fit this machine");
            })
            .ok()
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

    /// Waits for a compile slot and compiles. An untrusted artifact is abandoned when nobody waits for it any more.
    fn compile_in_turn(&self) -> Result<Option<Vec<u8>>> {
        let Inner { engine, artifact, wasm, waiters, .. } = &*self.0;
        let policy = match engine.untrusted_policy() {
            // Without a compiler, compiling in this process returns the right error.
            _ if !cfg!(feature = "compiler") => &UntrustedPolicy::InProcess,
            _ if self.0.trusted => &UntrustedPolicy::InProcess,
            policy => policy,
        };
        let to_the_end = !matches!(policy, UntrustedPolicy::Isolated(_));
        let wanted = || to_the_end || waiters.are_there();
        let Some(_turn) = engine.compile_queue().turn(wasm.len(), waiters, wanted) else {
            return Ok(None);
        };
        let since = Instant::now();
        self.0.state.send_replace(State::Compiling(since));
        let code = match policy {
            UntrustedPolicy::InProcess => self.compile_here()?,
            UntrustedPolicy::Scanned => self.scan_and_compile_here()?,
            UntrustedPolicy::Isolated(child) => {
                match isolated::compile(child, self.job(&artifact.digest()), wanted, || {
                    waiters.is_urgent()
                })? {
                    Done::Made(code) => code,
                    Done::Abandoned => return Ok(None),
                    Done::NoChild => {
                        tracing::warn!(
                            ?child,
                            "this program cannot be a compile child, so an untrusted artifact is compiled in the application's own process"
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
        // Decided once: a running compilation cannot change its priority.
        let background = !waiters.is_urgent();
        let compile = || engine.compiler().compile(self.form(), wasm);
        let code = compile::on_all_cores(background, compile)??;
        debug_build_hint::warn_once(wasm.len(), since.elapsed());
        Ok(code)
    }

    fn link(&self, code: &[u8]) -> Result<Compiled> {
        Compiled::load(self.0.engine.engines(), self.form(), &self.0.name, code)
    }
}
