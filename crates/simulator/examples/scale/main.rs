//! How large pipelines and long searches fare with an executor that does nothing: `cargo xtask bench engine`.
//!
//! Prints one line of JSON: seconds, numbers, and what the process cost.

mod machine;
mod operations;
mod suggestions;

use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::machine::{Course, Machine};

/// That of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Failure = Box<dyn std::error::Error>;

const HELP: &str = "usage: scale dag COUNT [WIDTH] | mapping COUNT ENDED | trials COUNT SLOTS SECONDS ENDED | \
     suggestions KIND TRIALS";

#[expect(clippy::print_stdout, reason = "the numbers are what the program is for")]
fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, otherwise: usize| -> Result<usize, Failure> {
        arguments.get(place).map_or(Ok(otherwise), |text| Ok(text.parse()?))
    };
    let mut result = match arguments.first().map(String::as_str) {
        Some("dag") => {
            let operation = operations::dag(number(1, 10_000)?, number(2, 100)?);
            told(&Machine::new(64)?.play(operation, Duration::ZERO, |_| false)?)
        }
        Some("mapping") => {
            let (operation, enough) = (operations::mapping(number(1, 100_000)?), number(2, 5_000)?);
            let is_enough = |course: &Course| course.created.is_some() && course.ended >= enough;
            told(&Machine::new(64)?.play(operation, Duration::ZERO, is_enough)?)
        }
        Some("trials") => {
            let operation = operations::search("random", number(1, 10_000)?);
            let seconds: f64 = arguments.get(3).map_or(Ok(0.5), |text| text.parse())?;
            let enough = number(4, usize::MAX)?;
            let machine = Machine::new(number(2, 16)?)?;
            told(&machine.play(operation, Duration::from_secs_f64(seconds), |course| course.ended >= enough)?)
        }
        Some("suggestions") => {
            let kind = arguments.get(1).ok_or(HELP)?;
            json!({ "suggestion": suggestions::measure(kind, number(2, 100)?)?.as_secs_f64() })
        }
        _ => return Err(HELP.into()),
    };
    result["memory"] = json!(peak_memory()?);
    println!("{result}");
    Ok(())
}

fn told(course: &Course) -> Json {
    let Course { first, created, ended, took } = course;
    let (first, created) = (first.unwrap_or_default(), created.unwrap_or_default());
    json!({ "first": first.seconds, "first_cpu": first.cpu, "created": created.seconds, "created_cpu": created.cpu,
        "ended": ended, "took": took.seconds, "took_cpu": took.cpu })
}

/// In bytes.
fn peak_memory() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kilobytes: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    Ok(kilobytes * 1024)
}
