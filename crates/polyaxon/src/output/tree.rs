//! Draws a tree of runs into a number of lines and columns: whatever does not fit is folded into counts.
//!
//! Must not know where the runs come from, nor the terminal: what goes in are values, what comes out are lines.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::rc::Rc;

use polyaxon_model::ids::RunId;
use polyaxon_model::kinds::RunKind;
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_model::tree::TreeRow;
use serde_json::Value;

use crate::forest::{Forest, counted};
use crate::output::style::{self, Style};
use crate::output::time;

/// Where the tree is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// How it is drawn.
#[derive(Clone, Debug)]
pub(crate) struct Look<'a> {
    pub(crate) style: &'a Style,
    /// Without it only ASCII is used.
    pub(crate) unicode: bool,
}

/// Children that are shown of a matrix and of a dag, from generous to sparse.
const ROOM: [(usize, usize); 9] = [(10, 500), (8, 60), (6, 40), (4, 25), (3, 15), (2, 10), (1, 6), (1, 3), (0, 1)];
const NARROWEST: usize = 20;
/// Names longer than this do not push the other columns away.
const WIDEST_NAME: usize = 44;

/// One line before it has its columns.
struct Line {
    name: String,
    /// The status and the word for it; nothing for a line of folded runs.
    status: Option<(Status, &'static str)>,
    duration: String,
    detail: String,
    is_problem: bool,
}

/// The tree, at most as high and wide as there is room: lines with the columns that each takes.
pub(crate) fn draw(forest: &Forest, size: Size, look: &Look<'_>, now: Timestamp) -> Vec<(String, usize)> {
    let mut lines = Vec::new();
    let mut digests = HashMap::new();
    for room in ROOM {
        lines.clear();
        if let Some(root) = forest.root() {
            lines.push(line(forest, root, String::new(), digest(&mut digests, forest, root), look, now));
            below(forest, root, "", room, look, now, &mut digests, &mut lines);
        }
        if lines.len() <= size.height.max(1) {
            break;
        }
    }
    lines.truncate(size.height.max(1));
    let width = size.width.max(NARROWEST);
    let names = lines.iter().map(|line| columns(&line.name)).max().unwrap_or_default().min(WIDEST_NAME).min(width / 2);
    lines.into_iter().map(|line| finish(line, names, width, look)).collect()
}

/// What is asked of the children of a pipeline, found out once a drawing.
#[derive(Clone, Default)]
struct Digest<'a> {
    children: Rc<[&'a TreeRow]>,
    counts: Rc<[(Status, usize)]>,
    best: Option<(&'a TreeRow, f64)>,
}

type Digests<'a> = HashMap<RunId, Digest<'a>>;

fn digest<'a>(digests: &mut Digests<'a>, forest: &'a Forest, row: &TreeRow) -> Digest<'a> {
    let found = digests.entry(row.uuid).or_insert_with(|| {
        let children: Rc<[&TreeRow]> = forest.children(row.uuid).collect();
        let counts = counted(children.iter().copied()).into();
        Digest { children, counts, best: forest.best(row.uuid) }
    });
    found.clone()
}

#[expect(clippy::too_many_arguments, reason = "what is the same for the whole drawing comes with each branch")]
fn below<'a>(
    forest: &'a Forest,
    parent: &TreeRow,
    indent: &str,
    room: (usize, usize),
    look: &Look<'_>,
    now: Timestamp,
    digests: &mut Digests<'a>,
    lines: &mut Vec<Line>,
) {
    let (tee, end, bar) = if look.unicode { ("├─ ", "└─ ", "│  ") } else { ("|- ", "`- ", "|  ") };
    let is_wide = parent.kind != RunKind::Dag;
    let limit = if is_wide { room.0 } else { room.1 };
    let (shown, folded) = choose(&digest(digests, forest, parent), limit);
    for (place, child) in shown.iter().enumerate() {
        let is_last = place + 1 == shown.len() && folded.is_empty();
        let name = format!("{indent}{}{}", if is_last { end } else { tee }, forest.label(child));
        let digest = if child.kind.is_pipeline() { digest(digests, forest, child) } else { Digest::default() };
        lines.push(line(forest, child, name, digest, look, now));
        if child.kind.is_pipeline() {
            let indent = format!("{indent}{}", if is_last { "   " } else { bar });
            below(forest, child, &indent, room, look, now, digests, lines);
        }
    }
    if !folded.is_empty() {
        let words = summary(&counted(folded.iter().copied()));
        let dots = if look.unicode { "…" } else { "..." };
        let name = if shown.is_empty() {
            format!("{indent}{end}{} runs", folded.len())
        } else {
            format!("{indent}{end}{dots} {} more", folded.len())
        };
        lines.push(Line { name, status: None, duration: String::new(), detail: words, is_problem: false });
    }
}

/// The children that are worth a line, in their order, and the others.
fn choose<'a>(digest: &Digest<'a>, limit: usize) -> (Vec<&'a TreeRow>, Vec<&'a TreeRow>) {
    let children = &digest.children;
    if children.len() <= limit {
        return (children.to_vec(), Vec::new());
    }
    let best = digest.best.map(|(best, _)| best.uuid);
    let worth = |child: &TreeRow| match urgency(child.status) {
        _ if Some(child.uuid) == best => Some(0),
        urgency if urgency < WAITING || child.kind.is_pipeline() => Some(urgency),
        _ => None,
    };
    let mut order: Vec<(u8, Reverse<usize>)> =
        children.iter().enumerate().filter_map(|(place, child)| Some((worth(child)?, Reverse(place)))).collect();
    order.sort_unstable();
    let mut is_shown = vec![false; children.len()];
    for (_, Reverse(place)) in order.into_iter().take(limit) {
        is_shown[place] = true;
    }
    let (mut shown, mut folded) = (Vec::new(), Vec::new());
    for (place, child) in children.iter().enumerate() {
        if is_shown[place] { shown.push(*child) } else { folded.push(*child) }
    }
    (shown, folded)
}

/// Those that wait or are over are only counted.
const WAITING: u8 = 4;

/// What is shown first when not everything can be.
fn urgency(status: Status) -> u8 {
    match status {
        Status::Running | Status::Processing | Status::Starting | Status::Stopping | Status::Retrying => 1,
        Status::Warning | Status::Unschedulable | Status::Unknown => 1,
        Status::Failed => 2,
        Status::Scheduled | Status::UpstreamFailed => 3,
        Status::Succeeded | Status::Stopped | Status::Skipped => 5,
        _ => WAITING,
    }
}

fn line(forest: &Forest, row: &TreeRow, name: String, digest: Digest<'_>, look: &Look<'_>, now: Timestamp) -> Line {
    let name = if name.is_empty() { forest.label(row) } else { name };
    let duration = row.started_at.map(|from| {
        let until = row.finished_at.unwrap_or(now);
        let seconds = until.seconds_since(from).max(0.0);
        if row.finished_at.is_some() {
            time::seconds(seconds)
        } else {
            time::seconds(seconds.floor()).replace(".0s", "s")
        }
    });
    let is_problem = matches!(row.status, Status::Failed | Status::UpstreamFailed | Status::Retrying | Status::Warning);
    let (detail, is_problem) = if row.kind.is_pipeline() {
        (of_pipeline(forest, row, &digest, look), false)
    } else {
        (of_leaf(forest, row), is_problem)
    };
    Line { name, status: Some((row.status, row.word())), duration: duration.unwrap_or_default(), detail, is_problem }
}

fn of_pipeline(forest: &Forest, row: &TreeRow, digest: &Digest<'_>, look: &Look<'_>) -> String {
    let counts = &digest.counts;
    let total: usize = counts.iter().map(|(_, count)| count).sum();
    let mut parts = Vec::new();
    let mut others = None;
    if total > 0 {
        let done: usize = counts.iter().filter(|(status, _)| status.is_done()).map(|(_, count)| count).sum();
        let bad: Vec<_> = counts.iter().filter(|(status, _)| *status != Status::Succeeded).copied().collect();
        parts.push(format!("{done}/{total} done"));
        others = (!bad.is_empty()).then(|| summary(&bad));
    }
    if let (Some((best, value)), Some(metric)) = (digest.best, &row.metric) {
        parts.push(format!("best {} {} by {}{}", metric.name, number(value), forest.label(best), params(best)));
    }
    parts.extend(others);
    let pruned = digest.children.iter().filter(|child| child.word() == style::PRUNED).count();
    parts.extend((pruned > 0).then(|| format!("{pruned} {}", style::PRUNED)));
    parts.extend(gate(row).or_else(|| reused(row)).filter(|_| total == 0));
    parts.extend(why(row).filter(|_| total == 0 || row.status == Status::Stopped || row.lacks_metric()));
    parts.join(if look.unicode { " · " } else { ", " })
}

fn of_leaf(forest: &Forest, row: &TreeRow) -> String {
    let metric = row.parent.and_then(|parent| forest.get(parent)).and_then(|parent| parent.metric.as_ref());
    let value =
        metric.zip(row.value).map(|(metric, value)| format!("{} {}{}", metric.name, number(value), params(row)));
    let why = why(row).map(|why| if row.params.is_some() { format!("{}  {why}", params(row).trim()) } else { why });
    let value = match (value, reused(row)) {
        (Some(value), Some(reused)) => Some(format!("{value}  {reused}")),
        (value, reused) => value.or(reused),
    };
    why.or_else(|| gate(row)).or(value).unwrap_or_else(|| params(row).trim().to_owned())
}

/// What a run waits for before it begins.
fn gate(row: &TreeRow) -> Option<String> {
    let gate = row.pending.map(|gate| gate.to_string()).or_else(|| row.awaits.as_deref().map(one_line));
    gate.map(|gate| format!("waits for {gate}"))
}

/// Where the result of a run is from that was not executed.
pub(crate) fn reused(row: &TreeRow) -> Option<String> {
    Some(format!("result of {}", &row.reuses?.to_hex()[..8]))
}

/// Reason and message on one line.
pub(crate) fn why(row: &TreeRow) -> Option<String> {
    let parts: Vec<String> = [&row.reason, &row.message].into_iter().flatten().map(|text| one_line(text)).collect();
    (!parts.is_empty()).then(|| parts.join(": "))
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().filter(|letter| !letter.is_control()).collect()
}

fn params(row: &TreeRow) -> String {
    let pairs: Vec<String> = row
        .params
        .iter()
        .flatten()
        .take(4)
        .map(|(name, value)| match value {
            Value::String(text) => format!("{name}={}", one_line(text)),
            Value::Number(value) => format!("{name}={}", value.as_f64().map_or_else(|| value.to_string(), number)),
            value => format!("{name}={value}"),
        })
        .collect();
    if pairs.is_empty() { String::new() } else { format!(" ({})", pairs.join(", ")) }
}

/// Enough digits to compare by.
pub(crate) fn number(value: f64) -> String {
    if value == 0.0 || (0.001..1e6).contains(&value.abs()) {
        let text = format!("{value:.5}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        if text.is_empty() || text == "-" { "0".to_owned() } else { text.to_owned() }
    } else {
        format!("{value:.3e}")
    }
}

pub(crate) fn summary(counts: &[(Status, usize)]) -> String {
    let words: Vec<String> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
    words.join(", ")
}

fn finish(line: Line, names: usize, width: usize, look: &Look<'_>) -> (String, usize) {
    let Line { name, status, duration, detail, is_problem } = line;
    let padded = |text: &str, width: usize| format!("{text}{}", " ".repeat(width.saturating_sub(columns(text))));
    let mut text = padded(&fit(&name, names), names);
    let mut used = columns(&text);
    let mut add = |cell: &str, paint: &dyn Fn(&str) -> String| {
        let cell = fit(cell, width.saturating_sub(used + GAP.len()));
        if !cell.is_empty() {
            text.push_str(GAP);
            text.push_str(&paint(&cell));
            used += GAP.len() + columns(&cell);
        }
    };
    if let Some((status, word)) = status {
        let word = style::glyph(status, word, look.unicode);
        add(&padded(&word, STATUS_WIDTH), &|cell| look.style.as_status(status, cell));
        add(&format!("{duration:>7}"), &|cell| look.style.dim(cell));
    }
    add(&detail, &|cell| if is_problem { look.style.error(cell) } else { look.style.dim(cell) });
    (text, used)
}

const GAP: &str = "  ";
/// The longest status and its symbol.
const STATUS_WIDTH: usize = "x upstream_failed".len();

/// As many letters as fit, with a mark where some are missing.
fn fit(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut fitted = String::new();
    let mut used = 0;
    for letter in text.chars() {
        used += wide(letter);
        if used >= width {
            break;
        }
        fitted.push(letter);
    }
    if width > 0 {
        fitted.push('~');
    }
    fitted
}

/// Columns of a terminal; letters that may be wide count as such, so that no line is ever broken.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(wide).sum()
}

fn wide(letter: char) -> usize {
    match letter as u32 {
        0x1100..=0x115f | 0x2e80..=0xffdc | 0x1f000.. => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests;
