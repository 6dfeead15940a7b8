//! `polyaxon run`: read, submit, send files, follow.

use std::path::PathBuf;

use polyaxon_client::artifacts::Store;
use polyaxon_client::projects::{self, Fields};
use polyaxon_client::record::Run;
use polyaxon_client::runs::{self, Action, NewRun};
use polyaxon_model::status::Status;
use polyaxon_spec::check::Request;
use polyaxon_spec::node::Node;

use crate::afterwards::afterwards;
use crate::args::run::RunArgs;
use crate::commands::project::comma_list;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Human, Output, Stream};
use crate::report;
use crate::run_reference::{self, short};
use crate::session::{Context, Server, Session, block_on};
use crate::source::read;
use crate::submission;
use crate::upload::{self, Links, Upload};

pub(crate) fn run(context: &Context, args: &RunArgs) -> Result<Exit, Failure> {
    let server = which_server(context, args)?;
    // Git answers while the files are read and the server is found.
    let submission = submission::collect();
    let operation = understand(context, args)?;
    let uploads = uploads(args, &operation)?;
    let session = Session::open(context, server, args.settings.project.project.as_deref())?;
    let new = NewRun {
        content: operation.to_json().to_string(),
        name: args.settings.name.clone(),
        description: args.settings.description.clone(),
        tags: args.settings.tags.as_deref().map(comma_list),
        pending: (!uploads.is_empty()).then_some("upload"),
        submission: Some(submission.finish()),
    };
    block_on(async {
        let run = create(&session, &new).await?;
        announce(&session, args, &run)?;
        run_reference::remember(&session, &run);
        if !uploads.is_empty() {
            send(&session, args, &run, &uploads).await?;
        }
        after(&session, args, &run).await
    })
}

/// Refuses what is not there yet, and chooses the server.
fn which_server(context: &Context, args: &RunArgs) -> Result<Server, Failure> {
    if context.global.offline {
        return Err(Failure::unsupported("--offline"));
    }
    if args.after.shell {
        return Err(Failure::unsupported("run --shell"));
    }
    if args.settings.git_preset || args.settings.git_revision.is_some() {
        return Err(Failure::unsupported("run --git-preset")
            .help("write the init step in the file: init: [{git: {url: ..., revision: ...}}]"));
    }
    if args.settings.approve_after.is_some() {
        return Err(Failure::unsupported("run --approve-after"));
    }
    match args.settings.executor.as_deref() {
        Some("process") => Ok(Server::Local),
        Some("docker" | "k8s") => Err(Failure::unsupported(&format!(
            "run --executor {}",
            args.settings.executor.as_deref().unwrap_or_default()
        ))
        .help("--executor process runs on this machine")),
        Some(other) => {
            Err(Failure::usage(format!("there is no executor `{other}`"))
                .help("the executors are process, docker, k8s"))
        }
        None if args.settings.local => Ok(Server::Local),
        None => Ok(Server::Configured),
    }
}

/// The operation to submit; warnings are shown, errors end it.
fn understand(context: &Context, args: &RunArgs) -> Result<Node, Failure> {
    let request = request(args)?;
    let outcome = read::read(&request, args.settings.project.project.as_deref());
    if read::has_errors(&outcome) {
        return Err(Failure::invalid(outcome.sources, outcome.diagnostics));
    }
    if !outcome.diagnostics.is_empty() && !args.format.output.is_json() {
        let coloured = context.printer.style(Stream::Error).is_coloured();
        context.printer.note(&report::render(&outcome.sources, &outcome.diagnostics, coloured));
    }
    if outcome.is_template {
        return Err(Failure::usage("this operation is marked as a template to fill in, so it is not run")
            .help("change the file, or run it as it is with --ignore-template"));
    }
    outcome.operation.ok_or_else(|| Failure::new("the file was understood, but no operation came out of it"))
}

fn request(args: &RunArgs) -> Result<Request, Failure> {
    let RunArgs { inline, settings, matrix, upload, .. } = args;
    let mut request = read::request(&args.source)?;
    read::add_matrix(&mut request, matrix);
    read::add_inline(&mut request, inline);
    request.options.queue.clone_from(&settings.queue);
    request.options.namespace.clone_from(&settings.namespace);
    request.options.cache.clone_from(&settings.cache);
    request.options.nocache = settings.nocache;
    request.options.approved.clone_from(&settings.approved);
    request.mounts.clone_from(&upload.mount);
    Ok(request)
}

/// What to send: the folder of `-u`, and the mounts of the file and of `-m`.
fn uploads(args: &RunArgs, operation: &Node) -> Result<Vec<Upload>, Failure> {
    let upload = &args.upload;
    let mut uploads = Vec::new();
    if upload.upload || upload.upload_from.is_some() || upload.upload_to.is_some() {
        let from = upload.upload_from.clone().unwrap_or_else(|| PathBuf::from("."));
        uploads.push(Upload::new(from, upload.upload_to.as_deref()));
    }
    for mount in operation.get("mount").and_then(Node::as_list).unwrap_or_default().iter().filter_map(Node::as_str) {
        let (from, to) = mount.split_once(':').map_or((mount, None), |(from, to)| (from, Some(to)));
        uploads.push(Upload::new(from.into(), to));
    }
    for upload in &uploads {
        upload::check(upload)?;
    }
    Ok(uploads)
}

/// Creates the run; the default project is made when it is not there, another one must exist.
async fn create(session: &Session<'_>, new: &NewRun) -> Result<Run, Failure> {
    let error = match runs::create(&session.client, &session.place, new).await {
        Ok(run) => return Ok(run),
        Err(error) => error,
    };
    if !(error.is_not_found() && session.is_default_project()) {
        return Err(session.explain(error, None).await);
    }
    let fields = Fields { name: Some(session.place.project.clone()), ..Fields::default() };
    match projects::create(&session.client, &session.place.owner, &fields).await {
        Ok(_) => session.printer.note(&format!("Created the project {}", session.place.project)),
        // Another run that started at the same moment made it.
        Err(error) if error.to_string().contains("exists") => {}
        Err(error) => return Err(error.into()),
    }
    Ok(runs::create(&session.client, &session.place, new).await?)
}

fn announce(session: &Session<'_>, args: &RunArgs, run: &Run) -> Result<(), Failure> {
    let url = session.client.run_url(&session.place, run.uuid());
    let mut json = run.0.clone();
    json["owner"] = session.place.owner.as_str().into();
    json["project"] = session.place.project.as_str().into();
    json["url"] = url.as_str().into();
    let logs = args.after.follow.logs;
    // With -l the logs are the data, and this is for the person.
    let stream = if logs { Stream::Error } else { Stream::Data };
    let style = session.printer.style(stream);
    let name = if run.name().is_empty() { "run" } else { run.name() };
    let text = format!("{} {}  {}", style.bold(name), short(run.uuid()), style.link(&url));
    if logs && args.format.output.is_for_people() {
        session.printer.note(&text);
        return Ok(());
    }
    let output = Output { json, human: Human::Text(text), names: vec![run.uuid().to_owned()] };
    session.printer.data(&output, &args.format.output)
}

async fn send(session: &Session<'_>, args: &RunArgs, run: &Run, uploads: &[Upload]) -> Result<(), Failure> {
    let store = Store { client: &session.client, place: &session.place, namespace: run.namespace(), uuid: run.uuid() };
    let links = Links { mode: args.upload.symlink_mode, report_limit: args.upload.symlink_report_limit };
    for upload in uploads {
        if let Err(failure) = upload::send(session.printer, &store, upload, links).await {
            let run = short(run.uuid());
            return Err(match failure.help {
                Some(_) => failure,
                None => failure.help(format!("run {run} waits for its files; `polyaxon ops stop {run}` ends it")),
            });
        }
    }
    runs::act(&session.client, &session.place, run.uuid(), Action::Approve).await?;
    Ok(())
}

async fn after(session: &Session<'_>, args: &RunArgs, run: &Run) -> Result<Exit, Failure> {
    let format = &args.format.output;
    if let Some(exit) = afterwards(session, args.after.follow, format, run).await? {
        return Ok(exit);
    }
    if format.is_for_people() && run.status() != Some(Status::Failed) {
        let reference = short(run.uuid());
        let project =
            if session.is_default_project() { String::new() } else { format!(" -p {}", session.place.project) };
        let verb = if run.is_pipeline() { "watch" } else { "logs" };
        session.printer.note(&format!("Follow it with: polyaxon ops {verb} {reference}{project}"));
    }
    Ok(Exit::Ok)
}
