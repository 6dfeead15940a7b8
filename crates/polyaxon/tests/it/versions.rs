//! Versions of models, artifacts and components through the commands, and uploads over connections that break.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::home::Home;

fn json(home: &Home, arguments: &[&str]) -> Value {
    let done = home.run(&[arguments, &["-o", "json"]].concat());
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.stderr);
    serde_json::from_str(&done.stdout).unwrap()
}

fn refused(home: &Home, arguments: &[&str], code: i32, text: &str) {
    let done = home.run(arguments);
    assert_eq!(done.code, code, "{arguments:?}: {}{}", done.stdout, done.stderr);
    assert!(done.stderr.contains(text), "{}", done.stderr);
}

#[test]
fn a_version_is_registered_staged_copied_moved_and_deleted() {
    let home = Home::new();
    assert_eq!(home.run(&["project", "create", "--name", "p"]).code, 0);
    assert_eq!(home.run(&["project", "create", "--name", "q"]).code, 0);
    for group in ["models", "artifacts"] {
        let run = |words: &[&str]| [&[group], words].concat().iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let words = |words: &[&str]| run(words);
        let call = |parts: &[&str]| {
            let owned = words(parts);
            json(&home, &owned.iter().map(String::as_str).collect::<Vec<_>>())
        };
        let fails = |parts: &[&str], code, text: &str| {
            let owned = words(parts);
            refused(&home, &owned.iter().map(String::as_str).collect::<Vec<_>>(), code, text);
        };
        let made = call(&["register", "-p", "p", "-ver", "v1", "--content", "{\"rows\": 3}", "--tags", "a,b"]);
        assert_eq!((&made["name"], &made["tags"]), (&"v1".into(), &serde_json::json!(["a", "b"])));
        fails(&["register", "-p", "p", "-ver", "v1"], 5, "exists");
        let changed = call(&["register", "-p", "p", "-ver", "v1", "--description", "better", "--force"]);
        assert_eq!(changed["description"], "better");
        let stages = call(&["stage", "-p", "p", "v1", "-to", "production", "--message", "fine"]);
        assert_eq!(stages["stage"], "production");
        assert_eq!(call(&["stages", "-p", "p", "v1"])["stage"], "production");
        assert_eq!(call(&["get", "-p", "p", "-ver", "v1"])["stage"], "production");
        assert_eq!(call(&["update", "-p", "p", "v1", "--tags", "c"])["tags"], serde_json::json!(["c"]));
        call(&["copy", "-p", "p", "v1", "--name", "v2"]);
        assert_eq!(call(&["copy", "-p", "p", "v1", "-to", "q"])["name"], "v1");
        let listed = call(&["ls", "-p", "p", "-s", "name"]);
        assert_eq!(listed["count"], 2);
        fails(&["ls", "-p", "p", "-q", "nonsense:1"], 2, "nonsense");
        assert_eq!(home.run(&[group, "transfer", "-p", "p", "-ver", "v2", "--to-project", "q"]).code, 0);
        assert_eq!(call(&["ls", "-p", "q"])["count"], 2);
        fails(&["delete", "-p", "p", "v1"], 1, "--yes");
        assert_eq!(home.run(&[group, "delete", "-p", "p", "v1", "--yes"]).code, 0);
        fails(&["get", "-p", "p", "v1"], 3, "version `v1` in project default/p");
        fails(&["get", "-p", "nowhere", "v1"], 3, "nowhere");
        fails(&["register", "-p", "p"], 2, "needs a name");
        fails(&["update", "-p", "q", "v1"], 2, "nothing to change");
    }
}

#[test]
fn a_component_version_is_made_of_a_file() {
    let home = Home::new();
    assert_eq!(home.run(&["project", "create", "--name", "p"]).code, 0);
    home.write("c.yaml", "version: 1.1\nkind: component\nrun: {kind: job, container: {image: none}}\n");
    home.write("bad.yaml", "version: 1.1\nkind: nonsense\n");
    let made = json(&home, &["components", "register", "-p", "p", "-ver", "v1", "-f", "c.yaml"]);
    assert_eq!(made["name"], "v1");
    refused(&home, &["components", "register", "-p", "p", "-ver", "v2"], 2, "is made of a file");
    refused(&home, &["components", "register", "-p", "p", "-ver", "v2", "-f", "no.yaml"], 2, "cannot read no.yaml");
    refused(&home, &["components", "register", "-p", "p", "-ver", "v2", "-f", "bad.yaml"], 2, "nonsense");
    refused(&home, &["models", "register", "-p", "p", "-ver", "v1", "-f", "c.yaml"], 2, "-f is for components");
}

/// Between the program and the server: cuts every connection that has sent so many bytes, a few times.
fn breaking_proxy(server: u16, cuts: usize, after: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let count = Arc::clone(&count);
            std::thread::spawn(move || {
                let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)) else { return };
                let pair = Arc::new(Mutex::new((client.try_clone().unwrap(), upstream.try_clone().unwrap())));
                let (mut answers, mut back) = (upstream.try_clone().unwrap(), client.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
                let (mut client, mut upstream) = (client, upstream);
                let (mut buffer, mut sent) = (vec![0; 65_536], 0);
                while let Ok(length @ 1..) = client.read(&mut buffer) {
                    sent += length;
                    if sent > after && count.load(Ordering::SeqCst) < cuts {
                        count.fetch_add(1, Ordering::SeqCst);
                        let pair = pair.lock().unwrap();
                        drop(pair.0.shutdown(std::net::Shutdown::Both));
                        drop(pair.1.shutdown(std::net::Shutdown::Both));
                        return;
                    }
                    if upstream.write_all(&buffer[..length]).is_err() {
                        return;
                    }
                }
                drop(upstream.shutdown(std::net::Shutdown::Write));
            });
        }
    });
    (port, done)
}

#[test]
fn a_large_upload_goes_on_after_cut_connections() {
    let home = Home::new();
    let run = json(&home, &["run", "--image", "none", "--cmd", "true", "--name", "r"]);
    let mut number = 1_u64;
    let noise = std::iter::repeat_with(|| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (number >> 33) as u8
    });
    let bytes: Vec<u8> = noise.take(9 << 20).collect();
    std::fs::create_dir(home.work().join("data")).unwrap();
    std::fs::write(home.work().join("data/noise.bin"), &bytes).unwrap();
    let record: Value = serde_json::from_slice(&std::fs::read(home.local().join("server.json")).unwrap()).unwrap();
    let server = u16::try_from(record["port"].as_u64().unwrap()).unwrap();
    let (port, cuts) = breaking_proxy(server, 3, 2 << 20);
    let host = format!("http://127.0.0.1:{port}");
    let uuid = run["uuid"].as_str().unwrap();
    let arguments = ["ops", "upload", "-uid", uuid, "--path-from", "data", "--path-to", "outputs/in"];
    let done = home.run_with(&arguments, &[("POLYAXON_HOST", &host)]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert_eq!(cuts.load(Ordering::SeqCst), 3);
    let file = home.local().join("artifacts").join(uuid).join("outputs/in/noise.bin");
    assert!(std::fs::read(file).unwrap() == bytes, "the file arrived in another shape");
}
