//! Finds where a program's relative paths start, from traces that its tool chain left in the artifact.

use memchr::memmem;

/// How a program treats an initial directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Starts in `/`, as the C library below most languages does. It takes `f` for `/f`.
    Root,
    /// Starts in the directory that `PWD` names.
    Pwd,
    /// Can ask WASI for its initial directory. It may not do so: the runtime of some languages imports every function.
    InitialCwd,
}

/// A section that Go's linker writes. Go's own library resolves paths, starting from `PWD`, with no C library below.
/// <https://go.dev/src/syscall/fs_wasip1.go>
const GO: &str = "go:buildid";

/// The function that returns a component's initial directory, and its interface.
/// <https://github.com/WebAssembly/WASI/blob/main/proposals/cli/wit/environment.wit>
const INITIAL_CWD: (&str, &str) = ("wasi:cli/environment@0.2", "initial-cwd");

/// The traces found so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    go: bool,
    initial_cwd: bool,
}

impl Marks {
    pub(super) fn custom_section(&mut self, name: &str) {
        self.go |= name == GO;
    }

    /// The types of a component's imports. Searched as bytes and not parsed: a hostile artifact can nest types as deep
    /// as it likes, and one that only pretends to have the function loses nothing but its own relative paths.
    pub(super) fn types(&mut self, section: &[u8]) {
        self.initial_cwd |= memmem::find(section, INITIAL_CWD.1.as_bytes()).is_some();
    }
}

impl Start {
    pub(super) fn of(marks: Marks, imports: &[String]) -> Self {
        let environment = || imports.iter().any(|name| name.starts_with(INITIAL_CWD.0));
        match marks {
            Marks { initial_cwd: true, .. } if environment() => Self::InitialCwd,
            Marks { go: true, .. } => Self::Pwd,
            Marks { .. } => Self::Root,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Artifact;

    fn start_of(text: &str) -> Start {
        Artifact::identify(&wat::parse_str(text).expect("a text")).expect("an artifact").start
    }

    #[test]
    fn what_a_program_does_is_told_from_what_its_tool_chain_leaves() {
        let asks =
            r#"(import "wasi:cli/environment@0.2.3" (instance (export "initial-cwd" (func))))"#;
        let other = r#"(import "a:b/c@0.2.3" (instance (export "initial-cwd" (func))))"#;
        let told =
            r#"(import "wasi:cli/environment@0.2.3" (instance (export "get-arguments" (func))))"#;
        let go = r#"(core module (@custom "go:buildid" "x"))"#;
        for (text, expected) in [
            ("(module)".to_owned(), Start::Root),
            (r#"(module (@custom "go:buildid" "x"))"#.to_owned(), Start::Pwd),
            (r#"(module (@custom "producers" "go:buildid"))"#.to_owned(), Start::Root),
            ("(component)".to_owned(), Start::Root),
            (format!("(component {told})"), Start::Root),
            (format!("(component {other})"), Start::Root),
            (format!("(component {asks})"), Start::InitialCwd),
            (format!("(component {asks} {go})"), Start::InitialCwd),
            (format!("(component {told} {go})"), Start::Pwd),
            // The import is a nested component's, which does not ask this host.
            (format!("(component {told} (component {asks}))"), Start::Root),
        ] {
            assert_eq!(start_of(&text), expected, "{text}");
        }
    }
}
