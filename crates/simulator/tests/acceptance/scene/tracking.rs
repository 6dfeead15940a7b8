//! Metrics that processes track while they run, as the official client writes them.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

use polyaxon_artifacts::layout::Layout;
use polyaxon_model::ids::RunId;
use polyaxon_store::Error;

use super::Scene;

impl Scene {
    /// A process that hangs tracks values of a metric: step and number.
    pub(crate) fn track(&self, run: RunId, metric: &str, values: &[(u64, f64)]) {
        let folder = Layout::new(self.home.path()).artifacts(run).join("events/metric");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(format!("{metric}.plx"));
        let mut text = if path.exists() { String::new() } else { "step|timestamp|metric\n".to_owned() };
        for (step, value) in values {
            text += &format!("{step}|2026-01-10 13:00:00+00:00|{value}\n");
        }
        OpenOptions::new().create(true).append(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// The server looks at what running processes track, and does what follows.
    pub(crate) fn look(&mut self) {
        if let Err(error) = self.performer.watch() {
            assert!(matches!(error, polyaxon_runtime::Error::Store(Error::Closed)), "{error:?}");
            self.restart();
            self.performer.watch().unwrap();
        }
        self.play();
    }
}
