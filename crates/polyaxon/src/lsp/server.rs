//! The loop: messages in, answers and findings out, one after the other.
//!
//! Findings are made when no message waits, so that typing is never held up by them. A fault in one answer is an error
//! of that answer; the server goes on.

use std::collections::BTreeMap;
use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{self, Notification as _};
use lsp_types::request::{self, Request as _};
use lsp_types::{
    CompletionOptions, CompletionParams, CompletionResponse, Diagnostic, GotoDefinitionParams, GotoDefinitionResponse,
    Hover, HoverContents, HoverParams, HoverProviderCapability, NumberOrString, OneOf, Position,
    PublishDiagnosticsParams, ServerCapabilities, TextDocumentContentChangeEvent, TextDocumentPositionParams,
    TextDocumentSyncCapability, TextDocumentSyncKind, Uri,
};
use polyaxon_spec::diagnostic::codes;
use polyaxon_spec::reference;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::complete::complete;
use super::definition::definition;
use super::hover::hover;
use super::world::{Document, World};
use super::{convert, diagnose, position};

type Failed = Box<dyn Error + Send + Sync>;

/// Serves one editor on stdin and stdout until it says goodbye. `false`: it left without.
pub(crate) fn serve() -> Result<bool, Failed> {
    let (connection, threads) = Connection::stdio();
    let is_orderly = run(&connection);
    drop(connection);
    threads.join()?;
    is_orderly
}

fn run(connection: &Connection) -> Result<bool, Failed> {
    let (id, _) = connection.initialize_start()?;
    let answer = json!({
        "capabilities": capabilities(),
        "serverInfo": { "name": "polyaxon", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, answer)?;
    let mut server = Server::default();
    loop {
        let message = match connection.receiver.try_recv() {
            Ok(message) => message,
            Err(_) if !server.stale.is_empty() => {
                if let Some(message) = server.check_next() {
                    connection.sender.send(message)?;
                }
                continue;
            }
            Err(_) => match connection.receiver.recv() {
                Ok(message) => message,
                Err(_) => return Ok(false),
            },
        };
        match message {
            Message::Request(request) => {
                if connection.handle_shutdown(&request)? {
                    return Ok(true);
                }
                connection.sender.send(server.answer(request).into())?;
            }
            Message::Notification(notification) if notification.method == notification::Exit::METHOD => {
                return Ok(false);
            }
            Message::Notification(notification) => {
                if let Some(message) = server.hear(notification) {
                    connection.sender.send(message)?;
                }
            }
            Message::Response(_) => {}
        }
    }
}

fn capabilities() -> ServerCapabilities {
    let triggers = [" ", ":", "-", ".", "{", "/", "[", ","].map(str::to_owned).to_vec();
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(TextDocumentSyncKind::INCREMENTAL)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(triggers),
            ..CompletionOptions::default()
        }),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        definition_provider: Some(OneOf::Left(true)),
        ..ServerCapabilities::default()
    }
}

/// An open document as the editor names it.
struct Open {
    uri: Uri,
    version: i32,
    /// What was said about it last.
    published: Option<Vec<Diagnostic>>,
}

#[derive(Default)]
struct Server {
    world: World,
    open: BTreeMap<PathBuf, Open>,
    /// Documents whose findings are old; the first is next. `true`: findings are sent even when nothing changed.
    stale: Vec<(PathBuf, bool)>,
}

impl Server {
    fn answer(&mut self, request: Request) -> Response {
        let id = request.id.clone();
        let answered = catch_unwind(AssertUnwindSafe(|| match request.method.as_str() {
            request::Completion::METHOD => self.reply::<CompletionParams, _>(request, |server, params| {
                server.completion(&params.text_document_position)
            }),
            request::HoverRequest::METHOD => self
                .reply::<HoverParams, _>(request, |server, params| server.hover(&params.text_document_position_params)),
            request::GotoDefinition::METHOD => self.reply::<GotoDefinitionParams, _>(request, |server, params| {
                server.definition(&params.text_document_position_params)
            }),
            method => {
                let message = format!("`{method}` is not supported");
                Response::new_err(request.id.clone(), ErrorCode::MethodNotFound as i32, message)
            }
        }));
        answered.unwrap_or_else(|_| {
            Response::new_err(id, ErrorCode::InternalError as i32, "a fault of polyaxon, see its stderr".to_owned())
        })
    }

    fn reply<P: DeserializeOwned, R: Serialize>(
        &mut self,
        request: Request,
        work: impl FnOnce(&Server, P) -> Option<R>,
    ) -> Response {
        let id = request.id.clone();
        match serde_json::from_value::<P>(request.params) {
            Ok(params) => Response::new_ok(id, work(self, params)),
            Err(error) => Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string()),
        }
    }

    fn document(&self, uri: &Uri) -> Option<(PathBuf, Document)> {
        let path = convert::path_of(uri);
        let text = self.world.open.get(&path)?.clone();
        Some((path.clone(), Document::new(text, Some(path))))
    }

    fn completion(&self, place: &TextDocumentPositionParams) -> Option<CompletionResponse> {
        let (_, document) = self.document(&place.text_document.uri)?;
        let offset = position::offset(&document.text, place.position);
        let completion = complete(&document, &self.world, offset);
        Some(CompletionResponse::Array(convert::completion_items(&document.text, completion)))
    }

    fn hover(&self, place: &TextDocumentPositionParams) -> Option<Hover> {
        let (path, document) = self.document(&place.text_document.uri)?;
        let offset = position::offset(&document.text, place.position);
        let found = hover(&document, &self.world, offset);
        let codes = self.codes_at(&path, place.position);
        let range = found.as_ref().map(|found| position::range(&document.text, found.range.clone()));
        let parts: Vec<String> = found.map(|found| found.markdown).into_iter().chain(codes).collect();
        if parts.is_empty() {
            return None;
        }
        Some(Hover { contents: HoverContents::Markup(convert::markdown(parts.join("\n\n---\n\n"))), range })
    }

    /// What the codes of the findings at a place mean.
    fn codes_at(&self, path: &Path, place: Position) -> Vec<String> {
        let published = self.open.get(path).and_then(|open| open.published.as_ref());
        let here =
            published.into_iter().flatten().filter(|found| found.range.start <= place && place <= found.range.end);
        let named = here.filter_map(|found| match &found.code {
            Some(NumberOrString::String(id)) => codes::ALL.iter().find(|code| code.id == id),
            _ => None,
        });
        named.map(|code| format!("**{}**\n\n{}", code.id, reference::code_page(*code, "```yaml\n", "```\n"))).collect()
    }

    fn definition(&self, place: &TextDocumentPositionParams) -> Option<GotoDefinitionResponse> {
        let (_, document) = self.document(&place.text_document.uri)?;
        let offset = position::offset(&document.text, place.position);
        let place = definition(&document, &self.world, offset)?;
        convert::location(&place, &document.text).map(GotoDefinitionResponse::Scalar)
    }

    /// Follows what the editor does; what it cannot read is passed over.
    fn hear(&mut self, notification: Notification) -> Option<Message> {
        let method = notification.method.clone();
        match method.as_str() {
            notification::DidOpenTextDocument::METHOD => {
                let document = params::<notification::DidOpenTextDocument>(notification)?.text_document;
                let path = convert::path_of(&document.uri);
                self.world.open.insert(path.clone(), document.text);
                self.open.insert(path.clone(), Open { uri: document.uri, version: document.version, published: None });
                self.changed(&path);
                None
            }
            notification::DidChangeTextDocument::METHOD => {
                let change = params::<notification::DidChangeTextDocument>(notification)?;
                let path = convert::path_of(&change.text_document.uri);
                let text = self.world.open.get_mut(&path)?;
                change.content_changes.into_iter().for_each(|change| apply(text, change));
                if let Some(open) = self.open.get_mut(&path) {
                    open.version = change.text_document.version;
                }
                self.changed(&path);
                None
            }
            notification::DidSaveTextDocument::METHOD => {
                let saved = params::<notification::DidSaveTextDocument>(notification)?;
                self.changed(&convert::path_of(&saved.text_document.uri));
                None
            }
            notification::DidCloseTextDocument::METHOD => {
                let closed = params::<notification::DidCloseTextDocument>(notification)?;
                let path = convert::path_of(&closed.text_document.uri);
                self.world.open.remove(&path);
                self.open.remove(&path)?;
                self.stale.retain(|(stale, _)| *stale != path);
                self.changed_beside(&path);
                Some(publish(closed.text_document.uri, Vec::new(), None))
            }
            _ => None,
        }
    }

    fn changed(&mut self, path: &Path) {
        self.stale.retain(|(stale, _)| stale != path);
        self.stale.insert(0, (path.to_owned(), true));
        self.changed_beside(path);
    }

    /// Documents may refer to the changed one.
    fn changed_beside(&mut self, path: &Path) {
        for other in self.open.keys() {
            if other != path && !self.stale.iter().any(|(stale, _)| stale == other) {
                self.stale.push((other.clone(), false));
            }
        }
    }

    /// Checks the next document. Nothing to say when its findings are what they were.
    fn check_next(&mut self) -> Option<Message> {
        let (path, is_wanted) = self.stale.remove(0);
        let world = &self.world;
        let found = catch_unwind(AssertUnwindSafe(|| {
            let findings = diagnose::findings(world, &path);
            let text = world.open.get(&path).map_or("", String::as_str);
            convert::diagnostics(&findings, &path, text)
        }));
        let diagnostics = found.ok()?;
        let open = self.open.get_mut(&path)?;
        if !is_wanted && open.published.as_ref() == Some(&diagnostics) {
            return None;
        }
        open.published = Some(diagnostics.clone());
        Some(publish(open.uri.clone(), diagnostics, Some(open.version)))
    }
}

fn params<N: notification::Notification>(notification: Notification) -> Option<N::Params> {
    notification.extract::<N::Params>(N::METHOD).ok()
}

fn publish(uri: Uri, diagnostics: Vec<Diagnostic>, version: Option<i32>) -> Message {
    let params = PublishDiagnosticsParams::new(uri, diagnostics, version);
    let params = serde_json::to_value(params).unwrap_or(Value::Null);
    Notification { method: notification::PublishDiagnostics::METHOD.to_owned(), params }.into()
}

/// Applies one change: of a range, or of everything.
fn apply(text: &mut String, change: TextDocumentContentChangeEvent) {
    match change.range {
        None => *text = change.text,
        Some(range) => {
            let start = position::offset(text, range.start);
            let end = position::offset(text, range.end).max(start);
            text.replace_range(start..end, &change.text);
        }
    }
}
