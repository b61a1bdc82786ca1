//! Sizes and durations: any text is a number or refused, and what is written of a number is read as about that number.
#![no_main]
#![expect(clippy::disallowed_methods, reason = "the macro can write down the input it was given")]

use std::time::Duration;

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use wasi_sidecar::units;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    text: &'a str,
    number: u64,
}

fuzz_target!(|input: Input<'_>| {
    if let Err(error) = units::parse_size(input.text) {
        assert!(!error.to_string().is_empty());
    }
    match units::parse_duration(input.text) {
        Ok(duration) => assert!(!duration.is_zero(), "a limit of zero"),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // Exactly, without a unit.
    let number = input.number;
    assert_eq!(units::parse_size(&number.to_string()).ok(), Some(number));
    assert_eq!(units::parse_size(&format!(" {number} b ")).ok(), Some(number));
    // For people: three digits, so within a twentieth of the unit and never a panic. Units above GiB are not read.
    let shown = units::size(number);
    if !shown.ends_with("TiB") {
        let read = units::parse_size(&shown).expect(&shown);
        let off = read.abs_diff(number) as f64;
        assert!(off <= (number as f64 / 1023.0).max(0.0) * 51.2, "{number} is shown as {shown}");
    }
    assert!(units::exact_size(number).contains(&number.to_string()));
    assert!(!units::time(Duration::from_nanos(number)).is_empty());
});
