//! Hashes of what passes by.

use std::io::{Read, Result};

use sha2::{Digest, Sha256};

/// A SHA-256 that grows.
#[derive(Clone, Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The name and the size of a file, before its contents. A link counts as a file that holds its target.
    pub(crate) fn add_name(&mut self, name: &[u8], size: u64) {
        self.add(name);
        self.add(&[0]);
        self.add(&size.to_le_bytes());
    }

    pub(crate) fn hex(self) -> String {
        hex::encode(self.0.finalize())
    }
}

/// Hashes what is read.
pub(crate) struct Hashing<'a, R> {
    pub(crate) reader: R,
    pub(crate) hash: &'a mut Hash,
}

impl<R: Read> Read for Hashing<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.reader.read(buffer)?;
        self.hash.add(&buffer[..count]);
        Ok(count)
    }
}

/// Exactly so many bytes: a file that shrinks while it is read is filled with zeros, one that grows is cut.
pub(crate) struct Exactly<R> {
    pub(crate) reader: R,
    pub(crate) left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if wanted == 0 {
            return Ok(0);
        }
        let mut count = self.reader.read(&mut buffer[..wanted])?;
        if count == 0 {
            buffer[..wanted].fill(0);
            count = wanted;
        }
        self.left -= count as u64;
        Ok(count)
    }
}
