//! Gathers the capability files, and what the plugins say of their permissions.

fn main() {
    tauri_build::build();
}
