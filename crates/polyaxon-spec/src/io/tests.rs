//! Conversion and validation of input and output values, in tables.

use super::*;
use crate::span::SourceId;
use crate::yaml;

fn node(text: &str) -> Node {
    yaml::read(SourceId::NONE, text.as_bytes()).expect("valid YAML").node
}

/// Checks the converted value of each row, or that it is refused.
#[track_caller]
fn check(type_name: &str, is_list: bool, rows: &[(&str, Option<&str>)]) {
    for (value, expected) in rows {
        let io_type = IoType::parse(type_name, is_list).expect("a known type");
        let found = io_type.convert(&node(value)).ok().map(|node| node.to_json().to_string());
        assert_eq!(found.as_deref(), *expected, "{type_name} from {value}");
    }
}

#[test]
fn numbers_come_from_numbers_and_json_text() {
    check("int", false, &[("7", Some("7")), ("'42'", Some("42")), ("3.0", Some("3")), ("'1e3'", Some("1000"))]);
    check("int", false, &[("true", Some("1")), ("' 8 '", Some("8")), ("1.5", None), ("'01'", None), ("'+5'", None)]);
    check("int", false, &[("''", None), ("'1_000'", None), ("'0x10'", None)]);
    check("float", false, &[("2", Some("2.0")), ("'0.25'", Some("0.25")), ("'NaN'", None), ("'1,5'", None)]);
    check("PositiveInt", false, &[("0", None), ("'3'", Some("3"))]);
    check("NonNegativeInt", false, &[("0", Some("0")), ("-1", None)]);
}

#[test]
fn text_takes_anything_and_paths_take_text() {
    check(
        "str",
        false,
        &[("12", Some("\"12\"")), ("[1, two]", Some(r#""[1,\"two\"]""#)), ("{a: 1}", Some(r#""{\"a\":1}""#))],
    );
    check("path", false, &[("a/b", Some("\"a/b\"")), ("5", None)]);
}

#[test]
fn lists_and_mappings_may_be_json_text() {
    check("list", false, &[("'[1]'", Some("[1]")), ("{a: 1}", None), ("x", None)]);
    check(
        "int",
        true,
        &[("[1, '2']", Some("[1,2]")), ("'[1]'", Some("[1]")), ("'1,2'", None), ("5", None), ("[null]", None)],
    );
    check("str", true, &[("[x, 1, true]", Some(r#"["x","1","true"]"#))]);
    check("dict", false, &[("'{\"a\": 1}'", Some("{\"a\":1}")), ("'[]'", None), ("[1]", None)]);
    check("List[str]", false, &[("[a]", Some("[\"a\"]")), ("[1]", None)]);
    check("Dict[str, int]", false, &[("{a: '1'}", Some("{\"a\":1}")), ("{a: x}", None)]);
    check("Optional[int]", false, &[("'3'", Some("3"))]);
}

#[test]
fn addresses_are_checked_and_normalized() {
    check("uri", false, &[("HTTP://A.com:80", Some("\"http://a.com/\"")), ("a", None), ("'http://'", None)]);
    check("gcs", false, &[("gs://b/k", Some("\"gs://b/k\"")), ("'gs://'", None), ("s3://b", None)]);
    check("s3", false, &[("s3://b", Some("\"s3://b\""))]);
    check(
        "wasb",
        false,
        &[
            ("wasb://c@a.blob.core.windows.net/p", Some("\"wasb://c@a.blob.core.windows.net/p\"")),
            ("https://x", None),
            ("az://x", Some("\"az://x\"")),
        ],
    );
    check("image", false, &[("python:3.12", Some("\"python:3.12\"")), ("a:b:c", None), ("''", None), ("7", None)]);
    check("image", false, &[("{name: legacy}", Some("\"legacy\""))]);
    check(
        "email",
        false,
        &[("root@localhost", Some("\"root@localhost\"")), ("a@b", None), ("'a b@example.org'", None)],
    );
}

#[test]
fn unknown_types_are_refused_with_a_suggestion() {
    for name in ["string", "Union[int, str]", "Tuple[int]", " int", "nope", ""] {
        assert!(IoType::parse(name, false).is_none(), "{name}");
    }
    let io = node("{name: x, type: string}");
    let problems = Declaration::of(&io).expect("a name").accept(&node("a"), "params.x").expect_err("unknown type");
    assert_eq!(problems[0].code, codes::UNKNOWN_TYPE);
    assert_eq!(problems[0].help.as_deref(), Some("did you mean `str`?"));
}

#[test]
fn rules_hold_for_items_and_for_the_whole() {
    for (io, value, holds) in [
        ("{name: v, type: int, validation: {gt: 4, lt: 6}}", "5", true),
        ("{name: v, type: int, validation: {ge: 5}}", "4", false),
        ("{name: v, type: int, validation: {multipleOf: 3}}", "7", false),
        ("{name: v, type: float, validation: {decimalPlaces: 1}}", "1.25", false),
        ("{name: v, type: float, validation: {minDigits: 2, maxDigits: 4, decimalPlaces: 1}}", "2.5", true),
        ("{name: v, type: int, validation: {decimalPlaces: 1}}", "3", false),
        ("{name: v, type: int, validation: {minLength: 1}}", "3", false),
        ("{name: v, type: str, validation: {regex: '^v[0-9]+$'}}", "x1", false),
        ("{name: v, type: str, validation: {contains: b, excludes: z}}", "abc", true),
        ("{name: v, type: str, validation: {options: [a, b]}}", "c", false),
        ("{name: v, type: int, isList: true, validation: {gt: 2}}", "[5, 1]", false),
        ("{name: v, type: int, isList: true, validation: {minItems: 2}}", "[1]", false),
        ("{name: v, type: dict, validation: {keys: [a]}}", "{a: 1, b: 2}", false),
        ("{name: v, type: dict, validation: {containsKeys: [a], excludesKeys: [z]}}", "{a: 1}", true),
    ] {
        let io = node(io);
        let found = Declaration::of(&io).expect("a name").accept(&node(value), "params.v");
        assert_eq!(found.is_ok(), holds, "{io:?} with {value}");
    }
}

#[test]
fn defaults_must_fit() {
    for (io, code) in [
        ("{name: v, type: int, value: ten}", Some(codes::IO_VALUE)),
        ("{name: v, type: int, value: '{{ n }}'}", Some(codes::IO_VALUE)),
        ("{name: v, type: path, value: '{{ globals.uuid }}'}", None),
        ("{name: v, type: str, value: z, validation: {options: [a, b]}}", Some(codes::IO_VALIDATION)),
        ("{name: v, type: nope}", None),
        ("{name: v, type: int, value: null}", None),
    ] {
        let mut problems = Vec::new();
        check_default(&node(io), "inputs[0]", &mut problems);
        assert_eq!(problems.first().map(|problem| problem.code), code, "{io}");
    }
}
