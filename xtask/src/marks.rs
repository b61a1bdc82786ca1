//! Pages of `docs` of which a part is made by a command, and the rest is written by people.

use std::fs;

use anyhow::{Context, Result};

use crate::{paths, step};

/// Makes the part of a page between the two lines that name the command anew.
pub(crate) fn renew(page: &str, command: &str, made: &str) -> Result<()> {
    let file = paths::workspace().join("docs").join(page);
    let old = fs::read_to_string(&file).with_context(|| format!("docs/{page} cannot be read"))?;
    let new = between(&old, command, made).with_context(|| format!("docs/{page}"))?;
    fs::write(&file, new)?;
    step::line("wrote", &format!("docs/{page}"));
    Ok(())
}

fn between(old: &str, command: &str, made: &str) -> Result<String> {
    let mark = |which: &str| format!("<!-- {which} of what `{command}` writes -->");
    let (begin, end) = (mark("begin"), mark("end"));
    let (before, rest) = old.split_once(&begin).context("it has lost its mark")?;
    let (_, after) = rest.split_once(&end).context("it has lost its end mark")?;
    Ok(format!("{before}{begin}\n\n{made}\n{end}{after}"))
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
