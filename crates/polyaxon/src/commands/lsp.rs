//! `polyaxon lsp`: the language server, until the editor leaves.

use crate::exit::Exit;
use crate::failure::Failure;
use crate::lsp;

pub(crate) fn run() -> Result<Exit, Failure> {
    match lsp::serve() {
        Ok(true) => Ok(Exit::Ok),
        Ok(false) => Ok(Exit::Failure),
        Err(error) => Err(Failure::new(format!("the editor spoke no language server protocol: {error}"))
            .help("`polyaxon lsp` is started by editors, see docs/editors.md")),
    }
}
