//! The state of one running guest: its WASI context, what limits it, and what it has used.

mod access_time;
mod clock;
mod handles;
mod limiter;
mod listing;
#[cfg(target_os = "linux")]
mod metadata;
mod preopens;
mod preview1;
mod streams;
#[cfg(all(test, target_os = "linux"))]
mod tests;
mod turns;

use std::sync::Arc;

use wasmtime::{Store, component::Linker};
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView, p1::WasiP1Ctx};

use handles::Handles;
use limiter::Limiter;
pub(crate) use preview1::link as link_preview1;
pub(crate) use streams::{GuestInput, GuestOutput};
pub(crate) use turns::Ticks;

use crate::{
    Limits, Result, artifact::Cost, capabilities::Capabilities, control::Control, exit::Limit,
    vm::Vm,
};

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
    turns: turns::Turns,
    handles: Handles,
    directories: preview1::Directories,
    names: listing::Names,
    #[cfg(target_os = "linux")]
    seen: Option<metadata::Seen>,
}

/// Puts functions of our own in the place of some of the engine's.
pub(crate) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    listing::link(linker)?;
    handles::link(linker)?;
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
        self.limiter.refused.or_else(|| self.handles.refused())
    }
}

/// Ends a guest that wants more than a limit allows, from a function that has no error for it.
#[derive(Debug)]
pub(crate) struct OutOf(pub(crate) Limit);

impl std::fmt::Display for OutOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "out of {}", self.0)
    }
}

impl std::error::Error for OutOf {}

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
    cost: &Cost,
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
    let handles = Handles::new(&limits, args.first().map_or("", String::as_str));
    wasi.ctx().table.set_max_capacity(handles.entries(module));
    let lent = handles.lent();

    let limiter = Limiter::new(&limits, cost.counted(), Arc::clone(&control));
    let mut state = State {
        wasi,
        limiter,
        control,
        turns: turns::Turns::new(&vm.ticks),
        handles,
        directories: preview1::Directories::default(),
        names: listing::Names::default(),
        #[cfg(target_os = "linux")]
        seen: None,
    };
    if module && !capabilities.dirs.is_empty() {
        state.know_preopens();
    }
    let mut store = Store::new(&vm.engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.call_bytes);
    store.set_max_component_handles(lent);
    turns::interrupt(&mut store);
    Ok(store)
}
