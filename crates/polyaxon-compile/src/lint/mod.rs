//! What can be said about templates before a run exists, for `check` and for `run` before it submits.
//!
//! Invariant: what would resolve at run time is at most warned about, with one exception: a name that exists nowhere
//! prints as empty text at run time, which nobody means, so it is an error unless the template guards against it
//! (`default(...)`, `is defined`, a branch). Every template is rendered on trial with the values that are known; names
//! that exist nowhere are found without rendering.

pub mod advice;
mod assumed;
mod sites;
mod undefined;

use polyaxon_spec::diagnostic::{Diagnostic, Severity, codes};
use polyaxon_spec::node::{Map, Node};

use crate::place;
use crate::template::expand::Failure;
use crate::template::{self, Budget, Cause, TemplateError};
use assumed::{Group, World};
use sites::Site;

/// Findings about the templates of a composed operation and its params.
pub fn lint(compiled: &Node, params: &Map) -> Vec<Diagnostic> {
    let budget = Budget::default();
    let world = World::assume(compiled, params, &budget);
    let mut findings = misplaced(compiled);
    findings.extend(argument_formats(compiled));
    findings.extend(world.problems.iter().cloned());
    for site in sites::all(&world.operation) {
        check(&site, &world, &budget, &mut findings);
    }
    findings
}

/// Templates where nothing renders them.
fn misplaced(compiled: &Node) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for key in ["name", "description", "tags"] {
        let Some(node) = compiled.get(key) else { continue };
        let texts = node.as_list().unwrap_or(std::slice::from_ref(node));
        for text in texts {
            let Some(written) = text.as_str().filter(|written| template::is_template(written)) else { continue };
            let message = format!("`{key}` is never rendered: it will read `{}`", place::shortened(written));
            findings.push(
                Diagnostic::warning(codes::TEMPLATE_PLACE, text.span, message)
                    .label("a template that stays as it is")
                    .path(key)
                    .help(format!("write a fixed `{key}`, or set it when submitting")),
            );
        }
    }
    findings
}

/// An argument format sees nothing but the value of its own input.
fn argument_formats(compiled: &Node) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let ios = ["inputs", "outputs"].iter().filter_map(|key| compiled.get(key)?.as_list()).flatten();
    for io in ios {
        let own = io.get("name").and_then(Node::as_str).unwrap_or_default();
        let Some(format) = io.get("argFormat") else { continue };
        let Some(text) = format.as_str() else { continue };
        let path = format!("inputs.{own}.argFormat");
        match template::names(text) {
            Ok(names) => {
                let other = names.iter().map(|name| root(name)).filter(|name| *name != own).min();
                findings.extend(other.map(|other| {
                    let message = format!("the `argFormat` of `{own}` names `{other}`, which it cannot see");
                    Diagnostic::warning(codes::TEMPLATE_UNDEFINED, format.span, message)
                        .label("prints nothing")
                        .path(&*path)
                        .help(format!("write `{{{{ {own} }}}}`: a format sees its own value only"))
                }));
            }
            Err(error) => {
                let failure = Failure { error, text: text.to_owned(), span: format.span, path };
                findings.push(place::diagnostic(&failure));
            }
        }
    }
    findings
}

fn check(site: &Site<'_>, world: &World, budget: &Budget, findings: &mut Vec<Diagnostic>) {
    let names = match template::names(site.text) {
        Ok(names) => names,
        Err(error) => {
            findings.push(place::diagnostic(&failure(site, error)));
            return;
        }
    };
    let group = world.group(site.group);
    let trial = template::render(site.text, &group.engine, budget).err();
    let missing = undefined::missing(&names, group);
    let is_certain = !has_branches(site.text) || names.iter().all(|name| group.is_certain(name));
    let fails_undefined = trial.as_ref().is_some_and(|error| error.cause == Cause::Undefined);

    for part in &missing {
        let fails = fails_undefined && part.is_asked && is_certain;
        if !fails && is_guarded(site.text) {
            continue;
        }
        let severity = if fails || !has_branches(site.text) { Severity::Error } else { Severity::Warning };
        let effect = if fails { "the template fails" } else { "it prints nothing" };
        findings.push(undefined::finding(&part.name, site, group, severity, effect));
    }
    let Some(error) = trial else { return };
    let reported = fails_undefined && !missing.is_empty();
    let depends_on_assumptions = !names.iter().all(|name| group.is_certain(name));
    match error.cause {
        _ if reported => {}
        Cause::Syntax | Cause::Limit | Cause::Recursion => findings.push(place::diagnostic(&failure(site, error))),
        Cause::Unknown if is_certain => findings.push(place::diagnostic(&failure(site, error))),
        Cause::Unknown => findings.push(warning(place::diagnostic(&failure(site, error)))),
        // A value that is only assumed proves nothing.
        Cause::Undefined | Cause::Expression if depends_on_assumptions => {}
        Cause::Undefined | Cause::Expression => findings.push(place::diagnostic(&failure(site, error))),
    }
}

/// Whether parts of the template may not be evaluated.
fn has_branches(text: &str) -> bool {
    ["{%", " if ", " or ", " and "].iter().any(|word| text.contains(word))
}

/// Whether the template expects that something may be missing.
fn is_guarded(text: &str) -> bool {
    ["default(", "d(", "is defined", "is not defined", "is undefined"].iter().any(|word| text.contains(word))
}

fn warning(finding: Diagnostic) -> Diagnostic {
    Diagnostic { severity: Severity::Warning, ..finding }
}

fn failure(site: &Site<'_>, error: TemplateError) -> Failure {
    Failure { error, text: site.text.to_owned(), span: site.span, path: site.path.clone() }
}

impl Group {
    /// Whether the trial knows the value that the run will have.
    fn is_certain(&self, name: &str) -> bool {
        let root = root(name);
        !self.assumed.iter().any(|assumed| assumed == root)
    }
}

fn root(name: &str) -> &str {
    name.split('.').next().unwrap_or(name)
}
