//! The names that a template can use.

use polyaxon_compile::context::PARAM_FORMS;

use super::{Candidate, Completion, Kind};
use crate::lsp::names::{self, Io};
use crate::lsp::template::Name;
use crate::lsp::world::{Document, World};

pub(super) fn variables(document: &Document, world: &World, entry: usize, name: &Name) -> Completion {
    let parts: Vec<&str> = name.before.iter().map(String::as_str).collect();
    let declared = || names::variables(document, entry, world);
    let candidates = match parts.as_slice() {
        [] => {
            let group = |name: &str, doc: &str| Candidate { rank: 6, ..Candidate::new(name, Kind::Variable).doc(doc) };
            let mut candidates: Vec<Candidate> = declared().iter().map(candidate).collect();
            candidates.push(group("globals", "Facts of the run: `globals.uuid`, `globals.run_outputs_path`."));
            candidates.push(group("params", "All params with their forms: `params.NAME.as_arg`, `params.as_args`."));
            candidates.push(group("connections", "The settings of connections by name."));
            candidates.push(group("init", "The settings of the connections of init steps by name."));
            candidates
        }
        ["globals"] => {
            names::globals().into_iter().map(|name| Candidate::new(name, Kind::Variable).detail("global")).collect()
        }
        ["params"] => {
            let all = Candidate::new("as_args", Kind::Variable).doc("The arguments of all params, as a list.");
            declared().iter().map(candidate).chain([all]).collect()
        }
        ["params", _] => PARAM_FORMS.iter().map(|form| Candidate::new(*form, Kind::Variable)).collect(),
        _ => Vec::new(),
    };
    Completion { range: name.word.clone(), candidates }
}

pub(super) fn candidate(io: &Io) -> Candidate {
    let what = match io.list {
        "inputs" => "input",
        "outputs" => "output",
        _ => "param",
    };
    let ty = io.ty.as_ref().map_or(String::new(), |ty| format!("{ty}, "));
    let default = io.default.as_ref().map_or(String::new(), |default| format!(" = {default}"));
    let candidate = Candidate::new(io.name.clone(), Kind::Variable).detail(format!("{ty}{what}{default}"));
    Candidate { rank: 3, ..candidate.doc(io.description.clone().unwrap_or_default()) }
}
