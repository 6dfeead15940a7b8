//! What is wrong with a document, as data: every edge (terminal, JSON, HTTP, editor) renders the same value.

use crate::edit::Edit;
use crate::span::Span;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Warning,
    Error,
}

/// One finding. `message` is a lowercase fragment without final period that names the field and the bad value.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    pub severity: Severity,
    pub code: Code,
    pub message: String,
    /// The place to underline; `Span::NONE` when no text wrote it.
    pub span: Span,
    /// What to write under the carets, for example `expected an integer, found a string`.
    pub label: String,
    /// Other places that explain it (the declaration of an input, the first of two equal keys).
    pub related: Vec<(Span, String)>,
    /// Where in the document: `run.container.image`, `inputs[2].type`.
    pub path: String,
    /// What the reader can do next.
    pub help: Option<String>,
    /// Changes of the text that mend it without a doubt; empty when a person must decide.
    pub fix: Vec<Edit>,
}

/// A stable identifier of a kind of finding. `class` is the name that the conformance corpus uses for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// `PLX` and four digits; never reused.
    pub id: &'static str,
    pub class: &'static str,
    /// One sentence for `polyaxon explain PLX0101`.
    pub meaning: &'static str,
}

impl Diagnostic {
    pub fn error(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: message.into(),
            span,
            label: String::new(),
            related: Vec::new(),
            path: String::new(),
            help: None,
            fix: Vec::new(),
        }
    }

    pub fn warning(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, span, message) }
    }

    pub fn label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    pub fn related(mut self, span: Span, label: impl Into<String>) -> Diagnostic {
        self.related.push((span, label.into()));
        self
    }

    pub fn path(mut self, path: impl Into<String>) -> Diagnostic {
        self.path = path.into();
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }

    pub fn fix(mut self, edit: Edit) -> Diagnostic {
        self.fix.push(edit);
        self
    }

    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

macro_rules! codes {
    ($($name:ident $id:literal $class:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $name: Code = Code { id: $id, class: $class, meaning: $meaning };)*
        /// Every code, in order, for `polyaxon explain` and the reference documentation.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

/// The catalogue of codes (spec §18 and the classes of the conformance corpus).
pub mod codes {
    use super::Code;

    codes! {
        YAML "PLX0101" "yaml" "The text is not valid YAML.";
        ENCODING "PLX0102" "encoding" "The text is not valid UTF-8, or holds control characters.";
        EMPTY "PLX0103" "empty" "The document is empty.";
        NOT_A_MAPPING "PLX0104" "not-a-mapping" "A polyaxonfile must be a mapping of fields to values.";
        NO_FILE "PLX0105" "no-file" "No polyaxonfile was given or found.";
        TOO_LARGE "PLX0106" "yaml" "The text is larger, deeper or expands further than the limits allow.";
        DUPLICATE_KEY "PLX0107" "yaml" "A key is written twice in one mapping; the last one wins.";
        UNKNOWN_SECTION "PLX0201" "unknown-section" "A root key is not a section of a polyaxonfile.";
        UNKNOWN_FIELD "PLX0202" "unknown-field" "A field is not known in its section.";
        MISSING_FIELD "PLX0203" "missing-field" "A required field is missing.";
        TYPE "PLX0204" "type" "A value has the wrong type.";
        VALUE "PLX0205" "value" "A value is not acceptable.";
        ENUM "PLX0206" "enum" "A value is not one of the allowed words.";
        RANGE "PLX0207" "range" "A number is out of range.";
        NAME_PATTERN "PLX0208" "name-pattern" "A name holds characters that are not allowed.";
        UNKNOWN_KIND "PLX0209" "unknown-kind" "The kind of a section is not known.";
        MISSING_KIND "PLX0210" "missing-kind" "A section needs a kind.";
        RUN_KIND "PLX0211" "run-kind" "No runtime can be determined for this document.";
        K8S_FIELD "PLX0212" "k8s-field" "A field is not known in an embedded Kubernetes object.";
        K8S_REQUIRED "PLX0213" "k8s-required" "An embedded Kubernetes object lacks a required field.";
        OLD_SPELLING "PLX0214" "old-spelling" "A name is written as in an earlier version; it is understood.";
        SHADOWED "PLX0215" "shadowed" "A value is written twice, in two places that mean the same; one of them wins.";
        IO_NAME "PLX0301" "io-name" "The name of an input or output is reserved.";
        IO_DEFAULT "PLX0302" "io-default" "An input or output has a default but says that it is not optional.";
        IO_VALUE "PLX0303" "io-value" "A value does not fit the type of its input or output.";
        IO_VALIDATION "PLX0304" "io-validation" "A value breaks a validation rule of its input or output.";
        FLAG_TYPE "PLX0305" "flag-type" "Only boolean inputs can be flags.";
        UNKNOWN_TYPE "PLX0306" "unknown-type" "The type of an input or output is not known.";
        PARAM_REQUIRED "PLX0307" "param-required" "A required input has no value.";
        PARAM_UNDECLARED "PLX0308" "param-undeclared" "A param matches no declared input or output.";
        PARAM_REF "PLX0309" "param-ref" "A reference of a param is malformed.";
        PARAM_REF_MISSING "PLX0310" "param-ref-missing" "A reference of a param points to nothing.";
        PARAM_REF_TYPE "PLX0311" "param-ref-type" "A reference of a param points to a value of another type.";
        PARAM_TO_INIT "PLX0312" "param-to-init" "A param cannot be used to initialise the run.";
        JOIN_NOT_LIST "PLX0313" "join-not-list" "A join gives a list, but the input is not a list.";
        UNRESOLVED_PARAM "PLX0314" "unresolved-param" "A param still holds a reference when the run is resolved.";
        UNUSED_INPUT "PLX0315" "unused-input" "Nothing in the component uses an input.";
        MATRIX_DISTRIBUTION "PLX0401" "matrix-distribution" "A hyper-parameter kind cannot be used with this search.";
        MATRIX_IO "PLX0402" "matrix-io" "A hyper-parameter does not fit the type of its input.";
        DAG_EMPTY "PLX0403" "dag-empty" "A dag needs at least one operation.";
        DAG_NAME "PLX0404" "dag-name" "Operations and components of a dag need unique names.";
        DAG_CYCLE "PLX0405" "dag-cycle" "The operations of a dag depend on each other in a circle.";
        DAG_ORPHAN "PLX0406" "dag-orphan" "An operation of a dag depends on an operation that does not exist.";
        DAG_SCHEDULE "PLX0407" "dag-schedule" "An operation of a dag cannot have its own schedule.";
        EVENT_REF "PLX0408" "event-ref" "The source of an event is malformed.";
        EVENT_NEVER "PLX0409" "event-never" "An event never happens, so that it starts nothing.";
        MULTIPLE_REFERENCES "PLX0501" "multiple-references" "A document can reference one component only.";
        REFERENCE_UNRESOLVED "PLX0502" "reference-unresolved" "A referenced component cannot be read.";
        REFERENCE_CYCLE "PLX0503" "reference-cycle" "References lead back to where they started.";
        CMD "PLX0601" "cmd" "A command shortcut is empty.";
        ENV "PLX0602" "env" "An environment shortcut is malformed.";
        RESOURCES "PLX0603" "resources" "A resources shortcut is malformed.";
        INIT_SCHEMAS "PLX0604" "init-schemas" "An init step does more than one thing, or nothing that can be done.";
        HOOK_TRIGGER "PLX0605" "hook-trigger" "A hook has an unusable trigger.";
        BUILD "PLX0606" "build" "A build section is not possible here.";
        SANDBOX "PLX0607" "sandbox" "A sandbox needs a service.";
        UNPINNED_IMAGE "PLX0608" "unpinned-image" "An image has no version, so that runs may differ from day to day.";
        CLI_PARAM "PLX0701" "cli-param" "A value on the command line is malformed.";
        TEMPLATE "PLX0801" "template" "A template cannot be rendered.";
        TEMPLATE_UNDEFINED "PLX0802" "template" "A template names a variable that does not exist.";
        TEMPLATE_PLACE "PLX0803" "template" "A template stands where none is allowed.";
        RECURSION "PLX0804" "recursion" "A value refers to itself.";
        NAMESPACE "PLX0805" "namespace" "The namespace is not managed.";
        CONNECTION_MISSING "PLX0806" "connection-missing" "A connection is not known.";
        INT_RANGE "PLX0807" "int-range" "An integer does not fit in 64 bits.";
        NOT_SUPPORTED "PLX0901" "not-supported" "This part of the language cannot be executed by this version yet.";
        INTERNAL "PLX0999" "internal" "A fault of the program.";
    }
}
