//! `polyaxon check --fix`: writes the modern form of old spellings into the files, and nothing else.
//!
//! Invariant: a file is only replaced when it still is what was read.

use std::io::Write;
use std::path::Path;

use polyaxon_spec::check::Request;
use polyaxon_spec::edit;
use polyaxon_spec::span::SourceId;

use crate::failure::Failure;
use crate::session::Context;
use crate::source::loader::WorldLoader;
use crate::source::read;

/// Mending may bring further findings to light; no file needs more rounds.
const MOST_ROUNDS: usize = 5;

/// Mends the files of a request as far as it can be done without a doubt, and shows what changed.
pub(crate) fn fix(context: &Context, request: &Request) -> Result<(), Failure> {
    let mut fixed = 0;
    for _ in 0..MOST_ROUNDS {
        let changed = round(context, request)?;
        fixed += changed;
        if changed == 0 {
            break;
        }
    }
    context.printer.note(&match fixed {
        0 => "Nothing to fix".to_owned(),
        1 => "Fixed 1 place".to_owned(),
        _ => format!("Fixed {fixed} places"),
    });
    Ok(())
}

fn round(context: &Context, request: &Request) -> Result<usize, Failure> {
    let mut loader = WorldLoader::default();
    let outcome = read::understand(request, &mut loader);
    let edits: Vec<_> = outcome.diagnostics.iter().flat_map(|finding| finding.fix.iter()).collect();
    let mut sources: Vec<SourceId> = edits.iter().map(|edit| edit.span.source).collect();
    sources.sort();
    sources.dedup();
    let mut changed = 0;
    for source in sources {
        let Some(text) = outcome.sources.get(source) else { continue };
        // Only files can be written: not stdin, addresses, the hub, and options.
        let Some((_, path)) = loader.files.iter().find(|(name, _)| *name == text.name) else { continue };
        let own = edit::of_source(edits.iter().copied(), source);
        let (new, count) = edit::apply(&text.text, &own);
        if count > 0 {
            replace(path, &text.name, &text.text, &new)?;
            context.printer.note(edit::diff(&text.name, &text.text, &own).trim_end());
            changed += count;
        }
    }
    Ok(changed)
}

/// Puts the new text in the place of the old one, in one step, with the same permissions.
fn replace(path: &Path, name: &str, old: &str, new: &str) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot write {name}: {error}"));
    let current = std::fs::read(path).map_err(failed)?;
    if current != old.as_bytes() {
        return Err(Failure::new(format!("{name} was changed while it was checked, so it was not written"))
            .help("run the command again"));
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut draft = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    draft.write_all(new.as_bytes()).map_err(failed)?;
    draft.as_file().set_permissions(std::fs::metadata(path).map_err(failed)?.permissions()).map_err(failed)?;
    draft.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("op.yaml");
        std::fs::write(&path, "b").unwrap();
        assert!(replace(&path, "op.yaml", "a", "c").unwrap_err().message.contains("was changed"));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "b");
        replace(&path, "op.yaml", "b", "c").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "c");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
