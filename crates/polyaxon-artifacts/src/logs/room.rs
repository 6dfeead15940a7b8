//! Room on the disk that output may not take: without it a chatty job could keep the database and the state of every
//! run from being written.

use std::fs::File;
use std::io;

const MOST_KEPT_BYTES: u64 = 32 << 20;

/// Fails when writing `bytes` more beside `file` would leave less than what is kept free.
pub(super) fn check(file: &File, bytes: usize) -> io::Result<()> {
    let disk = rustix::fs::fstatvfs(file)?;
    let kept = kept(disk.f_blocks.saturating_mul(disk.f_frsize));
    if disk.f_bavail.saturating_mul(disk.f_frsize) >= kept.saturating_add(bytes as u64) {
        return Ok(());
    }
    let text = format!("the disk is full, but for {} kB that are kept for the state of runs", kept / 1000);
    Err(io::Error::new(io::ErrorKind::StorageFull, text))
}

/// A twentieth of a small disk, [`MOST_KEPT_BYTES`] of a usual one.
fn kept(disk_bytes: u64) -> u64 {
    (disk_bytes / 20).min(MOST_KEPT_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_keep_less() {
        assert_eq!(kept(10_000_000), 500_000);
        assert_eq!(kept(1 << 40), MOST_KEPT_BYTES);
    }

    #[test]
    fn more_than_the_disk_holds_is_refused() {
        let file = tempfile::tempfile().unwrap();
        assert_eq!(check(&file, usize::MAX).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
