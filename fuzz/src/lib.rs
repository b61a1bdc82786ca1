//! JSON as people write it in a configuration: mostly of words that mean something there.
//!
//! Random bytes are hardly ever JSON, and random JSON has no key that is known; both would only try the first line of
//! what reads them.

use arbitrary::Arbitrary;
use serde_json::Value;

#[derive(Arbitrary, Clone, Debug)]
pub enum Json {
    Null,
    Bool(bool),
    Number(i64),
    Fraction(f64),
    Word(Word),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(Key, Json)>),
}

#[derive(Arbitrary, Clone, Debug)]
pub enum Key {
    Word(Word),
    Text(String),
}

/// The keys and values of configurations and scope entries, and some that are almost those.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Word(u8);

const WORDS: &[&str] = &[
    "",
    "sidecars",
    "sidecar",
    "onReload",
    "on_reload",
    "codeCache",
    "engine",
    "component",
    "sha256",
    "preload",
    "grants",
    "limits",
    "native",
    "shared",
    "dirs",
    "dir",
    "env",
    "network",
    "http",
    "host",
    "guest",
    "access",
    "read-only",
    "read-write",
    "memory",
    "time",
    "cpuTime",
    "tableElements",
    "instances",
    "handles",
    "callBytes",
    "randomBytes",
    "maxGuests",
    "maxArtifactSize",
    "guestStack",
    "program",
    "when",
    "never",
    "unavailable",
    "always",
    "kill",
    "keep",
    "name",
    "args",
    "cmd",
    "validator",
    "raw",
    "\\S+",
    "^a$",
    "(",
    "[a-z]{1,9}",
    "(a*)*",
    "$APPDATA/notes",
    "/notes",
    "256 MiB",
    "30 s",
    "a",
    "\u{202e}",
    "\0",
    "cwd",
    "encoding",
    "utf-8",
    "latin1",
    "batch",
    "flushPartialLines",
    "pid",
    "buffer",
    "webviews",
    "maxChildren",
    "maxInput",
    "maxCalls",
    "maxOutput",
    "pooledGuests",
    "compile",
    "memories",
    "tables",
    "line",
    "dangerous",
];

impl Json {
    #[must_use]
    pub fn value(&self) -> Value {
        match self {
            Json::Null => Value::Null,
            Json::Bool(value) => (*value).into(),
            Json::Number(number) => (*number).into(),
            Json::Fraction(number) => (*number).into(),
            Json::Word(word) => word.as_str().into(),
            Json::Text(text) => text.as_str().into(),
            Json::List(list) => list.iter().map(Json::value).collect(),
            Json::Object(entries) => {
                entries.iter().map(|(key, json)| (key.as_str(), json.value())).collect()
            }
        }
    }
}

impl Key {
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Key::Word(word) => word.as_str(),
            Key::Text(text) => text,
        }
    }
}

impl Word {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        WORDS[usize::from(self.0) % WORDS.len()]
    }
}
