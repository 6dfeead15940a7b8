//! `hooks`: runs that follow a run.

use super::STATUSES;
use super::param::FULL_PARAM;
use crate::decode::report;
use crate::diagnostic::{Diagnostic, codes};
use crate::node::Node;
use crate::section::{Section, Type, field};

const TRIGGERS: &[&str] = &["succeeded", "failed", "stopped", "skipped", "upstream_failed", "done"];

pub static HOOK: Section = Section {
    name: "hook",
    doc: "A run that follows when this run ends.",
    fields: &[
        field("hubRef", Type::Str, "The component to run, by name.", "slack"),
        field("component", Type::Document, "The component to run, written here.", "{run: {kind: job}}"),
        field("connection", Type::Str, "A connection that the hook may use.", "slack-connection"),
        field("trigger", Type::Enum(STATUSES), "The final state that triggers the hook.", "failed").default("done"),
        field("conditions", Type::Str, "A condition over the context of the run.", "\"{{ loss > 0.9 }}\""),
        field("presets", Type::List(&Type::Str), "Presets of the hook.", "[small]"),
        field("queue", Type::Str, "The queue of the hook.", "agent/hooks"),
        field("namespace", Type::Str, "The namespace of the hook.", "hooks"),
        field("params", Type::Map(&FULL_PARAM), "Params of the hook, in full form.", "{message: {value: done}}")
            .template(),
        field("disableDefaults", Type::Bool, "Gives the hook none of the context of the run.", "true")
            .template()
            .default("false"),
    ],
    check: Some(check),
};

fn check(hook: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    check_component(hook, path, diagnostics);
    check_trigger(hook, path, diagnostics);
}

fn check_component(hook: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let is_set = |field: &str| hook.get(field).is_some_and(|node| !node.is_null());
    if !is_set("hubRef") && !is_set("component") {
        diagnostics.push(report::missing_field(&HOOK, &HOOK.fields[0], report::start(hook), path));
    }
}

fn check_trigger(hook: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Some(trigger) = hook.get("trigger") else { return };
    if trigger.as_str().is_some_and(|word| !TRIGGERS.contains(&word)) {
        let path = report::join(path, "trigger");
        diagnostics.push(Diagnostic { code: codes::HOOK_TRIGGER, ..report::not_a_word(trigger, &path, TRIGGERS) });
    }
}
