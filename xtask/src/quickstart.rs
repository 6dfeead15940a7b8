//! The first run: builds the program, prepares the example's Python and runs the example to its end.

use anyhow::{Context as _, Result};

use crate::command::Command;
use crate::python;
use crate::workspace::{self, Profile};

const OPERATION: &str = "examples/quick-start/operation.yaml";

pub(crate) fn run() -> Result<()> {
    let program = workspace::build(Profile::Release)?;
    let example = workspace::root().join("examples/quick-start");
    let environment = example.join(".venv");
    let programs = python::environment(&environment, &example.join("requirements.txt"))?;

    // The run starts in this environment, as it would from a terminal where it is activated.
    let polyaxon = |arguments: &[&str]| -> Result<()> {
        Command::new(&program).args(arguments).env("VIRTUAL_ENV", &environment).first_in_path(&programs)?.run()
    };
    polyaxon(&["run", "-f", OPERATION, "-l", "-w"]).context("the example did not succeed")?;
    polyaxon(&["ops", "get", "@last"])?;

    let program = program.display();
    println!(
        "
That was examples/quick-start/operation.yaml. Where to look next:

  {program} ops ls                        all runs
  {program} ops logs @last                the logs again
  {program} ops statuses @last            what happened when
  {program} ops artifacts @last           its files; `--dir outputs` downloads the trained model
  {program} server status                 the local server that keeps all this; `server stop` ends it

To change the run and start it again, in a terminal with the example's Python:

  source examples/quick-start/.venv/bin/activate
  {program} run -f {OPERATION} -P epochs=20 -l

While that environment is active, `polyaxon` alone is the official Python client. Both talk to the same server."
    );
    Ok(())
}
