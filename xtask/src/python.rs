//! Python virtual environments with exactly what a requirements file asks for.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::command::Command;

/// Prepares a virtual environment and returns the folder of its programs. A second call with the same requirements
/// does nothing.
pub(crate) fn environment(folder: &Path, requirements: &Path) -> Result<PathBuf> {
    let wanted = fs::read_to_string(requirements).with_context(|| format!("cannot read {}", requirements.display()))?;
    let programs = folder.join("bin");
    let stamp = folder.join("installed-requirements.txt");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(programs);
    }

    eprintln!("preparing the Python environment {}", folder.display());
    Command::new(interpreter()?).args(&["-m", "venv", "--clear"]).args(&[folder]).run()?;
    Command::new(programs.join("python"))
        .args(&["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
        .args(&[requirements])
        .run()?;
    fs::write(&stamp, wanted).with_context(|| format!("cannot write {}", stamp.display()))?;
    Ok(programs)
}

/// Returns the first Python that is new enough and can make virtual environments.
fn interpreter() -> Result<&'static str> {
    const CHECK: &str = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))";
    for name in ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"] {
        if Command::new(name).args(&["-c", CHECK]).succeeds() {
            return Ok(name);
        }
    }
    bail!("Python 3.10 or newer with venv is needed; on Debian and Ubuntu: apt-get install python3 python3-venv")
}
