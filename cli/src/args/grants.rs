//! The grants of `run`, as they are written: `--dir` and `--env`.

use std::{path::PathBuf, str::FromStr};

use wasi_sidecar::Access;

/// `HOST::GUEST[:ro]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirGrant {
    pub(crate) host: PathBuf,
    pub(crate) guest: String,
    pub(crate) access: Access,
}

impl FromStr for DirGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // The first `::` separates: a host's path with one in it is rarer than a mistake is.
        let Some((host, guest)) = text.split_once("::") else {
            return Err(format!(
                "no `::` between the host's directory and the guest's name for it; write it like \
                 `{text}::/data`, or `{text}::/data:ro` to allow reading only"
            ));
        };
        if host.is_empty() {
            return Err("no directory before `::`; `.` is the current one".into());
        }
        // A mistyped `:ro` must not become part of a name and grant writing.
        let (guest, access) = match guest.rsplit_once(':') {
            None => (guest, Access::ReadWrite),
            Some((guest, "ro")) => (guest, Access::ReadOnly),
            Some((_, access)) => {
                return Err(format!(
                    "`:{access}` is no access; end with `:ro` to allow reading only, or with nothing \
                     to allow writing as well"
                ));
            }
        };
        if guest.contains(':') {
            return Err(format!("`{guest}` has a `:` in it; give the guest a name without one"));
        }
        if !guest.starts_with('/') {
            return Err(format!(
                "the guest's name `{guest}` is not absolute; write it like `/data`"
            ));
        }
        Ok(Self { host: host.into(), guest: guest.to_owned(), access })
    }
}

/// `NAME` or `NAME=VALUE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EnvGrant {
    /// The host's entry of that name.
    Pass(String),
    /// An entry of our own.
    Set(String, String),
}

impl FromStr for EnvGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, grant) = match text.split_once('=') {
            Some((name, value)) => (name, Self::Set(name.to_owned(), value.to_owned())),
            None => (text, Self::Pass(text.to_owned())),
        };
        match name {
            "" => Err("no name; write `NAME` to pass on the host's entry, or `NAME=VALUE`".into()),
            _ => Ok(grant),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_read_as_documented() {
        let rows = [
            ("notes::/notes", Some(("notes", "/notes", Access::ReadWrite))),
            ("notes::/notes:ro", Some(("notes", "/notes", Access::ReadOnly))),
            (".::/", Some((".", "/", Access::ReadWrite))),
            (r"C:\notes::/notes:ro", Some((r"C:\notes", "/notes", Access::ReadOnly))),
            ("/a:b::/c", Some(("/a:b", "/c", Access::ReadWrite))),
            ("notes", None),
            ("notes:/notes", None),
            ("::/notes", None),
            ("notes::notes", None),
            ("notes::", None),
            ("notes:::ro", None),
            // What looks like an access and is none never grants more than was meant.
            ("notes::/notes:rw", None),
            ("notes::/notes:RO", None),
            ("notes::/notes:r0", None),
            ("notes::/notes:", None),
            ("notes::/notes:ro:ro", None),
        ];
        for (text, expected) in rows {
            let found = text.parse::<DirGrant>();
            let expected = expected.map(|(host, guest, access)| DirGrant {
                host: host.into(),
                guest: guest.into(),
                access,
            });
            assert_eq!(found.as_ref().ok(), expected.as_ref(), "{text}: {found:?}");
        }
    }

    #[test]
    fn environment_entries_are_read_as_documented() {
        let set = |name: &str, value: &str| Some(EnvGrant::Set(name.into(), value.into()));
        let rows = [
            ("LANG", Some(EnvGrant::Pass("LANG".into()))),
            ("MODE=fast", set("MODE", "fast")),
            ("EMPTY=", set("EMPTY", "")),
            ("A=b=c", set("A", "b=c")),
            ("=x", None),
            ("", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<EnvGrant>().ok(), expected, "{text}");
        }
    }
}
