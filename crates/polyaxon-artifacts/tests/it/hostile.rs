//! The corpus: one archive a row, what is said about it, and what it leaves.

use polyaxon_artifacts::Error;
use polyaxon_artifacts::archive::Limits;
use polyaxon_artifacts::folder::Existing;
use tar::EntryType;

use crate::archives::{Place, entry, file, gzip, long_named, sized, tar};

#[track_caller]
fn refused(what: &str, bytes: &[u8], reason: &str) {
    let place = Place::new();
    let error = place.unpack(bytes, Existing::IsReplaced, Limits::default()).expect_err(what);
    let text = match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    assert!(text.contains(reason), "{what}: {text}");
    assert_eq!(place.news(), Vec::<String>::new(), "{what}");
}

#[track_caller]
fn unpacked(what: &str, bytes: &[u8], existing: Existing, expected: &[&str]) {
    let place = Place::new();
    place.unpack(bytes, existing, Limits::default()).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(place.news(), expected, "{what}");
}

/// Everything hostile comes after a harmless file, which must not be seen either.
fn after_harmless(hostile: Vec<u8>) -> Vec<u8> {
    gzip(&tar(&[file("harmless", "x"), hostile]))
}

#[test]
fn names_that_lead_elsewhere_or_cannot_be_names_are_refused() {
    let long = "x".repeat(300);
    for (name, reason) in [
        ("../evil", "traversal"),
        ("a/../../evil", "traversal"),
        ("/evil", "traversal"),
        ("planted/evil", "traversal"),
        ("..\\evil", "traversal"),
        ("a\\..\\..\\evil", "traversal"),
        ("new\nline", "control character"),
        ("escape\u{1b}[31m", "control character"),
        (long.as_str(), "longer than 255 bytes"),
    ] {
        refused(name, &after_harmless(long_named(name, "evil")), reason);
    }
    refused("not UTF-8", &after_harmless(entry(b"\xff\xfe", EntryType::Regular, "", b"")), "not UTF-8");
    let deep = "d/".repeat(3000);
    refused("too deep", &after_harmless(long_named(&deep, "")), "longer than 4096 bytes");
}

#[test]
fn an_upload_that_was_cut_off_before_its_first_byte_is_refused() {
    refused("empty", b"", "empty");
}

#[test]
fn only_files_folders_and_links_inside_are_unpacked() {
    for (name, kind, link, reason) in [
        ("hard link outside", EntryType::Link, "../outside/secret", "neither a file"),
        ("hard link inside", EntryType::Link, "harmless", "neither a file"),
        ("link up", EntryType::Symlink, "../../outside", "leads out"),
        ("link to the root", EntryType::Symlink, "/etc/passwd", "leads out"),
        ("link around", EntryType::Symlink, "a/../../../outside", "leads out"),
        ("link to nothing", EntryType::Symlink, "", "link without a target"),
        ("character device", EntryType::Char, "", "neither a file"),
        ("block device", EntryType::Block, "", "neither a file"),
        ("pipe", EntryType::Fifo, "", "neither a file"),
        ("unknown", EntryType::new(b'Z'), "", "neither a file"),
    ] {
        refused(name, &after_harmless(entry(name.as_bytes(), kind, link, b"")), reason);
    }
}

#[test]
fn links_of_the_archive_itself_lead_nowhere_else() {
    let through = [
        entry(b"sub/up", EntryType::Symlink, "..", b""),
        entry(b"sub/top", EntryType::Symlink, "up/..", b""),
        file("sub/top/../evil", "evil"),
    ];
    refused("through a link", &gzip(&tar(&through)), "traversal");
    let chain = [
        entry(b"one", EntryType::Symlink, "folder/..", b""),
        entry(b"two", EntryType::Symlink, "one/../..", b""),
        file("two/evil", "evil"),
    ];
    refused("a chain of links", &gzip(&tar(&chain)), "");
    let replaced = [entry(b"a", EntryType::Symlink, "folder", b""), file("a", "a file after all")];
    unpacked("replaced link", &gzip(&tar(&replaced)), Existing::IsReplaced, &["run/in/a = a file after all"]);
}

#[test]
fn broken_archives_leave_nothing() {
    let good = tar(&[file("a", &"a".repeat(3000)), file("b", &"b".repeat(3000))]);
    let packed = gzip(&good);
    for length in [10, 20, packed.len() / 2, packed.len() - 9, packed.len() - 4, packed.len() - 1] {
        refused(&format!("cut at {length}"), &packed[..length], "");
    }
    for length in [100, 512 + 100, 512 + 3072 + 600] {
        refused(&format!("tar cut at {length}"), &good[..length], "");
    }
    let mut damaged = packed.clone();
    let checksum = damaged.len() - 6;
    damaged[checksum] ^= 1;
    refused("wrong checksum", &damaged, "bad archive");
    refused("no archive", b"GIF89a, and then some more bytes", "bad archive");
    refused("garbage in gzip", &gzip(&[7; 2000]), "bad archive");
    let mut header = good.clone();
    header[3] ^= 0x55;
    refused("damaged header", &gzip(&header), "bad archive");
    refused("a claimed size", &gzip(&tar(&[sized(b"a", EntryType::Regular, "", b"few", 100_000)])), "cut off");
    refused("a file as folder", &gzip(&tar(&[file("x", "1"), file("x/y", "2")])), "");
    refused("a folder as file", &gzip(&tar(&[file("x/y", "2"), file("x", "1")])), "is a folder and a file");
    refused("a folder in the way", &gzip(&tar(&[file("harmless", "x"), file("folder", "1")])), "directory");
    refused("a file in the way", &gzip(&tar(&[file("harmless", "x"), file("old/new", "1")])), "directory");
}

#[test]
fn bombs_are_stopped_before_they_fill_anything() {
    let limits = Limits { entries: 10, bytes: 1 << 20, ratio: 50, free_bytes: 1 << 19 };
    let zeros = "\0".repeat(900_000);
    let many: Vec<_> = (0..11).map(|number| file(&format!("f{number}"), "")).collect();
    for (what, bytes, limit) in [
        ("too many entries", gzip(&tar(&many)), "number of entries"),
        ("too much", gzip(&tar(&[file("a", &zeros), file("b", &zeros)])), "unpacked size"),
        ("a claimed terabyte", gzip(&tar(&[sized(b"a", EntryType::Regular, "", b"x", 1 << 40)])), "unpacked size"),
        ("a claimed maximum", gzip(&tar(&[sized(b"a", EntryType::Regular, "", b"x", (1 << 62) + 1)])), ""),
        (
            "a folder with a content",
            gzip(&tar(&[sized(b"a/", EntryType::Directory, "", b"x", 1 << 40)])),
            "unpacked size",
        ),
    ] {
        let place = Place::new();
        let error = place.unpack(&bytes, Existing::IsReplaced, limits).expect_err(what);
        assert!(error.to_string().contains(limit), "{what}: {error}");
        assert_eq!(place.news(), Vec::<String>::new(), "{what}");
    }
    let ratio = Limits { bytes: 1 << 30, ratio: 5, ..limits };
    let error = Place::new().unpack(&gzip(&tar(&[file("a", &zeros)])), Existing::IsReplaced, ratio).unwrap_err();
    assert!(matches!(error, Error::ArchiveTooLarge { limit: 5, .. }), "{error}");
    // A name or an extended header is read into memory by the library.
    let name = "x".repeat(3 << 20);
    refused("a long name", &after_harmless(long_named(&name, "")), "headers of an entry are too long");
    let extended = entry(b"pax", EntryType::XHeader, "", format!("{} path={name}\n", name.len() + 14).as_bytes());
    refused("a long header", &after_harmless(extended), "headers of an entry are too long");
}

#[test]
fn whole_archives_are_merged_in_every_form() {
    let [one, two] = [file("a", "1"), file("folder/b", "2")];
    let expected = ["run/in/a = 1", "run/in/folder/b = 2"];
    let plain = tar(&[one.clone(), two.clone()]);
    unpacked("tar", &plain, Existing::IsReplaced, &expected);
    unpacked("tar.gz", &gzip(&plain), Existing::IsReplaced, &expected);
    let members = [gzip(&plain[..700]), gzip(&plain[700..1500]), gzip(&plain[1500..])].concat();
    unpacked("several gzip members", &members, Existing::IsReplaced, &expected);
    unpacked("an empty archive", &tar(&[]), Existing::IsReplaced, &[]);
    let old = gzip(&tar(&[file("old", "new"), file("./c", "3")]));
    unpacked("kept", &old, Existing::IsKept, &["run/in/c = 3"]);
    unpacked("replaced", &old, Existing::IsReplaced, &["run/in/c = 3", "run/in/old = new", "-run/in/old = old"]);
    let link = gzip(&tar(&[file("link/inside", "4")]));
    unpacked("through a link that stays inside", &link, Existing::IsReplaced, &["run/in/folder/inside = 4"]);
    let long = format!("{}/{}", "d".repeat(120), "f".repeat(250));
    unpacked(
        "a long name",
        &gzip(&tar(&[long_named(&long, "5")])),
        Existing::IsReplaced,
        &[&format!("run/in/{long} = 5")],
    );
}
