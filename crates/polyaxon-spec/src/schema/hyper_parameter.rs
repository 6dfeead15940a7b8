//! The hyper-parameters of a search: how each kind is written, and what it must fulfil (spec §6).

use jiff::Timestamp;

use crate::decode::{self, report};
use crate::diagnostic::{Diagnostic, codes};
use crate::node::{Key, Map, Node, Value};
use crate::section::{CustomType, Field, Section, Type, field};

/// Declares the sections of kinds whose value is a few numbers: as mapping, list, or (`text`) as `a:b:c`.
macro_rules! kinds {
    ($($section:ident $shape:ident $kind:literal $text:literal $doc:literal $example:literal;)*) => {
        pub const HYPER_PARAMETERS: &[(&str, &Section)] =
            &[("choice", &CHOICE), ("pchoice", &WEIGHTED_CHOICE), $(($kind, &$section)),*];
        $(static $section: Section = Section {
            name: concat!($kind, " hyper-parameter"),
            doc: $doc,
            fields: &[
                field("kind", Type::Enum(&[$kind]), "The kind of hyper-parameter.", $kind),
                field("value", Type::Custom({
                    static VALUE: CustomType = CustomType {
                        name: if $text { "a mapping, a list, or text like `a:b:c`" } else { "a mapping or a list" },
                        read: |node, path, diagnostics| read_shape(&$shape, $text, node, path, diagnostics),
                        json_schema: if $text {
                            r#"{"anyOf": [{"$ref": "%SECTION%"}, {"type": "array"}, {"type": "string", "pattern": ":"}]}"#
                        } else {
                            r#"{"anyOf": [{"$ref": "%SECTION%"}, {"type": "array"}]}"#
                        },
                        section: Some(&$shape),
                    };
                    &VALUE
                }), "The bounds, as mapping, list or `a:b:c`.", $example).template(),
                when(),
            ],
            check: Some(check_value),
        };)*
    };
}

kinds! {
    RANGE_KIND RANGE "range" true "Numbers from `start` to before `stop`, by `step`." "{start: 1, stop: 10, step: 2}";
    LINSPACE_KIND SPACE "linspace" true "`num` numbers with equal distances." "[0, 1, 5]";
    LOGSPACE_KIND LOG_SPACE "logspace" true "`num` numbers with equal ratios, between powers of `base`." "[-3, -1, 3]";
    GEOMSPACE_KIND SPACE "geomspace" true "`num` numbers with equal ratios." "[0.001, 1, 4]";
    DATERANGE_KIND DATE_RANGE "daterange" false "Dates from `start` to before `stop`, by `step` days." "[2030-01-01, 2030-02-01, 7]";
    DATETIMERANGE_KIND DATETIME_RANGE "datetimerange" false "Times from `start` to before `stop`, by `step`." "[2030-01-01T00:00, 2030-01-02T00:00, 3600]";
    UNIFORM_KIND DISTRIBUTION "uniform" true "Any number between `low` and `high`." "[0, 1]";
    QUNIFORM_KIND QUANTIZED "quniform" true "As `uniform`, rounded to multiples of `q`." "[0, 1, 0.1]";
    LOGUNIFORM_KIND DISTRIBUTION "loguniform" true "A number whose logarithm is uniform." "[0, 1]";
    QLOGUNIFORM_KIND QUANTIZED "qloguniform" true "As `loguniform`, rounded to multiples of `q`." "[0, 1, 0.1]";
    NORMAL_KIND BELL "normal" true "A number of a normal distribution." "[0, 1]";
    QNORMAL_KIND QUANTIZED_BELL "qnormal" true "As `normal`, rounded to multiples of `q`." "[0, 1, 0.1]";
    LOGNORMAL_KIND BELL "lognormal" true "A number whose logarithm is normal." "[0, 1]";
    QLOGNORMAL_KIND QUANTIZED_BELL "qlognormal" true "As `lognormal`, rounded to multiples of `q`." "[0, 1, 0.1]";
}

/// Ours: earlier versions do not have it.
const fn when() -> Field {
    field(
        "when",
        Type::AnyMap,
        "For which values of hyper-parameters before it this one exists; otherwise runs do not get it.",
        "{optimizer: [sgd, momentum]}",
    )
}

static CHOICE: Section = Section {
    name: "choice hyper-parameter",
    doc: "One of the given values.",
    fields: &[
        field("kind", Type::Enum(&["choice"]), "The kind of hyper-parameter.", "choice"),
        field("value", Type::List(&Type::Any), "The values to choose from.", "[16, 32, 64]").template(),
        when(),
    ],
    check: Some(check_value),
};

static WEIGHTED_CHOICE: Section = Section {
    name: "pchoice hyper-parameter",
    doc: "One of the given values, each with its probability.",
    fields: &[
        field("kind", Type::Enum(&["pchoice"]), "The kind of hyper-parameter.", "pchoice"),
        field("value", Type::Custom(&WEIGHTED), "Pairs of value and probability.", "[[adam, 0.8], [sgd, 0.2]]")
            .template(),
        when(),
    ],
    check: None,
};

static WEIGHTED: CustomType = CustomType {
    name: "a list of pairs of value and probability",
    read: read_weighted,
    json_schema: r#"{"type": "array", "items": {"type": "array", "minItems": 2, "maxItems": 2}}"#,
    section: None,
};

/// The key must be there, though it may be null, for the kinds that have no default.
fn check_value(hyper_parameter: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let kind = hyper_parameter.get("kind").and_then(Node::as_str).unwrap_or_default();
    if matches!(kind, "choice" | "datetimerange") && hyper_parameter.get("value").is_none() {
        let start = report::start(hyper_parameter);
        diagnostics.push(report::missing_field(&CHOICE, &CHOICE.fields[1], start, path));
    }
    if kind == "geomspace" {
        check_ratios(hyper_parameter, path, diagnostics);
    }
}

/// Multiples of a number that is not above 0 never reach one that is.
fn check_ratios(hyper_parameter: &Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    for name in ["start", "stop"] {
        let Some(bound) = hyper_parameter.at(&["value", name]) else { continue };
        if matches!(bound.value, Value::Float(number) if number <= 0.0) {
            let path = report::join(&report::join(path, "value"), name);
            let message = format!("`{path}` is {}, but the bounds of a geomspace are above 0", report::shown(bound));
            diagnostics.push(
                Diagnostic::error(codes::VALUE, bound.span, message)
                    .label("must be greater than 0")
                    .path(path)
                    .help("use `linspace` for numbers with equal distances"),
            );
        }
    }
}

/// What a number of a shape means.
const fn bound(name: &str) -> &'static str {
    match name.as_bytes() {
        b"start" => "The first value.",
        b"stop" => "The end; must be greater than `start`.",
        b"step" => "The distance between two values.",
        b"num" => "How many values there are.",
        b"base" => "The base of the powers.",
        b"low" => "The smallest value.",
        b"high" => "The largest value.",
        b"q" => "Values are rounded to multiples of it.",
        b"loc" => "The mean.",
        b"scale" => "The standard deviation.",
        b"size" => "How many values are drawn at once; not needed.",
        _ => "A number of the hyper-parameter.",
    }
}

const fn number(name: &'static str, ty: Type) -> Field {
    field(name, ty, bound(name), "1").required()
}

const fn moment(name: &'static str, ty: Type) -> Field {
    field(name, ty, bound(name), "2030-01-01").required()
}

const fn count(name: &'static str) -> Field {
    field(name, Type::Int, bound(name), "10")
}

macro_rules! shapes {
    ($($shape:ident $name:literal [$($field:expr),*] $check:expr;)*) => {
        $(static $shape: Section = Section { name: $name, doc: "Bounds of a hyper-parameter.", fields: &[$($field),*], check: $check };)*
    };
}

shapes! {
    RANGE "range" [number("start", Type::Float), number("stop", Type::Float), number("step", Type::Number)] Some(check_range);
    DATE_RANGE "date range" [moment("start", Type::Date), moment("stop", Type::Date), number("step", Type::Int)] Some(check_range);
    DATETIME_RANGE "datetime range" [moment("start", Type::DateTime), moment("stop", Type::DateTime), number("step", Type::TimeDelta)] Some(check_range);
    SPACE "space" [number("start", Type::Float), number("stop", Type::Float), number("num", Type::Int)] Some(check_range);
    LOG_SPACE "log space" [number("start", Type::Float), number("stop", Type::Float), number("num", Type::Int), count("base")] Some(check_range);
    DISTRIBUTION "distribution" [number("low", Type::Float), number("high", Type::Float), count("size")] None;
    QUANTIZED "quantized distribution" [number("low", Type::Float), number("high", Type::Float), number("q", Type::Number), count("size")] Some(check_step);
    BELL "normal distribution" [number("loc", Type::Float), number("scale", Type::Float), count("size")] None;
    QUANTIZED_BELL "quantized normal distribution" [number("loc", Type::Float), number("scale", Type::Float), number("q", Type::Number), count("size")] Some(check_step);
}

fn read_shape(
    shape: &'static Section,
    takes_text: bool,
    node: &mut Node,
    path: &str,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let parts: Vec<Node> = match &mut node.value {
        Value::Map(_) => return decode::section(shape, node, path, diagnostics),
        Value::List(items) if !items.is_empty() => std::mem::take(items),
        Value::Str(text) if takes_text && text.contains(':') => {
            text.split(':').map(|part| Node::new(Value::Str(part.to_owned()), node.span)).collect()
        }
        _ => {
            let names: Vec<&str> = shape.fields.iter().filter(|field| field.required).map(|field| field.name).collect();
            let diagnostic = report::wrong_value(node, path, &format!("a mapping or list of {}", names.join(", ")));
            let hint = "an unquoted `a:b:c` is read as a number in base 60; put it in quotes";
            diagnostics.push(match node.value {
                Value::Int(_) | Value::Float(_) if takes_text => diagnostic.help(hint),
                _ => diagnostic,
            });
            return;
        }
    };
    // Items beyond the fields are ignored.
    let entries = shape.fields.iter().zip(parts).map(|(field, part)| {
        let key = Key { text: field.name.to_owned(), span: part.span, is_text: true };
        (key, part)
    });
    node.value = Value::Map(Map::from_entries(entries.collect()));
    decode::section(shape, node, path, diagnostics);
}

fn check_range(shape: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let (Some(start), Some(stop)) = (shape.get("start"), shape.get("stop")) else { return };
    let is_ordered = match (&start.value, &stop.value) {
        (Value::Float(start), Value::Float(stop)) => start < stop,
        (Value::Date(start), Value::Date(stop)) => start < stop,
        (Value::DateTime(start), Value::DateTime(stop)) => {
            match (start.parse::<Timestamp>(), stop.parse::<Timestamp>()) {
                (Ok(start), Ok(stop)) => start < stop,
                _ => true,
            }
        }
        _ => true,
    };
    if !is_ordered {
        let message = format!("`{path}` stops at {}, which is not after {}", report::shown(stop), report::shown(start));
        diagnostics.push(
            Diagnostic::error(codes::VALUE, stop.span, message)
                .label("must be greater than `start`")
                .path(report::join(path, "stop")),
        );
    }
    check_step(shape, path, diagnostics);
}

fn check_step(shape: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    for name in ["step", "num", "q"] {
        let Some(step) = shape.get(name) else { continue };
        if matches!(step.value, Value::Int(0) | Value::Float(0.0) | Value::TimeDelta(0.0)) {
            let path = report::join(path, name);
            diagnostics.push(
                Diagnostic::error(codes::VALUE, step.span, format!("`{path}` cannot be 0"))
                    .label("must not be 0")
                    .path(path),
            );
        }
    }
}

fn read_weighted(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let errors_before = diagnostics.len();
    let span = node.span;
    decode::items(node, path, WEIGHTED.name, read_pair, diagnostics);
    let pairs = node.as_list().unwrap_or_default();
    let sum: f64 = pairs.iter().filter_map(|pair| probability(pair.as_list()?.get(1)?)).sum();
    if diagnostics.len() == errors_before && sum > 1.0 {
        diagnostics.push(
            Diagnostic::error(codes::VALUE, span, format!("the probabilities of `{path}` add up to {sum}"))
                .label("more than 1 in total")
                .path(path)
                .help("probabilities add up to 1"),
        );
    }
}

fn probability(node: &Node) -> Option<f64> {
    match node.value {
        Value::Float(value) => Some(value),
        _ => None,
    }
}

fn read_pair(node: &mut Node, path: &str, diagnostics: &mut Vec<Diagnostic>) {
    let Value::List(items) = &mut node.value else {
        diagnostics.push(report::wrong_kind(node, path, "a list of value and probability"));
        return;
    };
    let [_, chance] = items.as_mut_slice() else {
        diagnostics.push(report::wrong_kind(node, path, "a pair of value and probability"));
        return;
    };
    let path = report::index(path, 1);
    let errors_before = diagnostics.len();
    decode::read(&Type::Float, chance, &path, diagnostics);
    if diagnostics.len() == errors_before && !probability(chance).is_some_and(|chance| (0.0..1.0).contains(&chance)) {
        diagnostics.push(
            Diagnostic::error(codes::RANGE, chance.span, format!("`{path}` cannot be {}", report::shown(chance)))
                .label("must be 0 or more and less than 1")
                .path(path),
        );
    }
}
