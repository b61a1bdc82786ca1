//! A guest without a host test does not compile.

/// Where each Rust guest is used. Adding a program to `guests` without adding it here is an error of the
/// compiler: there is no function of its name.
mod used_in {
    macro_rules! used {
        ($($guest:ident in $place:path;)*) => { $(pub(super) fn $guest() {
            #[expect(unused_imports, reason = "that the place exists is the point")]
            use $place as _;
        })* };
    }
    used! {
        args in crate::contract;
        attack_network in crate::attacks;
        big_line in crate::contract;
        bulk in crate::contract;
        clock_random in crate::contract;
        compute in crate::measured;
        cwd in crate::grants;
        echo in crate::contract;
        env in crate::contract;
        exit in crate::contract;
        file_bench in crate::measured;
        flood in crate::streams;
        fs_probe in crate::files;
        interleave in crate::events;
        lines in crate::events;
        markdown in crate::contract;
        memory_hog in crate::limits;
        sleep in crate::ending;
        slow_reader in crate::contract;
        spin in crate::ending;
        sqlite in crate::contract;
        stdin_count in crate::contract;
        stdio_close in crate::contract;
        trap in crate::ending;
        upper in crate::streams;
        word_count in crate::contract;
    }
}

macro_rules! assert_used {
    ($guest:ident) => {
        used_in::$guest();
    };
}

#[test]
fn every_guest_has_a_test() {
    wasi_sidecar_guests::foreach_guest!(assert_used);
}
