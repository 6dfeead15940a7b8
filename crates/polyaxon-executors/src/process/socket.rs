//! The datagrams by which supervisors wake the server. A lost one costs time, never correctness.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};

use polyaxon_model::ids::RunId;

/// What a datagram is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Phase,
    Logs,
}

/// Socket addresses are short (108 bytes) and homes may be deep: the address goes through the open parent folder.
fn short_address(path: &Path) -> io::Result<(File, PathBuf)> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let folder = File::open(parent)?;
    let address = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok((folder, address))
}

/// Listens at `path`, replacing a socket that a dead server left.
pub(super) fn listen(path: &Path) -> io::Result<UnixDatagram> {
    let (_folder, address) = short_address(path)?;
    match fs::remove_file(&address) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = UnixDatagram::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Sends without ever waiting or failing: nobody may be listening.
#[derive(Debug)]
pub(super) struct Bell {
    socket: Option<UnixDatagram>,
    path: PathBuf,
    run: String,
}

impl Bell {
    pub(super) fn new(path: PathBuf, run: String) -> Bell {
        let socket = UnixDatagram::unbound().and_then(|socket| socket.set_nonblocking(true).map(|()| socket));
        Bell { socket: socket.ok(), path, run }
    }

    pub(super) fn ring(&self, topic: Topic) {
        let word = match topic {
            Topic::Phase => "phase",
            Topic::Logs => "logs",
        };
        if let Some(socket) = &self.socket
            && let Ok((_folder, address)) = short_address(&self.path)
        {
            let _ = socket.send_to(format!("{} {word}", self.run).as_bytes(), address);
        }
    }
}

/// Reads a datagram; `None` for anything else than ours.
pub(super) fn parse(datagram: &[u8]) -> Option<(RunId, Topic)> {
    let (run, word) = std::str::from_utf8(datagram).ok()?.split_once(' ')?;
    let topic = match word {
        "phase" => Topic::Phase,
        "logs" => Topic::Logs,
        _ => return None,
    };
    Some((run.parse().ok()?, topic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deep_home_works_and_nobody_listening_is_fine() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("deep".repeat(30)).join("deep".repeat(30));
        fs::create_dir_all(&deep).unwrap();
        let path = deep.join("supervise.sock");
        let run = "9b0a3806e3f84ea1959a7842e34129ed";
        let bell = Bell::new(path.clone(), run.to_owned());
        bell.ring(Topic::Phase);
        drop(listen(&path).unwrap());
        let socket = listen(&path).unwrap();
        bell.ring(Topic::Logs);
        let mut buffer = [0; 100];
        let length = socket.recv(&mut buffer).unwrap();
        assert_eq!(parse(&buffer[..length]), Some((run.parse().unwrap(), Topic::Logs)));
        assert_eq!(parse(b"nonsense"), None);
    }
}
