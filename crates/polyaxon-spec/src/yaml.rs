//! Reading and writing YAML the way the official tools do: the 1.1 dialect of PyYAML's safe loader (spec §2.2),
//! with the place of every value.
//!
//! Knows nothing about polyaxonfiles. JSON is read by the same rules, because the official tools do so.
//!
//! Known differences to PyYAML, none of which a working polyaxonfile meets:
//! * an unquoted `=` is text (PyYAML has a tag but no value for it); `!!set` gives a mapping to null;
//! * times without zone are UTC; the keys `1` and `true` differ;
//! * tabs between the parts of a flow collection pass, because JSON files are often indented with them;
//! * U+0085, U+2028 and U+2029 do not break lines; escaped halves of surrogate pairs are refused;
//! * further lines of a quoted value must be indented more than its key;
//! * some malformed anchors, empty keys and keys over several lines pass;
//! * integers beyond 128 bits, aliases that repeat very much, very deep and very large texts are refused.

mod anchors;
mod binary;
mod compose;
mod emit;
mod mapping;
mod resolve;
mod syntax;
mod tabs;

#[cfg(test)]
mod tests;

pub use emit::{emit, emit_with_notes};

use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::span::{SourceId, Span};

/// Larger texts are refused before anything looks at them.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;
/// Collections inside collections. PyYAML itself gives up at about 300.
pub const MAX_DEPTH: usize = 200;
/// Values that aliases may add to a document.
pub const MAX_ALIAS_NODES: usize = 100_000;

/// A text that could be read. An empty text is a null node.
#[derive(Debug)]
pub struct Document {
    pub node: Node,
    pub warnings: Vec<Diagnostic>,
}

/// Reads one document. The spans of its nodes are byte ranges of `text`.
pub fn read(source: SourceId, text: &[u8]) -> Result<Document, Vec<Diagnostic>> {
    match check_text(source, text) {
        Ok(text) => compose::compose(source, text),
        Err(diagnostic) => Err(vec![*diagnostic]),
    }
}

fn check_text(source: SourceId, bytes: &[u8]) -> Result<&str, Box<Diagnostic>> {
    if bytes.len() > MAX_BYTES {
        let size = bytes.len() / (1024 * 1024);
        let message = format!("the text has {size} MB, the limit is {} MB", MAX_BYTES / (1024 * 1024));
        let help = "a polyaxonfile describes a run; put data into files that the run reads";
        return Err(Box::new(Diagnostic::error(codes::TOO_LARGE, Span::new(source, 0, 0), message).help(help)));
    }
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let message = format!("the text is not UTF-8: byte 0x{:02x} at offset {at}", bytes[at]);
            let help = match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "the file is UTF-16; save it as UTF-8",
                _ => "save the file as UTF-8; is it really a text file?",
            };
            let span = Span::new(source, at, at);
            return Err(Box::new(Diagnostic::error(codes::ENCODING, span, message).help(help)));
        }
    };
    match text.char_indices().find(|(_, character)| !is_allowed(*character)) {
        None => Ok(text),
        Some((at, character)) => {
            let span = Span::new(source, at, at + character.len_utf8());
            let message = format!("the text holds the control character U+{:04X}", u32::from(character));
            let help = "write it as an escape in a double quoted string, such as \"\\e\"; is this really a text file?";
            let diagnostic = Diagnostic::error(codes::ENCODING, span, message).label("not allowed in YAML").help(help);
            Err(Box::new(diagnostic))
        }
    }
}

/// The characters of the YAML stream, as PyYAML's reader has them.
fn is_allowed(character: char) -> bool {
    matches!(character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
