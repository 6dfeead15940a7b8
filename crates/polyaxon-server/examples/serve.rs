//! Serves an empty temporary home without an executor: `cargo run -p polyaxon-server --example serve -- 8000`.

use polyaxon_artifacts::changes::Changes;
use polyaxon_artifacts::layout::Layout;
use polyaxon_server::{Agent, Options, Server, router, serve};
use polyaxon_store::Store;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args().nth(1).unwrap_or_else(|| "8000".into()).parse()?;
    let home = tempfile::tempdir()?;
    let layout = Layout::new(home.path());
    std::fs::create_dir_all(layout.local())?;
    let store = Store::open(layout.database())?;
    let options = Options { agent: Agent::External, ..Options::default() };
    let server = Server { store, layout, changes: Changes::new(), options };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    serve(listener, router(server), std::future::pending()).await?;
    Ok(())
}
