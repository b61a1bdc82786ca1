//! Limits a guest's memories, tables and instances.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::{Limit, Limits, exec::control::Control};

/// Adds up all memories and tables of a guest. wasmtime's own limiter bounds each of them alone, and a guest can have
/// many.
pub(super) struct Limiter {
    /// Bytes of all memories, and of host memory for its instances.
    memory: u64,
    max_memory: u64,
    /// Bytes added by the current growth, to subtract again if the operating system has no memory for it.
    growing: u64,
    elements: u64,
    max_elements: u64,
    growing_elements: u64,
    instances: usize,
    memories: usize,
    tables: usize,
    pub(super) refused: Option<Limit>,
    control: Arc<Control>,
}

impl Limiter {
    /// `kept` is the host memory for the guest's instances, in bytes.
    pub(super) fn new(limits: &Limits, kept: u64, control: Arc<Control>) -> Self {
        control.set_memory(kept);
        Self {
            memory: kept,
            max_memory: limits.amount(Limit::Memory),
            growing: 0,
            elements: 0,
            max_elements: limits.amount(Limit::TableElements),
            growing_elements: 0,
            instances: limits.count(Limit::Instances),
            memories: limits.count(Limit::Memories),
            tables: limits.count(Limit::Tables),
            refused: None,
            control,
        }
    }

    fn refuse(&mut self, limit: Limit) {
        self.refused = Some(limit);
        self.control.note_refused(limit);
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.growing = 0;
        let added = desired.saturating_sub(current) as u64;
        let total = self.memory.saturating_add(added);
        if total > self.max_memory {
            self.refuse(Limit::Memory);
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
        self.memory = self.memory.saturating_sub(std::mem::take(&mut self.growing));
        self.control.set_memory(self.memory);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.growing_elements = 0;
        let added = desired.saturating_sub(current) as u64;
        let total = self.elements.saturating_add(added);
        if total > self.max_elements {
            self.refuse(Limit::TableElements);
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
        self.elements = self.elements.saturating_sub(std::mem::take(&mut self.growing_elements));
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
