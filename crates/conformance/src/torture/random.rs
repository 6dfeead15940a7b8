//! Numbers, mutations and trees from a seed: the same seed gives the same inputs on every machine.

use polyaxon_spec::node::{Key, Map, Node, Value};

/// SplitMix64.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }

    pub fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// Pieces that mean something to one of the readers.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    " | ",
    "{{ x }}",
    "{{ params.lr.as_arg }}",
    "{% for i in many %}",
    "{% endfor %}",
    "&a ",
    "*a",
    "<<: ",
    "? ",
    "- ",
    ": ",
    ":",
    ",",
    "#",
    "|\n",
    ">-\n",
    "!!binary ",
    "!!str ",
    "!",
    "---\n",
    "...\n",
    "%TAG",
    "null",
    "~",
    "true",
    "1e400",
    "-1",
    "0x",
    "1_0",
    "1:10:3",
    "99999999999999999999999999999999999999999",
    ".nan",
    ".inf",
    "2024-02-30",
    "2024-01-02T03:04:05Z",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "\\",
    "\t",
    "\n",
    "\r",
    "\u{85}",
    "\u{feff}",
    "é",
    "😀",
    "ops.train",
    "runs.",
    "dag",
    "outputs.",
    "inputs.x",
    "globals.uuid",
    "artifacts",
    "../",
    "a.yaml",
    "dir/",
    "kind: dag",
    "kind: operation",
    "patchStrategy: replace",
    "isPreset: true",
    "runPatch: ",
    "matrix: ",
    "choice:",
    "range:",
    "linspace:0:1:5",
    "daterange:",
    "uniform:",
    "pchoice:",
    "max_retries: ",
    "maxRetries: ",
    "component: ",
    "template: {enabled: true}",
    "hyperopt",
];

/// `input` after a few changes; `others` lends parts.
pub fn mutated(input: &[u8], others: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut data = input.to_vec();
    for _ in 0..=random.below(4) {
        let (from, to) = part(&data, random);
        match random.below(9) {
            0 => drop(data.drain(from..to)),
            1 => {
                let copy = data[from..to].to_vec();
                data.splice(to..to, copy);
            }
            2 => {
                if let Some(byte) = data.get_mut(from) {
                    *byte ^= 1 << random.below(7);
                }
            }
            3 => data.truncate(from),
            4 => {
                let other = random.one_of(others);
                let (start, end) = part(other, random);
                data.splice(from..from, other[start..end].iter().copied());
            }
            5 => {
                let piece = piece(random).repeat(1 + random.below(60));
                data.splice(from..from, piece.bytes());
            }
            _ => {
                let to = if random.below(2) == 0 { from } else { to };
                data.splice(from..to, piece(random).bytes());
            }
        }
    }
    data
}

fn piece(random: &mut Random) -> &'static str {
    PIECES[random.below(PIECES.len())]
}

/// A part of at most 64 bytes.
fn part(data: &[u8], random: &mut Random) -> (usize, usize) {
    let from = random.below(data.len() + 1);
    let to = (from + random.below(64)).min(data.len());
    (from, to)
}

/// A tree of what YAML can hold, at most `depth` levels deep.
pub fn node(random: &mut Random, depth: usize) -> Node {
    let kinds = if depth == 0 { 9 } else { 12 };
    Node::bare(match random.below(kinds) {
        0 => Value::Null,
        1 => Value::Bool(random.below(2) == 0),
        2 => Value::Int(i128::from(random.number() as i64) >> random.below(64)),
        3 => Value::Float(f64::from_bits(random.number())),
        4 => Value::Float(random.below(1000) as f64 / 8.0),
        5 => Value::Bytes((0..random.below(9)).map(|_| random.number() as u8).collect()),
        6..9 => Value::Str(text(random)),
        9 => Value::List((0..random.below(5)).map(|_| node(random, depth - 1)).collect()),
        _ => Value::Map(map(random, depth - 1)),
    })
}

/// A mapping whose keys are text.
pub fn map(random: &mut Random, depth: usize) -> Map {
    (0..random.below(6)).map(|_| (Key::new(text(random)), node(random, depth))).collect()
}

fn text(random: &mut Random) -> String {
    let mut text = String::new();
    for _ in 0..random.below(5) {
        match random.below(4) {
            0 => text.push_str(piece(random)),
            1 => text.extend(char::from_u32(random.number() as u32 % 0x300)),
            _ => text.push(char::from(b' ' + random.below(95) as u8)),
        }
    }
    text
}
