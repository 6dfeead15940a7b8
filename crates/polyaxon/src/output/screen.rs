//! Lines that are redrawn in place at the bottom of a terminal.
//!
//! Invariants: what was drawn before is overwritten, not erased first, in one write, so nothing flickers; the cursor is
//! back when the screen is dropped, and what was drawn last stays.

use std::io::Write;

use crate::output::Stream;
use crate::output::tree::Size;

/// A terminal that tells no size.
const USUAL: Size = Size { width: 80, height: 24 };

#[derive(Debug)]
pub(crate) struct Screen {
    stream: Stream,
    /// Columns of the lines that were drawn last, to find them again after the terminal was made narrower.
    drawn: Vec<usize>,
    is_hidden: bool,
}

impl Screen {
    pub(crate) fn new(stream: Stream) -> Screen {
        Screen { stream, drawn: Vec::new(), is_hidden: false }
    }

    /// Room for a drawing; the line of the cursor is not part of it.
    pub(crate) fn size(&self) -> Size {
        let size = match self.stream {
            Stream::Data => rustix::termios::tcgetwinsize(std::io::stdout()),
            Stream::Error => rustix::termios::tcgetwinsize(std::io::stderr()),
        };
        match size {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                Size { width: usize::from(size.ws_col), height: usize::from(size.ws_row).saturating_sub(1).max(1) }
            }
            _ => USUAL,
        }
    }

    /// Replaces what was drawn before. `lines` come with the columns that each takes.
    pub(crate) fn draw(&mut self, lines: &[(String, usize)], width: usize) {
        let text = replacement(&self.drawn, lines, width, !self.is_hidden);
        self.is_hidden = true;
        self.drawn = lines.iter().map(|(_, columns)| *columns).collect();
        self.write(&text);
    }

    /// What was drawn stays, and what is printed from now on stands below.
    pub(crate) fn release(&mut self) {
        if std::mem::take(&mut self.is_hidden) {
            self.write("\x1b[?25h");
        }
        self.drawn.clear();
    }

    fn write(&self, text: &str) {
        // When the terminal is gone there is nobody to see it.
        let _ = match self.stream {
            Stream::Data => write_all(&mut std::io::stdout().lock(), text),
            Stream::Error => write_all(&mut std::io::stderr().lock(), text),
        };
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.release();
    }
}

fn write_all(stream: &mut impl Write, text: &str) -> std::io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

/// One frame: up to the first old line, each line over an old one, and nothing below.
fn replacement(old: &[usize], new: &[(String, usize)], width: usize, is_first: bool) -> String {
    // A terminal that supports it shows the frame as a whole.
    let mut text = "\x1b[?2026h".to_owned();
    if is_first {
        text.push_str("\x1b[?25l");
    }
    // Lines that became too long for a narrower terminal were broken by it.
    let rows: usize = old.iter().map(|columns| columns.div_ceil(width.max(1)).max(1)).sum();
    if rows > 0 {
        text.push_str(&format!("\x1b[{rows}A"));
    }
    text.push('\r');
    for (line, _) in new {
        text.push_str(line);
        text.push_str("\x1b[K\n\r");
    }
    text.push_str("\x1b[J\x1b[?2026l");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_overwrites_the_one_before() {
        let lines = [("a".to_owned(), 1), ("b".to_owned(), 1)];
        assert_eq!(replacement(&[], &lines, 80, true), "\x1b[?2026h\x1b[?25l\ra\x1b[K\n\rb\x1b[K\n\r\x1b[J\x1b[?2026l");
        assert_eq!(replacement(&[1, 1], &lines[..1], 80, false), "\x1b[?2026h\x1b[2A\ra\x1b[K\n\r\x1b[J\x1b[?2026l");
    }

    #[test]
    fn lines_that_a_narrower_terminal_broke_are_found() {
        assert!(replacement(&[100, 30], &[], 40, false).contains("\x1b[4A"));
    }
}
