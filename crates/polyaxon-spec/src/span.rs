//! Where a value was written: a byte range in one of the source texts of a request.

/// Number of a source text in [`Sources`]. `SourceId::NONE` marks values that no file wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(pub u32);

impl SourceId {
    pub const NONE: SourceId = SourceId(u32::MAX);
}

/// Byte range `start..end` in a source text. Spans never take part in equality of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    pub source: SourceId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// The span of values that come from no text (defaults, options, JSON from the wire).
    pub const NONE: Span = Span { source: SourceId::NONE, start: 0, end: 0 };

    pub fn new(source: SourceId, start: usize, end: usize) -> Span {
        Span { source, start: start as u32, end: end as u32 }
    }

    pub fn is_none(self) -> bool {
        self.source == SourceId::NONE
    }
}

/// One text that was read: a file, a URL, a hub component, an option of the command line.
#[derive(Clone, Debug)]
pub struct Source {
    /// What a person calls it: the path as given, the URL, `hub:name:version`, `-P lr`.
    pub name: String,
    pub text: String,
}

/// Every text of one request; diagnostics point into it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> SourceId {
        self.list.push(Source { name: name.into(), text: text.into() });
        SourceId(self.list.len() as u32 - 1)
    }

    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }

    /// 1-based line and column (in characters) of the start of `span`.
    pub fn line_column(&self, span: Span) -> Option<(usize, usize)> {
        let text = &self.get(span.source)?.text;
        let start = (span.start as usize).min(text.len());
        let before = text.get(..start)?;
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Some((before.matches('\n').count() + 1, before[line_start..].chars().count() + 1))
    }
}
