//! The polyaxonfiles that stand in the guides: each can be run as it stands.

use std::path::Path;

use crate::home::Home;

#[test]
fn every_file_in_a_guide_is_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut guides: Vec<_> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    guides.push(root.join("README.md"));
    let home = Home::new();
    let mut count = 0;
    for guide in guides {
        let text = std::fs::read_to_string(&guide).unwrap();
        for block in text.split("```yaml\n").skip(1) {
            let (file, _) = block.split_once("```").unwrap();
            if !file.lines().any(|line| line.starts_with("kind:")) {
                continue;
            }
            home.write("guide.yaml", file);
            let done = home.run(&["check", "-f", "guide.yaml", "--strict"]);
            assert_eq!(done.code, 0, "{}: {}\n{file}", guide.display(), done.stderr);
            count += 1;
        }
    }
    assert!(count >= 6, "the guides have only {count} files");
}
