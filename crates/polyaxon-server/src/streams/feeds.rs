//! What followers of logs share: one task that hears of changes, one read of each piece of a log.
//!
//! Invariant: the work for a change is that of the run, not of its followers. Whoever follows at the end of a log is
//! given pages that were read once; whoever is behind reads in turn, and the page is there for the next one who comes by.
//! A follower holds a position and no pages, so a slow one costs nothing and delays nobody.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use polyaxon_artifacts::logs::{Cursor, Reader};
use polyaxon_model::ids::RunId;
use polyaxon_model::status::Status;
use polyaxon_store::standing;
use serde_json::json;
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::{Instant, sleep_until};

use crate::state::Server;

/// Small enough for ten thousand clients that take their time, large enough to be fast.
const PAGE_LINES: usize = 1000;
const PAGE_BYTES: usize = 64 * 1024;
/// Pages kept of each run that is followed.
const KEPT_PAGES: usize = 8;
/// Statuses are read at most this often, however often the store changes.
const STATUS_PAUSE: Duration = Duration::from_millis(40);

/// The followed runs of one server.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    followed: Mutex<Followed>,
}

#[derive(Debug, Default)]
struct Followed {
    runs: HashMap<RunId, Arc<Feed>>,
    /// Whether there is a task that hears of changes.
    is_heard: bool,
}

/// What followers of one run share.
#[derive(Debug)]
pub(crate) struct Feed {
    run: RunId,
    folder: PathBuf,
    news: watch::Sender<News>,
    /// Known before it is told: followers hear of a status after the logs that were written before it were read.
    status: Mutex<Option<Status>>,
    pages: Mutex<VecDeque<Arc<Page>>>,
    turn: Turn<()>,
    /// Where the followers are that have seen everything, in microseconds as cursors have it.
    end: Mutex<Cursor>,
    is_stale: AtomicBool,
    is_busy: AtomicBool,
    generation: AtomicU64,
}

/// The last look at a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct News {
    generation: u64,
    /// None when the run is gone.
    pub status: Option<Status>,
}

/// A piece of a log, ready to be sent.
#[derive(Debug)]
pub(crate) struct Page {
    from: Cursor,
    pub to: Cursor,
    pub more: bool,
    /// The look that it belongs to; what was written later is not in it.
    generation: u64,
    /// Lines of JSON and the cursor after them; empty when there was nothing.
    pub text: Bytes,
}

/// One who follows: keeps the feed alive.
#[derive(Debug)]
pub(crate) struct Follower {
    feeds: Arc<Feeds>,
    feed: Arc<Feed>,
    news: watch::Receiver<News>,
}

impl Feeds {
    /// Begins to follow. `status` may be older than this call: what happened in between is found at once.
    pub(crate) fn follow(self: &Arc<Self>, server: &Arc<Server>, run: RunId, status: Status) -> Follower {
        let mut followed = lock(&self.followed);
        if !std::mem::replace(&mut followed.is_heard, true) {
            let (feeds, hub, store) = (Arc::downgrade(self), server.changes.subscribe(), server.store.changed());
            tokio::spawn(listen(feeds, Arc::clone(server), hub, store));
        }
        let feed = followed.runs.entry(run).or_insert_with(|| {
            let feed = Arc::new(Feed {
                run,
                folder: server.layout.logs(run),
                news: watch::Sender::new(News { generation: 0, status: Some(status) }),
                status: Mutex::new(Some(status)),
                pages: Mutex::default(),
                turn: Turn::default(),
                end: Mutex::new(Cursor::START),
                is_stale: AtomicBool::new(false),
                is_busy: AtomicBool::new(false),
                generation: AtomicU64::new(0),
            });
            tokio::spawn(look_again(Arc::clone(server), Arc::clone(&feed)));
            feed
        });
        Follower { feeds: Arc::clone(self), feed: Arc::clone(feed), news: feed.news.subscribe() }
    }

    fn all(&self) -> Vec<Arc<Feed>> {
        lock(&self.followed).runs.values().cloned().collect()
    }

    /// Whether nobody follows any more; then the next one starts another task to hear of changes.
    fn are_left(&self) -> bool {
        let mut followed = lock(&self.followed);
        followed.is_heard = !followed.runs.is_empty();
        !followed.is_heard
    }

    fn get(&self, run: RunId) -> Option<Arc<Feed>> {
        lock(&self.followed).runs.get(&run).cloned()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut followed = lock(&self.feeds.followed);
        // The receiver that is being dropped still counts.
        if self.feed.news.receiver_count() <= 1 {
            followed.runs.remove(&self.feed.run);
        }
    }
}

impl Follower {
    /// The newest look at the run. Ask before reading: a status is older than what is read after it.
    pub(crate) fn news(&mut self) -> News {
        *self.news.borrow_and_update()
    }

    /// Waits for a look that [`Follower::news`] has not given yet.
    pub(crate) async fn changed(&mut self) {
        // The sender lives in the feed, which this follower holds.
        let _ = self.news.changed().await;
    }

    /// What follows after `from`, at least as new as `news`.
    pub(crate) async fn page(&self, from: Cursor, news: News) -> Option<Arc<Page>> {
        if let Some(page) = self.feed.known(from, news.generation) {
            return Some(page);
        }
        let _turn = self.feed.turn.lock().await;
        if let Some(page) = self.feed.known(from, news.generation) {
            return Some(page);
        }
        let newest = self.feed.news.borrow().generation;
        self.feed.read(from, newest).await
    }
}

impl Feed {
    fn known(&self, from: Cursor, generation: u64) -> Option<Arc<Page>> {
        let pages = lock(&self.pages);
        let is_new = |page: &Page| page.more || page.generation >= generation;
        if let Some(page) = pages.iter().rev().find(|page| page.from == from && is_new(page)) {
            return Some(Arc::clone(page));
        }
        // A page after which nothing came says that nothing comes.
        let last = pages.iter().rev().find(|page| page.to == from && !page.more && page.generation >= generation)?;
        Some(Arc::new(Page { from, to: from, more: false, generation: last.generation, text: Bytes::new() }))
    }

    /// Reads one page. The caller has the turn, or is the only one who looks at the end.
    async fn read(&self, from: Cursor, generation: u64) -> Option<Arc<Page>> {
        let (folder, run) = (self.folder.clone(), self.run);
        let read = move || Reader::open(&folder, run, from)?.page(PAGE_LINES, PAGE_BYTES);
        let page = match tokio::task::spawn_blocking(read).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::warn!(%error, run = %self.run, "cannot read logs");
                return None;
            }
            Err(_) => return None,
        };
        let mut text = Vec::new();
        for line in &page.lines {
            serde_json::to_writer(&mut text, line).ok()?;
            text.push(b'\n');
        }
        if !page.lines.is_empty() {
            text.extend_from_slice(json!({ "cursor": page.cursor.to_string() }).to_string().as_bytes());
            text.push(b'\n');
        }
        let page = Arc::new(Page { from, to: page.cursor, more: page.more, generation, text: text.into() });
        let mut pages = lock(&self.pages);
        pages.retain(|known| known.from != from);
        pages.push_back(Arc::clone(&page));
        if pages.len() > KEPT_PAGES {
            pages.pop_front();
        }
        drop(pages);
        let mut end = lock(&self.end);
        *end = page.to.max(*end);
        Some(page)
    }

    /// Something may have changed: looks, and tells the followers. Looks that are asked for meanwhile become one.
    fn refresh(self: &Arc<Self>) {
        self.is_stale.store(true, Ordering::SeqCst);
        if !self.is_busy.swap(true, Ordering::SeqCst) {
            tokio::spawn(Arc::clone(self).look());
        }
    }

    async fn look(self: Arc<Self>) {
        loop {
            while self.is_stale.swap(false, Ordering::SeqCst) {
                let generation = self.generation.fetch_add(1, Ordering::SeqCst) + 1;
                let status = *lock(&self.status);
                // A few pages at once, so that a burst finds its followers supplied.
                for _ in 0..KEPT_PAGES / 2 {
                    let from = *lock(&self.end);
                    if !self.read(from, generation).await.is_some_and(|page| page.more) {
                        break;
                    }
                }
                self.news.send_replace(News { generation, status });
            }
            self.is_busy.store(false, Ordering::SeqCst);
            // Somebody may have asked after the last look, and seen that this task was still there.
            if !self.is_stale.load(Ordering::SeqCst) || self.is_busy.swap(true, Ordering::SeqCst) {
                return;
            }
        }
    }
}

/// The status that the first follower came with is older than the feed.
async fn look_again(server: Arc<Server>, feed: Arc<Feed>) {
    read_statuses(&server, std::slice::from_ref(&feed)).await;
    feed.refresh();
}

/// Hears of every change on behalf of all feeds, until nobody follows any more.
async fn listen(
    feeds: Weak<Feeds>,
    server: Arc<Server>,
    mut hub: polyaxon_artifacts::changes::Subscription,
    mut store: watch::Receiver<u64>,
) {
    let mut due: Option<Instant> = None;
    let mut next = Instant::now();
    loop {
        let wake = tokio::select! {
            run = hub.any() => Wake::Logs(run),
            changed = store.changed(), if due.is_none() => match changed {
                Ok(()) => Wake::Store,
                // The store is closed: there is no server any more.
                Err(_) => return,
            },
            () = sleep_until(due.unwrap_or(next)), if due.is_some() => Wake::Due,
        };
        let Some(feeds) = feeds.upgrade() else { return };
        if feeds.are_left() {
            return;
        }
        match wake {
            Wake::Logs(Some(run)) => {
                if let Some(feed) = feeds.get(run) {
                    feed.refresh();
                }
            }
            // Notices were missed.
            Wake::Logs(None) => feeds.all().iter().for_each(Feed::refresh),
            Wake::Store => due = Some(next.max(Instant::now())),
            Wake::Due => {
                due = None;
                let before = Instant::now();
                for feed in read_statuses(&server, &feeds.all()).await {
                    feed.refresh();
                }
                // Many runs take longer to read, and are read less often for it.
                next = Instant::now() + STATUS_PAUSE.max(before.elapsed() * 4);
            }
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Wake {
    Logs(Option<RunId>),
    Store,
    Due,
}

/// Reads where the runs stand; gives those that stand elsewhere than before.
async fn read_statuses(server: &Server, feeds: &[Arc<Feed>]) -> Vec<Arc<Feed>> {
    let runs: Vec<RunId> = feeds.iter().map(|feed| feed.run).collect();
    let Ok(statuses) = server.store.read(move |tx| standing::statuses(tx, &runs)).await else { return Vec::new() };
    let statuses: HashMap<RunId, Status> = statuses.into_iter().collect();
    let is_news = |feed: &&Arc<Feed>| {
        let status = statuses.get(&feed.run).copied();
        std::mem::replace(&mut *lock(&feed.status), status) != status
    };
    feeds.iter().filter(is_news).cloned().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
