//! The state of one running guest: its WASI context, what limits it, and what it has used.

mod clock;
mod limiter;
mod listing;
#[cfg(target_os = "linux")]
mod metadata;
mod preopens;
mod streams;

use std::sync::Arc;

use wasmtime::{Store, UpdateDeadline, component::Linker};
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView, p1::WasiP1Ctx};

use limiter::Limiter;
pub(crate) use streams::{GuestInput, GuestOutput};

use crate::{Limits, Result, capabilities::Capabilities, control::Control, exit::Limit, vm::Vm};

/// Bytes one call of a preview1 module may hand over, at the least. It names buffers in its own memory and
/// expects a large one to be taken as it is; a smaller bound would make the call fail.
const MODULE_CALL_BYTES: usize = 16 << 20;

/// Everything a guest is given at its start.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) current_dir: Option<String>,
    pub(crate) capabilities: Capabilities,
    pub(crate) limits: Limits,
    pub(crate) stdin: GuestInput,
    pub(crate) stdout: GuestOutput,
    pub(crate) stderr: GuestOutput,
}

/// What the engine keeps for a guest.
pub(crate) struct State {
    wasi: WasiP1Ctx,
    limiter: Limiter,
    control: Arc<Control>,
    #[cfg(target_os = "linux")]
    seen: Option<metadata::Seen>,
}

/// Puts functions of our own in the place of some of the engine's.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    listing::link(linker)?;
    #[cfg(target_os = "linux")]
    metadata::link(linker)?;
    Ok(())
}

impl State {
    /// Where preview1's functions find their state. The 0.2 interfaces share it.
    pub(crate) fn preview1(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }

    /// The limit that refused the guest's latest wish for more, if the latest was refused.
    pub(crate) fn refused(&self) -> Option<Limit> {
        self.limiter.refused
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        // Every call of the guest's comes here; what was seen before it is the past.
        #[cfg(target_os = "linux")]
        {
            self.seen = None;
        }
        self.wasi.ctx()
    }
}

/// A store for one guest, which is never used for another.
pub(crate) fn new(
    vm: &Vm,
    module: bool,
    setup: Setup,
    control: Arc<Control>,
) -> Result<Store<State>> {
    let Setup { args, env, current_dir, capabilities, limits, stdin, stdout, stderr } = setup;
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&args).envs(&env).stdin(stdin).stdout(stdout).stderr(stderr);
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    wasi.max_random_size(limits.random_bytes).wall_clock(clock::Date);
    if let Some(directory) = current_dir {
        wasi.initial_cwd(directory);
    }
    // A guest that holds directories has a thread of its own, and its file calls may block it. Copied into each
    // directory as it is added, so it comes first. For a module it is off again afterwards, because preview1
    // would then sleep on the thread as well, where no kill can reach it; what a module opens below a granted
    // directory goes through a pool instead.
    wasi.allow_blocking_current_thread(true);
    for preopen in &capabilities.dirs {
        preopens::add(&mut wasi, preopen)?;
    }
    wasi.allow_blocking_current_thread(!module && !capabilities.dirs.is_empty());
    let mut wasi = wasi.build_p1();
    wasi.ctx().table.set_max_capacity(limits.handles);

    let limiter = Limiter::new(&limits, Arc::clone(&control));
    let state = State {
        wasi,
        limiter,
        control,
        #[cfg(target_os = "linux")]
        seen: None,
    };
    let mut store = Store::new(&vm.engine, state);
    store.limiter(|state| &mut state.limiter);
    let floor = if module { MODULE_CALL_BYTES } else { 0 };
    store.set_hostcall_fuel(limits.call_bytes.max(floor));
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| match store.data().control.stop_reason() {
        Some(reason) => Err(wasmtime::Error::msg(reason)),
        None => Ok(UpdateDeadline::Yield(1)),
    });
    Ok(store)
}
