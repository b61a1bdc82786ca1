//! Lists the guests there are, so that a test can be made to cover all of them: `foreach_guest!` calls the macro it is
//! given once for each Rust program, `foreach_language_guest!` once for each in the other languages.

#![expect(
    clippy::disallowed_methods,
    reason = "a build script reads sources and writes to its output folder"
)]

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

/// How the programs of a language are told from what else is in its folder.
const LANGUAGES: [(&str, &str); 4] = [("c", "c"), ("go", ""), ("js", "js"), ("python", "py")];

fn main() -> Result<(), Box<dyn Error>> {
    let root = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let root = Path::new(&root);
    let packages = packages(root)?;
    let mut rust = programs(&root.join("rust/src/bin"), "rs")?;
    rust.extend(packages.iter().cloned());
    rust.sort();
    let mut others = Vec::new();
    for (language, extension) in LANGUAGES {
        others.extend(
            programs(&root.join(language), extension)?.into_iter().map(|name| (language, name)),
        );
    }

    let mut code = String::new();
    writeln!(
        code,
        "/// The Rust programs: those under `guests/rust/src/bin`, and [`RUST_PACKAGES`].\npub const RUST_GUESTS: &[&str] = &{rust:?};"
    )?;
    writeln!(
        code,
        "/// The Rust programs that are packages of their own: `guests/NAME` is the package `guest-NAME`.\npub const RUST_PACKAGES: &[&str] = &{packages:?};"
    )?;
    writeln!(code, "/// Language and name of the programs in other languages.")?;
    writeln!(code, "pub const LANGUAGE_GUESTS: &[(&str, &str)] = &{others:?};")?;
    let calls = rust.iter().map(|name| underscored(name));
    foreach(&mut code, "foreach_guest", "once for each Rust guest: `$mac!(big_line)`", calls)?;
    let calls = others.iter().map(|(language, name)| format!("{language}, {}", underscored(name)));
    foreach(
        &mut code,
        "foreach_language_guest",
        "once for each guest of another language: `$mac!(go, fs_probe)`",
        calls,
    )?;
    let output = env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    fs::write(Path::new(&output).join("guests.rs"), code)?;
    Ok(())
}

/// The folders that are Rust packages of one program, of the folder's name; sorted.
fn packages(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", root.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if path.join("src/main.rs").is_file() {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// The programs in a folder, by their names with hyphens, sorted; without an extension a program is a folder.
fn programs(folder: &Path, extension: &str) -> Result<Vec<String>, Box<dyn Error>> {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_program = match extension {
            "" => path.is_dir(),
            _ => path.extension().is_some_and(|found| found == extension),
        };
        if let (true, Some(name)) = (is_program, path.file_stem().and_then(|name| name.to_str())) {
            names.push(name.replace('_', "-"));
        }
    }
    names.sort();
    Ok(names)
}

fn underscored(name: &str) -> String {
    name.replace('-', "_")
}

fn foreach(
    code: &mut String,
    name: &str,
    does: &str,
    calls: impl Iterator<Item = String>,
) -> Result<(), Box<dyn Error>> {
    writeln!(
        code,
        "/// Calls the macro it is given {does}.\n#[macro_export]\nmacro_rules! {name} {{"
    )?;
    writeln!(code, "    ($mac:ident) => {{")?;
    for call in calls {
        writeln!(code, "        $mac!({call});")?;
    }
    writeln!(code, "    }};\n}}")?;
    Ok(())
}
