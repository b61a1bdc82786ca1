//! The state of one running guest: its WASI context, what limits it, and what it has used.

use std::sync::Arc;

use cap_std::fs::Dir;
use wasmtime::{ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiCtxView, WasiView, p1::WasiP1Ctx};

use crate::{
    Access, Engine, Error, ErrorKind, Limits, Result,
    capabilities::{Capabilities, Preopen},
    control::Control,
    directory::Identity,
    exit::Limit,
    stdio::{GuestInput, GuestOutput},
};

/// Bytes one call of a preview1 module may hand over. Its reads and writes name buffers in its own memory, of
/// which the host copies 64 KiB at a time; a smaller bound would make a large `write` fail instead of being
/// taken in parts.
const MODULE_CALL_BYTES: usize = 64 << 20;

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
        self.wasi.ctx()
    }
}

/// A store for one guest, which is never used for another.
pub(crate) fn new(
    engine: &Engine,
    module: bool,
    setup: Setup,
    control: Arc<Control>,
) -> Result<Store<State>> {
    let Setup { args, env, current_dir, capabilities, limits, stdin, stdout, stderr } = setup;
    let mut wasi = WasiCtxBuilder::new();
    wasi.args(&args).envs(&env).stdin(stdin).stdout(stdout).stderr(stderr);
    wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
    wasi.max_random_size(limits.random_bytes);
    if let Some(directory) = current_dir {
        wasi.initial_cwd(directory);
    }
    // Copied into each directory as it is added: a guest that holds directories has a thread of its own, and
    // its file calls may block it. Off again afterwards, or preview1 would sleep on the thread as well, where
    // no kill can reach it.
    wasi.allow_blocking_current_thread(true);
    for preopen in &capabilities.dirs {
        add(&mut wasi, preopen)?;
    }
    wasi.allow_blocking_current_thread(false);
    let mut wasi = wasi.build_p1();
    wasi.ctx().table.set_max_capacity(limits.handles);

    let limiter = Limiter::new(&limits, Arc::clone(&control));
    let mut store = Store::new(engine.wasm(), State { wasi, limiter, control });
    store.limiter(|state| &mut state.limiter);
    store.set_hostcall_fuel(if module { MODULE_CALL_BYTES } else { limits.call_bytes });
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|store| match store.data().control.stop_reason() {
        Some(reason) => Err(wasmtime::Error::msg(reason)),
        None => Ok(UpdateDeadline::Yield(1)),
    });
    Ok(store)
}

fn add(wasi: &mut WasiCtxBuilder, preopen: &Preopen) -> Result<()> {
    let access = match preopen.access {
        Access::ReadOnly => FsPerms::ReadOnly,
        Access::ReadWrite => FsPerms::ReadWrite,
    };
    let host = preopen.host.display();
    let path = path_of(preopen)?;
    wasi.preopened_dir(path, &preopen.guest, access).map(drop).map_err(|error| {
        Error::with(ErrorKind::Grant, format!("the directory `{host}` is gone"), error)
    })
}

/// A path at which the granted directory itself is found, whatever has become of its name.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn path_of(preopen: &Preopen) -> Result<std::path::PathBuf> {
    use std::os::fd::AsRawFd;

    // <https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html>
    let path = std::path::PathBuf::from(format!("/proc/self/fd/{}", preopen.dir.as_raw_fd()));
    match Dir::open_ambient_dir(&path, cap_std::ambient_authority()) {
        Ok(_) => Ok(path),
        // Without /proc the name has to do, if it still leads there.
        Err(_) => checked_path(preopen),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn path_of(preopen: &Preopen) -> Result<std::path::PathBuf> {
    checked_path(preopen)
}

/// The path it was granted by, if it still leads to the same directory.
fn checked_path(preopen: &Preopen) -> Result<std::path::PathBuf> {
    let path = &preopen.host;
    let same = Dir::open_ambient_dir(path, cap_std::ambient_authority())
        .ok()
        .and_then(|dir| Identity::of(&dir, Some(path)).ok())
        .is_some_and(|identity| identity == preopen.identity);
    if same {
        return Ok(path.clone());
    }
    let text = format!("`{}` is no longer the directory that was granted", path.display());
    Err(Error::new(ErrorKind::Grant, text))
}

/// Counts what all of a guest's memories and tables hold together. The engine's own limiter bounds each of
/// them alone, and a guest can have many.
struct Limiter {
    memory: u64,
    max_memory: u64,
    /// What the growth under way added, to take back if the system then has no memory for it.
    growing: u64,
    elements: u64,
    max_elements: u64,
    growing_elements: u64,
    instances: usize,
    memories: usize,
    tables: usize,
    refused: Option<Limit>,
    control: Arc<Control>,
}

impl Limiter {
    fn new(limits: &Limits, control: Arc<Control>) -> Self {
        Self {
            memory: 0,
            max_memory: limits.memory,
            growing: 0,
            elements: 0,
            max_elements: limits.table_elements,
            growing_elements: 0,
            instances: limits.instances,
            memories: limits.memories,
            tables: limits.tables,
            refused: None,
            control,
        }
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current) as u64;
        let total = self.memory.saturating_add(added);
        if total > self.max_memory {
            self.refused = Some(Limit::Memory);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.refused = None;
        self.growing = added;
        self.memory = total;
        self.control.set_memory(total);
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory -= std::mem::take(&mut self.growing);
        self.control.set_memory(self.memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let added = desired.saturating_sub(current) as u64;
        let total = self.elements.saturating_add(added);
        if total > self.max_elements {
            self.refused = Some(Limit::TableElements);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.refused = None;
        self.growing_elements = added;
        self.elements = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.elements -= std::mem::take(&mut self.growing_elements);
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

impl Drop for Limiter {
    fn drop(&mut self) {
        self.control.set_memory(0);
    }
}
