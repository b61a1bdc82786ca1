//! Asks a database in memory: `sqlite [--hello]`.
//!
//! Makes a table of 100 rows and prints what a query says of them, on one line. With `--hello` it prints the version of
//! SQLite at once and does nothing else: what is measured with it is the start of a program of this size.
//! Exit code: 0; 1 when something fails, which is said on standard error.

use std::io::{self, Write};
use std::process::ExitCode;

use rusqlite::{Connection, params};

const ROWS: i64 = 100;

fn main() -> ExitCode {
    let said = match std::env::args().nth(1).as_deref() {
        Some("--hello") => Ok(rusqlite::version().to_owned()),
        None => ask().map_err(|error| error.to_string()),
        Some(_) => Err("usage: sqlite [--hello]".to_owned()),
    };
    let (written, code) = match said {
        Ok(text) => (writeln!(io::stdout(), "{text}"), ExitCode::SUCCESS),
        Err(text) => (writeln!(io::stderr(), "{text}"), ExitCode::FAILURE),
    };
    if written.is_ok() { code } else { ExitCode::FAILURE }
}

fn ask() -> rusqlite::Result<String> {
    let mut database = Connection::open_in_memory()?;
    database
        .execute_batch("CREATE TABLE numbers (n INTEGER PRIMARY KEY, square INTEGER, name TEXT)")?;
    let transaction = database.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO numbers VALUES (?1, ?2, ?3)")?;
        for n in 1..=ROWS {
            insert.execute(params![n, n * n, format!("number {n}")])?;
        }
    }
    transaction.commit()?;
    database.query_row(
        "SELECT count(*) || ' rows, ' || sum(square) || ', ' || max(name) || ', ' || round(avg(n), 2)
         FROM numbers WHERE square % 3 = 1",
        [],
        |row| row.get(0),
    )
}
