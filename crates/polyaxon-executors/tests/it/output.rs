//! What tasks print.

use polyaxon_artifacts::logs::{Cursor, PAGE_BYTES, PAGE_LINES, page};
use polyaxon_executors::process::Outcome;

use crate::bench::{Bench, block_on, run_id, script};

#[test]
fn a_hundred_megabytes_are_kept_byte_for_byte() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        let status =
            bench.run(&script(run, "yes 'a line of some fifty bytes, more or less, really' | head -c 100000000")).await;
        assert_eq!((status.outcome, status.lost_log_bytes), (Some(Outcome::Exited { code: 0 }), 0));
        let data = std::fs::metadata(bench.layout.logs(run).join("polyaxon-main.stdout")).unwrap();
        assert_eq!(data.len(), 100_000_000);
        let (mut count, mut bytes, mut cursor) = (0, 0, Cursor::START);
        loop {
            let page = page(&bench.layout.logs(run), run, cursor).unwrap();
            assert!(page.lines.len() <= PAGE_LINES);
            assert!(page.lines.iter().map(|line| line.value.len()).sum::<usize>() < PAGE_BYTES + 100);
            count += page.lines.len();
            bytes += page.lines.iter().map(|line| line.value.len() + 1).sum::<usize>();
            cursor = page.cursor;
            if !page.more {
                break;
            }
        }
        assert_eq!((count, bytes), (100_000_000 / 49 + 1, 100_000_001));
    });
}

#[test]
fn odd_output_is_shown_and_kept() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        bench.run(&script(run, r"printf 'caf\351\n\000\033[1mbold\nno end'; printf 'oops' >&2")).await;
        let mut lines = bench.lines(run);
        lines.sort();
        assert_eq!(lines, ["\0\u{1b}[1mbold", "caf\u{fffd}", "no end", "oops"]);
        let data = std::fs::read(bench.layout.logs(run).join("polyaxon-main.stdout")).unwrap();
        assert_eq!(data, b"caf\xe9\n\0\x1b[1mbold\nno end");
    });
}

#[test]
fn output_is_seen_while_the_task_runs() {
    block_on(async {
        let mut bench = Bench::new();
        let run = run_id(1);
        bench.executor.launch(run, &script(run, "echo first; exec 1>&-; exec 2>&-; sleep 1000")).unwrap();
        bench.until_line(run, "first").await;
        bench.stop(run, None);
        bench.until_done(run, 1).await;
    });
}
