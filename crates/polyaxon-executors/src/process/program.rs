//! Finding a task's program and its folder, and saying clearly why it cannot start.

use std::fs;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use polyaxon_compile::plan::process::Task;

/// Why a task did not start: one word for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotStarted {
    pub(super) reason: &'static str,
    pub(super) message: String,
}

/// Starts `task` in its own process group, with pipes for its output and no input.
pub(super) fn start(task: &Task, default_folder: &Path) -> Result<Child, NotStarted> {
    let folder = folder(task, default_folder)?;
    let program = find(task, &folder)?;
    let name = task.argv.first().map(String::as_str).unwrap_or_default();
    let mut command = Command::new(&program);
    command
        .arg0(name)
        .args(&task.argv[1..])
        .env_clear()
        .envs(task.env.iter().map(|(key, value)| (key, value)))
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    command.spawn().map_err(|error| explain(&error, task, &program))
}

fn folder(task: &Task, default_folder: &Path) -> Result<PathBuf, NotStarted> {
    let folder = task.workdir.as_ref().map_or_else(|| default_folder.to_owned(), PathBuf::from);
    let problem = match fs::metadata(&folder) {
        Ok(metadata) if metadata.is_dir() => return Ok(folder),
        Ok(_) => "is not a folder".to_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => "does not exist on this machine".to_owned(),
        Err(error) => format!("cannot be entered: {error}"),
    };
    let message = format!("the working directory `{}` of task `{}` {problem}", folder.display(), task.name);
    Err(NotStarted { reason: "WorkingDirMissing", message })
}

/// What a shell would start: a name with a `/` is a path, any other is searched on the task's own PATH.
fn find(task: &Task, folder: &Path) -> Result<PathBuf, NotStarted> {
    let Some(name) = task.argv.first().filter(|name| !name.is_empty()) else {
        let message = format!("task `{}` has no command", task.name);
        return Err(NotStarted { reason: "CommandNotFound", message });
    };
    if name.contains('/') {
        let path = folder.join(name);
        return match state(&path) {
            State::Executable => Ok(path),
            State::NotExecutable => Err(not_executable(task, &path)),
            State::Missing => {
                let message = format!(
                    "`{name}` does not exist (looked at `{}`); the command of task `{}` is {}",
                    path.display(),
                    task.name,
                    quoted(&task.argv)
                );
                Err(NotStarted { reason: "CommandNotFound", message })
            }
        };
    }
    let search = task.env.iter().find(|(key, _)| key == "PATH").map(|(_, value)| value.as_str());
    let search = search.unwrap_or("/usr/local/bin:/usr/bin:/bin");
    let mut refused = None;
    for place in search.split(':') {
        let path = folder.join(if place.is_empty() { "." } else { place }).join(name);
        match state(&path) {
            State::Executable => return Ok(path),
            State::NotExecutable => refused = refused.or(Some(path)),
            State::Missing => {}
        }
    }
    if let Some(path) = refused {
        return Err(not_executable(task, &path));
    }
    let message = format!(
        "`{name}` was not found on this machine: the command of task `{}` is {}, and PATH is `{search}`",
        task.name,
        quoted(&task.argv)
    );
    Err(NotStarted { reason: "CommandNotFound", message })
}

enum State {
    Executable,
    NotExecutable,
    Missing,
}

fn state(path: &Path) -> State {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => State::Executable,
        Ok(_) => State::NotExecutable,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => State::NotExecutable,
        Err(_) => State::Missing,
    }
}

fn not_executable(task: &Task, path: &Path) -> NotStarted {
    let what = if path.is_dir() { "is a folder" } else { "is not executable" };
    let help = if path.is_dir() { String::new() } else { format!(" (`chmod +x {}` makes it so)", path.display()) };
    let message = format!("`{}` {what}, so task `{}` cannot start{help}", path.display(), task.name);
    NotStarted { reason: "CommandNotExecutable", message }
}

/// The program exists; the kernel refused it nevertheless.
fn explain(error: &io::Error, task: &Task, program: &Path) -> NotStarted {
    let shown = program.display();
    let (reason, why) = match error.kind() {
        io::ErrorKind::NotFound => match interpreter(program) {
            Some(interpreter) => {
                ("InterpreterNotFound", format!("its first line asks for `{interpreter}`, which does not exist"))
            }
            None => ("CommandNotFound", "its loader or a library folder does not exist on this machine".to_owned()),
        },
        io::ErrorKind::ArgumentListTooLong => {
            ("ArgumentsTooLong", "its arguments and environment are longer than the system takes".to_owned())
        }
        io::ErrorKind::PermissionDenied => ("CommandNotExecutable", "the system denies to execute it".to_owned()),
        _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => (
            "CommandNotExecutable",
            "it is neither a program for this machine nor a script that begins with `#!`".to_owned(),
        ),
        _ => ("StartFailed", error.to_string()),
    };
    NotStarted { reason, message: format!("`{shown}` of task `{}` cannot start: {why}", task.name) }
}

fn interpreter(program: &Path) -> Option<String> {
    let mut head = Vec::new();
    fs::File::open(program).ok()?.take(256).read_to_end(&mut head).ok()?;
    let line = String::from_utf8_lossy(head.strip_prefix(b"#!")?).lines().next()?.trim().to_owned();
    line.split_whitespace().next().map(str::to_owned)
}

/// The command as people would type it, cut where it gets long.
fn quoted(argv: &[String]) -> String {
    let plain =
        |word: &str| !word.is_empty() && word.chars().all(|char| char.is_alphanumeric() || "-_./=:,+@%".contains(char));
    let words = argv.iter().map(|word| if plain(word) { word.clone() } else { format!("'{word}'") });
    let line = words.collect::<Vec<_>>().join(" ");
    if line.chars().count() > 300 {
        format!("`{}…`", line.chars().take(300).collect::<String>())
    } else {
        format!("`{line}`")
    }
}

#[cfg(test)]
mod tests {
    use polyaxon_compile::plan::process::TaskKind;

    use super::*;

    fn refused(argv: &[&str], folder: &Path, workdir: Option<&str>) -> NotStarted {
        let task = Task {
            name: "polyaxon-main".to_owned(),
            kind: TaskKind::Main,
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
            workdir: workdir.map(str::to_owned),
            env: vec![("PATH".to_owned(), format!("{}:/nowhere", folder.display()))],
        };
        start(&task, folder).map(|mut child| child.wait()).unwrap_err()
    }

    #[test]
    fn each_reason_not_to_start_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, mode: u32| {
            fs::write(folder.path().join(name), text).unwrap();
            fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
        };
        write("plain.sh", "echo", 0o644);
        write("lost.sh", "#!/nowhere/python -u\n", 0o755);
        write("text", "no program", 0o755);
        let long = "x".repeat(3 << 20);
        for (argv, workdir, reason, part) in [
            (vec!["train.py", "a b"], None, "CommandNotFound", "`train.py 'a b'`, and PATH is"),
            (vec!["./train.py"], None, "CommandNotFound", "`./train.py` does not exist (looked at"),
            (vec!["plain.sh"], None, "CommandNotExecutable", "chmod +x"),
            (vec!["/"], None, "CommandNotExecutable", "is a folder"),
            (vec!["lost.sh"], None, "InterpreterNotFound", "`/nowhere/python`"),
            (vec!["text"], None, "CommandNotExecutable", "#!"),
            (vec!["/bin/true", &long], None, "ArgumentsTooLong", "longer than"),
            (vec!["true"], Some("/nowhere"), "WorkingDirMissing", "`/nowhere`"),
            (vec!["true"], Some("/etc/passwd"), "WorkingDirMissing", "is not a folder"),
            (vec![], None, "CommandNotFound", "no command"),
        ] {
            let refused = refused(&argv, folder.path(), workdir);
            assert_eq!(refused.reason, reason, "{}", refused.message);
            assert!(refused.message.contains(part), "{}", refused.message);
        }
    }
}
