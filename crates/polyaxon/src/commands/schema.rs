//! `polyaxon schema`: the language as a JSON Schema.

use polyaxon_spec::json_schema;

use crate::args::tools::SchemaArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Context;

pub(crate) fn run(context: &Context, _: &SchemaArgs) -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&json_schema::document())
        .map_err(|error| Failure::new(format!("the schema cannot be written: {error}")))?;
    context.printer.line(&schema)?;
    Ok(Exit::Ok)
}
