//! Folders as `.tar.gz` streams, out and in. What comes in is not trusted.
//!
//! * [`pack`] a folder while it is sent · [`unpack`] into a folder, complete or not at all

mod gauge;
mod pack;
mod unpack;

pub use pack::pack;
pub use unpack::{Limits, Target, unpack};

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;
    use crate::folder::Existing;

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (run, copy, staging) = (folder.path().join("run"), folder.path().join("copy"), folder.path().join("new"));
        fs::create_dir_all(run.join("outputs/deep")).unwrap();
        fs::write(run.join("outputs/deep/a"), vec![7; 100_000]).unwrap();
        fs::write(run.join("outputs/tool"), "#!").unwrap();
        fs::set_permissions(run.join("outputs/tool"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("deep/a", run.join("outputs/link")).unwrap();
        symlink("/etc/passwd", run.join("outputs/escape")).unwrap();
        let mut bytes = Vec::new();
        pack(&run, &"outputs".parse().unwrap(), &mut bytes).unwrap();
        let relative = "in".parse().unwrap();
        let target = Target { root: &copy, relative: &relative, staging: &staging, existing: Existing::IsReplaced };
        unpack(bytes.as_slice(), target, Limits::default()).unwrap();
        assert_eq!(fs::read(copy.join("in/link")).unwrap(), vec![7; 100_000]);
        assert_eq!(fs::metadata(copy.join("in/tool")).unwrap().permissions().mode() & 0o777, 0o755);
        assert!(fs::symlink_metadata(copy.join("in/escape")).is_err());
    }
}
