//! The functions of `wasi_snapshot_preview1` with their types, to reject unknown imports before compiling.

use wasmparser::{FuncType, ValType};

/// The one module that a preview1 program may import from.
pub(super) const MODULE: &str = "wasi_snapshot_preview1";

/// Each function with its parameters and results: `i` is an `i32`, `I` an `i64`.
const FUNCTIONS: &[(&str, &str, &str)] = &[
    ("args_get", "ii", "i"),
    ("args_sizes_get", "ii", "i"),
    ("clock_res_get", "ii", "i"),
    ("clock_time_get", "iIi", "i"),
    ("environ_get", "ii", "i"),
    ("environ_sizes_get", "ii", "i"),
    ("fd_advise", "iIIi", "i"),
    ("fd_allocate", "iII", "i"),
    ("fd_close", "i", "i"),
    ("fd_datasync", "i", "i"),
    ("fd_fdstat_get", "ii", "i"),
    ("fd_fdstat_set_flags", "ii", "i"),
    ("fd_fdstat_set_rights", "iII", "i"),
    ("fd_filestat_get", "ii", "i"),
    ("fd_filestat_set_size", "iI", "i"),
    ("fd_filestat_set_times", "iIIi", "i"),
    ("fd_pread", "iiiIi", "i"),
    ("fd_prestat_dir_name", "iii", "i"),
    ("fd_prestat_get", "ii", "i"),
    ("fd_pwrite", "iiiIi", "i"),
    ("fd_read", "iiii", "i"),
    ("fd_readdir", "iiiIi", "i"),
    ("fd_renumber", "ii", "i"),
    ("fd_seek", "iIii", "i"),
    ("fd_sync", "i", "i"),
    ("fd_tell", "ii", "i"),
    ("fd_write", "iiii", "i"),
    ("path_create_directory", "iii", "i"),
    ("path_filestat_get", "iiiii", "i"),
    ("path_filestat_set_times", "iiiiIIi", "i"),
    ("path_link", "iiiiiii", "i"),
    ("path_open", "iiiiiIIii", "i"),
    ("path_readlink", "iiiiii", "i"),
    ("path_remove_directory", "iii", "i"),
    ("path_rename", "iiiiii", "i"),
    ("path_symlink", "iiiii", "i"),
    ("path_unlink_file", "iii", "i"),
    ("poll_oneoff", "iiii", "i"),
    ("proc_exit", "i", ""),
    ("proc_raise", "i", "i"),
    ("random_get", "ii", "i"),
    ("sched_yield", "", "i"),
    ("sock_accept", "iii", "i"),
    ("sock_recv", "iiiiii", "i"),
    ("sock_send", "iiiii", "i"),
    ("sock_shutdown", "ii", "i"),
];

/// The type of a module's function, as an index into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Signature(Option<u8>);

impl Signature {
    /// Not the type of any function in the table. A module can have a million types, so only one byte is kept of each.
    pub(super) const OTHER: Self = Self(None);

    pub(super) fn of(ty: &FuncType) -> Self {
        let is = |types: &[ValType], letters: &str| {
            types.len() == letters.len()
                && types.iter().zip(letters.bytes()).all(|(ty, letter)| match letter {
                    b'i' => *ty == ValType::I32,
                    _ => *ty == ValType::I64,
                })
        };
        // The first function with a type represents it.
        let found = FUNCTIONS
            .iter()
            .position(|(_, params, results)| is(ty.params(), params) && is(ty.results(), results));
        Self(found.and_then(|at| u8::try_from(at).ok()))
    }
}

/// `None` if this host lacks the function; otherwise whether it has it with this type.
pub(super) fn find(name: &str, signature: Signature) -> Option<bool> {
    let (_, params, results) = FUNCTIONS.iter().find(|(known, ..)| *known == name)?;
    let known = signature.0.and_then(|at| FUNCTIONS.get(usize::from(at)));
    Some(known.is_some_and(|(_, p, r)| p == params && r == results))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use wasmtime::{ExternType, Linker};

    use super::*;

    #[test]
    fn the_table_has_what_the_engine_links() {
        struct Data(wasmtime_wasi::p1::WasiP1Ctx);
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_async(&mut linker, |data: &mut Data| &mut data.0)
            .expect("nothing is linked twice");
        let context = wasmtime_wasi::WasiCtxBuilder::new().build_p1();
        let mut store = wasmtime::Store::new(&engine, Data(context));
        let letters = |types: &mut dyn Iterator<Item = wasmtime::ValType>| {
            types.map(|ty| if ty.is_i32() { 'i' } else { 'I' }).collect::<String>()
        };
        let items: Vec<_> =
            linker.iter(&mut store).map(|(_, name, item)| (name.to_owned(), item)).collect();
        let linked: BTreeSet<_> = items
            .into_iter()
            .map(|(name, item)| match item.ty(&store) {
                ExternType::Func(ty) => {
                    (name, letters(&mut ty.params()), letters(&mut ty.results()))
                }
                other => panic!("{name}: {other:?}"),
            })
            .collect();
        let table: BTreeSet<_> = FUNCTIONS
            .iter()
            .map(|(name, params, results)| {
                ((*name).to_owned(), (*params).to_owned(), (*results).to_owned())
            })
            .collect();
        assert_eq!(table, linked);
    }
}
