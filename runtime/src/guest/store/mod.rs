//! The state of a running guest: its WASI context, its limits, and its usage.

mod access_time;
mod clock;
mod handles;
mod interrupt;
mod limiter;
mod listing;
#[cfg(target_os = "linux")]
mod metadata;
mod network;
mod preopens;
mod preview1;
mod stdio;
#[cfg(all(test, target_os = "linux"))]
mod tests;

use std::sync::Arc;

use wasmtime::{Engine, Store, component::Linker};
use wasmtime_wasi::{WasiCtxBuilder, WasiCtxView, WasiView, p1::WasiP1Ctx};

use handles::Handles;
pub(crate) use interrupt::Interrupts;
use limiter::Limiter;
pub(in crate::guest) use preview1::link as link_preview1;
pub(crate) use stdio::{GuestInput, GuestOutput};

use crate::{
    Grants, Limit, Limits, Result,
    artifact::Cost,
    exec::{control::Control, resolver::GuestResolver},
};

/// Everything that a guest gets at its start.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) current_dir: Option<String>,
    pub(crate) grants: Grants,
    pub(crate) limits: Limits,
    pub(crate) resolver: GuestResolver,
    pub(crate) stdin: GuestInput,
    pub(crate) stdout: GuestOutput,
    pub(crate) stderr: GuestOutput,
}

/// A guest's state in its wasmtime store.
pub(crate) struct State {
    wasi: WasiP1Ctx,
    limiter: Limiter,
    control: Arc<Control>,
    turn: interrupt::Turn,
    handles: Handles,
    directories: preview1::Directories,
    names: listing::Names,
    network: network::Network,
    #[cfg(target_os = "linux")]
    seen: Option<metadata::Seen>,
}

/// Replaces some of wasmtime's functions with ours.
pub(in crate::guest) fn link(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    listing::link(linker)?;
    handles::link(linker)?;
    network::link(linker)?;
    #[cfg(target_os = "linux")]
    metadata::link(linker)?;
    Ok(())
}

impl State {
    /// The state of the preview1 functions. The 0.2 interfaces share it.
    pub(crate) fn preview1(&mut self) -> &mut WasiP1Ctx {
        &mut self.wasi
    }

    /// The limit that refused the guest's latest request, if it was refused.
    pub(crate) fn refused(&self) -> Option<Limit> {
        let Self { limiter, handles, network, .. } = self;
        limiter.refused.or_else(|| handles.refused()).or_else(|| network.refused())
    }
}

/// Ends a guest that exceeds a limit, from a function that has no error for it.
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
        // Every call of the guest passes here, which outdates the latest look-up.
        #[cfg(target_os = "linux")]
        {
            self.seen = None;
        }
        self.wasi.ctx()
    }
}

/// A store for one guest. It is never reused.
pub(in crate::guest) fn new(
    engine: &Engine,
    interrupts: &Interrupts,
    module: bool,
    setup: Setup,
    cost: &Cost,
    control: Arc<Control>,
) -> Result<Store<State>> {
    let Setup { args, env, current_dir, grants, limits, resolver, stdin, stdout, stderr } = setup;
    let guest = args.first().map_or("", String::as_str);
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&args).envs(&env).stdin(stdin).stdout(stdout).stderr(stderr);
    let network = network::Network::new(&grants, &limits, guest, resolver);
    network.configure(&mut wasi);
    wasi.max_random_size(limits.amount(Limit::RandomBytes)).wall_clock(clock::Date);
    if let Some(directory) = current_dir {
        wasi.initial_cwd(directory);
    }
    // A guest that holds directories has a thread of its own, which its file calls may block. Set first, because each
    // directory copies it when it is added. Reset afterwards for a module, because preview1 would also sleep on the
    // thread, where no kill can reach it. What a module opens below a granted directory goes through a pool instead.
    wasi.allow_blocking_current_thread(true);
    for preopen in &grants.dirs {
        preopens::add(&mut wasi, preopen)?;
    }
    wasi.allow_blocking_current_thread(!module && !grants.dirs.is_empty());
    let mut wasi = wasi.build_p1();
    let handles = Handles::new(&limits, guest);
    wasi.ctx().table.set_max_capacity(handles.entries(module));
    let lent = handles.lent();

    let limiter = Limiter::new(&limits, cost.counted(), Arc::clone(&control));
    let mut state = State {
        wasi,
        limiter,
        control,
        turn: interrupt::Turn::new(interrupts),
        handles,
        directories: preview1::Directories::default(),
        names: listing::Names::default(),
        network,
        #[cfg(target_os = "linux")]
        seen: None,
    };
    if module && !grants.dirs.is_empty() {
        state.know_preopens();
    }
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(limits.count(Limit::CallBytes));
    store.set_max_component_handles(lent);
    interrupt::install(&mut store);
    Ok(store)
}
