//! One entry of a scope, parsed with errors that name the entry.

use std::fmt;

use serde_json::{Map, Value};
use tauri::{AppHandle, Runtime, ipc::ScopeObject};

use super::{error::ScopeError, validator::Validator};

/// A sidecar that a webview may start, and the arguments it may give.
///
/// The grammar is the shell plugin's: `{ "name", "sidecar": true, "args": true | false | [ string | { "validator", "raw" } ] }`,
/// and `env`, a list of environment entries that a call may set.
#[derive(Clone, Debug)]
pub struct ScopeEntry {
    pub(super) name: String,
    pub(super) sidecar: bool,
    pub(super) args: Args,
    pub(super) env: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) enum Args {
    Any,
    List(Vec<Arg>),
    /// Allows only calls without arguments, or denies all calls.
    Omitted,
}

#[derive(Clone, Debug)]
pub(super) enum Arg {
    Fixed(String),
    Var(Validator),
}

impl Arg {
    pub(super) fn matches(&self, value: &str) -> bool {
        match self {
            Self::Fixed(fixed) => fixed == value,
            Self::Var(validator) => validator.matches(value),
        }
    }
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(fixed) => write!(f, "`{fixed}` (fixed)"),
            Self::Var(validator) => validator.fmt(f),
        }
    }
}

impl ScopeObject for ScopeEntry {
    type Error = ScopeError;

    fn deserialize<R: Runtime>(
        _: &AppHandle<R>,
        raw: tauri::utils::acl::Value,
    ) -> Result<Self, Self::Error> {
        Self::read(raw.into())
    }
}

const KEYS: [&str; 5] = ["name", "sidecar", "args", "env", "cmd"];

impl ScopeEntry {
    pub(super) fn read(raw: Value) -> Result<Self, ScopeError> {
        let unnamed =
            |reason: &str| ScopeError::Entry { name: raw.to_string(), reason: reason.into() };
        let Value::Object(map) = &raw else { return Err(unnamed("an entry is an object")) };
        let Some(Value::String(name)) = map.get("name") else {
            return Err(unnamed("`name` is missing; give the name of a configured sidecar"));
        };
        Self::read_named(name, map)
            .map_err(|reason| ScopeError::Entry { name: name.clone(), reason })
    }

    fn read_named(name: &str, map: &Map<String, Value>) -> Result<Self, String> {
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(format!("`{key}` is no key of an entry; there are {}", KEYS.join(", ")));
        }
        let sidecar = match map.get("sidecar") {
            None => false,
            Some(Value::Bool(sidecar)) => *sidecar,
            Some(_) => return Err("`sidecar` is true or false".into()),
        };
        if !sidecar && !map.contains_key("cmd") {
            return Err(
                "`sidecar` is missing; only sidecars are started here, so set it to true".into()
            );
        }
        let args = match map.get("args") {
            None => Args::Omitted,
            Some(Value::Bool(true)) => Args::Any,
            Some(Value::Bool(false)) => Args::List(Vec::new()),
            Some(Value::Array(list)) => Args::List(
                list.iter()
                    .enumerate()
                    .map(|(at, arg)| read_arg(at, arg))
                    .collect::<Result<_, _>>()?,
            ),
            Some(_) => return Err("`args` is true, false or a list".into()),
        };
        let env = match map.get("env") {
            None => Vec::new(),
            Some(Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map(ToOwned::to_owned))
                .collect::<Option<_>>()
                .ok_or("`env` is a list of names")?,
            Some(_) => return Err("`env` is a list of names".into()),
        };
        Ok(Self { name: name.to_owned(), sidecar, args, env })
    }
}

fn read_arg(at: usize, raw: &Value) -> Result<Arg, String> {
    let map = match raw {
        Value::String(fixed) => return Ok(Arg::Fixed(fixed.clone())),
        Value::Object(map) => map,
        _ => return Err(format!("`args[{at}]` is a text, or an object with `validator`")),
    };
    if let Some(key) = map.keys().find(|key| !["validator", "raw"].contains(&key.as_str())) {
        return Err(format!("`args[{at}].{key}` is not known; there are validator and raw"));
    }
    let Some(Value::String(validator)) = map.get("validator") else {
        return Err(format!("`args[{at}].validator` is missing; give a regular expression"));
    };
    let raw = match map.get("raw") {
        None => false,
        Some(Value::Bool(raw)) => *raw,
        Some(_) => return Err(format!("`args[{at}].raw` is true or false")),
    };
    Validator::new(validator, raw)
        .map(Arg::Var)
        .map_err(|reason| format!("`args[{at}].validator` is no regular expression: {reason}"))
}
