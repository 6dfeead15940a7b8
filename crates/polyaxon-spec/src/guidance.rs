//! What to do about each code: the advice of `polyaxon explain CODE` and of the documentation, with small examples.
//!
//! A test of `polyaxon-compile` checks that every wrong example gives its code and every right one gives none.

use crate::diagnostic::{Code, codes};

/// Advice about one code.
#[derive(Clone, Copy, Debug)]
pub struct Guidance {
    pub code: Code,
    /// Why it is said, and how to mend it.
    pub advice: &'static str,
    /// A document that gives the code; empty when no single document does.
    pub wrong: &'static str,
    /// The same document, mended.
    pub right: &'static str,
}

/// The advice about a code.
pub fn of(code: Code) -> Option<&'static Guidance> {
    ALL.iter().find(|guidance| guidance.code == code)
}

const fn advice(code: Code, advice: &'static str) -> Guidance {
    Guidance { code, advice, wrong: "", right: "" }
}

const fn shown(code: Code, advice: &'static str, wrong: &'static str, right: &'static str) -> Guidance {
    Guidance { code, advice, wrong, right }
}

/// In the order of the codes.
pub const ALL: &[Guidance] = &[
    shown(
        codes::YAML,
        "The place where reading failed is often just behind the mistake: look for a missing quote, bracket or colon, and \
         for tabs, which YAML does not allow for indentation. Templates need quotes: `\"{{ name }}\"`.",
        "kind: component\nrun: {kind: job, container: {image: train:1.0}\n",
        "kind: component\nrun: {kind: job, container: {image: train:1.0}}\n",
    ),
    advice(
        codes::ENCODING,
        "Polyaxonfiles are text in UTF-8. Save the file again in this encoding; control characters are written as escapes \
         in double quotes.",
    ),
    shown(
        codes::EMPTY,
        "The file holds nothing, or only comments. A component needs `run`, or a shortcut such as `container`.",
        "# to be written\n",
        "kind: component\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::NOT_A_MAPPING,
        "The outermost level must be `field: value` lines. A leading `-` makes a list of it.",
        "- kind: component\n- container: {image: \"train:1.0\"}\n",
        "kind: component\ncontainer: {image: \"train:1.0\"}\n",
    ),
    advice(
        codes::NO_FILE,
        "Name a file with `-f`, or give the folder a `polyaxonfile.yaml`. Paths are relative to the working directory.",
    ),
    advice(
        codes::TOO_LARGE,
        "A polyaxonfile describes a run. Put data into files or a store that the run reads, and do not let aliases repeat \
         themselves many times.",
    ),
    shown(
        codes::DUPLICATE_KEY,
        "YAML keeps the last of two equal keys without a word. Remove one of them.",
        "kind: component\nname: first\nname: second\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nname: second\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::UNKNOWN_SECTION,
        "The root of a document with a `kind` has fixed fields in camelCase. `polyaxon check --fix` rewrites fields with \
         underscores; the others belong somewhere else, or are misspelt.",
        "kind: component\nstrict_params: true\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nstrictParams: true\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::UNKNOWN_FIELD,
        "The field is misspelt, or belongs into another section. `polyaxon explain SECTION` lists what a section has.",
        "kind: component\ntermination: {retries: 3}\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\ntermination: {maxRetries: 3}\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::MISSING_FIELD,
        "The section cannot be understood without the field. Add it; its meaning is in `polyaxon explain`.",
        "kind: component\ninputs: [{type: int, value: 3}]\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs }}\"]}\n",
    ),
    shown(
        codes::TYPE,
        "The value has another type than the field. Remember that YAML reads `1.10`, `yes` and `2024-01-31` as number, \
         boolean and date unless they are quoted.",
        "kind: component\nqueue: 10\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nqueue: \"10\"\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::VALUE,
        "The type is right, but the value makes no sense here; the message says why.",
        "kind: operation\nmatrix: {kind: grid, params: {lr: {kind: range, value: [5, 1, 1]}}}\ncomponent:\n  inputs: [{name: \
         lr, type: int}]\n  container: {image: \"train:1.0\", args: [\"{{ lr }}\"]}\n",
        "",
    ),
    shown(
        codes::ENUM,
        "Only fixed words are allowed here, in exactly this spelling.",
        "kind: component\npatchStrategy: merge\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\npatchStrategy: post_merge\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::RANGE,
        "The number is too small or too large for the field.",
        "kind: operation\nmatrix: {kind: grid, concurrency: 0, params: {lr: {kind: choice, value: [1]}}}\ncomponent:\n  \
         inputs: [{name: lr, type: int}]\n  container: {image: \"train:1.0\", args: [\"{{ lr }}\"]}\n",
        "",
    ),
    shown(
        codes::NAME_PATTERN,
        "Names become parts of addresses and labels: letters, digits, `-` and `_` only.",
        "kind: component\nname: my model\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nname: my-model\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::UNKNOWN_KIND,
        "The `kind` chooses which fields a section has. Kinds are written in lower case.",
        "kind: component\nrun: {kind: Job, container: {image: \"train:1.0\"}}\n",
        "kind: component\nrun: {kind: job, container: {image: \"train:1.0\"}}\n",
    ),
    shown(
        codes::MISSING_KIND,
        "Without a `kind` it is open which fields the section has.",
        "kind: operation\nschedule: {cron: \"0 6 * * *\"}\ncomponent: {container: {image: \"train:1.0\"}}\n",
        "",
    ),
    shown(
        codes::RUN_KIND,
        "Something must say what runs: `run` with a `kind`, a shortcut such as `container`, or a reference to a component.",
        "kind: component\nname: nothing\n",
        "kind: component\nname: something\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::K8S_FIELD,
        "Containers, volumes and other embedded objects have the fields of the Kubernetes API. Those of pods, such as \
         `nodeSelector`, belong into `environment`.",
        "kind: component\nrun: {kind: job, container: {image: \"train:1.0\", workDir: /code}}\n",
        "kind: component\nrun: {kind: job, container: {image: \"train:1.0\", workingDir: /code}}\n",
    ),
    shown(
        codes::K8S_REQUIRED,
        "Kubernetes does not accept the object without the field.",
        "kind: component\nvolumes: [{emptyDir: {}}]\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nvolumes: [{name: scratch, emptyDir: {}}]\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::OLD_SPELLING,
        "Earlier versions wrote this name in another way. It still means the same; `polyaxon check --fix` rewrites it and \
         keeps everything else as it is.",
        "kind: component\ntermination: {max_retries: 3}\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\ntermination: {maxRetries: 3}\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::SHADOWED,
        "Shortcuts at the root of a document stand for fields of `run`. When both are written, one of them has no effect.",
        "kind: component\ncontainer: {image: \"train:1.1\"}\nrun: {kind: job, container: {image: \"train:1.0\"}}\n",
        "kind: component\nrun: {kind: job, container: {image: \"train:1.1\"}}\n",
    ),
    shown(
        codes::IO_NAME,
        "Templates use `globals`, `params` and `connections` for something else.",
        "kind: component\ninputs: [{name: params, type: dict, value: {}}]\ncontainer: {image: \"train:1.0\"}\n",
        "",
    ),
    shown(
        codes::IO_DEFAULT,
        "An input with a default is optional by itself. Remove `isOptional: false`, or the default.",
        "kind: component\ninputs: [{name: epochs, type: int, isOptional: false, value: 3}]\ncontainer: {image: \"train:1.0\", \
         args: [\"{{ epochs }}\"]}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs \
         }}\"]}\n",
    ),
    shown(
        codes::IO_VALUE,
        "The value is not of the type that its input or output declares. Text is read as JSON where the type is not text.",
        "kind: component\ninputs: [{name: epochs, type: int, value: many}]\ncontainer: {image: \"train:1.0\", args: [\"{{ \
         epochs }}\"]}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs \
         }}\"]}\n",
    ),
    shown(
        codes::IO_VALIDATION,
        "The declaration has rules for its values under `validation` or `options`, and the value breaks one of them.",
        "kind: component\ninputs: [{name: lr, type: float, value: 2, validation: {lt: 1}}]\ncontainer: {image: \"train:1.0\", \
         args: [\"{{ lr }}\"]}\n",
        "kind: component\ninputs: [{name: lr, type: float, value: 0.2, validation: {lt: 1}}]\ncontainer: {image: \
         \"train:1.0\", args: [\"{{ lr }}\"]}\n",
    ),
    shown(
        codes::FLAG_TYPE,
        "`isFlag` turns a boolean into `--name` or nothing, so the type must be `bool`.",
        "kind: component\ninputs: [{name: fast, type: str, isFlag: true, value: \"yes\"}]\ncontainer: {image: \"train:1.0\", \
         args: [\"{{ fast }}\"]}\n",
        "kind: component\ninputs: [{name: fast, type: bool, isFlag: true, value: true}]\ncontainer: {image: \"train:1.0\", \
         args: [\"{{ fast }}\"]}\n",
    ),
    shown(
        codes::UNKNOWN_TYPE,
        "The type of an input or output is one of a fixed list, or a Python spelling such as `List[int]`.",
        "kind: component\ninputs: [{name: epochs, type: number, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ \
         epochs }}\"]}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs \
         }}\"]}\n",
    ),
    shown(
        codes::PARAM_REQUIRED,
        "An input without default needs a value: in `params`, with `-P`, or from a search or a join.",
        "kind: component\ninputs: [{name: epochs, type: int}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs }}\"]}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs \
         }}\"]}\n",
    ),
    shown(
        codes::PARAM_UNDECLARED,
        "The component declares no input or output of this name. Declare it, correct the name, or say `contextOnly: true` \
         when only templates use it.",
        "kind: operation\nparams: {epoch: 3}\ncomponent:\n  inputs: [{name: epochs, type: int, value: 1}]\n  container: {image: \
         \"train:1.0\", args: [\"{{ epochs }}\"]}\n",
        "kind: operation\nparams: {epochs: 3}\ncomponent:\n  inputs: [{name: epochs, type: int, value: 1}]\n  container: \
         {image: \"train:1.0\", args: [\"{{ epochs }}\"]}\n",
    ),
    shown(
        codes::PARAM_REF,
        "`ref` is `ops.NAME`, `runs.UUID` or `dag`, and `value` names what is asked of it: `outputs.loss`.",
        "kind: operation\nparams: {start: {ref: runs, value: outputs.path}}\ncomponent:\n  inputs: [{name: start, type: \
         path}]\n  container: {image: \"train:1.0\", args: [\"{{ start }}\"]}\n",
        "",
    ),
    advice(
        codes::PARAM_REF_MISSING,
        "The operation, or the input or output of it, does not exist in this dag. Compare the names.",
    ),
    advice(
        codes::PARAM_REF_TYPE,
        "What the other operation gives has another type than the input that takes it. Declare both alike.",
    ),
    advice(
        codes::PARAM_TO_INIT,
        "`toInit` makes an init step of a value, which only some types can be: `git`, `dockerfile`, `file`, `artifacts`, \
         `tensorboard` and paths.",
    ),
    advice(codes::JOIN_NOT_LIST, "A join collects the values of many runs. Declare the input with `isList: true`."),
    advice(
        codes::UNRESOLVED_PARAM,
        "The value comes from another run, so it is only known when this one starts inside its dag.",
    ),
    shown(
        codes::UNUSED_INPUT,
        "No template and no environment variable uses the input, so its value changes nothing but the record of the run. \
         Use it as `{{ name }}`, hand it on with `toEnv`, or remove it.",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3, toEnv: EPOCHS}]\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::MATRIX_DISTRIBUTION,
        "A grid needs a fixed number of values, so it cannot use distributions. Use `choice`, a range or a space, or a \
         `random` search.",
        "kind: operation\nmatrix: {kind: grid, params: {lr: {kind: uniform, value: [0, 1]}}}\ncomponent:\n  inputs: [{name: \
         lr, type: float}]\n  container: {image: \"train:1.0\", args: [\"{{ lr }}\"]}\n",
        "",
    ),
    shown(
        codes::MATRIX_IO,
        "The values that the search makes do not fit the declared type of the input.",
        "kind: operation\nmatrix: {kind: grid, params: {lr: {kind: linspace, value: [0, 1, 3]}}}\ncomponent:\n  inputs: [{name: \
         lr, type: str}]\n  container: {image: \"train:1.0\", args: [\"{{ lr }}\"]}\n",
        "",
    ),
    shown(
        codes::DAG_EMPTY,
        "A dag without operations runs nothing.",
        "kind: component\nrun: {kind: dag, operations: []}\n",
        "",
    ),
    shown(
        codes::DAG_NAME,
        "Operations of a dag refer to each other by name, so every one needs a name of its own.",
        "kind: component\nrun:\n  kind: dag\n  operations:\n  - {name: a, component: {container: {image: \"train:1.0\"}}}\n  - \
         {name: a, component: {container: {image: \"train:1.0\"}}}\n",
        "",
    ),
    shown(
        codes::DAG_CYCLE,
        "None of these operations could ever start. Remove one of the dependencies or references.",
        "kind: component\nrun:\n  kind: dag\n  operations:\n  - {name: a, dependencies: [b], component: {container: {image: \
         \"train:1.0\"}}}\n  - {name: b, dependencies: [a], component: {container: {image: \"train:1.0\"}}}\n",
        "",
    ),
    shown(
        codes::DAG_ORPHAN,
        "`dependencies` names an operation that the dag does not have.",
        "kind: component\nrun:\n  kind: dag\n  operations:\n  - {name: a, dependencies: [b], component: {container: {image: \
         \"train:1.0\"}}}\n",
        "",
    ),
    shown(
        codes::DAG_SCHEDULE,
        "A dag runs as a whole; its operations start when their dependencies end. Put the schedule on the operation that \
         holds the dag.",
        "kind: component\nrun:\n  kind: dag\n  operations:\n  - {name: a, schedule: {kind: cron, cron: \"0 6 * * *\"}, \
         component: {container: {image: \"train:1.0\"}}}\n",
        "",
    ),
    shown(
        codes::EVENT_REF,
        "Events come from runs. Write `ops.NAME` for an operation of the same dag, or `runs.UUID`.",
        "kind: operation\nevents: [{kinds: [run_status_running], ref: runs.latest}]\n\
         component: {container: {image: \"train:1.0\"}}\n",
        "kind: operation\nevents: [{kinds: [run_status_running], ref: runs.a1b2c3d4e5f647898abcdef012345678}]\n\
         component: {container: {image: \"train:1.0\"}}\n",
    ),
    shown(
        codes::EVENT_NEVER,
        "An operation that only waits for such events ends as `upstream_failed`. Wait for `run_status_*`, \
         `run_new_artifacts`, `run_approved_actor` or `run_invalidated_actor` of an operation or a run.",
        "kind: operation\nevents: [{kinds: [alert_info], ref: runs.a1b2c3d4e5f647898abcdef012345678}]\n\
         component: {container: {image: \"train:1.0\"}}\n",
        "kind: operation\nevents: [{kinds: [run_status_done], ref: runs.a1b2c3d4e5f647898abcdef012345678}]\n\
         component: {container: {image: \"train:1.0\"}}\n",
    ),
    shown(
        codes::MULTIPLE_REFERENCES,
        "An operation runs one component. Keep one of `hubRef`, `pathRef`, `urlRef` and `dagRef`.",
        "kind: operation\nhubRef: trainer\npathRef: ./trainer.yaml\n",
        "",
    ),
    shown(
        codes::REFERENCE_UNRESOLVED,
        "The component is not there. Paths are relative to the folder of the file that names them; hub components are built \
         in or registered on the server.",
        "kind: operation\npathRef: ./not-there.yaml\n",
        "",
    ),
    advice(
        codes::REFERENCE_CYCLE,
        "A component cannot contain itself, not even through other files. Remove one of the references of the circle.",
    ),
    shown(
        codes::CMD,
        "`cmd` holds the lines of a shell script; an empty one does nothing.",
        "kind: component\ncmd: \"\"\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\ncmd: python train.py\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::ENV,
        "The values of `env` are text. Put numbers and booleans in quotes.",
        "kind: component\nenv: {SEED: 42}\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nenv: {SEED: \"42\"}\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::RESOURCES,
        "The shortcut takes amounts and ranges of `cpu`, `memory`, `gpu` and names with a `/`. Everything else is written \
         under `container.resources`.",
        "kind: component\nresources: {memory: lots}\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nresources: {memory: 2Gi..4Gi}\ncontainer: {image: \"train:1.0\"}\n",
    ),
    shown(
        codes::INIT_SCHEMAS,
        "Each init step does one thing. Write a list item for each.",
        "kind: component\ninit: [{git: {url: \"https://example.com/r\"}, file: {content: x}}]\ncontainer: {image: \
         \"train:1.0\"}\n",
        "kind: component\ninit: [{git: {url: \"https://example.com/r\"}}, {file: {content: x}}]\ncontainer: {image: \
         \"train:1.0\"}\n",
    ),
    shown(
        codes::HOOK_TRIGGER,
        "A hook follows the end of a run, so it can only wait for a final state.",
        "kind: component\nhooks: [{hubRef: slack, trigger: running}]\ncontainer: {image: \"train:1.0\"}\n",
        "",
    ),
    advice(codes::BUILD, "The section asks for a build where no image can be made from it."),
    shown(
        codes::SANDBOX,
        "Sandboxes and SSH need something that stays: use `run.kind: service`, or a document with `ports`.",
        "kind: component\nplugins: {sandbox: true}\nrun: {kind: job, container: {image: \"train:1.0\"}}\n",
        "kind: component\nplugins: {sandbox: true}\nrun: {kind: service, container: {image: \"train:1.0\"}}\n",
    ),
    shown(
        codes::UNPINNED_IMAGE,
        "`latest` and images without a tag change under your hands, and a cached result may come from another image. Write \
         a version or a digest.",
        "kind: component\ncontainer: {image: python}\n",
        "kind: component\ncontainer: {image: \"python:3.12\"}\n",
    ),
    advice(
        codes::CLI_PARAM,
        "Params are given as `-P name=value`, hyper-parameters as `-HP name=kind:value`. Quote what the shell would change.",
    ),
    shown(
        codes::TEMPLATE,
        "The template cannot be read or rendered. Templates are Jinja: `{{ name }}`, `{{ name | filter }}`, `{% if … %}`.",
        "kind: component\ncontainer: {image: \"train:1.0\", args: [\"{{ globals.name | shout }}\"]}\n",
        "kind: component\ncontainer: {image: \"train:1.0\", args: [\"{{ globals.name | upper }}\"]}\n",
    ),
    shown(
        codes::TEMPLATE_UNDEFINED,
        "No input, output, param or global has this name. Declare it under `inputs`, correct it, or give it a value with \
         `| default('…')`.",
        "kind: component\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs }}\"]}\n",
        "kind: component\ninputs: [{name: epochs, type: int, value: 3}]\ncontainer: {image: \"train:1.0\", args: [\"{{ epochs \
         }}\"]}\n",
    ),
    shown(
        codes::TEMPLATE_PLACE,
        "The field is read before templates are rendered, or is never rendered.",
        "kind: component\nname: \"run-{{ globals.uuid }}\"\ncontainer: {image: \"train:1.0\"}\n",
        "kind: component\nname: run\ncontainer: {image: \"train:1.0\"}\n",
    ),
    advice(codes::RECURSION, "The value is made from itself. Break the circle."),
    advice(codes::NAMESPACE, "The server only runs things in the namespaces that it manages. Leave the field out."),
    advice(
        codes::CONNECTION_MISSING,
        "The server does not know the connection. Compare the name with the catalogue of the server.",
    ),
    advice(codes::INT_RANGE, "Integers must fit in 64 bits. Quote the number to make it text, or write it as a float."),
    advice(
        codes::NOT_SUPPORTED,
        "The document is valid, but this version cannot execute it yet; the message says which part.",
    ),
    advice(
        codes::INTERNAL,
        "This should not happen. Please report the message together with the file, and run the command with `--verbose`.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_advice_about_every_code() {
        for code in codes::ALL {
            assert!(of(*code).is_some_and(|guidance| guidance.advice.ends_with('.')), "{}", code.id);
        }
        assert_eq!(ALL.len(), codes::ALL.len());
    }
}
