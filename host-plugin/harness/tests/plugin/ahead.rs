//! Code that the app's build has made, found beside the component.

use std::path::Path;

use serde_json::json;
use tauri::test::mock_builder;
use tauri_plugin_wasi_sidecar::{
    AheadOfTime, Builder, SidecarExt,
    wasi_sidecar::{CodeOrigin, Component, Engine, EngineConfig, LoadOptions, Status},
};

use crate::support::wait;

/// What came of starting `upper` with this file of code beside it.
fn origin(folder: &Path, label: &str) -> CodeOrigin {
    let table: &'static [_] =
        Vec::leak(vec![("upper", "upper.code", &*String::leak(label.to_owned()))]);
    let config = json!({ "codeCache": false,
                         "sidecars": { "upper": { "component": folder.join("upper.wasm") } } });
    let plugin = Builder::new().ahead_of_time(AheadOfTime::from_table(table)).build();
    let app = mock_builder().plugin(plugin).build(webview_harness::context(config));
    let app = app.expect("it starts");
    let command = app.sidecar("upper").expect("it is configured");
    assert_eq!(wait(command.output()).expect("it runs").status.code(), Some(0));
    match app.sidecars().status("upper") {
        Ok(Status::Ready(origin)) => origin,
        other => panic!("{other:?}"),
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[test]
fn code_of_the_apps_build_is_used_and_other_code_is_not() {
    let place = tempfile::tempdir().expect("a folder");
    let wasm =
        std::fs::read(wasi_sidecar_guests::component("upper").expect("built")).expect("there");
    std::fs::write(place.path().join("upper.wasm"), &wasm).expect("written");
    let engine = Engine::new(&EngineConfig::new()).expect("an engine");
    let component = Component::load(&engine, wasm, LoadOptions::new()).expect("a component");
    let (mut code, label) =
        component.precompile_labelled("x86_64-unknown-linux-gnu").expect("it compiles");
    let label = label.to_string();

    assert_eq!(origin(place.path(), &label), CodeOrigin::Compiled, "there is no file yet");
    let file = place.path().join("upper.code");
    std::fs::write(&file, &code).expect("written");
    assert_eq!(origin(place.path(), &label), CodeOrigin::AheadOfTime);
    let middle = code.len() / 2;
    code[middle] ^= 1;
    std::fs::write(&file, &code).expect("written");
    assert_eq!(origin(place.path(), &label), CodeOrigin::Compiled, "it is not what was built");
}

#[test]
fn a_table_that_is_none_is_refused_when_the_app_starts() {
    let plugin = Builder::new()
        .ahead_of_time(AheadOfTime::from_table(&[("upper", "upper.code", "no label")]))
        .build();
    let built = mock_builder().plugin(plugin).build(webview_harness::context(json!({})));
    let error = built.map(drop).expect_err("it is no label").to_string();
    assert!(error.contains("no label of machine code"), "{error}");
}
