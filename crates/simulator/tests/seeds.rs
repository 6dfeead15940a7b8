//! Plays a fixed number of seeds. `cargo xtask simulate` plays new ones for some time, or one seed again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use simulator::{Options, simulate};

/// Steps of a seed before everybody goes home.
const STEPS: u64 = 3000;

/// Seeds that every test run plays, whatever the machine: from 1 on.
const SEEDS: u64 = 24;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn invariants_hold_for_every_seed() {
    let seconds = number("SIMULATOR_SECONDS").map(Duration::from_secs);
    let most = number("SIMULATOR_STEPS").unwrap_or(u64::MAX);
    let steps_of_one = number("SIMULATOR_LENGTH").unwrap_or(STEPS);
    let only = number("SIMULATOR_SEED");
    let (next, steps, runs, start) =
        (AtomicU64::new(number("SIMULATOR_FROM").unwrap_or(1)), AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    let play = || {
        while steps.load(Ordering::Relaxed) < most && seconds.is_none_or(|seconds| start.elapsed() < seconds) {
            let seed = only.unwrap_or_else(|| next.fetch_add(1, Ordering::Relaxed));
            if seconds.is_none() && only.is_none() && seed > SEEDS {
                break;
            }
            match simulate(seed, &Options::of(seed, steps_of_one)) {
                Ok(outcome) => {
                    steps.fetch_add(outcome.steps, Ordering::Relaxed);
                    runs.fetch_add(outcome.runs, Ordering::Relaxed);
                }
                Err(problem) => {
                    return Err(format!(
                        "{problem}\nreplay it with `cargo xtask simulate --seed {seed} --steps {steps_of_one}`"
                    ));
                }
            }
            if only.is_some() {
                break;
            }
        }
        Ok(())
    };
    let threads = if only.is_some() { 1 } else { std::thread::available_parallelism().map_or(2, usize::from) };
    let results: Vec<Result<(), String>> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads).map(|_| scope.spawn(play)).collect();
        handles
            .into_iter()
            .map(|handle| handle.join().unwrap_or_else(|_| Err("a simulation panicked".to_owned())))
            .collect()
    });
    let problems: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
    let (steps, runs) = (steps.into_inner(), runs.into_inner());
    println!("{steps} steps with {runs} runs in {:.1?}", start.elapsed());
    assert!(steps > 0);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [3, 8, 21] {
        let options = Options::of(seed, 800);
        assert_eq!(simulate(seed, &options), simulate(seed, &options));
    }
}
