//! Test: every option of the official command line parses here, in every spelling (`tests/data/official-options.tsv`).
//!
//! Columns: command, spellings, `flag` or `value=EXAMPLE`, with `*` when the option can be repeated.

use clap::CommandFactory;

use crate::args::Cli;
use crate::argv;

const OPTIONS: &str = include_str!("../../tests/data/official-options.tsv");

/// What a command cannot do without, besides the option under test.
fn required(command: &str) -> &'static [&'static str] {
    match command {
        "ops transfer" => &["--to-project", "other"],
        "project create" | "projects create" => &["--name", "some"],
        "ops" => &["ls"],
        "project" | "projects" => &["ls"],
        _ => &[],
    }
}

fn parse(words: &[&str]) -> Result<(), String> {
    let command = Cli::command();
    let arguments = argv::rewrite(&command, words.iter().map(Into::into).collect());
    command.try_get_matches_from(arguments).map(drop).map_err(|error| error.to_string())
}

#[test]
fn every_official_option_parses_in_every_spelling() {
    let mut failures = Vec::new();
    let mut count = 0;
    for line in OPTIONS.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        let [command, spellings, kind] = columns[..] else { panic!("three columns expected: {line}") };
        let (kind, repeats) = kind.strip_suffix('*').map_or((kind, false), |kind| (kind, true));
        for spelling in spellings.split(' ') {
            let mut forms = match kind.strip_prefix("value=") {
                None => vec![vec![spelling.to_owned()]],
                Some(value) => vec![vec![spelling.to_owned(), value.to_owned()], vec![format!("{spelling}={value}")]],
            };
            if repeats {
                forms.push([forms[0].clone(), forms[0].clone()].concat());
            }
            for form in forms {
                let names_required = |word: &&str| spellings.split(' ').any(|spelling| spelling == *word);
                let required = required(command);
                let required = if required.first().is_some_and(names_required) { &[] } else { required };
                let command_words = command.split(' ').filter(|word| !word.is_empty());
                let mut words: Vec<&str> = ["polyaxon"].into_iter().chain(command_words).collect();
                let option = form.iter().map(String::as_str);
                // Options of a group stand before the subcommand.
                if matches!(command, "ops" | "project" | "projects") {
                    words.extend(option.chain(required.iter().copied()));
                } else {
                    words.extend(required.iter().copied().chain(option));
                }
                count += 1;
                if let Err(error) = parse(&words) {
                    failures.push(format!("{}: {}", words.join(" "), error.lines().next().unwrap_or_default()));
                }
            }
        }
    }
    assert!(count > 500, "only {count} forms were tried");
    assert!(failures.is_empty(), "{} of {count} forms fail:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_definition_of_the_command_line_is_sound() {
    Cli::command().debug_assert();
}
