//! The program is killed at any moment, while it writes its cache and the guest a file; the next run finds nothing torn.

use std::{
    fs, thread,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    place::{CODE, KEYS, NUMBERS, Place},
    support::HANG,
};

/// How often it is killed.
const KILLS: u32 = 200;

#[test]
fn a_kill_at_any_moment_leaves_nothing_torn() {
    let place = Place::new();
    // The first makes what the others find.
    place.run(&place.artifact(KILLS));
    let begin = Instant::now();
    place.run(&place.artifact(KILLS + 1));
    let whole = begin.elapsed();
    let (mut before, mut writing) = (0, 0);
    for number in 0..KILLS {
        let artifact = place.artifact(number);
        fs::remove_file(place.path("granted/numbers")).unwrap();
        if number % 4 == 0 {
            // The key is then made as well.
            fs::remove_dir_all(place.path(KEYS)).unwrap();
        }
        let mut child = place.command(&artifact).spawn().unwrap();
        // Evenly over a whole run, in no order.
        thread::sleep(whole.mul_f64((f64::from(number) * 0.618).fract()));
        child.kill().unwrap();
        child.wait().unwrap();
        match place.numbers() {
            0 => before += 1,
            numbers => writing += usize::from(numbers < NUMBERS as usize),
        }
        let ran = place.run(&artifact);
        assert!(!ran.stderr.contains("not usable"), "a torn entry: {}", ran.stderr);
        assert!(!ran.stderr.contains("warning"), "{}", ran.stderr);
    }
    assert!(
        before > 0 && writing > 0,
        "killed {before} times before it wrote, {writing} meanwhile"
    );
    // What compiled for a process that is gone goes too.
    let since = Instant::now();
    while place.processes() > 0 {
        assert!(since.elapsed() < HANG, "{} processes are left", place.processes());
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_a_killed_process_has_not_finished_goes_with_the_time() {
    let place = Place::new();
    let artifact = place.artifact(0);
    place.run(&artifact);
    let hours = |count: u64| Duration::from_secs(3600 * count);
    let now = SystemTime::now();
    for folder in [CODE, KEYS] {
        for (name, date) in [
            // Somebody may be writing it.
            ("now", now),
            ("old", now - hours(2)),
            // From before the clock was set back, or forth from where it began.
            ("later", now + hours(2)),
            ("nothing", SystemTime::UNIX_EPOCH),
            ("earlier", SystemTime::UNIX_EPOCH - hours(1)),
        ] {
            let path = place.path(folder).join(name).with_extension("code.1-0.tmp");
            fs::File::create(path).unwrap().set_modified(date).unwrap();
        }
    }
    place.run(&artifact);
    let left = [CODE, KEYS].map(|folder| place.path(folder).join("now.code.1-0.tmp"));
    assert_eq!(place.unfinished(), left);
}
