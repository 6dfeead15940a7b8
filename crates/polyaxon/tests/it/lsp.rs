//! `polyaxon lsp`: scripted sessions of an editor with the real program.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::Home;

const TRAIN: &str = "\
kind: component
name: train
inputs:
- {name: epochs, type: int, description: How often.}
run:
  kind: job
  container: {image: 'train:1.0', command: [train, '{{ epochs }}']}
";
const OPERATION: &str = "kind: operation\npathRef: train.yaml\nparams:\n  epochs: {value: many}\n";

/// No answer takes as long, on any machine.
const PATIENCE: Duration = Duration::from_mins(1);

struct Editor {
    home: Home,
    program: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    requests: u64,
}

impl Editor {
    fn new() -> Editor {
        let home = Home::new();
        let mut command = home.command(&["lsp", "--stdio"]);
        let mut program = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let input = program.stdin.take().unwrap();
        let mut output = BufReader::new(program.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut editor = Editor { home, program, input, messages, requests: 0 };
        let answer = editor.request("initialize", json!({"capabilities": {}}));
        assert_eq!(answer["serverInfo"]["name"], "polyaxon");
        for capability in ["completionProvider", "hoverProvider", "definitionProvider", "textDocumentSync"] {
            assert!(!answer["capabilities"][capability].is_null(), "{capability}: {answer}");
        }
        editor.notify("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len()).unwrap();
        self.input.flush().unwrap();
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.messages.recv_timeout(PATIENCE).unwrap();
            if message["id"] == id {
                return message;
            }
        }
    }

    fn request(&mut self, method: &str, params: Value) -> Value {
        let mut answer = self.ask(method, params);
        assert!(answer["error"].is_null(), "{answer}");
        answer["result"].take()
    }

    fn uri(&self, name: &str) -> String {
        format!("file://{}", self.home.work().join(name).display()).replace(' ', "%20")
    }

    /// Opens a document and gives its findings.
    fn open(&mut self, name: &str, text: &str) -> Value {
        let uri = self.uri(name);
        let document = json!({"uri": uri, "languageId": "yaml", "version": 1, "text": text});
        self.notify("textDocument/didOpen", json!({"textDocument": document}));
        self.findings(name)
    }

    fn change(&mut self, name: &str, version: i32, changes: Value) {
        let document = json!({"uri": self.uri(name), "version": version});
        self.notify("textDocument/didChange", json!({"textDocument": document, "contentChanges": changes}));
    }

    /// The next findings of a document.
    fn findings(&mut self, name: &str) -> Value {
        let uri = self.uri(name);
        loop {
            let mut message = self.messages.recv_timeout(PATIENCE).unwrap();
            if message["method"] == "textDocument/publishDiagnostics" && message["params"]["uri"] == uri {
                return message["params"]["diagnostics"].take();
            }
        }
    }

    fn at(&mut self, method: &str, name: &str, line: u32, character: u32) -> Value {
        let document = json!({"uri": self.uri(name)});
        let position = json!({"line": line, "character": character});
        self.request(method, json!({"textDocument": document, "position": position}))
    }

    fn labels(&mut self, name: &str, line: u32, character: u32) -> Vec<String> {
        let mut items = self.at("textDocument/completion", name, line, character);
        let items = items.as_array_mut().unwrap();
        items.sort_by_key(|item| item["sortText"].as_str().unwrap().to_owned());
        items.iter().map(|item| item["label"].as_str().unwrap().to_owned()).collect()
    }

    /// Says goodbye; the exit code and what was on stderr.
    fn leave(mut self, is_orderly: bool) -> (Option<i32>, String) {
        if is_orderly {
            assert_eq!(self.request("shutdown", Value::Null), Value::Null);
        }
        self.notify("exit", Value::Null);
        let status = self.program.wait().unwrap();
        let mut errors = String::new();
        self.program.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        (status.code(), errors)
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some(("Content-Length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}

fn codes(findings: &Value) -> Vec<&str> {
    findings.as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn a_session_from_the_first_mistake_to_the_last_word() {
    let mut editor = Editor::new();
    editor.home.write("train.yaml", TRAIN);
    let findings = editor.open("operation.yaml", OPERATION);
    assert_eq!(codes(&findings), ["PLX0303"]);
    let finding = &findings[0];
    assert_eq!(finding["range"]["start"], json!({"line": 3, "character": 18}));
    assert_eq!(finding["severity"], 1);
    let related = &finding["relatedInformation"][0];
    assert_eq!(related["location"]["uri"], editor.uri("train.yaml"));
    assert_eq!(related["location"]["range"]["start"]["line"], 3);

    let hover = editor.at("textDocument/hover", "operation.yaml", 3, 20);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("PLX0303"), "{hover}");
    let hover = editor.at("textDocument/hover", "operation.yaml", 3, 3);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("How often."), "{hover}");
    let place = editor.at("textDocument/definition", "operation.yaml", 1, 12);
    assert_eq!(place["uri"], editor.uri("train.yaml"));
    let place = editor.at("textDocument/definition", "operation.yaml", 3, 3);
    assert_eq!(place["range"]["start"], json!({"line": 3, "character": 9}));

    let range = json!({"start": {"line": 3, "character": 18}, "end": {"line": 3, "character": 22}});
    editor.change("operation.yaml", 2, json!([{"range": range, "text": "5"}]));
    assert_eq!(editor.findings("operation.yaml"), json!([]));
    assert!(editor.labels("operation.yaml", 4, 0).contains(&"termination".to_owned()));

    // What is typed in one window counts in the other before it is saved.
    editor.open("train.yaml", &TRAIN.replace("type: int", "type: bool"));
    assert_eq!(codes(&editor.findings("operation.yaml")), ["PLX0303"]);
    let uri = editor.uri("train.yaml");
    editor.notify("textDocument/didClose", json!({"textDocument": {"uri": uri}}));
    assert_eq!(editor.findings("operation.yaml"), json!([]));
    assert_eq!(editor.leave(true), (Some(0), String::new()));
}

#[test]
fn half_typed_documents_are_helped_with() {
    let mut editor = Editor::new();
    editor.home.write("train.yaml", TRAIN);
    let text = "kind: operation\r\nname: '😀\r\npathRef: ./\r\nrunPatch:\r\n  \r\nparams: {";
    let findings = editor.open("half.yaml", text);
    assert!(codes(&findings).contains(&"PLX0101"), "{findings}");
    assert_eq!(editor.labels("half.yaml", 2, 11), ["./train.yaml"]);
    assert!(editor.labels("half.yaml", 4, 2).contains(&"environment".to_owned()));
    editor.change("half.yaml", 2, json!([{"text": "cmd: \"😀 {{ glob"}]));
    editor.findings("half.yaml");
    let items = editor.at("textDocument/completion", "half.yaml", 0, 16);
    let globals = items.as_array().unwrap().iter().find(|item| item["label"] == "globals").unwrap();
    let range = json!({"start": {"line": 0, "character": 12}, "end": {"line": 0, "character": 16}});
    assert_eq!(globals["textEdit"], json!({"range": range, "newText": "globals"}));
    // Behind the end, on lines that are not there, in documents that are not open.
    editor.labels("half.yaml", 0, 900);
    editor.labels("half.yaml", 900, 0);
    assert_eq!(editor.at("textDocument/hover", "other.yaml", 0, 0), Value::Null);
    assert_eq!(editor.leave(true), (Some(0), String::new()));
}

#[test]
fn documents_are_judged_as_what_they_are() {
    let mut editor = Editor::new();
    // A component gets its params later; its templates count now.
    assert_eq!(editor.open("train.yaml", TRAIN), json!([]));
    let findings = editor.open("wrong.yaml", &TRAIN.replace("{{ epochs }}", "{{ epoch }}"));
    assert!(codes(&findings).contains(&"PLX0802"), "{findings}");
    // Something to lay over other documents.
    assert_eq!(editor.open("preset.yaml", "queue: fast\nenvironment: {labels: {a: b}}\n"), json!([]));
    assert_eq!(editor.open("gpu-preset.yaml", "run: {environment: {labels: {a: b}}}\n"), json!([]));
    assert_eq!(codes(&editor.open("typo.yaml", "isPreset: true\nqueue: fast\ntermination: {ttls: 3}\n")), ["PLX0202"]);
    // Files of others.
    assert_eq!(editor.open("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {}\n"), json!([]));
    assert_eq!(editor.open("settings.yaml", "theme: dark\n"), json!([]));
    assert_eq!(editor.open("polyaxonfile.yaml", ""), json!([]));
    assert_eq!(codes(&editor.open("polyaxon.yaml", "theme: dark\n")), ["PLX0202"]);
    // Nothing is fetched, and that is no mistake.
    for reference in ["urlRef: http://127.0.0.1:1/train.yaml", "hubRef: acme/train"] {
        let findings = editor.open("remote.yaml", &format!("kind: operation\n{reference}\n"));
        assert_eq!((codes(&findings), &findings[0]["severity"]), (vec!["PLX0502"], &json!(3)), "{findings}");
    }
    editor.home.write("latest.yaml", &TRAIN.replace("train:1.0", "train"));
    let findings = editor.open("advised.yaml", "kind: operation\npathRef: ./latest.yaml\nparams: {epochs: 3}\n");
    assert_eq!(findings[0]["range"]["start"], json!({"line": 1, "character": 9}), "{findings}");
    let findings = editor.open("near.yaml", "kind: operation\nhubRef: tensorbord\n");
    assert!(findings[0]["message"].as_str().unwrap().ends_with("did you mean `tensorboard`?"), "{findings}");
    let findings = editor.open("device.yaml", "kind: operation\npathRef: /dev/zero\n");
    assert_eq!(codes(&findings), ["PLX0502"]);
    let findings = editor.open("missing.yaml", "kind: operation\npathRef: nowhere.yaml\n");
    assert_eq!((codes(&findings), &findings[0]["severity"]), (vec!["PLX0502"], &json!(1)));
    // Mistakes of a component are shown where it is named, with the place itself.
    editor.home.write("broken.yaml", "kind: component\nrun: {kind: jobs}\n");
    let findings = editor.open("user.yaml", "kind: operation\npathRef: broken.yaml\n");
    assert_eq!(findings[0]["range"]["start"], json!({"line": 1, "character": 9}));
    assert!(findings[0]["message"].as_str().unwrap().starts_with("broken.yaml: "), "{findings}");
    assert_eq!(findings[0]["relatedInformation"][0]["location"]["uri"], editor.uri("broken.yaml"));
    assert_eq!(editor.leave(true), (Some(0), String::new()));
}

#[test]
fn nonsense_is_survived() {
    let mut editor = Editor::new();
    assert_eq!(editor.ask("textDocument/rename", json!({}))["error"]["code"], -32601);
    assert_eq!(editor.ask("textDocument/hover", json!({"position": 3}))["error"]["code"], -32602);
    editor.notify("textDocument/didChange", json!({"nothing": true}));
    editor.notify("$/setTrace", json!({}));
    let text = "kind: component\nrun: {kind: job}\n";
    assert_eq!(editor.open("a b.yaml", text), json!([]));
    let backwards = json!({"start": {"line": 9, "character": 9}, "end": {"line": 0, "character": 0}});
    editor.change("a b.yaml", 2, json!([{"range": backwards, "text": "x: "}]));
    editor.findings("a b.yaml");
    for text in ["\u{0}", "é: [", "- ", "&a [*a, *a]", "{{{{", "<<: {<<: {}}"] {
        editor.change("a b.yaml", 3, json!([{"text": text}]));
        editor.findings("a b.yaml");
        editor.labels("a b.yaml", 0, 2);
    }
    assert_eq!(editor.leave(false), (Some(1), String::new()));
}
