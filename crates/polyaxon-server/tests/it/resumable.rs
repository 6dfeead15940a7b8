//! Uploads in pieces, over connections that break.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::server::{Answer, TestServer};

struct Uploads {
    server: TestServer,
    base: String,
}

impl Uploads {
    async fn new() -> Uploads {
        let server = TestServer::new();
        server.project("p").await;
        let run = server.run("p", "r").await;
        Uploads { server, base: format!("/streams/v1/n/default/p/runs/{run}") }
    }

    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let mut request = Request::builder().method(method).uri(path).header("tus-resumable", "1.0.0");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.server.send(request.body(body).unwrap()).await
    }

    async fn create(&self, length: &str, metadata: &str) -> Answer {
        let headers = [("upload-length", length), ("upload-metadata", metadata)];
        self.send("POST", &format!("{}/uploads", self.base), &headers, Body::empty()).await
    }

    async fn append(&self, upload: &str, offset: u64, body: Body, more: &[(&str, &str)]) -> Answer {
        let offset = offset.to_string();
        let mut headers = vec![("upload-offset", offset.as_str()), ("content-type", "application/offset+octet-stream")];
        headers.extend(more);
        self.send("PATCH", upload, &headers, body).await
    }

    async fn offset(&self, upload: &str) -> String {
        self.send("HEAD", upload, &[], Body::empty()).await.expect(200).header("upload-offset").to_owned()
    }

    async fn file(&self, path: &str) -> Answer {
        self.server.call("GET", &format!("{}/artifact?path={path}", self.base), Value::Null).await
    }
}

/// `filename a.bin, path outputs`.
const METADATA: &str = "filename YS5iaW4=,path b3V0cHV0cw==";

/// A body that breaks off after its first piece.
fn broken(first: &'static [u8]) -> Body {
    let pieces = [Ok(first.to_vec()), Err(std::io::Error::other("the connection is gone"))];
    Body::from_stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn an_upload_goes_on_where_the_connection_broke() {
    let uploads = Uploads::new().await;
    let created = uploads.create("10", METADATA).await.expect(201);
    let upload = created.header("location").to_owned();
    assert!(upload.starts_with(&format!("{}/uploads/", uploads.base)), "{upload}");
    uploads.append(&upload, 0, broken(b"0123"), &[]).await;
    assert_eq!(uploads.offset(&upload).await, "4");
    uploads.file("outputs/a.bin").await.expect(404);
    let conflict = uploads.append(&upload, 2, Body::from("x"), &[]).await.expect(409);
    assert!(conflict.text().contains("stands at 4, not at 2"), "{}", conflict.text());
    uploads.append(&upload, 4, Body::from("much too long"), &[]).await.expect(413);
    // `45` has another checksum, so nothing of the body is kept.
    let wrong = ("upload-checksum", "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    uploads.append(&upload, 4, Body::from("45"), &[wrong]).await.expect(460);
    assert_eq!(uploads.offset(&upload).await, "4");
    let right = ("upload-checksum", "sha256 gReGrRrnSt/dIN0Dcquq68YkbjQ669AdoL/EwCvwEGw=");
    uploads.append(&upload, 4, Body::from("45"), &[right]).await.expect(204);
    let end = uploads.append(&upload, 6, Body::from("6789"), &[]).await.expect(204);
    assert_eq!((end.header("upload-offset"), end.header("tus-resumable")), ("10", "1.0.0"));
    assert!(end.header("upload-expires").ends_with("GMT"));
    assert_eq!(uploads.file("outputs/a.bin").await.expect(200).bytes, b"0123456789");
    uploads.send("HEAD", &upload, &[], Body::empty()).await.expect(404);
}

#[tokio::test]
async fn uploads_are_checked_given_up_and_belong_to_their_run() {
    let uploads = Uploads::new().await;
    for (length, metadata, status) in [
        ("x", METADATA, 400),
        ("99999999999", METADATA, 413),
        ("1", "", 400),
        ("1", "filename ****", 400),
        ("1", "filename YQ==,path Li4vLi4=", 400),
        ("1", "filename YQ==,sha256 YQ==", 400),
    ] {
        uploads.create(length, metadata).await.expect(status);
    }
    let upload = uploads.create("3", METADATA).await.expect(201).header("location").to_owned();
    let plain = [("upload-offset", "0"), ("content-type", "text/plain")];
    uploads.send("PATCH", &upload, &plain, Body::from("ab")).await.expect(415);
    let other = uploads.server.run("p", "other").await;
    let elsewhere = format!("/streams/v1/n/default/p/runs/{other}/uploads/{}", upload.rsplit('/').next().unwrap());
    uploads.send("HEAD", &elsewhere, &[], Body::empty()).await.expect(404);
    uploads.send("DELETE", &upload, &[], Body::empty()).await.expect(204);
    uploads.send("HEAD", &upload, &[], Body::empty()).await.expect(404);
    let old = Request::post(format!("{}/uploads", uploads.base)).header("upload-length", "1");
    uploads.server.send(old.body(Body::empty()).unwrap()).await.expect(412);
    // An empty file is complete at once; a wrong hash of the whole puts nothing into its place.
    uploads.create("0", METADATA).await.expect(201);
    assert_eq!(uploads.file("outputs/a.bin").await.expect(200).bytes, b"");
    let hash = "NWZlY2ViNjZmZmM4NmYzOGQ5NTI3ODZjNmQ2OTZjNzljMmRiYzIzOWRkNGU5MWI0NjcyOWQ3M2EyN2ZiNTdlOQ==";
    let metadata = format!("filename Yg==,sha256 {hash}");
    for (content, status) in [("1", 460), ("0", 204)] {
        let upload = uploads.create("1", &metadata).await.expect(201).header("location").to_owned();
        uploads.append(&upload, 0, Body::from(content), &[]).await.expect(status);
        uploads.file("b").await.expect(if status == 204 { 200 } else { 404 });
    }
    let left = std::fs::read_dir(uploads.server.layout.local().join("uploads")).unwrap().count();
    assert_eq!(left, 0);
    assert_eq!(json!(uploads.file("b").await.text()), json!("0"));
}
