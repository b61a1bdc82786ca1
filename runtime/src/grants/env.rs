//! Granted environment entries: which names are valid.

use crate::{Error, ErrorKind, Result};

/// Refuses an invalid name of an environment entry.
pub(crate) fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains(['=', '\0']) {
        let text = format!("`{name}` is no name of an environment entry");
        return Err(Error::new(ErrorKind::InvalidInput, text));
    }
    Ok(())
}
