//! Plays a fixed number of seeds. `cargo xtask simulate` plays more for some time, or one again: it sets the variables
//! that are read here.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use simulator::{Options, simulate};

/// Steps of a seed before everybody goes home.
const LENGTH: u64 = 3000;

/// Seeds that every test run plays, whatever the machine: from 1 on.
const SEEDS: u64 = 24;

/// How often a long play says how far it is.
const REPORT: Duration = Duration::from_secs(10);

/// What is played.
struct Play {
    first: u64,
    last: u64,
    length: u64,
    /// Where it ends, whatever comes first.
    enough_steps: u64,
    until: Option<Duration>,
    start: Instant,
    next: AtomicU64,
    steps: AtomicU64,
    runs: AtomicU64,
    reports: AtomicU64,
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

impl Play {
    fn of_environment() -> Play {
        let only = number("SIMULATOR_SEED");
        let first = only.or_else(|| number("SIMULATOR_FROM")).unwrap_or(1);
        let until = number("SIMULATOR_SECONDS").map(Duration::from_secs);
        Play {
            first,
            last: only.unwrap_or(if until.is_some() { u64::MAX } else { SEEDS }),
            length: number("SIMULATOR_LENGTH").unwrap_or(LENGTH),
            enough_steps: number("SIMULATOR_STEPS").unwrap_or(u64::MAX),
            until,
            start: Instant::now(),
            next: AtomicU64::new(first),
            steps: AtomicU64::new(0),
            runs: AtomicU64::new(0),
            reports: AtomicU64::new(0),
        }
    }

    fn next(&self) -> Option<u64> {
        let has_time = self.until.is_none_or(|until| self.start.elapsed() < until);
        let goes_on = has_time && self.steps.load(Ordering::Relaxed) < self.enough_steps;
        goes_on.then(|| self.next.fetch_add(1, Ordering::Relaxed)).filter(|seed| *seed <= self.last)
    }

    /// Plays one seed after the other until one fails.
    fn go(&self) -> Result<(), String> {
        while let Some(seed) = self.next() {
            let played = catch_unwind(AssertUnwindSafe(|| simulate(seed, &Options::of(seed, self.length))));
            let played = played.unwrap_or_else(|_| Err(format!("seed {seed}: it panicked")));
            let outcome = played.map_err(|problem| {
                let replay = format!("cargo xtask simulate --seed {seed} --steps {}", self.length);
                format!("{problem}\nreplay it with `{replay}`")
            })?;
            self.steps.fetch_add(outcome.steps, Ordering::Relaxed);
            self.runs.fetch_add(outcome.runs, Ordering::Relaxed);
            let due = self.start.elapsed().as_secs() / REPORT.as_secs();
            if self.reports.fetch_max(due, Ordering::Relaxed) < due {
                self.report();
            }
        }
        Ok(())
    }

    #[expect(clippy::print_stdout, reason = "a test that takes long says how far it is")]
    fn report(&self) {
        let (steps, runs) = (self.steps.load(Ordering::Relaxed), self.runs.load(Ordering::Relaxed));
        let (elapsed, seconds) = (self.start.elapsed(), self.start.elapsed().as_secs_f64().max(0.001));
        let seeds = self.next.load(Ordering::Relaxed).saturating_sub(self.first).min(self.last - self.first + 1);
        println!(
            "{seeds} seeds, {steps} steps with {runs} runs in {elapsed:.1?}: {:.0} steps/s",
            steps as f64 / seconds
        );
    }
}

#[test]
fn invariants_hold_for_every_seed() {
    let play = Play::of_environment();
    let threads = if play.first == play.last { 1 } else { std::thread::available_parallelism().map_or(2, usize::from) };
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(|| play.go())).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err("a thread panicked".to_owned())))
            .collect()
    });
    play.report();
    let problems: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    assert!(play.steps.into_inner() > 0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 8, 21] {
        let options = Options::of(seed, 800);
        assert_eq!(simulate(seed, &options), simulate(seed, &options));
    }
}
