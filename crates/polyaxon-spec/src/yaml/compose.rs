//! Builds the spanned tree of a document from the events of the parser.
//!
//! Works without recursion, so that no input can exhaust the stack. Limits are those of [`super`].

use std::ops::{ControlFlow, Range};

use granit_parser::{Event, Parser, ScalarStyle, Tag};

use super::anchors::{Anchors, Measured, Weight};
use super::mapping::{self, PairKey};
use super::resolve::{self, Plain, Problem};
use super::tabs::Tabs;
use super::{Document, MAX_DEPTH, emit, syntax};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Node, Value};
use crate::span::{SourceId, Span};

pub(super) fn compose(source: SourceId, text: &str) -> Result<Document, Vec<Diagnostic>> {
    let mut composer = Composer {
        source,
        text,
        frames: Vec::new(),
        root: None,
        documents: 0,
        anchors: Anchors::default(),
        tabs: Tabs::of(text),
        last_end: 0,
        errors: Vec::new(),
        warnings: Vec::new(),
    };
    let options = granit_parser::options! {
        emit_anchor_events: true,
        emit_comments: composer.tabs.is_some(),
        max_buffered_comment_events: usize::MAX,
    };
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, span)) => {
                if composer.event(event, &span).is_break() {
                    break;
                }
            }
            Err(error) => {
                composer.syntax_error(syntax::diagnostic(source, text, &error));
                break;
            }
        }
    }
    composer.finish()
}

struct Composer<'text> {
    source: SourceId,
    text: &'text str,
    /// The collections that are open, outermost first.
    frames: Vec<Frame>,
    root: Option<Node>,
    documents: usize,
    anchors: Anchors,
    tabs: Option<Tabs>,
    /// Where the last event ended.
    last_end: usize,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
}

struct Frame {
    start: usize,
    /// Where the last child ends, which is where a block collection ends.
    end: usize,
    anchor: usize,
    tag: Option<(String, Span)>,
    weight: Weight,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { pairs: Vec<(PairKey, Node)>, key: Option<PairKey> },
}

const GO_ON: ControlFlow<()> = ControlFlow::Continue(());
const STOP: ControlFlow<()> = ControlFlow::Break(());

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, span: &granit_parser::Span) -> ControlFlow<()> {
        let range = span.byte_range().unwrap_or(0..0);
        let tag_span = span.tag_span().and_then(|span| span.byte_range()).unwrap_or(range.clone());
        let tag = |tag: Option<std::borrow::Cow<'_, Tag>>| {
            tag.filter(|tag| tag.original() != "!").map(|tag| (tag_name(&tag), self.span(&tag_span)))
        };
        let flow = match event {
            Event::DocumentStart(..) => return self.document_start(&range),
            Event::Scalar(text, style, anchor, scalar_tag) => {
                // The tag `!` asks for the rules of unquoted text.
                let by_rules = scalar_tag.as_deref().is_some_and(|tag| tag.original() == "!");
                let tag = tag(scalar_tag);
                self.scalar(&text, style, by_rules, tag, anchor, &range)
            }
            Event::SequenceStart(_, anchor, sequence_tag) => {
                let tag = tag(sequence_tag);
                self.open(Content::List(Vec::new()), anchor, tag, &range)
            }
            Event::MappingStart(_, anchor, mapping_tag) => {
                let tag = tag(mapping_tag);
                self.open(Content::Map { pairs: Vec::new(), key: None }, anchor, tag, &range)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(&range),
            Event::Alias(id) => self.alias(id, &range),
            Event::Anchor(_, name) => {
                return match self.anchors.name(&name, self.span(&range)) {
                    Ok(()) => GO_ON,
                    Err(diagnostic) => self.error(*diagnostic),
                };
            }
            Event::Comment(..) => {
                if let Some(tabs) = &mut self.tabs {
                    tabs.allow(range);
                }
                return GO_ON;
            }
            _ => GO_ON,
        };
        self.last_end = self.last_end.max(range.end);
        flow
    }

    fn span(&self, range: &Range<usize>) -> Span {
        Span::new(self.source, range.start, range.end)
    }

    fn error(&mut self, diagnostic: Diagnostic) -> ControlFlow<()> {
        self.errors.push(diagnostic);
        STOP
    }

    /// A fault that another one on its line explains is not worth a second message.
    fn syntax_error(&mut self, diagnostic: Diagnostic) {
        let is_consequence = self.errors.last().is_some_and(|last| {
            let between = last.span.start as usize..diagnostic.span.start as usize;
            self.text.get(between).is_some_and(|between| !between.contains('\n'))
        });
        if !is_consequence {
            self.errors.push(diagnostic);
        }
    }

    fn document_start(&mut self, range: &Range<usize>) -> ControlFlow<()> {
        self.documents += 1;
        let before = &self.text[..range.start.min(self.text.len())];
        if self.documents == 1 && before.lines().any(|line| line.trim_end() == "...") {
            let diagnostic = Diagnostic::error(codes::YAML, self.span(range), "a document cannot start with `...`");
            return self.error(diagnostic.help("remove the line `...`"));
        }
        if self.documents > 1 {
            let diagnostic = Diagnostic::error(codes::YAML, self.span(range), "the text holds more than one document")
                .label("a second document starts here")
                .help("write one document per file; remove the line `---` before it");
            return self.error(diagnostic);
        }
        GO_ON
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        by_rules: bool,
        tag: Option<(String, Span)>,
        anchor: usize,
        range: &Range<usize>,
    ) -> ControlFlow<()> {
        let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
        if let Some(tabs) = &mut self.tabs {
            match style {
                ScalarStyle::Plain => {}
                ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => tabs.allow(range.clone()),
                ScalarStyle::Literal | ScalarStyle::Folded => tabs.allow(self.last_end..range.end),
            }
        }
        let text = if is_block { self.block_text(text, range) } else { text };
        let span = self.span(range);
        let value = match &tag {
            None if style == ScalarStyle::Plain || by_rules => match resolve::plain(text) {
                Ok(Plain::Value(value)) => value,
                Ok(Plain::Merge) if self.expects_key() => return self.place_key(PairKey::Merge),
                Ok(Plain::Merge) => {
                    let diagnostic = Diagnostic::error(codes::YAML, span, "`<<` can only be a key");
                    return self.error(diagnostic.help("write \"<<\" in quotes if it is plain text"));
                }
                Err(problem) => self.unreadable(problem, span),
            },
            None => Value::Str(text.to_owned()),
            Some((name, tag_span)) => match resolve::tagged(name, text) {
                Some(Ok(value)) => value,
                Some(Err(problem)) => self.unreadable(problem, span),
                None => self.wrong_tag(name, *tag_span, "a scalar"),
            },
        };
        let measured = Measured { weight: Weight::of_scalar(&value), node: Node::new(value, span) };
        self.anchors.close(anchor, &measured);
        self.place(measured)
    }

    /// The parser adds a newline to a block of text that ends with the file; PyYAML does not.
    fn block_text<'text>(&self, text: &'text str, range: &Range<usize>) -> &'text str {
        let last_line = &self.text[self.text.rfind('\n').map_or(0, |newline| newline + 1)..];
        match text.strip_suffix('\n') {
            Some(shorter) if range.end == self.text.len() && !last_line.trim().is_empty() => shorter,
            _ => text,
        }
    }

    /// Reports the problem and goes on with null, so that other errors of the text are found too.
    fn unreadable(&mut self, problem: Problem, span: Span) -> Value {
        let diagnostic = match problem {
            Problem::Invalid(message) => {
                Diagnostic::error(codes::YAML, span, message).help("put the value in quotes if it is plain text")
            }
            Problem::TooLarge => Diagnostic::error(codes::INT_RANGE, span, "the integer is too large")
                .help("integers must fit in 64 bits; put the value in quotes if it is plain text"),
        };
        self.errors.push(diagnostic);
        Value::Null
    }

    fn wrong_tag(&mut self, name: &str, span: Span, what: &str) -> Value {
        let is_standard = matches!(
            name,
            "str"
                | "int"
                | "float"
                | "bool"
                | "null"
                | "binary"
                | "timestamp"
                | "seq"
                | "map"
                | "set"
                | "omap"
                | "pairs"
        );
        let message = if is_standard {
            format!("the tag `!!{name}` does not fit {what}")
        } else {
            format!("the tag `{name}` is not known")
        };
        let help = "remove the tag; only the standard tags like !!str, !!int and !!float can be used";
        self.errors.push(Diagnostic::error(codes::YAML, span, message).help(help));
        Value::Null
    }

    fn open(
        &mut self,
        content: Content,
        anchor: usize,
        tag: Option<(String, Span)>,
        range: &Range<usize>,
    ) -> ControlFlow<()> {
        if self.frames.len() >= MAX_DEPTH {
            let diagnostic = syntax::too_deep(Span::new(self.source, range.start, range.start + 1));
            return self.error(diagnostic);
        }
        self.anchors.open(anchor);
        let weight = Weight::of_empty_collection();
        self.frames.push(Frame { start: range.start, end: range.end, anchor, tag, weight, content });
        GO_ON
    }

    fn close(&mut self, range: &Range<usize>) -> ControlFlow<()> {
        let frame = self.frames.pop().expect("the parser balances starts and ends of collections");
        let is_flow = !range.is_empty();
        let extent = frame.start..if is_flow { range.end } else { frame.end };
        if is_flow && let Some(tabs) = &mut self.tabs {
            tabs.allow(extent.clone());
        }
        let span = self.span(&extent);
        let value = match frame.content {
            Content::List(items) => match frame.tag {
                None => Value::List(items),
                Some((name, tag_span)) => match name.as_str() {
                    "seq" => Value::List(items),
                    "omap" | "pairs" => mapping::pairs(items, &mut self.errors),
                    _ => self.wrong_tag(&name, tag_span, "a list"),
                },
            },
            Content::Map { pairs, .. } => {
                let map = mapping::build(pairs, &mut self.errors, &mut self.warnings);
                match frame.tag {
                    None => Value::Map(map),
                    Some((name, tag_span)) => match name.as_str() {
                        // A set is its keys without values; JSON has nothing closer.
                        "map" | "set" => Value::Map(map),
                        _ => self.wrong_tag(&name, tag_span, "a mapping"),
                    },
                }
            }
        };
        let measured = Measured { node: Node::new(value, span), weight: frame.weight };
        self.anchors.close(frame.anchor, &measured);
        self.place(measured)
    }

    fn alias(&mut self, id: usize, range: &Range<usize>) -> ControlFlow<()> {
        match self.anchors.repeat(id, self.span(range), self.frames.len()) {
            Ok(measured) => self.place_at(measured, range.end),
            Err(diagnostic) => self.error(*diagnostic),
        }
    }

    fn place(&mut self, measured: Measured) -> ControlFlow<()> {
        let end = measured.node.span.end as usize;
        self.place_at(measured, end)
    }

    /// Puts a finished node where it belongs. `end` is where it ends in the text, which for an alias is not the
    /// end of its span.
    fn place_at(&mut self, measured: Measured, end: usize) -> ControlFlow<()> {
        if self.expects_key() {
            let key = self.key(measured.node);
            if let Some(frame) = self.frames.last_mut() {
                frame.weight.bytes += key.text.len();
            }
            return self.place_key(PairKey::Key(key));
        }
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(measured.node);
            return GO_ON;
        };
        frame.end = frame.end.max(end);
        frame.weight.add_child(measured.weight);
        match &mut frame.content {
            Content::List(items) => items.push(measured.node),
            Content::Map { pairs, key } => {
                let key = key.take().expect("a value follows its key");
                pairs.push((key, measured.node));
            }
        }
        GO_ON
    }

    fn expects_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Map { key: None, .. }, .. }))
    }

    fn place_key(&mut self, pair_key: PairKey) -> ControlFlow<()> {
        if let Some(Frame { content: Content::Map { key, .. }, .. }) = self.frames.last_mut() {
            *key = Some(pair_key);
        }
        GO_ON
    }

    /// The key that a scalar makes; collections cannot be keys.
    fn key(&mut self, node: Node) -> Key {
        let span = node.span;
        let text = match node.value {
            Value::Str(text) => return Key { text, span, is_text: true },
            // JSON would round the one and take the dot from the other, which then reads as text.
            Value::Int(number) => number.to_string(),
            Value::Float(number) => emit::float(number),
            Value::List(_) | Value::Map(_) => {
                let before = self.text[..span.start as usize].chars().next_back();
                let is_template = before == Some('{') && self.text[span.start as usize..].starts_with('{');
                let diagnostic = Diagnostic::error(codes::YAML, span, "a key cannot be a list or a mapping");
                self.errors.push(if is_template {
                    diagnostic.label("read as a mapping inside a mapping").help(syntax::QUOTE_TEMPLATE)
                } else {
                    diagnostic.label("not a key").help("put it in quotes if it is plain text")
                });
                return Key { text: String::new(), span, is_text: false };
            }
            _ => {
                let json = node.to_json();
                json.as_str().map_or_else(|| json.to_string(), str::to_owned)
            }
        };
        Key { text, span, is_text: false }
    }

    fn finish(mut self) -> Result<Document, Vec<Diagnostic>> {
        if self.errors.is_empty()
            && let Some(at) = self.tabs.take().and_then(|tabs| tabs.first_wrong(self.text))
        {
            self.errors.push(syntax::tab(Span::new(self.source, at, at + 1)));
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let node = self.root.unwrap_or_else(|| Node::new(Value::Null, Span::new(self.source, 0, 0)));
        Ok(Document { node, warnings: self.warnings })
    }
}

fn tag_name(tag: &Tag) -> String {
    tag.suffix_in_namespace("tag:yaml.org,2002:").map_or_else(|| tag.original(), |suffix| suffix.into_owned())
}
