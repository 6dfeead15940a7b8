//! What was lately sent of event files, kept while the files stay as they are: pages of plots ask again every second.
//!
//! Invariant: memory is bounded; an answer is only given for the very bytes it was made of. A file that changed a moment
//! ago is not remembered, because a second change within the clock's tick could not be seen.

use std::collections::HashMap;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

/// All answers together.
const MAX_BYTES: usize = 16 << 20;
/// Larger answers are made again each time: they would push out many small ones.
const MAX_ANSWER_BYTES: usize = 2 << 20;
/// A change may hide in a time stamp this young.
const SETTLED: Duration = Duration::from_secs(2);

/// Which bytes an answer was made of, and how.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    device: u64,
    inode: u64,
    length: u64,
    modified: (i64, i64),
    kind: String,
    sample: Option<usize>,
}

impl Key {
    pub(crate) fn new(metadata: &Metadata, kind: &str, sample: Option<usize>) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            kind: kind.to_owned(),
            sample,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct SeriesCache {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    answers: HashMap<Key, Entry>,
    bytes: usize,
    /// Counts uses; the entry that was used longest ago goes first.
    clock: u64,
}

#[derive(Debug)]
struct Entry {
    answer: Bytes,
    used: u64,
}

impl SeriesCache {
    pub(crate) fn get(&self, key: &Key) -> Option<Bytes> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        let now = inner.clock;
        let entry = inner.answers.get_mut(key)?;
        entry.used = now;
        Some(entry.answer.clone())
    }

    pub(crate) fn put(&self, key: Key, answer: Bytes, metadata: &Metadata, now: SystemTime) {
        let is_settled =
            metadata.modified().is_ok_and(|modified| now.duration_since(modified).is_ok_and(|age| age > SETTLED));
        if !is_settled || answer.len() > MAX_ANSWER_BYTES {
            return;
        }
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.clock += 1;
        inner.bytes += answer.len();
        let used = inner.clock;
        if let Some(replaced) = inner.answers.insert(key, Entry { answer, used }) {
            inner.bytes -= replaced.answer.len();
        }
        while inner.bytes > MAX_BYTES {
            let oldest = inner.answers.iter().min_by_key(|(_, entry)| entry.used).map(|(key, _)| key.clone());
            let Some(removed) = oldest.and_then(|key| inner.answers.remove(&key)) else { break };
            inner.bytes -= removed.answer.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_bounded_and_belong_to_the_bytes_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a");
        std::fs::write(&file, "one").unwrap();
        let metadata = std::fs::metadata(&file).unwrap();
        let later = SystemTime::now() + SETTLED * 2;
        let cache = SeriesCache::default();
        let key = |sample| Key::new(&metadata, "metric", Some(sample));
        cache.put(key(1), Bytes::from_static(b"x"), &metadata, SystemTime::now());
        assert_eq!(cache.get(&key(1)), None);
        cache.put(key(1), Bytes::from_static(b"x"), &metadata, later);
        assert_eq!(cache.get(&key(1)), Some(Bytes::from_static(b"x")));
        assert_eq!(cache.get(&key(2)), None);
        for sample in 2..40 {
            cache.get(&key(1));
            cache.put(key(sample), Bytes::from(vec![0; 1 << 20]), &metadata, later);
        }
        assert!(cache.inner.lock().unwrap().bytes <= MAX_BYTES);
        assert!(cache.get(&key(1)).is_some() && cache.get(&key(2)).is_none() && cache.get(&key(39)).is_some());
        std::fs::write(&file, "longer").unwrap();
        assert_eq!(cache.get(&Key::new(&std::fs::metadata(&file).unwrap(), "metric", Some(1))), None);
    }
}
