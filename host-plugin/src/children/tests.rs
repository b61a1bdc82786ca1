//! The registry with children that never end by themselves.

use std::sync::Arc;

use wasi_sidecar::{Command, Component, Engine, EngineConfig, LoadOptions};

use super::Children;
use crate::{
    Error,
    block_on::block_on,
    config::OnReload,
    page::{InputBudget, Owner, PageChild, PageLimits},
};

/// A child that never ends by itself.
fn spin() -> wasi_sidecar::Child {
    let wasm = wat::parse_str(
        r#"(module (memory (export "memory") 1) (func (export "_start") (loop $again (br $again))))"#,
    );
    let engine = Engine::new(&EngineConfig::new()).expect("an engine");
    let component = Component::load(&engine, wasm.expect("it is WebAssembly"), LoadOptions::new())
        .expect("runnable");
    Command::new(component).spawn().expect("it starts")
}

fn page_child(on_reload: OnReload) -> PageChild {
    PageChild {
        program: "spin".into(),
        owner: Owner { window: "main".into(), webview: "main".into() },
        shared: false,
        on_reload,
        stdin: Arc::default(),
        input: InputBudget::new(PageLimits::default()),
        credits: Arc::default(),
    }
}

#[test]
fn parity_33_a_child_whose_page_is_left_while_it_starts_ends() {
    type Leave = fn(&Children);
    let rows: [(OnReload, Leave, bool); 5] = [
        (OnReload::Kill, |_| {}, false),
        (OnReload::Kill, |children| children.page_left("main"), true),
        (OnReload::Kill, |children| children.page_left("other"), false),
        (OnReload::Keep, |children| children.page_left("main"), false),
        (OnReload::Keep, |children| children.window_destroyed("main"), true),
    ];
    for (on_reload, leave, ends) in rows {
        let (children, page) = (Children::default(), page_child(on_reload));
        let epoch = children.page_epoch(&page.owner);
        let starting = children.start().expect("the app does not end");
        let child = spin();
        leave(&children);
        let (watch, credits) = (child.watch(), Arc::clone(&page.credits));
        starting.started_for(epoch, child.watch(), page);
        if ends {
            assert_eq!(block_on(watch.wait()).expect("it ran").signal(), Some(9));
        } else {
            assert!(matches!(watch.try_wait(), Ok(None)), "{on_reload:?}");
        }
        let owner = Owner { window: "main".into(), webview: "main".into() };
        assert_eq!(credits.is_open(), children.page_epoch(&owner) == epoch);
        watch.start_kill();
    }
}

#[test]
fn kills_that_wait_are_counted_apart_and_are_no_more_than_may_wait() {
    let limits = PageLimits { calls: 100, ..PageLimits::default() };
    let children = Children::new(limits);
    let start = || {
        let page = page_child(OnReload::Kill);
        let (epoch, child) = (children.page_epoch(&page.owner), spin());
        let starting = children.start_for("main", "spin").expect("there is room");
        starting.started_for(epoch, child.watch(), page);
        child
    };
    let resources = children.resources();
    // Calls that wait do not prevent a kill.
    let first = start();
    let writes: Vec<_> = std::iter::from_fn(|| resources.call("main").ok()).collect();
    assert_eq!(writes.len(), 100);
    let text = resources.call("main").expect_err("there are a hundred").to_string();
    assert!(text.contains("`main`") && text.contains("`webviews.maxCalls`"), "{text}");
    block_on(children.kill(first.id().get(), "main")).expect("it is its own");

    let second = start();
    let kills: Vec<_> = std::iter::from_fn(|| resources.kill("main").ok()).collect();
    assert_eq!(kills.len(), 100);
    let error = block_on(children.kill(second.id().get(), "main")).expect_err("no waiting");
    assert!(matches!(error, Error::TooManyCalls { limit: 100, .. }), "{error}");
    assert_eq!(block_on(second.watch().wait()).expect("it ran").signal(), Some(9));
    block_on(children.kill(second.id().get(), "main")).expect("it has ended, and waits for none");
    // Another page's calls are its own.
    drop(resources.call("other").expect("it has none"));
    drop((writes, kills));
    drop(resources.call("main").expect("all were given back"));
}

#[test]
fn parity_21_nothing_is_started_while_the_app_ends() {
    let children = Children::default();
    let starting = children.start().expect("the app does not end yet");
    let child = spin();
    let watch = child.watch();
    std::thread::scope(|scope| {
        scope.spawn(|| children.end_all());
        while !children.state().is_closed {
            std::thread::yield_now();
        }
        assert!(matches!(children.start(), Err(Error::Ending)));
        starting.started(child.watch());
    });
    assert_eq!(block_on(watch.wait()).expect("it ran").signal(), Some(9));
}
