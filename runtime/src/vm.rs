//! Where a guest's memory comes from: the engine of wasmtime, twice, with the host's functions linked to each.
//!
//! Starting a guest by mapping memory and unmapping it at the end is most of what a start costs, and the system lets one
//! thread do so at a time. So there is a pool of places that are mapped once: a guest starts three times as fast in one. A
//! place that was used is made anew before the next guest gets it, by wasmtime, whichever guest that is. The pool is small,
//! since a used place keeps some memory for the next guest; and where the address space has no room for it, as on some phones,
//! there is none. Guests that find no place are given memory of their own, from the other engine. Both run the same machine
//! code.

use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};
use wasmtime_wasi::I32Exit;

use crate::{
    Error, ErrorKind, Limits, Result,
    compile::Settings,
    store::{self, State, Ticks},
};

/// Bytes of a place's memory that stay mapped for the next guest: what a small guest touches. With as many places as there
/// are by default it is 8 MiB, if that many guests ever ran at once.
const KEPT_MEMORY: usize = 128 << 10;

/// Likewise of its tables and of its stack.
const KEPT_TABLES: usize = 16 << 10;
const KEPT_STACK: usize = 32 << 10;

/// Places that wait for a guest of the same artifact before another one gets them.
const WARM_PLACES: u32 = 32;

/// An engine of wasmtime and its linkers.
pub(crate) struct Vm {
    pub(crate) engine: wasmtime::Engine,
    pub(crate) components: wasmtime::component::Linker<State>,
    pub(crate) modules: wasmtime::Linker<State>,
    /// Counts with the engine's epoch, which cannot be asked.
    pub(crate) ticks: Ticks,
}

/// Both.
pub(crate) struct Vms {
    /// Gives each guest memory of its own.
    own: Vm,
    pool: Option<Pool>,
    ticks: Ticks,
}

struct Pool {
    vm: Vm,
    /// What one guest in it may have at the most.
    limits: Limits,
    places: usize,
    taken: AtomicUsize,
}

/// A place in the pool; given back when dropped, which has to be after the guest is.
pub(crate) struct Place<'a>(&'a Pool);

impl Place<'_> {
    /// What the guest runs on.
    pub(crate) fn vm(&self) -> &Vm {
        &self.0.vm
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Vms {
    /// Sets both up, with so many places in the pool, or with none if there is no room for them and nobody `asked`.
    pub(crate) fn new(settings: &Settings, places: usize, asked: bool) -> Result<Self> {
        let ticks = Ticks::default();
        let own = Vm::new(settings.engine()?, &ticks)?;
        let limits = Limits::new();
        let pool = match settings.engine_with(pooling(places, &limits)) {
            _ if places == 0 => None,
            Ok(engine) => {
                let vm = Vm::new(engine, &ticks)?;
                Some(Pool { vm, limits, places, taken: AtomicUsize::new(0) })
            }
            Err(error) if asked => {
                let text = format!(
                    "there is no room for {places} pooled guests; lower `EngineConfig::pooled_guests` (`engine.pooledGuests`), \
                     or set it to 0"
                );
                return Err(Error::with(ErrorKind::Limit, text, error));
            }
            Err(error) => {
                tracing::debug!(error = %error.chain(), "no pool: every guest gets memory of its own");
                None
            }
        };
        Ok(Self { own, pool, ticks })
    }

    /// Takes a place in the pool for a guest with these limits, if one is free that is large enough.
    pub(crate) fn place(&self, limits: &Limits) -> Option<Place<'_>> {
        let pool = self.pool.as_ref().filter(|pool| pool.has_room_for(limits))?;
        let free = |taken| (taken < pool.places).then_some(taken + 1);
        pool.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(Place(pool))
    }

    /// The one that gives each guest memory of its own. It compiles for both.
    pub(crate) fn own(&self) -> &Vm {
        &self.own
    }

    /// The one with the pool, if there is one.
    pub(crate) fn pool(&self) -> Option<&Vm> {
        self.pool.as_ref().map(|pool| &pool.vm)
    }

    /// Makes all computing guests look up from their work.
    pub(crate) fn interrupt(&self) {
        self.ticks.count();
        self.own.engine.increment_epoch();
        if let Some(pool) = &self.pool {
            pool.vm.engine.increment_epoch();
        }
    }
}

impl Pool {
    fn has_room_for(&self, limits: &Limits) -> bool {
        limits.table_elements <= self.limits.table_elements
            && limits.memories <= self.limits.memories
            && limits.tables <= self.limits.tables
            && limits.instances <= self.limits.instances
    }
}

impl Vm {
    fn new(engine: wasmtime::Engine, ticks: &Ticks) -> Result<Self> {
        let unlinked =
            |error| Error::with(ErrorKind::Internal, "failed to link the host's functions", error);
        Ok(Self {
            components: components(&engine).map_err(unlinked)?,
            modules: modules(&engine).map_err(unlinked)?,
            engine,
            ticks: ticks.clone(),
        })
    }
}

/// A pool in which every place is large enough for a guest that uses all of its limits, so that whoever has a place never
/// finds that something else is used up.
fn pooling(places: usize, limits: &Limits) -> InstanceAllocationStrategy {
    let count = |each: usize| u32::try_from(places.saturating_mul(each)).unwrap_or(u32::MAX);
    let most = |each: usize| u32::try_from(each).unwrap_or(u32::MAX);
    // The heap that exceptions and garbage collected objects live in is one more memory, in the pool's eyes.
    let memories = limits.memories.saturating_add(1);
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        .total_stacks(count(1))
        .total_gc_heaps(count(1))
        .total_core_instances(count(limits.instances))
        .total_memories(count(memories))
        .total_tables(count(limits.tables))
        .max_core_instances_per_component(most(limits.instances))
        .max_memories_per_component(most(memories))
        .max_memories_per_module(most(memories))
        .max_tables_per_component(most(limits.tables))
        .max_tables_per_module(most(limits.tables))
        .table_elements(usize::try_from(limits.table_elements).unwrap_or(usize::MAX))
        .max_unused_warm_slots(WARM_PLACES)
        .linear_memory_keep_resident(KEPT_MEMORY)
        .table_keep_resident(KEPT_TABLES)
        .async_stack_keep_resident(KEPT_STACK)
        // Where the kernel tells which pages were written, only those are made anew.
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}

fn components(engine: &wasmtime::Engine) -> wasmtime::Result<wasmtime::component::Linker<State>> {
    let mut linker = wasmtime::component::Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    store::link(&mut linker)?;
    Ok(linker)
}

fn modules(engine: &wasmtime::Engine) -> wasmtime::Result<wasmtime::Linker<State>> {
    let mut linker = wasmtime::Linker::new(engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, State::preview1)?;
    store::link_preview1(&mut linker)?;
    // The stock function turns exit codes from 126 on into traps. A native program has 256 of them.
    linker.allow_shadowing(true);
    linker.func_wrap(
        "wasi_snapshot_preview1",
        "proc_exit",
        |code: i32| -> wasmtime::Result<()> { Err(wasmtime::Error::new(I32Exit(code & 0xff))) },
    )?;
    linker.allow_shadowing(false);
    Ok(linker)
}
