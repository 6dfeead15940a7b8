//! A server to talk to, as a project: the configured one, or the local one that is started when it is not there.

use polyaxon_client::error::Error as ClientError;
use polyaxon_client::http::{Client, Place};
use polyaxon_client::projects;
use polyaxon_client::runs::Listing;

use crate::args::global::Global;
use crate::args::server::ServeOptions;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::local::serve::FIRST_PORT;
use crate::local::start::{Started, ensure_running};
use crate::output::Printer;
use crate::settings::{Credentials, Origin, Settings};
use crate::suggest::nearest;

/// What every command gets: the global options and the terminal.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) printer: Printer,
}

/// Which server a command wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Configured,
    Local,
}

pub(crate) struct Session<'a> {
    pub(crate) printer: &'a Printer,
    pub(crate) settings: Settings,
    pub(crate) client: Client,
    pub(crate) place: Place,
    pub(crate) place_origin: Origin,
}

impl<'a> Session<'a> {
    /// Settings and place are resolved before a server is started: a mistake there must not start one.
    pub(crate) fn open(context: &'a Context, server: Server, project: Option<&str>) -> Result<Session<'a>, Failure> {
        let settings = Settings::read()?;
        let place = settings.place(project)?;
        let client = connect(context, &settings, server)?;
        if context.global.show_context || context.printer.verbose {
            let Place { owner, project } = &place.value;
            context.printer.note(&format!("host {}, project {owner}/{project} ({})", client.host(), place.origin));
        }
        Ok(Session { printer: &context.printer, settings, client, place: place.value, place_origin: place.origin })
    }

    /// Nobody named the project, so its absence is no mistake.
    pub(crate) fn is_default_project(&self) -> bool {
        self.place_origin == Origin::Default
    }

    /// A refused call about a project or a run, in words that name them.
    pub(crate) async fn explain(&self, error: ClientError, run: Option<&str>) -> Failure {
        let is_missing = error.is_not_found();
        let text = error.to_string();
        let failure = Failure::from(error);
        if !is_missing {
            return failure;
        }
        if text.contains("No Project") {
            return self.missing_project().await;
        }
        match run {
            Some(run) => {
                let Place { owner, project } = &self.place;
                Failure::new(format!("there is no run `{run}` in project {owner}/{project} on {}", self.client.host()))
                    .exit(Exit::NotFound)
                    .help("polyaxon ops ls lists the runs; -p names another project")
            }
            None => failure,
        }
    }

    async fn missing_project(&self) -> Failure {
        let Place { owner, project } = &self.place;
        let listing = Listing { limit: Some(100), ..Listing::default() };
        let names: Vec<String> = match projects::list(&self.client, owner, &listing).await {
            Ok(page) => page.rows.iter().map(|row| row.name().to_owned()).collect(),
            Err(_) => Vec::new(),
        };
        let help = match nearest(project, names.iter().map(String::as_str)) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("create it with: polyaxon project create --name {project}"),
        };
        Failure::new(format!("there is no project {owner}/{project} on {}", self.client.host()))
            .exit(Exit::NotFound)
            .help(help)
    }
}

/// A client of the wanted server; starts the local one when it is wanted and not there.
pub(crate) fn connect(context: &Context, settings: &Settings, server: Server) -> Result<Client, Failure> {
    let configured = match server {
        Server::Configured => settings.host(),
        Server::Local => None,
    };
    if settings.boolean(crate::env::NO_API, false).value {
        return Err(Failure::new("calls of an API are forbidden (POLYAXON_NO_API)"));
    }
    if let Some(host) = configured {
        return settings.client(&host.value, Credentials::Send);
    }
    let options = ServeOptions { host: "127.0.0.1".to_owned(), ..ServeOptions::default() };
    let started = ensure_running(&settings.home, &options)?;
    if let Started::New(record) = &started {
        let taken = if record.port == FIRST_PORT { "" } else { "; port 8000 is taken" };
        context.printer.note(&format!(
            "Started the local server at {} (home {}{taken}; `polyaxon server stop` ends it)",
            record.url,
            settings.home.root().display()
        ));
    }
    settings.client(&started.record().url, Credentials::Omit)
}

/// Runs the network part of a command; only now is a runtime built.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start the network runtime: {error}")))?;
    runtime.block_on(work)
}
