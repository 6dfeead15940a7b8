//! What the official validators answered to the same values.

use super::*;

fn shown(result: Result<Value, Expected>) -> String {
    match result {
        Ok(value) => Node::bare(value).to_json().to_string().replace('"', ""),
        Err(_) => "refused".to_owned(),
    }
}

fn text_cases(reader: fn(&Value) -> Result<Value, Expected>, cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(shown(reader(&Value::Str((*text).to_owned()))), *expected, "{text:?}");
    }
}

#[test]
fn integers() {
    text_cases(
        lax_int,
        &[
            ("1", "1"),
            ("+1", "1"),
            (" 1 ", "1"),
            ("1_000", "1000"),
            ("1__0", "refused"),
            ("_1", "refused"),
            ("1.0", "1"),
            ("1.5", "refused"),
            ("1e3", "refused"),
            ("", "refused"),
            ("0x1", "refused"),
            ("007", "7"),
            ("1.", "refused"),
            ("- 1", "refused"),
            ("-_1", "refused"),
            ("1_", "refused"),
            ("\t1\n", "1"),
            ("1_000.0", "1000"),
        ],
    );
    assert_eq!(shown(lax_int(&Value::Bool(true))), "1");
    assert_eq!(shown(lax_int(&Value::Float(2.0))), "2");
    for value in [Value::Float(1.5), Value::Float(1e20), Value::Float(f64::NAN), Value::Null] {
        assert_eq!(shown(lax_int(&value)), "refused");
    }
    for value in [Value::Bool(true), Value::Float(1.0), Value::Str("1".to_owned())] {
        assert_eq!(shown(strict_int(&value)), "refused");
    }
}

#[test]
fn floats() {
    text_cases(
        lax_float,
        &[
            ("1", "1.0"),
            ("1e3", "1000.0"),
            (" 1.5 ", "1.5"),
            ("1_0.5", "10.5"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("1e", "refused"),
            ("0x1", "refused"),
            ("", "refused"),
            ("1e1_0", "10000000000.0"),
            ("inf", "null"),
            ("1__0", "refused"),
        ],
    );
}

#[test]
fn booleans() {
    text_cases(
        lax_bool,
        &[
            ("yes", "true"),
            (" yes", "refused"),
            ("oN", "true"),
            ("F", "false"),
            ("", "refused"),
            ("0", "false"),
            ("2", "refused"),
        ],
    );
    assert_eq!(shown(lax_bool(&Value::Float(1.0))), "true");
    assert_eq!(shown(lax_bool(&Value::Int(2))), "refused");
}

#[test]
fn points_in_time() {
    text_cases(
        datetime,
        &[
            ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
            ("2024-01-02t03:04", "2024-01-02T03:04:00+00:00"),
            ("2024-01-02 03:04:05.5", "2024-01-02T03:04:05.500000+00:00"),
            ("2024-01-02_03:04:05+0530", "2024-01-02T03:04:05+05:30"),
            ("2024-01-02", "2024-01-02T00:00:00+00:00"),
            ("1700000000", "2023-11-14T22:13:20+00:00"),
            ("1700000000000", "2023-11-14T22:13:20+00:00"),
            ("-1", "1969-12-31T23:59:59+00:00"),
            ("2024-01-02T03:04:05.1234567", "2024-01-02T03:04:05.123456+00:00"),
            ("2024-01-02T03:04:05\u{2212}05:00", "2024-01-02T03:04:05-05:00"),
            ("20240102", "1970-08-23T06:15:02+00:00"),
            ("2024-1-2", "refused"),
            ("03:04", "refused"),
            ("2024-01-02T24:00:00", "refused"),
            ("2024-01-02T03", "refused"),
            ("2024-01-02T03:04:60", "refused"),
            ("2024-01-02T03:04:05 Z", "refused"),
            ("2024-01-02T03:04:05+05", "refused"),
            ("2024-01-02T03:04:05+24:00", "refused"),
            ("", "refused"),
            ("0000-01-01", "refused"),
            ("2024-02-30", "refused"),
            ("1e9", "refused"),
            ("2024-01-02T03:04:05.", "refused"),
            ("1_0", "refused"),
        ],
    );
    assert_eq!(shown(datetime(&Value::Int(20_000_000_001))), "1970-08-20T11:33:20.001000+00:00");
    assert_eq!(shown(datetime(&Value::Float(1e30))), "refused");
    assert_eq!(shown(datetime(&Value::Bool(true))), "refused");
    text_cases(
        date,
        &[("2024-01-02", "2024-01-02"), ("2024-01-02T00:00:00Z", "2024-01-02"), ("2024-01-02T01:00", "refused")],
    );
}

#[test]
fn durations() {
    text_cases(
        timedelta,
        &[
            ("00:01", "60.0"),
            ("12:34", "45240.0"),
            ("1:02:03.5", "3723.5"),
            ("100:00:00", "360000.0"),
            ("1 d", "86400.0"),
            ("1day", "86400.0"),
            ("2 Days", "172800.0"),
            ("1 day, 1:02:03", "90123.0"),
            ("-1 day", "-86400.0"),
            ("+1:00:00", "3600.0"),
            ("P1DT2H", "93600.0"),
            ("P1W1D", "691200.0"),
            ("P1Y", "31536000.0"),
            ("-PT1.5S", "-1.5"),
            ("PT1,5S", "1.5"),
            ("P1DT", "86400.0"),
            ("PT1.5H", "5400.0"),
            ("1 day 12:34", "131640.0"),
            ("1 day ", "86400.0"),
            ("-1 days 2:00:00", "-93600.0"),
            ("1", "refused"),
            ("1.5", "refused"),
            ("1:00", "refused"),
            ("1h", "refused"),
            ("PT", "refused"),
            ("P", "refused"),
            ("", "refused"),
            ("pt1s", "refused"),
            ("99:99", "refused"),
            ("1:60:00", "refused"),
            ("1  days", "refused"),
            (" 1 day", "refused"),
            ("P1D2H", "refused"),
            ("PT5", "refused"),
            ("1000000000 days", "refused"),
            ("12:34:56:78", "refused"),
            ("1 day 1:00", "refused"),
            ("00:1", "refused"),
            ("1:2:3", "refused"),
            ("12:03:4", "refused"),
            ("1 week", "refused"),
        ],
    );
    assert_eq!(shown(timedelta(&Value::Bool(true))), "1.0");
    assert_eq!(shown(timedelta(&Value::Float(f64::NAN))), "refused");
    assert_eq!(shown(timedelta(&Value::Float(1e20))), "refused");
}

#[test]
fn other_texts() {
    text_cases(
        uuid,
        &[
            ("{12345678-1234-5678-1234-56781234567A}", "1234567812345678123456781234567a"),
            ("urn:uuid:12345678-1234-5678-1234-567812345678", "12345678123456781234567812345678"),
            ("123", "refused"),
            ("12345678-1234-5678-1234-56781234567G", "refused"),
        ],
    );
    assert_eq!(shown(general_text(&Value::Float(1e-5))), "0.00001");
    assert_eq!(shown(general_text(&Value::List(vec![Node::int(1), Node::null()]))), "[1,null]");
    assert_eq!(shown(general_text(&Value::Null)), "refused");
    assert_eq!(shown(csv_list(&Node::string(" a, ,b "))), "[a,b]");
    assert_eq!(choice(&Value::Str("c".to_owned()), &["a", "b"]), expected("one of `a`, `b`"));
}
