//! Artifacts of a few kilobytes that take gigabytes or minutes to compile, or end the process that tries.

/// Components in components, each of which instantiates the one in it twice: 2ⁿ instances at the innermost.
pub(crate) fn doubling(levels: usize) -> Vec<u8> {
    let mut inner = r#"(component $c0
        (core module $m (func (export "f") (result i32) i32.const 1))
        (core instance (instantiate $m)))"#
        .to_owned();
    for level in 1..=levels {
        let below = level - 1;
        inner = format!(
            "(component $c{level} {inner} (instance (instantiate $c{below})) (instance (instantiate $c{below})))"
        );
    }
    command(&format!("{inner} (instance (instantiate $c{levels}))"))
}

/// A command component that has this in it as well.
fn command(text: &str) -> Vec<u8> {
    wat::parse_str(format!(
        r#"(component {text}
            (core module $main (func (export "run") (result i32) i32.const 0))
            (core instance $main (instantiate $main))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (component $shim (import "f" (func $f (result (result)))) (export "run" (func $f)))
            (instance $run (instantiate $shim (with "f" (func $run))))
            (export "wasi:cli/run@0.2.0" (instance $run)))"#
    ))
    .unwrap()
}

/// Loops in loops, which change many locals in the innermost.
pub(crate) fn loops(depth: usize) -> Vec<u8> {
    let mut body: String = (0..1000)
        .map(|n| format!("(local.set {n} (i32.add (local.get {}) (i32.const 1)))", (n + 1) % 1000))
        .collect();
    for level in 0..depth {
        body = format!("(loop $l{level} {body} (br_if $l{level} (local.get 0)))");
    }
    function(&format!("(local {})", "i32 ".repeat(1000)), &body)
}

/// So many functions, each with as many locals as there may be: eight bytes each, and too much text to be written as such.
pub(crate) fn locals(functions: u8) -> Vec<u8> {
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    let mut section = |id: u8, content: &[u8]| {
        let length = content.len();
        module.extend([id, (length & 0x7f) as u8 | 0x80, (length >> 7) as u8]);
        module.extend(content);
    };
    let each = |one: &[u8]| [&[functions], one.repeat(functions.into()).as_slice()].concat();
    section(1, &[1, 0x60, 0, 0]);
    section(3, &each(&[0]));
    section(5, &[1, 0, 1]);
    section(7, b"\x02\x06memory\x02\0\x06_start\0\0");
    // 50,000 times `i32`.
    section(10, &each(&[6, 1, 0xd0, 0x86, 0x03, 0x7f, 0x0b]));
    module
}

fn function(locals: &str, body: &str) -> Vec<u8> {
    let text = format!(
        r#"(module (memory (export "memory") 1) (func (export "_start") {locals} {body}))"#
    );
    wat::parse_str(text).unwrap()
}
