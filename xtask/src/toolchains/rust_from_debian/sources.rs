//! Finds the machine's mirrors of Debian in apt's sources, which have two formats.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// One entry, as fields of the newer format.
#[derive(Clone, Debug, Default)]
struct Source {
    fields: Vec<(String, String)>,
}

impl Source {
    fn get(&self, name: &str) -> &str {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map_or("", |(_, value)| value)
    }

    fn has(&self, name: &str, word: &str) -> bool {
        self.get(name).split_whitespace().any(|found| found == word)
    }

    /// Whether the entry is Debian's own; third parties name Debian's releases, too. Debian's entries are signed with its keys.
    /// In files without keys, their URLs end in its name.
    fn is_official(&self) -> bool {
        let names = ["debian", "debian-security", "debian.list", "debian-security.list"];
        let named = |uri: &str| {
            uri.trim_end_matches('/').rsplit('/').next().is_some_and(|name| names.contains(&name))
        };
        match self.get("Signed-By") {
            "" => self.get("URIs").split_whitespace().all(named),
            key => key.contains("debian-archive-"),
        }
    }

    fn with_suites(&self, suites: &str) -> String {
        let replaced = ["types", "suites", "components", "enabled"];
        let kept = |(name, _): &&(String, String)| !replaced.contains(&&*name.to_lowercase());
        let fields =
            self.fields.iter().filter(kept).map(|(name, value)| format!("{name}: {value}\n"));
        format!("Types: deb\nSuites: {suites}\nComponents: main\n{}", fields.collect::<String>())
    }
}

/// The files that apt reads: paths and contents.
pub(crate) fn read() -> Result<Vec<(PathBuf, String)>> {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        paths.extend(entries.flatten().map(|entry| entry.path()));
    }
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let extension = path.extension().unwrap_or_default();
        if path.exists() && (extension == "list" || extension == "sources") {
            let text = fs::read_to_string(&path)
                .with_context(|| format!("cannot read {}", path.display()))?;
            files.push((path, text));
        }
    }
    Ok(files)
}

/// Sources for a release with its updates, security updates and backports, from the machine's entries for that release.
pub(crate) fn derive(files: &[(PathBuf, String)], release: &str) -> Result<String> {
    let sources = files.iter().flat_map(|(path, text)| parse(path, text));
    let suites = [release.to_owned(), format!("{release}-updates"), format!("{release}-security")];
    let mut derived = Vec::new();
    for source in sources {
        let wanted = source.has("Types", "deb")
            && source.has("Components", "main")
            && source.get("Enabled") != "no";
        if !wanted || !source.is_official() {
            continue;
        }
        let found: Vec<&str> =
            suites.iter().map(String::as_str).filter(|suite| source.has("Suites", suite)).collect();
        if !found.is_empty() {
            derived.push(source.with_suites(&found.join(" ")));
        }
        if source.has("Suites", release) {
            derived.push(source.with_suites(&format!("{release}-backports")));
        }
    }
    if derived.is_empty() {
        bail!("no file in /etc/apt has Debian's suite {release}");
    }
    Ok(derived.join("\n"))
}

fn parse(path: &Path, text: &str) -> Vec<Source> {
    if path.extension().is_some_and(|extension| extension == "sources") {
        text.split("\n\n").map(stanza).filter(|source| !source.fields.is_empty()).collect()
    } else {
        text.lines().filter_map(one_line).collect()
    }
}

/// Parses `Name: value` lines. Indented lines continue a value, such as a key.
fn stanza(text: &str) -> Source {
    let mut source = Source::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        match (line.starts_with([' ', '\t']), source.fields.last_mut(), line.split_once(':')) {
            (true, Some((_, value)), _) => {
                value.push('\n');
                value.push_str(line);
            }
            (false, _, Some((name, value))) => {
                source.fields.push((name.trim().to_owned(), value.trim().to_owned()))
            }
            _ => {}
        }
    }
    source
}

/// Parses `deb [name=value …] uri suite component …`.
fn one_line(line: &str) -> Option<Source> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let rest = line.strip_prefix("deb")?.strip_prefix([' ', '\t'])?.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace();
    let (uri, suite) = (words.next()?, words.next()?);
    let components = words.collect::<Vec<_>>().join(" ");
    let mut text = format!("Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: {components}\n");
    for option in options.split_whitespace() {
        let (name, value) = option.split_once('=')?;
        let name = match name {
            "arch" => "Architectures",
            "check-valid-until" => "Check-Valid-Until",
            "signed-by" => "Signed-By",
            "trusted" => "Trusted",
            _ => continue,
        };
        text.push_str(&format!("{name}: {}\n", value.replace(',', " ")));
    }
    Some(stanza(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derived(name: &str, text: &str) -> Result<String> {
        derive(&[(PathBuf::from(name), text.to_owned())], "bookworm")
    }

    #[test]
    fn newer_format_keeps_key_and_url() {
        let text = "Types: deb deb-src\n# a comment\nURIs: http://mirror.test/debian\nSuites: bookworm bookworm-updates\n\
                    Components: main contrib\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
                    Types: deb\nURIs: http://mirror.test/debian-security\nSuites: bookworm-security\nComponents: main\n";
        let expected = "Types: deb\nSuites: bookworm bookworm-updates\nComponents: main\nURIs: http://mirror.test/debian\n\
                        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
                        Types: deb\nSuites: bookworm-backports\nComponents: main\nURIs: http://mirror.test/debian\n\
                        Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n\
                        Types: deb\nSuites: bookworm-security\nComponents: main\nURIs: http://mirror.test/debian-security\n";
        assert_eq!(derived("debian.sources", text).expect("derived"), expected);
    }

    #[test]
    fn older_format_keeps_options() {
        let text = "# deb http://off.test/debian bookworm main\n\
                    deb [signed-by=/k/debian-archive-keyring.gpg check-valid-until=no] http://m.test/debian/ bookworm main\n\
                    deb-src http://m.test/debian bookworm main\n";
        let expected = "Types: deb\nSuites: bookworm\nComponents: main\nURIs: http://m.test/debian/\n\
                        Signed-By: /k/debian-archive-keyring.gpg\nCheck-Valid-Until: no\n\n\
                        Types: deb\nSuites: bookworm-backports\nComponents: main\nURIs: http://m.test/debian/\n\
                        Signed-By: /k/debian-archive-keyring.gpg\nCheck-Valid-Until: no\n";
        assert_eq!(derived("sources.list", text).expect("derived"), expected);
    }

    #[test]
    fn an_inline_key_stays_with_its_source() {
        let text = "Types: deb\nURIs: http://m.test/debian\nSuites: bookworm\nComponents: main\nSigned-By:\n \
                    debian-archive-key\n .\n more\n";
        let sources = derived("debian.sources", text).expect("derived");
        assert!(sources.contains("Signed-By: \n debian-archive-key\n .\n more\n"), "{sources}");
    }

    #[test]
    fn third_party_sources_are_ignored() {
        for line in [
            "deb http://other.test/linux/debian bookworm stable",
            "deb http://other.test/debian/12/prod bookworm main",
            "deb [signed-by=/etc/apt/keyrings/other.gpg] http://other.test/debian bookworm main",
            "deb http://m.test/debian trixie main",
        ] {
            assert!(derived("sources.list", line).is_err(), "{line}");
        }
        let disabled = "Enabled: no\nTypes: deb\nURIs: http://m.test/debian\nSuites: bookworm\nComponents: main\n";
        assert!(derived("debian.sources", disabled).is_err());
    }
}
