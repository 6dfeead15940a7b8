//! Files of runs: upload, download, tree, delete.

use std::io::Read;

use axum::body::Body;
use axum::http::Request;
use flate2::read::GzDecoder;
use polyaxon_server::Options;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer};

struct Files {
    server: TestServer,
    base: String,
}

impl Files {
    async fn new() -> Files {
        Files::of(TestServer::new()).await
    }

    async fn of(server: TestServer) -> Files {
        server.project("p").await;
        let run = server.run("p", "r").await;
        Files { server, base: format!("/streams/v1/polyaxon/default/p/runs/{run}") }
    }

    /// A multipart upload in the order of the official client: the file, then what to do with it.
    async fn upload(&self, what: &str, name: &str, content: &[u8], target: Value) -> Answer {
        let mut body = format!(
            "--x\r\nContent-Disposition: form-data; name=\"upload_file\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(content);
        body.extend_from_slice(
            format!("\r\n--x\r\nContent-Disposition: form-data; name=\"json\"\r\n\r\n{target}\r\n--x--\r\n").as_bytes(),
        );
        let request = Request::post(format!("{}/{what}", self.base));
        let request = request.header("content-type", "multipart/form-data; boundary=x");
        self.server.send(request.body(Body::from(body)).unwrap()).await
    }

    async fn put(&self, path: &str, name: &str, content: &[u8]) {
        self.upload("artifact", name, content, json!({ "path": path, "untar": false })).await.expect(200);
    }

    async fn get(&self, rest: &str) -> Answer {
        self.server.call("GET", &format!("{}/{rest}", self.base), Value::Null).await
    }

    async fn delete(&self, rest: &str) -> Answer {
        self.server.call("DELETE", &format!("{}/{rest}", self.base), Value::Null).await
    }
}

fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn names(archive: &[u8]) -> Vec<String> {
    let mut tar = tar::Archive::new(GzDecoder::new(archive));
    let mut names: Vec<String> =
        tar.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().display().to_string()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_is_stored_read_and_listed() {
    let files = Files::new().await;
    files.put("outputs", "/home/me/a b.txt", b"hello").await;
    files.put("", "b.bin", b"1").await;
    for rest in [
        "artifact?path=outputs/a%20b.txt",
        "embedded_artifact?path=outputs/a%20b.txt&stream=true",
        "ro_artifact/outputs/a%20b.txt",
        "ro_artifact/_?path=outputs/a%20b.txt",
    ] {
        let answer = files.get(rest).await.expect(200);
        assert_eq!(answer.bytes, b"hello", "{rest}");
        assert_eq!(answer.header("content-disposition"), "inline; filename=\"a b.txt\"");
        assert_eq!((answer.header("content-type"), answer.header("content-length")), ("text/plain", "5"));
        assert!(answer.header("content-security-policy").starts_with("sandbox"));
    }
    assert_eq!(files.get("artifacts/tree?path=").await.json(), json!({ "files": { "b.bin": 1 }, "dirs": ["outputs"] }));
    let tag = files.get("artifact?path=b.bin").await.header("etag").to_owned();
    let request = Request::get(format!("{}/artifact?path=b.bin", files.base)).header("if-none-match", tag);
    files.server.send(request.body(Body::empty()).unwrap()).await.expect(304);
}

#[tokio::test]
async fn parts_of_a_file_are_sent_and_its_headers_alone() {
    let files = Files::new().await;
    files.put("o", "a.bin", b"0123456789").await;
    let url = format!("{}/artifact?path=o/a.bin", files.base);
    for (method, range, status, bytes, content_range) in [
        ("GET", "bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("GET", "bytes=-2", 206, "89", "bytes 8-9/10"),
        ("GET", "bytes=8-", 206, "89", "bytes 8-9/10"),
        ("GET", "bytes=10-", 416, "The file has 10 bytes", "bytes */10"),
        ("GET", "bytes=0-1,3-4", 200, "0123456789", ""),
        ("HEAD", "bytes=0-", 206, "", "bytes 0-9/10"),
        ("HEAD", "", 200, "", ""),
    ] {
        let request = Request::builder().method(method).uri(&url).header("range", range);
        let answer = files.server.send(request.body(Body::empty()).unwrap()).await.expect(status);
        assert!(answer.text().starts_with(bytes), "{method} {range}: {}", answer.text());
        assert_eq!((answer.header("content-range"), answer.header("accept-ranges")), (content_range, "bytes"));
        assert!(method == "GET" || answer.header("content-length") == "10", "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn pages_among_the_files_cannot_act_as_their_reader() {
    let files = Files::new().await;
    for (name, kind) in [("a.html", "text/html"), ("a.svg", "image/svg+xml"), ("a.xhtml", "application/xhtml+xml")] {
        files.put("o", name, b"<script>fetch('/api/v1/default/p/runs')</script>").await;
        let answer = files.get(&format!("artifact?path=o/{name}")).await.expect(200);
        assert_eq!(answer.header("content-type"), kind);
        // A sandbox without `allow-same-origin`: scripts run, as strangers.
        assert_eq!(answer.header("content-security-policy"), "sandbox allow-scripts");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}

#[tokio::test]
async fn notebooks_are_shown_as_pages_that_do_nothing() {
    let files = Files::new().await;
    let notebook = json!({ "cells": [{ "cell_type": "code", "source": "<script>", "outputs": [] }] });
    files.put("o", "a.ipynb", notebook.to_string().as_bytes()).await;
    files.put("o", "b.ipynb", b"[]").await;
    let answer = files.get("artifact?path=o/a.ipynb&render=true").await.expect(200);
    assert!(answer.text().contains("<pre>&lt;script&gt;</pre>"), "{}", answer.text());
    assert!(answer.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    files.get("artifact?path=o/b.ipynb&render=true").await.expect(400);
    files.get("artifact?path=o/c.ipynb&render=true").await.expect(404);
}

#[tokio::test]
async fn archives_are_unpacked_merged_and_packed() {
    let files = Files::new().await;
    files.put("data", "kept.txt", b"kept").await;
    let target = json!({ "path": "data", "overwrite": true, "untar": true });
    files.upload("artifacts", "pkg.tar.gz", &archive(&[("x/1.txt", "1"), ("y.txt", "2")]), target).await.expect(200);
    let answer = files.get("artifacts?path=data").await.expect(200);
    assert_eq!(names(&answer.bytes), ["kept.txt", "x/1.txt", "y.txt"]);
    assert_eq!(answer.header("content-disposition"), "inline; filename=\"data.tar.gz\"");
    assert_eq!(names(&files.get("artifacts").await.expect(200).bytes), ["data/kept.txt", "data/x/1.txt", "data/y.txt"]);
    assert_eq!(files.get("artifacts?path=data/y.txt&check_path=true").await.expect(200).bytes, b"2");
    let stored = json!({ "path": "raw", "untar": false });
    files.upload("artifacts", "pkg.tar.gz", &archive(&[("a", "1")]), stored).await.expect(200);
    let mut unpacked = String::new();
    let raw = files.get("artifact?path=raw/pkg.tar.gz").await.expect(200).bytes;
    GzDecoder::new(raw.as_slice()).read_to_string(&mut unpacked).unwrap();
    assert!(unpacked.starts_with('a'));
}

#[tokio::test]
async fn existing_files_are_replaced_only_when_asked() {
    let files = Files::new().await;
    for (content, overwrite, expected) in [("one", true, "one"), ("two", false, "one"), ("three", true, "three")] {
        let target = json!({ "path": "o", "untar": false, "overwrite": overwrite });
        files.upload("artifact", "a.txt", content.as_bytes(), target).await.expect(200);
        assert_eq!(files.get("artifact?path=o/a.txt&force=true").await.text(), expected);
    }
}

#[tokio::test]
async fn files_and_folders_are_deleted() {
    let files = Files::new().await;
    files.put("o", "a.txt", b"1").await;
    files.put("o/p", "b.txt", b"1").await;
    files.delete("artifact?path=o/a.txt").await.expect(204);
    files.delete("artifact?path=o/a.txt").await.expect(400);
    files.delete("artifact?path=o").await.expect(400);
    files.delete("artifact").await.expect(400);
    files.delete("artifacts?path=o/p").await.expect(204);
    assert_eq!(files.get("artifacts/tree?path=o").await.json(), json!({ "files": {}, "dirs": [] }));
    files.delete("artifacts").await.expect(204);
    files.delete("artifacts").await.expect(400);
}

#[tokio::test]
async fn what_cannot_be_served_is_explained_in_plain_text() {
    let files = Files::new().await;
    files.put("outputs", "a.txt", b"1").await;
    for (rest, status, text) in [
        ("artifact", 400, "A `path` query param is required to stream a file content"),
        ("artifact?path=../../etc/passwd", 400, "Invalid path: traversal detected"),
        ("artifact?path=missing.txt", 404, "Artifact not found: filepath="),
        ("artifact?path=outputs", 404, "Artifact not found: filepath="),
        ("artifact?path=outputs/a.txt&render=true", 400, "Rendering is not supported"),
        ("artifacts?path=missing", 404, "Artifact not found: filepath="),
    ] {
        let answer = files.get(rest).await.expect(status);
        assert!(answer.text().contains(text), "{rest}: {}", answer.text());
        assert!(answer.header("content-type").starts_with("text/"));
    }
    for path in ["../x", "missing"] {
        let tree = files.get(&format!("artifacts/tree?path={path}")).await.expect(200).json();
        assert!(tree["error"].is_string() && tree["dirs"] == json!([]), "{tree}");
    }
    files
        .server
        .call("GET", "/streams/v1/n/default/p/runs/0123456789abcdef0123456789abcdef/artifacts/tree", Value::Null)
        .await
        .expect(404);
}

#[tokio::test]
async fn uploads_that_cannot_be_stored_leave_nothing_behind() {
    let server = TestServer::with(Options { max_upload_bytes: 100, ..Options::default() });
    let incoming = server.layout.local().join("incoming");
    let files = Files::of(server).await;
    let upload = async |what: &str, content: &[u8], target: Value| files.upload(what, "f", content, target).await;
    upload("artifact", &[0; 200], json!({})).await.expect(413);
    let traversal = upload("artifact", b"1", json!({ "path": "../other" })).await.expect(400);
    assert!(traversal.text().starts_with("Invalid path: traversal detected"), "{}", traversal.text());
    let broken = upload("artifacts", b"no archive", json!({ "path": "o" })).await.expect(400);
    assert!(broken.text().starts_with("Run's artifacts upload was unsuccessful, "), "{}", broken.text());
    upload("artifact", b"1", json!([1])).await.expect(400);
    let request = Request::post(format!("{}/artifact", files.base));
    let request =
        request.header("content-type", "multipart/form-data; boundary=x").body(Body::from("--x--\r\n")).unwrap();
    assert_eq!(files.server.send(request).await.expect(400).text(), "A file is required to upload a file");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
}
