//! What this machine has for runs: what the options say, else what the system shows.
//!
//! GPUs are known by the names that programs are told in `CUDA_VISIBLE_DEVICES`. A server that is itself told to see
//! only some of them gives out those and no others.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use polyaxon_engine::admission::Capacity;
use polyaxon_model::quantity;

use crate::args::server::ServeOptions;
use crate::env;
use crate::exit::Exit;
use crate::failure::Failure;

/// What runs may have together.
pub(super) fn capacity(options: &ServeOptions, default_slots: usize) -> Result<Capacity, Failure> {
    let cpus = match &options.cpus {
        Some(text) => read("--cpus", text, "a number such as 8 or 2.5", quantity::cpu_cores)?,
        None => std::thread::available_parallelism().map_or(1.0, |cores| cores.get() as f64),
    };
    let memory = match &options.memory {
        Some(text) => Some(read("--memory", text, "an amount such as 12Gi", quantity::memory_bytes)?),
        None => memory(),
    };
    let count = match &options.gpus {
        Some(text) => {
            Some(read("--gpus", text, "a whole number such as 2", |text| text.trim().parse::<u16>().ok())?.into())
        }
        // Files that ask for a GPU still run on a laptop without any; only a count that was said is held against them.
        None => Some(count_gpus()).filter(|count| *count > 0),
    };
    let mask = std::env::var(env::CUDA_VISIBLE_DEVICES.name).ok();
    Ok(Capacity {
        cpus: Some(cpus),
        memory,
        gpus: count.map(|count| visible(count, mask.as_deref())),
        ..Capacity::of_slots(options.capacity.unwrap_or(default_slots))
    })
}

fn read<T>(option: &str, text: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, Failure> {
    let wrong = || Failure::new(format!("{option} is `{text}`, expected {expected}")).exit(Exit::Usage);
    parse(text).ok_or_else(wrong)
}

/// The names of so many devices, taken from those that this process may see.
fn visible(count: usize, mask: Option<&str>) -> Vec<String> {
    match mask {
        None => (0..count).map(|index| index.to_string()).collect(),
        Some(mask) => {
            let names = mask.split(',').map(str::trim);
            // As CUDA reads it: the first name that is none ends the list.
            let valid = names.take_while(|name| !name.is_empty() && *name != "-1" && *name != "none");
            valid.take(count).map(str::to_owned).collect()
        }
    }
}

fn count_gpus() -> usize {
    if let Ok(devices) = std::fs::read_dir("/proc/driver/nvidia/gpus") {
        return devices.count();
    }
    listed_gpus().unwrap_or(0)
}

/// The lines of `nvidia-smi -L`. It may hang on a broken driver, which must not hold the server up.
fn listed_gpus() -> Option<usize> {
    const PATIENCE: Duration = Duration::from_secs(3);
    let mut command = Command::new("nvidia-smi");
    let mut child = command.arg("-L").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().ok()?;
    let end = Instant::now() + PATIENCE;
    while child.try_wait().ok()?.is_none() {
        if Instant::now() > end {
            // It answers to nothing; what becomes of it is the system's affair.
            let _ = child.kill();
            return None;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).lines().filter(|line| line.starts_with("GPU ")).count())
}

/// The memory of the machine, or of the group of processes that this one is limited with.
fn memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kibibytes: f64 = total.trim().strip_suffix(" kB")?.trim().parse().ok()?;
    let limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limit.iter().filter_map(|path| std::fs::read_to_string(Path::new(path)).ok()?.trim().parse().ok());
    Some(limits.fold(kibibytes * 1024.0, f64::min))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_those_that_the_server_may_see() {
        for (count, mask, names) in [
            (2, None, vec!["0", "1"]),
            (2, Some("4,5,6"), vec!["4", "5"]),
            (8, Some("GPU-1a, 2"), vec!["GPU-1a", "2"]),
            (8, Some("3,-1,4"), vec!["3"]),
            (8, Some(""), vec![]),
            (0, Some("0,1"), vec![]),
        ] {
            assert_eq!(visible(count, mask), names, "{count} of {mask:?}");
        }
    }

    #[test]
    fn options_come_before_what_the_system_shows() {
        let said = |cpus: &str, memory: &str, gpus: &str| {
            let text = |text: &str| Some(text.to_owned());
            let options =
                ServeOptions { cpus: text(cpus), memory: text(memory), gpus: text(gpus), ..Default::default() };
            capacity(&options, 4)
        };
        let capacity = said("2.5", "1Gi", "0").unwrap();
        assert_eq!((capacity.cpus, capacity.memory, capacity.slots), (Some(2.5), Some(1_073_741_824.0), 4));
        assert!(said("many", "1Gi", "0").is_err() && said("1", "x", "0").is_err() && said("1", "1Gi", "-2").is_err());
    }
}
