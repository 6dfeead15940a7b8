//! How far a transfer of bytes is: a bar on a terminal, nothing elsewhere.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::{Printer, Stream};

pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Of a known number of bytes, or of an unknown one.
    pub(crate) fn bytes(printer: &Printer, what: &str, total: Option<u64>) -> Progress {
        let target = if printer.style(Stream::Error).is_terminal() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(total, target).with_message(what.to_owned());
        let template = match total {
            Some(_) => "{msg}  {wide_bar}  {bytes}/{total_bytes}  {bytes_per_sec}  {eta}",
            None => "{msg}  {bytes}  {bytes_per_sec}  {elapsed}",
        };
        match ProgressStyle::with_template(template) {
            Ok(style) => Progress(bar.with_style(style)),
            Err(_) => Progress(bar),
        }
    }

    pub(crate) fn advance(&self, bytes: u64) {
        self.0.inc(bytes);
    }

    /// Where a transfer is that has begun again.
    pub(crate) fn set(&self, position: u64) {
        self.0.set_position(position);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
