//! Tables of sizes and durations: parsed, and formatted.

use super::*;

#[test]
fn sizes_are_read_as_documented() {
    let rows = [
        ("65536", Some(65536)),
        ("512k", Some(512 << 10)),
        ("512 K", Some(512 << 10)),
        ("32MiB", Some(32 << 20)),
        ("32 mib", Some(32 << 20)),
        ("1 GiB", Some(1 << 30)),
        ("1.5G", Some(3 << 29)),
        ("64MB", Some(64_000_000)),
        ("100b", Some(100)),
        ("0", Some(0)),
        ("", None),
        ("MiB", None),
        ("-1", None),
        ("1x", None),
        ("1.2.3M", None),
        (".", None),
        ("1 2M", None),
        ("99999999999999999999", None),
        ("18446744073709551615G", None),
        ("1e9", None),
    ];
    for (text, expected) in rows {
        let found = parse_size(text);
        assert_eq!(found.clone().ok(), expected, "{text}: {found:?}");
    }
}

#[test]
fn durations_are_read_as_documented() {
    let rows = [
        ("500ms", Some(500)),
        ("1s", Some(1_000)),
        ("30 s", Some(30_000)),
        ("1.5s", Some(1_500)),
        ("2m", Some(120_000)),
        ("2min", Some(120_000)),
        ("1m30s", Some(90_000)),
        ("1h 1m 1s", Some(3_661_000)),
        ("0m1s", Some(1_000)),
        ("0s", None),
        ("", None),
        ("30", None),
        ("s", None),
        ("1 fortnight", None),
        ("1m30", None),
        ("-1s", None),
        ("1s!", None),
        ("99999999999h", None),
    ];
    for (text, expected) in rows {
        let found = parse_duration(text);
        assert_eq!(found.clone().ok(), expected.map(Duration::from_millis), "{text}: {found:?}");
    }
}

#[test]
fn numbers_are_shown_with_a_fitting_unit() {
    let sizes = [0, 1023, 1024, 1536, 1 << 20, 405_504, 32 << 20, u64::MAX].map(size);
    assert_eq!(
        sizes,
        [
            "0 B",
            "1023 B",
            "1.0 KiB",
            "1.5 KiB",
            "1.0 MiB",
            "396.0 KiB",
            "32.0 MiB",
            "16777216.0 TiB"
        ]
    );
    let times = [0, 999, 1_000, 12_345, 123_456, 999_999, 61_000_000]
        .map(|microseconds| time(Duration::from_micros(microseconds)));
    assert_eq!(times, ["0 µs", "999 µs", "1.0 ms", "12.3 ms", "123 ms", "1.00 s", "61.00 s"]);
}
