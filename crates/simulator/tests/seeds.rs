//! Plays seeds for some seconds. `SIMULATOR_SEED=N` replays one, `SIMULATOR_SECONDS=N` plays longer.

use std::time::{Duration, Instant};

use simulator::{Options, simulate};

const OPTIONS: Options = Options { steps: 20_000, submissions: 3, has_users: false, has_crashes: true };

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn invariants_hold_for_every_seed() {
    let seconds = number("SIMULATOR_SECONDS").unwrap_or(20);
    let seeds = number("SIMULATOR_SEED").map_or(1..100_000, |seed| seed..seed + 1);
    let (start, mut steps, mut finished, mut played, mut left) = (Instant::now(), 0, 0, 0, Vec::new());
    for seed in seeds {
        let options = Options { has_users: seed % 2 == 0, ..OPTIONS };
        match simulate(seed, &options) {
            Ok(outcome) => {
                steps += outcome.steps;
                finished += u64::from(outcome.steps < options.steps);
                played += 1;
                left = outcome.left;
            }
            Err(problem) => panic!("{problem}\nreplay it with SIMULATOR_SEED={seed}"),
        }
        if start.elapsed() > Duration::from_secs(seconds) {
            break;
        }
    }
    assert!(
        steps > 0 && finished * 10 >= played * 9,
        "{finished} of {played} seeds came to an end in {steps} steps, {left:?}"
    );
}
