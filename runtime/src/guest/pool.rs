//! Provides a guest's memory: a slot of a pool, or memory mapped for this guest.
//!
//! Mapping memory at the start and unmapping it at the end is most of a start's cost, and the operating system lets one
//! thread do so at a time. A guest starts three times as fast in a slot that stays mapped. wasmtime resets a used slot
//! before the next guest gets it, whichever guest that is. The pool is small, because a used slot keeps some memory. It
//! is left out where the address space has no room for it, as on some phones. A guest that finds no slot gets memory of
//! its own, from a second engine. Both engines run the same machine code.

use std::sync::atomic::{AtomicUsize, Ordering};

use wasmtime::{Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::{
    abi::{p1, p2},
    store::Interrupts,
};
use crate::{
    Error, ErrorKind, Limit, Limits, Result, Setting,
    compile::{Compiler, Settings},
};

/// Bytes of a slot's memory that stay mapped for the next guest: what a small guest touches. The default number of
/// slots keeps 8 MiB, if that many guests ever ran at once.
const KEPT_MEMORY: usize = 128 << 10;

/// The same for a slot's tables and stack.
const KEPT_TABLES: usize = 16 << 10;
const KEPT_STACK: usize = 32 << 10;

/// Free slots that are kept for a guest of the same artifact before others get them.
const WARM_SLOTS: u32 = 32;

/// A wasmtime engine with the host functions, per version of WASI.
pub(crate) struct LinkedEngine {
    pub(super) engine: wasmtime::Engine,
    pub(super) p1: p1::Linker,
    pub(super) p2: p2::Linker,
    /// Counts with the epoch, which wasmtime does not let us read.
    pub(super) interrupts: Interrupts,
}

/// The two engines that guests run on.
pub(crate) struct Engines {
    on_demand: LinkedEngine,
    pool: Option<Pool>,
    interrupts: Interrupts,
}

struct Pool {
    engine: LinkedEngine,
    /// The highest limits of a guest in the pool.
    limits: Limits,
    slots: usize,
    taken: AtomicUsize,
}

/// A slot of the pool, released on drop. Drop it after the guest's store.
pub(super) struct PoolSlot<'a>(&'a Pool);

impl PoolSlot<'_> {
    pub(super) fn engine(&self) -> &LinkedEngine {
        &self.0.engine
    }
}

impl Drop for PoolSlot<'_> {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Engines {
    /// Sets up both engines. If the address space has no room for `slots`, the pool is left out, or is an error if
    /// `required`.
    pub(crate) fn new(settings: &Settings, slots: usize, required: bool) -> Result<Self> {
        let interrupts = Interrupts::default();
        let on_demand = settings.engine(InstanceAllocationStrategy::OnDemand)?;
        let on_demand = LinkedEngine::new(on_demand, &interrupts)?;
        let limits = Limits::new();
        let pool = match settings.engine(pooling(slots, &limits)) {
            _ if slots == 0 => None,
            Ok(engine) => {
                let engine = LinkedEngine::new(engine, &interrupts)?;
                Some(Pool { engine, limits, slots, taken: AtomicUsize::new(0) })
            }
            Err(error) if required => {
                let text = format!(
                    "there is no room for {slots} pooled guests; lower `{}`, or set it to 0",
                    Setting::PooledGuests
                );
                return Err(Error::with(ErrorKind::Limit, text, error).about(Setting::PooledGuests));
            }
            Err(error) => {
                tracing::debug!(error = %error.chain(), "no pool: every guest gets memory of its own");
                None
            }
        };
        Ok(Self { on_demand, pool, interrupts })
    }

    /// Takes a slot of the pool for a guest with these limits, if one is free and large enough.
    pub(super) fn take_slot(&self, limits: &Limits) -> Option<PoolSlot<'_>> {
        let pool = self.pool.as_ref().filter(|pool| pool.has_room_for(limits))?;
        let free = |taken| (taken < pool.slots).then_some(taken + 1);
        pool.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).ok()?;
        Some(PoolSlot(pool))
    }

    /// The engine that maps memory for each guest.
    pub(super) fn on_demand(&self) -> &LinkedEngine {
        &self.on_demand
    }

    /// The engine with the pool, if there is one.
    pub(super) fn pooled(&self) -> Option<&LinkedEngine> {
        self.pool.as_ref().map(|pool| &pool.engine)
    }

    /// The compiler whose code both engines load.
    pub(crate) fn compiler(&self) -> Compiler {
        Compiler::of(&self.on_demand.engine)
    }

    /// Interrupts all guests that compute.
    pub(crate) fn interrupt(&self) {
        self.interrupts.count();
        self.on_demand.engine.increment_epoch();
        if let Some(pool) = &self.pool {
            pool.engine.engine.increment_epoch();
        }
    }
}

impl Pool {
    fn has_room_for(&self, limits: &Limits) -> bool {
        [Limit::TableElements, Limit::Memories, Limit::Tables, Limit::Instances]
            .into_iter()
            .all(|limit| limits.amount(limit) <= self.limits.amount(limit))
    }
}

impl LinkedEngine {
    fn new(engine: wasmtime::Engine, interrupts: &Interrupts) -> Result<Self> {
        let unlinked =
            |error| Error::with(ErrorKind::Internal, "failed to link the host's functions", error);
        Ok(Self {
            p1: p1::linker(&engine).map_err(unlinked)?,
            p2: p2::linker(&engine).map_err(unlinked)?,
            engine,
            interrupts: interrupts.clone(),
        })
    }
}

/// A pool whose slots are each large enough for a guest that uses all of its limits. So a guest with a slot never runs
/// out of a resource of the pool.
fn pooling(slots: usize, limits: &Limits) -> InstanceAllocationStrategy {
    let count = |each: usize| u32::try_from(slots.saturating_mul(each)).unwrap_or(u32::MAX);
    let most = |each: usize| u32::try_from(each).unwrap_or(u32::MAX);
    // The pool counts the heap of exceptions and garbage collected objects as one more memory.
    let memories = limits.count(Limit::Memories).saturating_add(1);
    let (instances, tables) = (limits.count(Limit::Instances), limits.count(Limit::Tables));
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(count(1))
        .total_stacks(count(1))
        .total_gc_heaps(count(1))
        .total_core_instances(count(instances))
        .total_memories(count(memories))
        .total_tables(count(tables))
        .max_core_instances_per_component(most(instances))
        .max_memories_per_component(most(memories))
        .max_memories_per_module(most(memories))
        .max_tables_per_component(most(tables))
        .max_tables_per_module(most(tables))
        .table_elements(limits.count(Limit::TableElements))
        .max_unused_warm_slots(WARM_SLOTS)
        .linear_memory_keep_resident(KEPT_MEMORY)
        .table_keep_resident(KEPT_TABLES)
        .async_stack_keep_resident(KEPT_STACK)
        // Where the kernel reports which pages were written, only those are reset.
        .pagemap_scan(Enabled::Auto);
    InstanceAllocationStrategy::Pooling(pool)
}
