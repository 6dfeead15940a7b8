//! Seeded mutations of the corpus through every fuzz target. Longer runs: `cargo xtask fuzz`.

use std::thread;
use std::time::{Duration, Instant};

use conformance::torture::{self, Random, TARGETS};

/// Inputs for each target.
const ROUNDS: usize = 1500;
/// A machine that does much else is slow, so this only finds work without end.
const LONGEST: Duration = Duration::from_secs(20);

/// Tells which input it was when a target panics.
struct Shown<'a> {
    target: &'a str,
    seed: u64,
    input: &'a [u8],
}

impl Drop for Shown<'_> {
    #[expect(clippy::print_stdout, reason = "the output of a test that fails")]
    fn drop(&mut self) {
        if thread::panicking() {
            let text = self.input.escape_ascii();
            println!("target `{}`, seed {}, {} bytes: {text}", self.target, self.seed, self.input.len());
        }
    }
}

fn run(name: &str) {
    let target = TARGETS.iter().find(|(known, _)| *known == name).expect("a known target").1;
    let seeds = torture::seeds(name).expect("the corpus is readable");
    assert!(seeds.len() > 20, "only {} inputs", seeds.len());
    for seed in 0..ROUNDS as u64 {
        let mut random = Random::new(seed);
        let start = random.one_of(&seeds).clone();
        let input = torture::mutated(&start, &seeds, &mut random);
        let shown = Shown { target: name, seed, input: &input };
        let start = Instant::now();
        target(&input);
        let elapsed = start.elapsed();
        assert!(elapsed < LONGEST, "took {elapsed:?}");
        drop(shown);
    }
}

#[test]
fn yaml() {
    run("yaml");
}

#[test]
fn decode() {
    run("decode");
}

#[test]
fn template() {
    run("template");
}

#[test]
fn refs() {
    run("refs");
}

#[test]
fn params() {
    run("params");
}
