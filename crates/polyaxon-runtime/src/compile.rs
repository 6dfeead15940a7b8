//! The `Compile` action: from the authored operation of a run to a resolved one, or the words why there is none.

use polyaxon_compile::connection::Connection;
use polyaxon_compile::context::{Agent, RunContext, is_truthy};
use polyaxon_compile::plan;
use polyaxon_compile::resolve::resolve;
use polyaxon_compile::support;
use polyaxon_engine::cache::{self, Policy};
use polyaxon_engine::state::{Compiled, Ending, Event, Place as Standing};
use polyaxon_model::JsonMap;
use polyaxon_model::builds::IMAGE;
use polyaxon_model::ids::{ProjectId, RunId};
use polyaxon_model::kinds::{ArtifactKind, ManagedBy, RunKind, Runtime};
use polyaxon_model::lineage::NewArtifact;
use polyaxon_model::new_run::Submission;
use polyaxon_model::run::{DEFAULT_NAMESPACE, DEFAULT_OWNER, Run};
use polyaxon_model::status::Status;
use polyaxon_model::time::Timestamp;
use polyaxon_spec::compose::Place;
use polyaxon_spec::diagnostic::Diagnostic;
use polyaxon_spec::events::{Awaited, Source};
use polyaxon_spec::node::{Map, Node};
use polyaxon_spec::refs::Entity;
use polyaxon_spec::{compose, events, wire};
use polyaxon_store::cache::{Looks, Wish, explain};
use polyaxon_store::db::Tx;
use polyaxon_store::edges::NewEdge;
use polyaxon_store::pipelines::events::Listen;
use polyaxon_store::pipelines::sources::Artifacts;
use polyaxon_store::runs::{self, Compilation};
use polyaxon_store::{Store, lifecycle, pipelines, projects, queues, submission};
use serde_json::{Value as Json, json};

use crate::builds::{self, Build};
use crate::references::Problem;
use crate::{RuntimeOptions, copies, expansion, joins, launch, notifications, references};

/// The name that the official programs give the store when nobody named it.
const STORE_NAME: &str = "artifacts_store";

/// Everything that the store knows and compilation needs.
#[derive(Debug)]
pub(crate) struct Input {
    pub(crate) run: Run,
    pub(crate) project: Option<ProjectId>,
    pub(crate) submission: Option<Submission>,
    /// How many attempts there were: what happens once happens before the first.
    pub(crate) attempt: u32,
    /// What must happen elsewhere before it begins.
    pub(crate) listens: Vec<Listen>,
    /// How often it was resumed: who resumes a run wants it to be done, not to get the result of another.
    life: u32,
    /// What must make its image before.
    pub(crate) build: Option<Build>,
    /// It was approved while it waited for an equal run.
    runs_anyway: bool,
    operation: Result<compose::Compiled, String>,
    queue: Result<i64, String>,
    sources: references::Sources,
}

/// What compilation leads to.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) event: Event,
    pub(crate) compilation: Option<Compilation>,
    pub(crate) artifacts: Vec<NewArtifact>,
    pub(crate) edges: Vec<NewEdge>,
    /// What the run is equal to, if anything.
    pub(crate) cache: Option<Wish>,
}

/// Reads what a run needs, the runs it refers to included.
pub(crate) fn read(tx: &mut dyn Tx, id: RunId) -> polyaxon_store::Result<Option<Input>> {
    let (Some(run), Some(state)) = (runs::get(tx, id)?, lifecycle::state(tx, id)?) else { return Ok(None) };
    let operation = composed(&run);
    let wanted = operation.as_ref().map(|composed| references::wanted(&composed.params)).unwrap_or_default();
    let mut sources = references::Sources::default();
    for other in wanted.runs {
        if let Some(other) = runs::get(tx, other)? {
            sources.runs.insert(other.uuid, other);
        }
    }
    if wanted.upstream {
        sources.upstream = pipelines::sources::upstream(tx, id)?;
    }
    if wanted.around {
        sources.around = pipelines::sources::around(tx, id)?;
    }
    sources.artifacts = Artifacts::read(tx, sources.all(), wanted.values)?;
    let named = operation.as_ref().ok().and_then(|composed| composed.operation.get("queue")).and_then(Node::as_str);
    let queue = queues::resolve(tx, named)?;
    // In a dag that was seen to before; whoever runs it again by hand does not want to wait either.
    let may_listen = state.control.place == Standing::Independent && run.original.is_none();
    let listens = match &operation {
        Ok(composed) if may_listen && !state.control.was_released => listens(&events::read(&composed.operation)),
        _ => Vec::new(),
    };
    Ok(Some(Input {
        project: projects::get(tx, &run.project)?.map(|project| project.uuid),
        submission: submission::get(tx, id)?,
        attempt: state.control.attempt,
        life: state.control.life,
        queue,
        listens,
        build: match &operation {
            Ok(composed) => builds::needed(tx, &run, composed, state.control.life)?,
            Err(_) => None,
        },
        runs_anyway: state.control.runs_anyway,
        operation,
        sources,
        run,
    }))
}

/// The runs that an operation outside of dags listens to.
fn listens(events: &[Awaited]) -> Vec<Listen> {
    let run = |source: &Source| match source {
        Source::Run(Entity::Run(uuid)) => uuid.parse().ok(),
        Source::Run(_) | Source::Silent(_) => None,
    };
    events.iter().map(|event| Listen { run: run(&event.source), kinds: event.kinds.clone() }).collect()
}

pub(crate) fn composed(run: &Run) -> Result<compose::Compiled, String> {
    let text = run.raw_content.as_deref().or(run.content.as_deref());
    let text = text.ok_or_else(|| "the run has no content, so there is nothing to execute".to_owned())?;
    let operation = wire::read_operation(text).map_err(|problems| sentences(&problems))?;
    // The relations of an operation in a dag are its own, never those of its component.
    let is_node = run.pipeline.as_ref().is_some_and(|pipeline| pipeline.kind == RunKind::Dag);
    let place = if is_node { Place::DagNode } else { Place::Root };
    compose::compile(&operation, None, place).map_err(|problems| sentences(&problems))
}

/// Compiles. Copies of a clone are made here, so this may take as long as its artifacts are large.
pub(crate) fn compile(
    options: &RuntimeOptions,
    store: &Store,
    input: Input,
    now: Timestamp,
) -> polyaxon_store::Result<Output> {
    resolved(options, store, input, now).or_else(|problem| {
        let event = match problem {
            Problem::Store(error) => return Err(error),
            Problem::Wrong(message) => Event::CompileFailed { message },
            Problem::NotProduced(message) => Event::Concluded(Ending {
                status: Status::UpstreamFailed,
                reason: "SchedulerPrepare".to_owned(),
                message,
            }),
        };
        Ok(Output { event, compilation: None, artifacts: Vec::new(), edges: Vec::new(), cache: None })
    })
}

fn resolved(options: &RuntimeOptions, store: &Store, mut input: Input, now: Timestamp) -> Result<Output, Problem> {
    let wrong = |problems: Vec<Diagnostic>| Problem::Wrong(sentences(&problems));
    let compose::Compiled { operation, mut params } =
        std::mem::replace(&mut input.operation, Err(String::new())).map_err(Problem::Wrong)?;
    let queue = std::mem::replace(&mut input.queue, Ok(0)).map_err(Problem::Wrong)?;
    if let Some(problem) = support::unsupported(&operation) {
        return Err(wrong(vec![problem]));
    }
    let mut edges = references::fill(&mut params, &operation, &input.run.project, &input.sources, &options.layout)?;
    let context = context(options, &input, now);
    let joins = joins::wanted(&operation, &params, &context).map_err(Problem::Wrong)?;
    for join in &joins {
        let Some(project) = input.project else { continue };
        let known = store.known();
        let found = store.read_blocking(|tx| join.find(tx, &known, project, now)).map_err(Problem::Store)?;
        let found = found.map_err(Problem::Wrong)?;
        edges.extend(join.fill(&mut params, &input.run, &found, &options.layout).map_err(Problem::Wrong)?);
    }
    joins::settle(&joins, &mut params, &operation).map_err(Problem::Wrong)?;
    let resolved = resolve(&operation, &params, &context).map_err(wrong)?;
    let mut content = resolved.operation.to_json();
    let cache = if resolved.should_run { wish(&input, &operation, &content) } else { None };
    let has_hooks = resolved.operation.get("hooks").is_some_and(is_truthy);
    let limits = plan::termination(&resolved.operation);
    let mut event = Event::Compiled(Compiled {
        requires_approval: resolved.operation.get("isApproved").and_then(Node::as_bool) == Some(false),
        max_retries: limits.max_retries,
        timeout: limits.timeout,
        has_hooks: has_hooks || notifications::may_follow(&input.run, &resolved.operation),
    });
    let is_pipeline = input.run.kind.is_pipeline();
    let mut meta_info = if is_pipeline { expansion::facts(&resolved.operation) } else { JsonMap::new() };
    if has_hooks {
        meta_info.insert("has_hooks".to_owned(), json!(true));
    }
    let runs_here = options.executes && input.run.managed_by == ManagedBy::Agent && !is_pipeline;
    let mut ports = declared_ports(&resolved.operation);
    if !resolved.should_run {
        event = conditions_false(&operation, &resolved.inputs);
    } else if runs_here {
        // What no executor of this machine can do is known before the run waits for a slot.
        let sent = input.submission.as_ref();
        let plan = launch::plan(options, &input.run, sent, input.attempt + 1, None, &resolved.operation)
            .map_err(|error| Problem::Wrong(error.to_string()))?;
        ports = plan.ports;
    }
    if input.run.kind == RunKind::Service && !ports.is_empty() {
        meta_info.insert("ports".to_owned(), json!(ports));
    }
    let mut artifacts = Vec::new();
    if input.attempt == 0 {
        if runs_here {
            copies::copy_artifacts(&options.layout, input.run.uuid, &input.run.meta_info).map_err(Problem::Wrong)?;
        } else if !is_pipeline && let Some(step) = copies::init_step(input.run.uuid, &input.run.meta_info, STORE_NAME) {
            prepend_init(&mut content, step);
        }
        artifacts.extend(input.submission.as_ref().and_then(crate::submission::code_reference));
        artifacts.extend(uploaded(&input.run.meta_info));
    }
    if input.run.runtime == Some(Runtime::Builder) {
        artifacts.extend(builds::destination(&resolved.operation, &context.agent));
    }
    let outputs = json_map(resolved.outputs).filter(|_| input.attempt == 0);
    let compilation = Compilation {
        content: content.to_string(),
        inputs: Some(json_map(resolved.inputs).unwrap_or_default()),
        outputs: outputs.map(|outputs| outputs.into_iter().filter(|(_, value)| !value.is_null()).collect()),
        meta_info,
        resources: plan::resources(&resolved.operation),
        queue,
    };
    Ok(Output { event, compilation: Some(compilation), artifacts, edges, cache })
}

/// What the run is equal to, and whether it takes the result of an equal one.
fn wish(input: &Input, composed: &Node, resolved: &Json) -> Option<Wish> {
    let (run, sent) = (&input.run, input.submission.as_ref());
    let policy = Policy::read(resolved);
    let key = explain::collect(run, sent, &policy, composed, resolved).key(input.project?)?;
    let facts = explain::facts(run, sent, input.runs_anyway);
    let looks = input.attempt == 0 && input.life == 0 && cache::refusal(&policy, &facts, true).is_none();
    Some(Wish { key, ttl: policy.ttl, looks: if looks { Looks::ForEqual } else { Looks::No } })
}

/// The conditions as they were written, and the inputs that they name.
fn conditions_false(operation: &Node, inputs: &Map) -> Event {
    let condition = operation.get("conditions").map(|node| match node.as_str() {
        Some(text) => text.to_owned(),
        None => node.to_json().to_string(),
    });
    let condition = condition.unwrap_or_default();
    let names: Vec<&str> = condition.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).collect();
    let values = json_map(inputs.clone()).unwrap_or_default();
    let values = values.into_iter().filter(|(name, _)| names.contains(&name.as_str())).collect();
    Event::ConditionsFalse { condition, values }
}

/// Puts a step before those of the operation.
fn prepend_init(operation: &mut Json, step: Json) {
    let Some(run) = operation.get_mut("run").and_then(Json::as_object_mut) else { return };
    match run.get_mut("init").and_then(Json::as_array_mut) {
        Some(steps) => steps.insert(0, step),
        None => drop(run.insert("init".to_owned(), json!([step]))),
    }
}

/// The ports that a service asks for; its executor may give it others.
fn declared_ports(operation: &Node) -> Vec<u16> {
    let ports = operation.at(&["run", "ports"]).and_then(Node::as_list).unwrap_or_default();
    ports.iter().filter_map(Node::as_int).filter_map(|port| u16::try_from(port).ok()).collect()
}

fn context(options: &RuntimeOptions, input: &Input, now: Timestamp) -> RunContext {
    let run = &input.run;
    RunContext {
        project_uuid: input.project.map(ProjectId::to_hex).unwrap_or_default(),
        compiled_at: Some(now),
        agent: agent(options, run),
        ..run_context(run)
    }
}

/// What a run knows of itself.
pub(crate) fn run_context(run: &Run) -> RunContext {
    RunContext {
        owner: DEFAULT_OWNER.to_owned(),
        project: run.project.clone(),
        name: run.name.clone().unwrap_or_default(),
        uuid: run.uuid.to_hex(),
        path: run.uuid.to_hex(),
        built_image: run.meta_info.get(IMAGE).and_then(Json::as_str).map(str::to_owned),
        created_at: Some(run.created_at),
        iteration: run.meta_info.get("iteration").and_then(Json::as_i64),
        schedule_at: run.schedule_at,
        started_at: run.started_at,
        finished_at: run.finished_at,
        duration: run.duration,
        cloning_kind: run.original.as_ref().map(|original| original.kind.to_string()),
        original_uuid: run.original.as_ref().map(|original| original.uuid.to_hex()),
        is_independent: run.pipeline.is_none(),
        ..RunContext::default()
    }
}

/// What runs find on this machine: one store, and the connections of the server.
fn agent(options: &RuntimeOptions, run: &Run) -> Agent {
    let connections = options.connections.to_vec();
    Agent { namespace: namespace(run), store: Some(store(options)), connections, ..Agent::default() }
}

pub(crate) fn namespace(run: &Run) -> String {
    run.settings.namespace.clone().unwrap_or_else(|| DEFAULT_NAMESPACE.to_owned())
}

pub(crate) fn store(options: &RuntimeOptions) -> Connection {
    Connection::host_path(STORE_NAME, &options.layout.store().to_string_lossy())
}

/// What the user uploaded is an input of the run.
fn uploaded(meta_info: &JsonMap) -> Option<NewArtifact> {
    let path = meta_info.get("upload_artifacts").and_then(Json::as_str).filter(|path| !path.is_empty())?;
    Some(NewArtifact {
        name: path.trim_end_matches('/').rsplit('/').next().unwrap_or(path).to_owned(),
        kind: ArtifactKind::Dir,
        path: Some(path.to_owned()),
        summary: Some(JsonMap::from_iter([("path".to_owned(), json!(path))])),
        is_input: Some(true),
        state: None,
        run: None,
        connection: None,
        meta_info: None,
    })
}

fn json_map(map: Map) -> Option<JsonMap> {
    match Node::map(map).to_json() {
        Json::Object(map) if !map.is_empty() => Some(map),
        _ => None,
    }
}

/// Findings as text for a status, one on each line.
pub(crate) fn sentences(problems: &[Diagnostic]) -> String {
    let lines = problems.iter().map(|problem| {
        let help = problem.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
        let place = if problem.path.is_empty() || problem.message.contains(&problem.path) {
            String::new()
        } else {
            format!("{}: ", problem.path)
        };
        format!("{place}{}{help}", problem.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}
