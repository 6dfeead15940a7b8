//! Bad ground: a full disk, a read-only folder, a file that is no database, a newer schema.

use polyaxon_store::{Error, Options, Store, settings};

use crate::testkit::World;

#[test]
fn a_full_disk_is_said_and_nothing_unsaid_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let options = Options { max_bytes: Some(600_000), ..Options::default() };
    let store = Store::open_with(folder.path().join("polyaxon.db"), options).unwrap();
    let mut kept = 0;
    let error = loop {
        match store.write_blocking(move |tx| settings::set(tx, &format!("n{kept}"), &"x".repeat(20_000))) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, Error::DiskFull { .. }), "{error:?}");
    assert!(error.to_string().contains("is full; nothing was saved"), "{error}");
    let present = |number: u32| store.read_blocking(|tx| settings::get(tx, &format!("n{number}"))).unwrap().is_some();
    assert!(kept > 5 && (0..kept).all(present) && !present(kept), "{kept}");
    store.write_blocking(|tx| settings::set(tx, "n0", "small again")).unwrap();
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("polyaxon.db");
    std::fs::write(&path, "hello, I am a text file and not a database at all").unwrap();
    let error = Store::open(&path).err().unwrap();
    assert!(matches!(error, Error::Damaged { .. }), "{error:?}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("hello"));
}

#[test]
fn a_folder_that_is_not_there_is_an_error_with_its_name() {
    let error = Store::open("/nowhere/at/all/polyaxon.db").err().unwrap();
    assert!(error.to_string().contains("/nowhere/at/all/polyaxon.db"), "{error}");
}

#[test]
fn two_stores_on_one_file_see_each_other() {
    let world = World::new();
    let other = Store::open(world.folder.path().join("polyaxon.db")).unwrap();
    other.write_blocking(|tx| settings::set(tx, "x", "1")).unwrap();
    assert_eq!(world.store.read_blocking(|tx| settings::get(tx, "x")).unwrap().as_deref(), Some("1"));
}

#[test]
fn a_database_that_may_not_be_written_is_said_to_every_waiting_caller() {
    let world = World::new();
    world.store.write_blocking(|tx| tx.query("PRAGMA query_only = TRUE", &[])).unwrap();
    let error = world.store.write_blocking(|tx| settings::set(tx, "x", "1")).unwrap_err();
    assert!(matches!(error, Error::ReadOnly { .. }), "{error:?}");
    assert!(error.to_string().contains("check the permissions"), "{error}");
    assert_eq!(world.store.read_blocking(|tx| settings::get(tx, "x")).unwrap(), None);
}
