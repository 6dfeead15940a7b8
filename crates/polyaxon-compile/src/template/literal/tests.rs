//! Which texts are literals, against what Python says of them.

use super::*;

#[test]
fn literals_become_values() {
    let cases = [
        ("5", "5"),
        ("-5", "-5"),
        ("+4", "4"),
        ("- 5", "-5"),
        ("0x10", "16"),
        ("0o7", "7"),
        ("0B1", "1"),
        ("0x_f", "15"),
        ("1_000", "1000"),
        ("00", "0"),
        ("1e3", "1000.0"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1_0.5", "10.5"),
        ("1E-2", "0.01"),
        ("True", "true"),
        ("None", "null"),
        ("  5 ", "5"),
        ("5 # five", "5"),
        ("# note\n5\n\n", "5"),
        ("'a'", "\"a\""),
        (r#""a" 'b'"#, "\"ab\""),
        (r"'a\tb\x41\101\u00e9\d'", "\"a\\tbAAé\\\\d\""),
        (r"r'a\tb'", "\"a\\\\tb\""),
        ("'''a\nb'''", "\"a\\nb\""),
        ("[1, 'a', [None]]", "[1,\"a\",[null]]"),
        ("[\n  1, # one\n  2,\n]", "[1,2]"),
        ("{'k': 1, 2: {}}", "{\"k\":1,\"2\":{}}"),
        ("(5)", "5"),
        ("('a'\n 'b')", "\"ab\""),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).map(|node| text::compact_json(&node)).as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn everything_else_stays_text() {
    let cases = [
        "",
        "a",
        "007",
        "1_",
        "1__0",
        "5x",
        "5 6",
        "--5",
        "-True",
        "true",
        "null",
        "None2",
        "1e",
        ".",
        "1.2.3",
        "'a",
        "'a\nb'",
        "[1",
        "[1,,2]",
        "{1}",
        "{1, 2}",
        "(1, 2)",
        "()",
        "(1,)",
        "b'x'",
        "f'x'",
        "1+2j",
        "5\n6",
        "[a]",
        "{[]: 1}",
        "\n  5",
        "1 2",
        "...",
        "'\\N{BULLET}'",
        "'\\xg'",
        "rx",
        "\u{661}",
    ];
    for text in cases {
        assert!(read(text).is_none(), "{text}");
    }
    assert!(read(&"[".repeat(5000)).is_none());
}
