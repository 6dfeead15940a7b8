//! The few options of the initialisation programs, which only our own plans and the official converter write.

use std::collections::HashMap;

use super::error::{Error, Result};

/// An option and whether it takes a value.
pub(super) type Options = &'static [(&'static str, bool)];

#[derive(Debug, Default)]
pub(super) struct Arguments {
    values: HashMap<&'static str, String>,
}

impl Arguments {
    /// Reads `--name=value`, `--name value` and `--flag`. A repeated option keeps its last value.
    pub(super) fn parse(arguments: &[String], options: Options) -> Result<Arguments> {
        let mut parsed = Arguments::default();
        let mut rest = arguments.iter();
        while let Some(argument) = rest.next() {
            let unknown = || Error::UnknownOption(argument.clone());
            let (name, value) = match argument.strip_prefix("--").ok_or_else(unknown)?.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (argument.trim_start_matches('-'), None),
            };
            let (name, takes_value) = options.iter().find(|(known, _)| *known == name).ok_or_else(unknown)?;
            let value = match (takes_value, value) {
                (true, None) => rest.next().cloned().ok_or_else(|| Error::MissingValue((*name).to_owned()))?,
                (_, value) => value.unwrap_or_default(),
            };
            parsed.values.insert(name, value);
        }
        Ok(parsed)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn require(&self, name: &'static str) -> Result<&str> {
        self.get(name).ok_or(Error::MissingOption(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let options: Options = &[("url", true), ("track", false)];
        let parse =
            |words: &[&str]| Arguments::parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>(), options);
        let parsed = parse(&["--url=a=b", "--track"]).unwrap();
        assert_eq!((parsed.get("url"), parsed.has("track")), (Some("a=b"), true));
        assert_eq!(parse(&["--url", "x"]).unwrap().get("url"), Some("x"));
        assert!(matches!(parse(&["--url"]), Err(Error::MissingValue(_))));
        assert!(matches!(parse(&["--other=1"]), Err(Error::UnknownOption(_))));
        assert!(matches!(parse(&["word"]), Err(Error::UnknownOption(_))));
        assert!(matches!(parse(&[]).unwrap().require("url"), Err(Error::MissingOption("url"))));
    }
}
