//! Places of the protocol (line and UTF-16 unit) and places of a text (bytes). Any place that an editor sends is bent
//! to the nearest one that exists.

use std::ops::Range;

use lsp_types::{Position, Range as LspRange};

/// The byte at which each line starts. Lines end with LF, CRLF or CR.
pub(crate) fn line_starts(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
        b'\n' => true,
        b'\r' => bytes.get(at + 1) != Some(&b'\n'),
        _ => false,
    });
    std::iter::once(0).chain(ends.map(|(at, _)| at + 1)).collect()
}

/// The byte range of a line without its end.
pub(crate) fn line_range(text: &str, starts: &[usize], line: usize) -> Range<usize> {
    let Some(&start) = starts.get(line) else { return text.len()..text.len() };
    let end = starts.get(line + 1).copied().unwrap_or(text.len());
    start..start + text[start..end].trim_end_matches(['\n', '\r']).len()
}

pub(crate) fn offset(text: &str, position: Position) -> usize {
    let line = line_range(text, &line_starts(text), position.line as usize);
    let mut units = 0;
    for (at, letter) in text[line.clone()].char_indices() {
        if units >= position.character as usize {
            return line.start + at;
        }
        units += letter.len_utf16();
    }
    line.end
}

pub(crate) fn position(text: &str, offset: usize) -> Position {
    let offset = text.floor_char_boundary(offset);
    let starts = line_starts(text);
    let line = starts.partition_point(|start| *start <= offset).saturating_sub(1);
    let character = text[starts[line]..offset].encode_utf16().count();
    Position::new(line as u32, character as u32)
}

pub(crate) fn range(text: &str, range: Range<usize>) -> LspRange {
    LspRange::new(position(text, range.start), position(text, range.end.max(range.start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_utf16_units_and_every_line_end() {
        let text = "a: 😀b\r\né: ü\rx\n";
        for (offset_in_text, line, character) in
            [(0, 0, 0), (3, 0, 3), (7, 0, 5), (8, 0, 6), (10, 1, 0), (12, 1, 1), (17, 2, 0)]
        {
            let place = Position::new(line, character);
            assert_eq!(position(text, offset_in_text), place, "{offset_in_text}");
            assert_eq!(offset(text, place), offset_in_text, "{place:?}");
        }
    }

    #[test]
    fn places_outside_of_the_text_are_bent() {
        assert_eq!(offset("ab\ncd", Position::new(0, 90)), 2);
        assert_eq!(offset("ab\ncd", Position::new(90, 0)), 5);
        assert_eq!(offset("", Position::new(3, 3)), 0);
        assert_eq!(position("ab", 90), Position::new(0, 2));
        // The middle of a surrogate pair is behind it.
        assert_eq!(offset("😀", Position::new(0, 1)), 4);
        assert_eq!(position("é", 1), Position::new(0, 0));
    }
}
