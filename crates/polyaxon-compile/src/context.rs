//! What templates can name (spec §16.2): params, `globals`, `init`, `connections`.
//!
//! Plain functions over what the caller knows of a run; nothing is looked up here.

use std::collections::HashMap;

use minijinja::value::Value as Engine;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::node::{Key, Map, Node, Value};
use polyaxon_spec::span::Span;

use crate::connection::Connection;
use crate::plan::CONTEXT_ROOT;
use crate::template::{Budget, TemplateError, expand, value};
use crate::text;

/// What the server knows about a run when it is resolved.
#[derive(Clone, Debug, Default)]
pub struct RunContext {
    /// The image that was built for the run; it takes the place of those of the main containers.
    pub built_image: Option<String>,
    /// Owner, maybe with a team: `acme/vision`.
    pub owner: String,
    pub project: String,
    pub project_uuid: String,
    pub name: String,
    /// 32 hex digits.
    pub uuid: String,
    /// The run's folder in the artifacts store; its uuid.
    pub path: String,
    pub username: Option<String>,
    pub user_email: Option<String>,
    /// Of a search.
    pub iteration: Option<i64>,
    pub created_at: Option<Timestamp>,
    pub compiled_at: Option<Timestamp>,
    pub schedule_at: Option<Timestamp>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub duration: Option<f64>,
    pub cloning_kind: Option<String>,
    pub original_uuid: Option<String>,
    pub is_independent: bool,
    pub agent: Agent,
}

/// Where runs of this server go and what they find there.
#[derive(Clone, Debug, Default)]
pub struct Agent {
    pub namespace: String,
    pub additional_namespaces: Vec<String>,
    pub store: Option<Connection>,
    pub connections: Vec<Connection>,
}

/// Which of the two sets of globals (spec §16.2).
#[derive(Clone, Copy, Debug)]
pub enum Pass<'a> {
    /// For params, ios and the sections of the operation: namespace and store are not known yet.
    Operation,
    /// For the `run` section of an operation whose other sections are resolved.
    Runtime { namespace: &'a str, operation: &'a Node },
}

/// A value that templates see by name.
#[derive(Clone, Debug)]
pub struct Param {
    pub name: String,
    pub ty: Option<String>,
    pub is_list: bool,
    pub is_flag: bool,
    pub arg_format: Option<String>,
    pub value: Node,
    pub connection: Option<String>,
    pub to_init: bool,
    pub span: Span,
}

impl Agent {
    /// A connection of the catalogue, the store included.
    pub fn connection(&self, name: &str) -> Option<&Connection> {
        self.connections.iter().chain(&self.store).find(|connection| connection.name == name)
    }
}

/// The params of an operation whose params are applied: inputs, outputs, contexts.
///
/// A later io of the same name replaces an earlier one at its place.
pub fn params(operation: &Node) -> Vec<Param> {
    let mut params: Vec<Param> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for section in ["inputs", "outputs", "contexts"] {
        for io in operation.get(section).and_then(Node::as_list).unwrap_or_default() {
            let Some(param) = param(io) else { continue };
            match places.get(&param.name) {
                Some(place) => params[*place] = param,
                None => {
                    places.insert(param.name.clone(), params.len());
                    params.push(param);
                }
            }
        }
    }
    params
}

fn param(io: &Node) -> Option<Param> {
    let flag = |key: &str| io.get(key).and_then(Node::as_bool).unwrap_or(false);
    let text = |key: &str| io.get(key).and_then(Node::as_str).map(str::to_owned);
    Some(Param {
        name: text("name")?,
        ty: text("type"),
        is_list: flag("isList"),
        is_flag: flag("isFlag"),
        arg_format: text("argFormat"),
        value: io.get("value").cloned().unwrap_or_else(Node::null),
        connection: text("connection").filter(|name| !name.is_empty()),
        to_init: flag("toInit"),
        span: io.span,
    })
}

impl Param {
    /// The value; of type `str` always text.
    fn typed(&self) -> Node {
        let as_text = |node: &Node| if node.is_null() { Node::null() } else { Node::string(text::general(node)) };
        match (self.ty.as_deref(), self.is_list, &self.value.value) {
            (Some("str"), true, Value::List(items)) => Node::list(items.iter().map(as_text).collect()),
            (Some("str"), true, Value::Null) => Node::list(Vec::new()),
            (Some("str"), _, _) => as_text(&self.value),
            _ => self.value.clone(),
        }
    }

    /// What `{{ NAME }}` is.
    fn display(&self) -> Node {
        if self.is_flag { Node::string(self.flag()) } else { self.typed() }
    }

    fn flag(&self) -> String {
        if is_truthy(&self.value) { format!("--{}", self.name) } else { String::new() }
    }

    fn as_str(&self) -> String {
        let display = self.display();
        if display.is_null() { String::new() } else { text::general(&display) }
    }

    fn as_arg(&self, budget: &Budget) -> Result<Node, TemplateError> {
        if let Some(format) = &self.arg_format {
            if self.value.is_null() {
                return Ok(Node::string(""));
            }
            let own = Engine::from_pairs([(self.name.as_str(), value::from_node(&self.typed()))]);
            return expand::expression(format, self.span, &own, budget);
        }
        Ok(Node::string(match (self.is_flag, self.value.is_null()) {
            (true, _) => self.flag(),
            (false, true) => String::new(),
            (false, false) => format!("--{}={}", self.name, self.as_str()),
        }))
    }
}

/// The names of one rendering. Failing argument formats are reported with their param and give an empty argument.
pub struct Names {
    map: Map,
    pub failures: Vec<(String, Span, TemplateError)>,
}

/// The forms of `params.NAME`.
pub const PARAM_FORMS: &[&str] = &["value", "type", "connection", "as_str", "as_arg"];

/// The params, and `params` with all their forms.
pub fn names(params: &[Param], budget: &Budget) -> Names {
    let mut map = Vec::with_capacity(params.len());
    let mut forms = Vec::with_capacity(params.len());
    let mut arguments = Vec::new();
    let mut failures = Vec::new();
    for param in params {
        let as_arg = param.as_arg(budget).unwrap_or_else(|error| {
            failures.push((param.name.clone(), param.span, error));
            Node::string("")
        });
        if is_truthy(&as_arg) {
            arguments.push(as_arg.clone());
        }
        map.push((Key::new(param.name.clone()), param.display()));
        forms.push((
            Key::new(param.name.clone()),
            mapping([
                ("connection", optional(param.connection.as_deref())),
                ("value", param.typed()),
                ("type", optional(param.ty.as_deref())),
                ("as_str", Node::string(param.as_str())),
                ("as_arg", as_arg),
            ]),
        ));
    }
    let (mut map, mut forms) = (Map::from_entries(map), Map::from_entries(forms));
    forms.insert("as_args", Node::list(arguments));
    map.insert("params", Node::map(forms));
    Names { map, failures }
}

impl Names {
    /// Adds a name that shadows a param of the same name.
    pub fn insert(&mut self, name: &str, node: Node) {
        self.map.insert(name, node);
    }

    pub fn map(&self) -> &Map {
        &self.map
    }

    pub fn to_engine(&self) -> Engine {
        Engine::from_pairs(self.map.iter().map(|(key, node)| (key.text.as_str(), value::from_node(node))))
    }
}

/// The value of `globals`.
pub fn globals(run: &RunContext, pass: Pass<'_>) -> Node {
    let owner = run.owner.split('/').next().unwrap_or_default();
    let time = |time: Option<Timestamp>| time.map_or_else(Node::null, |time| Node::string(python_time(time)));
    let paths = Paths::of(run, pass);
    let namespace = match pass {
        Pass::Operation => Node::null(),
        Pass::Runtime { namespace, .. } => Node::string(namespace),
    };
    let mut globals = mapping([
        ("owner_name", Node::string(&*run.owner)),
        ("project_name", Node::string(&*run.project)),
        ("project_unique_name", Node::string(format!("{owner}.{}", run.project))),
        ("project_uuid", Node::string(&*run.project_uuid)),
        ("username", optional(run.username.as_deref())),
        ("user_email", optional(run.user_email.as_deref())),
        ("run_info", Node::string(format!("{owner}.{}.runs.{}", run.project, run.uuid))),
        ("name", Node::string(&*run.name)),
        ("uuid", Node::string(&*run.uuid)),
        ("namespace", namespace),
        ("iteration", run.iteration.map_or_else(Node::null, |iteration| Node::int(iteration.into()))),
        ("context_path", Node::string(CONTEXT_ROOT)),
        ("artifacts_path", Node::string(format!("{CONTEXT_ROOT}/artifacts"))),
        ("created_at", time(run.created_at)),
        ("compiled_at", time(run.compiled_at)),
        ("schedule_at", time(run.schedule_at)),
        ("started_at", time(run.started_at)),
        ("finished_at", time(run.finished_at)),
        ("duration", run.duration.map_or_else(Node::null, Node::float)),
        ("cloning_kind", optional(run.cloning_kind.as_deref())),
        ("original_uuid", optional(run.original_uuid.as_deref())),
        ("is_independent", Node::bool(run.is_independent)),
        ("store_path", Node::string(paths.store)),
        ("run_relative_outputs_path", Node::string(format!("{}/outputs", run.path))),
    ]);
    if let (Some(artifacts), Some(map)) = (paths.artifacts, globals.as_map_mut()) {
        map.insert("run_outputs_path", Node::string(format!("{artifacts}/outputs")));
        map.insert("run_artifacts_path", Node::string(artifacts));
    }
    if let (Pass::Runtime { namespace, operation }, Some(map)) = (pass, globals.as_map_mut()) {
        add_service(map, run, namespace, operation);
    }
    globals
}

struct Paths {
    store: String,
    artifacts: Option<String>,
}

impl Paths {
    fn of(run: &RunContext, pass: Pass<'_>) -> Paths {
        let context = format!("{CONTEXT_ROOT}/artifacts/{}", run.path);
        let Pass::Runtime { operation, .. } = pass else {
            return Paths { store: String::new(), artifacts: Some(context) };
        };
        let plugin =
            |name: &str, default: bool| operation.at(&["plugins", name]).and_then(Node::as_bool).unwrap_or(default);
        let store = run.agent.store.as_ref().and_then(Connection::store_path);
        let artifacts = match (plugin("collectArtifacts", true), &store) {
            (true, _) => Some(context),
            (false, Some(store)) => Some(format!("{store}/{}", run.path)),
            (false, None) => None,
        };
        let mounted = plugin("mountArtifactsStore", false);
        Paths { store: store.filter(|_| mounted).unwrap_or_default(), artifacts }
    }
}

/// `ports`, `base_url` and `base_urls` of a service.
fn add_service(globals: &mut Map, run: &RunContext, namespace: &str, operation: &Node) {
    let Some(service) = operation.get("run").filter(|run| run.get("kind").and_then(Node::as_str) == Some("service"))
    else {
        return;
    };
    let flag = |key: &str| service.get(key).and_then(Node::as_bool).unwrap_or(false);
    let prefix = match (flag("isExternal"), flag("rewritePath")) {
        (false, false) => "services",
        (false, true) => "rewrite-services",
        (true, false) => "external",
        (true, true) => "rewrite-external",
    };
    let ports = service.get("ports").cloned().unwrap_or_else(Node::null);
    let numbers = match ports.as_list() {
        Some(items) if !items.is_empty() => items.iter().map(text::general).collect(),
        _ => vec!["80".to_owned()],
    };
    let url =
        |port: &String| format!("/{prefix}/v1/{namespace}/{}/{}/runs/{}/{port}", run.owner, run.project, run.uuid);
    let urls: Vec<Node> = numbers.iter().map(|port| Node::string(url(port))).collect();
    globals.insert("ports", ports);
    globals.insert("base_url", urls.first().cloned().unwrap_or_else(Node::null));
    globals.insert("base_urls", Node::list(urls));
}

/// Name → settings of connections, for `connections` and `init`.
pub fn settings<'a>(agent: &Agent, names: impl IntoIterator<Item = &'a str>) -> Node {
    let mut map = Map::new();
    for name in names {
        let schema = agent.connection(name).and_then(|connection| connection.schema.as_ref());
        let mut node = schema.map_or_else(|| Node::map(Map::new()), Node::from_json);
        if let Some(settings) = node.as_map_mut() {
            settings.retain(|_, value| !value.is_null());
        }
        map.insert(name, node);
    }
    Node::map(map)
}

/// Python's truth: not null, false, zero or empty.
pub fn is_truthy(node: &Node) -> bool {
    match &node.value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Int(value) => *value != 0,
        Value::Float(value) | Value::TimeDelta(value) => *value != 0.0,
        Value::Str(text) | Value::Date(text) | Value::DateTime(text) => !text.is_empty(),
        Value::Bytes(bytes) => !bytes.is_empty(),
        Value::List(items) => !items.is_empty(),
        Value::Map(map) => !map.is_empty(),
    }
}

/// `2024-02-03 04:05:06+00:00`, with microseconds when there are some.
fn python_time(time: Timestamp) -> String {
    let time = time.to_jiff();
    let format = if time.subsec_nanosecond() == 0 { "%Y-%m-%d %H:%M:%S+00:00" } else { "%Y-%m-%d %H:%M:%S.%6f+00:00" };
    time.strftime(format).to_string()
}

fn optional(text: Option<&str>) -> Node {
    text.map_or_else(Node::null, Node::string)
}

fn mapping<const N: usize>(members: [(&str, Node); N]) -> Node {
    Node::map(members.into_iter().map(|(key, node)| (Key::new(key), node)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_print_like_python() {
        assert_eq!(python_time(Timestamp::from_micros(1_706_933_106_000_000)), "2024-02-03 04:05:06+00:00");
        assert_eq!(python_time(Timestamp::from_micros(1_706_933_106_000_120)), "2024-02-03 04:05:06.000120+00:00");
    }

    #[test]
    fn params_have_all_their_forms() {
        let json = serde_json::json!({"inputs": [
            {"name": "lr", "type": "float", "value": 0.1},
            {"name": "fast", "type": "bool", "isFlag": true, "value": true},
            {"name": "slow", "type": "bool", "isFlag": true, "value": false},
            {"name": "fmt", "type": "int", "value": 3, "argFormat": "-n {{ fmt }}"},
            {"name": "none", "type": "int"},
            {"name": "lr", "type": "float", "value": 0.2},
        ], "outputs": [{"name": "none", "value": "x"}]});
        let names = names(&params(&Node::from_json(&json)), &Budget::default());
        let expected = serde_json::json!({
            "lr": 0.2, "fast": "--fast", "slow": "", "fmt": 3, "none": "x",
            "params": {
                "lr": {"connection": null, "value": 0.2, "type": "float", "as_str": "0.2", "as_arg": "--lr=0.2"},
                "fast": {"connection": null, "value": true, "type": "bool", "as_str": "--fast", "as_arg": "--fast"},
                "slow": {"connection": null, "value": false, "type": "bool", "as_str": "", "as_arg": ""},
                "fmt": {"connection": null, "value": 3, "type": "int", "as_str": "3", "as_arg": "-n 3"},
                "none": {"connection": null, "value": "x", "type": null, "as_str": "x", "as_arg": "--none=x"},
                "as_args": ["--lr=0.2", "--fast", "-n 3", "--none=x"],
            },
        });
        assert_eq!(Node::map(names.map().clone()).to_json(), expected);
    }
}
