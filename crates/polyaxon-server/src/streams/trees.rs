//! What those who watch a pipeline share: one reader of changes, one line of JSON for each run of the tree.
//!
//! Invariant: the work for a change is that of the run that changed, whatever the size of the tree and however many
//! watch it. A watcher holds a position and no lines: one that is slow misses statuses in between, never the last one.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_model::tree::TreeLine;
use polyaxon_store::descendants::{self, Changed, Now, Tree};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::errors::Result;
use crate::state::Server;

/// Changes are read at most this often.
const PAUSE: Duration = Duration::from_millis(100);
/// Lines that are sent at once.
const PAGE_BYTES: usize = 64 * 1024;

/// The watched trees of one server.
#[derive(Debug, Default)]
pub(crate) struct Trees {
    watched: Mutex<HashMap<RunId, Weak<Trunk>>>,
}

/// What watchers of one tree share.
#[derive(Debug)]
struct Trunk {
    lines: Mutex<Lines>,
    news: watch::Sender<u64>,
}

/// The newest line of each run, in the order of their changes.
#[derive(Debug, Default)]
struct Lines {
    texts: HashMap<i64, (i64, Bytes)>,
    order: BTreeSet<(i64, i64)>,
    runs: HashMap<i64, RunId>,
    seq: i64,
    root: i64,
    status: Option<Status>,
}

/// One who watches; keeps the lines alive.
#[derive(Debug)]
pub(crate) struct Watcher {
    trunk: Arc<Trunk>,
    news: watch::Receiver<u64>,
    position: (i64, i64),
    told: i64,
    is_over: bool,
}

/// What a watcher is given next.
#[derive(Debug)]
pub(crate) enum Piece {
    Text(Bytes),
    /// Nothing new; wait.
    Nothing,
    Over,
}

impl Trees {
    /// Begins to watch. `cursor` is where an earlier connection ended.
    pub(crate) async fn watch(
        self: &Arc<Self>,
        server: &Arc<Server>,
        run: RunId,
        cursor: Option<i64>,
    ) -> Result<Watcher> {
        let known = lock(&self.watched).get(&run).and_then(Weak::upgrade);
        let trunk = match known {
            Some(trunk) => trunk,
            None => self.begin(server, run).await?,
        };
        let news = trunk.news.subscribe();
        let told = cursor.unwrap_or(i64::MIN);
        Ok(Watcher { trunk, news, position: (told, i64::MAX), told, is_over: false })
    }

    async fn begin(self: &Arc<Self>, server: &Arc<Server>, run: RunId) -> Result<Arc<Trunk>> {
        let mut store = server.store.changed();
        store.mark_unchanged();
        let (tree, changed) = server.read(move |tx| descendants::all(tx, run)).await?;
        let mut watched = lock(&self.watched);
        if let Some(trunk) = watched.get(&run).and_then(Weak::upgrade) {
            return Ok(trunk);
        }
        let mut lines = Lines { root: changed.first().map_or(0, |changed| changed.id), ..Lines::default() };
        lines.put(changed, tree.seq);
        let trunk = Arc::new(Trunk { lines: Mutex::new(lines), news: watch::Sender::new(0) });
        watched.retain(|_, trunk| trunk.strong_count() > 0);
        watched.insert(run, Arc::downgrade(&trunk));
        tokio::spawn(read_on(Arc::downgrade(&trunk), Arc::clone(server), run, tree, store));
        Ok(trunk)
    }
}

impl Lines {
    fn put(&mut self, changed: Vec<Changed>, seq: i64) {
        for Changed { id, seq, now } in changed {
            let line = match now {
                Now::There(row) => {
                    if id == self.root {
                        self.status = Some(row.status);
                    }
                    self.runs.insert(id, row.uuid);
                    TreeLine::Run(row)
                }
                Now::Gone(run) => {
                    if id == self.root {
                        self.status = None;
                    }
                    self.runs.remove(&id);
                    TreeLine::Removed(run)
                }
            };
            if let Some((before, _)) = self.texts.insert(id, (seq, text(&line))) {
                self.order.remove(&(before, id));
            }
            self.order.insert((seq, id));
        }
        self.seq = seq;
    }

    /// A tree that was read anew: whoever is not in it any more is gone.
    fn put_all(&mut self, mut changed: Vec<Changed>, seq: i64) {
        let there: HashSet<i64> = changed.iter().map(|changed| changed.id).collect();
        let gone = self.runs.iter().filter(|(id, _)| !there.contains(id));
        changed.extend(gone.map(|(id, run)| Changed { id: *id, seq, now: Now::Gone(*run) }));
        self.put(changed, seq);
    }
}

impl Watcher {
    /// What is new since the last piece; the cursor is told when there is nothing more.
    pub(crate) fn piece(&mut self) -> Piece {
        if self.is_over {
            return Piece::Over;
        }
        self.news.mark_unchanged();
        let lines = lock(&self.trunk.lines);
        let mut page = Vec::new();
        for place in lines.order.range((Bound::Excluded(self.position), Bound::Unbounded)) {
            if page.len() > PAGE_BYTES {
                return Piece::Text(page.into());
            }
            if let Some((_, text)) = lines.texts.get(&place.1) {
                page.extend_from_slice(text);
            }
            self.position = *place;
        }
        if !page.is_empty() || self.told == i64::MIN {
            self.told = lines.seq;
            page.extend_from_slice(&text(&TreeLine::Cursor(lines.seq)));
        }
        match lines.status {
            Some(status) if status.is_done() => page.extend_from_slice(&text(&TreeLine::Done(status))),
            Some(_) if page.is_empty() => return Piece::Nothing,
            Some(_) => return Piece::Text(page.into()),
            None => {}
        }
        self.is_over = true;
        Piece::Text(page.into())
    }

    /// Waits until there may be something new.
    pub(crate) async fn changed(&mut self) {
        if self.news.changed().await.is_err() {
            self.is_over = true;
        }
    }
}

/// Reads changes as long as somebody watches.
async fn read_on(trunk: Weak<Trunk>, server: Arc<Server>, run: RunId, tree: Tree, mut store: watch::Receiver<u64>) {
    let mut tree = Some(tree);
    let mut next = Instant::now();
    while store.changed().await.is_ok() {
        sleep_until(next).await;
        store.mark_unchanged();
        let Some(trunk) = trunk.upgrade() else { return };
        let before = Instant::now();
        let known = tree.take();
        let read = server.store.read(move |tx| {
            if let Some(mut tree) = known
                && let Some(changed) = descendants::since(tx, &mut tree)?
            {
                return Ok((tree, changed, false));
            }
            descendants::all(tx, run).map(|(tree, changed)| (tree, changed, true))
        });
        match read.await {
            Ok((read, changed, is_all)) => {
                let is_news = !changed.is_empty();
                let mut lines = lock(&trunk.lines);
                if is_all {
                    lines.put_all(changed, read.seq);
                } else {
                    lines.put(changed, read.seq);
                }
                drop(lines);
                if is_news {
                    trunk.news.send_modify(|number| *number += 1);
                }
                tree = Some(read);
            }
            // The next change is another chance, and then everything is read.
            Err(error) => tracing::warn!(%error, %run, "cannot read the changes of a pipeline"),
        }
        next = Instant::now() + PAUSE.max(before.elapsed() * 4);
    }
}

fn text(line: &TreeLine) -> Bytes {
    let mut text = serde_json::to_vec(line).expect("records have string keys, so they always serialise");
    text.push(b'\n');
    text.into()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
