//! The attack suite: what hostile guests, artifacts and a machine in trouble try, as rows of a table.
//!
//! A test runs the rows of one letter, one after the other, and looks at the host after each ([`alive`]). What comes of them is
//! `docs/attacks.md`; a row is added to the file of its letter, and `cargo xtask attacks` writes the page anew. Rows that a test
//! elsewhere runs already point to it, and fail when it is gone. The rows of pages are in `host-plugin/harness/tests/plugin`.

mod alive;
mod artifacts;
mod bare;
mod beside;
mod calls;
mod compute;
mod environment;
mod files;
mod filesystem;
mod grants;
mod listing;
mod memory;
mod network;
mod paths;
mod place;
mod process;
mod reporter;
mod stdio;
mod straight;
mod table;
mod wasm;

use table::run;

#[tokio::test]
async fn a_paths() {
    let mut rows = paths::rows();
    rows.extend(grants::rows());
    rows.extend(files::rows());
    rows.extend(listing::rows());
    run('A', "attacks::a_paths", rows).await;
}

#[tokio::test]
async fn b_compute() {
    run('B', "attacks::b_compute", compute::rows()).await;
}

#[tokio::test]
async fn c_calls() {
    run('C', "attacks::c_calls", calls::rows()).await;
}

#[tokio::test]
async fn d_stdio() {
    run('D', "attacks::d_stdio", stdio::rows()).await;
}

#[tokio::test]
async fn e_artifacts() {
    run('E', "attacks::e_artifacts", artifacts::rows()).await;
}

#[tokio::test]
async fn f_network() {
    run('F', "attacks::f_network", network::rows()).await;
}

#[tokio::test]
async fn g_environment() {
    run('G', "attacks::g_environment", environment::rows()).await;
}

#[tokio::test]
async fn i_process() {
    let mut rows = process::rows();
    rows.extend(reporter::rows());
    run('I', "attacks::i_process", rows).await;
}

#[tokio::test]
async fn j_between() {
    straight::compile_all().await;
    let mut rows = straight::rows();
    rows.extend(beside::rows());
    run('J', "attacks::j_between", rows).await;
    straight::tell_latency();
}
