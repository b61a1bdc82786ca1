//! The section of a page that a command writes, between two marks; people write the rest.

use std::fs;

use anyhow::{Context, Result};

use crate::system::{console, paths};

/// Replaces the text between the marks of a command.
pub(crate) fn replace(page: &str, command: &str, text: &str) -> Result<()> {
    let file = paths::workspace().join(page);
    fs::write(&file, replaced(page, command, text)?)?;
    console::step("wrote", page);
    Ok(())
}

/// Whether the text between the marks of a command is the one that it would write.
pub(crate) fn is_current(page: &str, command: &str, text: &str) -> Result<bool> {
    let old = fs::read_to_string(paths::workspace().join(page))?;
    Ok(replaced(page, command, text)? == old)
}

fn replaced(page: &str, command: &str, text: &str) -> Result<String> {
    let file = paths::workspace().join(page);
    let old = fs::read_to_string(&file).with_context(|| format!("cannot read {page}"))?;
    between(&old, command, text).with_context(|| page.to_owned())
}

fn between(old: &str, command: &str, text: &str) -> Result<String> {
    let mark = |which: &str| format!("<!-- {which} of what `{command}` writes -->");
    let (begin, end) = (mark("begin"), mark("end"));
    let (before, rest) = old.split_once(&begin).context("the begin mark is missing")?;
    let (_, after) = rest.split_once(&end).context("the end mark is missing")?;
    Ok(format!("{before}{begin}\n\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays() {
        let old = "a\n<!-- begin of what `x` writes -->\nold\n<!-- end of what `x` writes -->\nb\n";
        let new = between(old, "x", "new\n").expect("it has both marks");
        let wanted =
            "a\n<!-- begin of what `x` writes -->\n\nnew\n\n<!-- end of what `x` writes -->\nb\n";
        assert_eq!(new, wanted);
        assert_eq!(between(&new, "x", "new\n").expect("it still has"), wanted);
        assert!(between(old, "y", "new\n").is_err());
    }
}
