//! The files of `examples/errors`, each with its mistakes as a reader sees them.

use std::path::Path;

use snapbox::{Assert, Data};

use crate::home::{Done, Home};

#[test]
fn every_bad_example_is_explained() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut examples: Vec<_> = std::fs::read_dir(root.join("examples/errors"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    examples.sort();
    assert!(examples.len() >= 12);
    let home = Home::new();
    for example in examples {
        let name = example.file_name().unwrap().to_str().unwrap();
        let mut command = home.command(&["check", "-f", &format!("examples/errors/{name}")]);
        let done = Done::of(command.current_dir(&root).output().unwrap());
        let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/errors").join(name).with_extension("txt");
        Assert::new().action_env("SNAPSHOTS").eq(done.transcript(), Data::read_from(&place, None));
    }
}
