//! The footprints of small artifacts.

use super::*;

fn footprint(text: &str) -> Footprint {
    Footprint::of(&wat::parse_str(text).expect("it is well formed"))
}

const GLOBALS: &str = r#"(core module $big (global i64 (i64.const 1)) (global i64 (i64.const 2))
    (memory 1) (data (i32.const 0) "12345678"))"#;
const ONE: u64 = INSTANCE + 2 * GLOBAL + MEMORY_OR_TABLE;

#[test]
fn a_module_costs_what_it_declares() {
    let cost = footprint(
        r#"(module (import "a" "b" (func)) (func) (func) (func (export "f"))
            (global i32 (i32.const 0)) (table 4 funcref) (elem (i32.const 0) 1 2)
            (elem funcref (ref.func 1) (ref.func 1) (ref.func 1)) (memory 1) (data (i32.const 0) "abc") (data "passive"))"#,
    )
    .cost(1);
    let kept =
        INSTANCE + IMPORT + 4 * FUNCTION_REFERENCE + GLOBAL + 3 * GLOBAL + 2 * MEMORY_OR_TABLE;
    assert_eq!(cost, Cost { kept, copied: 3, elements: 2 });
}

#[test]
fn each_instance_of_a_component_counts() {
    let three = "(core instance (instantiate $big))".repeat(3);
    let cost = footprint(&format!("(component {GLOBALS} {three})")).cost(100);
    assert_eq!(cost, Cost { kept: 3 * ONE, copied: 24, elements: 0 });
    // Instances beyond the limit are never made, so they cost nothing.
    let cost = footprint(&format!("(component {GLOBALS} {three})")).cost(2);
    assert_eq!(cost, Cost { kept: 2 * ONE, copied: 16, elements: 0 });
}

#[test]
fn components_in_components_multiply() {
    let text = format!(
        "(component
            (component $four {GLOBALS} {})
            (component $eight (alias outer 1 0 (component $four)) {}) {})",
        "(core instance (instantiate $big))".repeat(4),
        "(instance (instantiate $four))".repeat(2),
        "(instance (instantiate $eight))".repeat(10),
    );
    assert_eq!(footprint(&text).cost(1000).kept, 80 * ONE);
    assert_eq!(footprint(&text).cost(50).kept, 50 * ONE);
}

#[test]
fn where_it_cannot_be_told_the_limit_on_instances_is_assumed() {
    let text = format!(
        "(component {GLOBALS}
            (component $any (import \"m\" (core module $m)) (core instance (instantiate $m)))
            (instance (instantiate $any (with \"m\" (core module $big)))))"
    );
    assert_eq!(footprint(&text).cost(5).kept, 5 * ONE);
}

#[test]
fn counts_that_no_machine_holds_saturate() {
    let largest = Cost { kept: u64::MAX / 2, copied: 1, elements: 1 };
    let footprint = Footprint { total: None, largest, lowered: 7, transcodes: false };
    assert_eq!(footprint.cost(usize::MAX).kept, u64::MAX);
}

#[test]
fn strings_are_converted_only_between_parts_with_different_encodings() {
    let part = |name: &str, encoding: &str| {
        format!(
            r#"(component ${name}
                (core module $m (memory (export "memory") 1)
                    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 0)
                    (func (export "f") (param i32 i32)))
                (core instance $i (instantiate $m))
                (func (export "f") (param "s" string)
                    (canon lift (core func $i "f") (memory (core memory $i "memory"))
                        (realloc (core func $i "realloc")) string-encoding={encoding})))"#
        )
    };
    let both = |first: &str, second: &str| {
        format!("(component {} {})", part("a", first), part("b", second))
    };
    assert!(footprint(&both("utf8", "utf16")).transcodes());
    assert!(footprint(&both("utf16", "latin1+utf16")).transcodes());
    assert!(!footprint(&both("utf8", "utf8")).transcodes());
    assert!(!footprint(&both("utf16", "utf16")).transcodes());
}
