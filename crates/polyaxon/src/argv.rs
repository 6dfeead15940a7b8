//! Rewrites the official long options that are written with one dash (`-uid`, `-pm`, `-HP`) before clap sees them.
//!
//! clap would read `-uid` as `-u -i -d`. A token is rewritten only where the command knows the name, and never where it
//! is the value of another option or stands behind `--`.

use std::ffi::OsString;

use clap::Command;

/// Every long option that the official command line writes with one dash.
const SINGLE_DASH: &[&str] = &[
    "uid", "id", "uids", "ids", "ver", "pm", "HP", "SC", "ns", "nf", "off", "io", "to", "exc", "ap", "aa", "ag", "add",
    "cmd", "u-from", "u-to", "l-name", "l-kind",
];

/// The arguments as clap expects them; `arguments` starts with the name of the program.
pub(crate) fn rewrite(root: &Command, arguments: Vec<OsString>) -> Vec<OsString> {
    let mut command = root;
    let mut rewritten = Vec::with_capacity(arguments.len());
    let mut rest = arguments.into_iter();
    rewritten.extend(rest.next());
    while let Some(argument) = rest.next() {
        let Some(text) = argument.to_str() else {
            rewritten.push(argument);
            continue;
        };
        if text == "--" {
            rewritten.push(argument);
            break;
        }
        let token = Token::read(command, root, text);
        match token {
            Token::Word => {
                if let Some(next) = command.find_subcommand(text) {
                    command = next;
                }
                rewritten.push(argument);
            }
            Token::Complete(text) => rewritten.push(text.into()),
            Token::NeedsValue(text) => {
                rewritten.push(text.into());
                rewritten.extend(rest.next());
            }
        }
    }
    rewritten.extend(rest);
    rewritten
}

enum Token {
    /// A subcommand or a positional value.
    Word,
    /// An option with its value, a flag, or something that clap will refuse.
    Complete(String),
    /// An option whose value is the next argument.
    NeedsValue(String),
}

impl Token {
    fn read(command: &Command, root: &Command, text: &str) -> Token {
        if let Some(long) = text.strip_prefix("--") {
            return Token::long(command, root, long);
        }
        let Some(short) = text.strip_prefix('-').filter(|rest| !rest.is_empty()) else { return Token::Word };
        let name = short.split('=').next().unwrap_or(short);
        if SINGLE_DASH.contains(&name) && takes_value(command, name).is_some() {
            return Token::long(command, root, short);
        }
        // A cluster of one-letter flags: the first letter that takes a value swallows the rest.
        let mut letters = short.chars();
        while let Some(letter) = letters.next() {
            let known = command.get_arguments().find(|argument| {
                argument.get_short() == Some(letter)
                    || argument.get_all_short_aliases().unwrap_or_default().contains(&letter)
            });
            if known.is_some_and(|argument| argument.get_action().takes_values()) {
                return match letters.as_str() {
                    "" => Token::NeedsValue(text.to_owned()),
                    _ => Token::Complete(text.to_owned()),
                };
            }
        }
        Token::Complete(text.to_owned())
    }

    fn long(command: &Command, root: &Command, long: &str) -> Token {
        let spelled = format!("--{long}");
        let takes = takes_value(command, long).or_else(|| takes_value(root, long)).unwrap_or(false);
        if takes && !long.contains('=') { Token::NeedsValue(spelled) } else { Token::Complete(spelled) }
    }
}

/// Whether the long option takes a value; `None` when the command does not know it.
fn takes_value(command: &Command, long: &str) -> Option<bool> {
    let name = long.split('=').next().unwrap_or(long);
    command
        .get_arguments()
        .find(|argument| {
            argument.get_long() == Some(name) || argument.get_all_aliases().unwrap_or_default().contains(&name)
        })
        .map(|argument| argument.get_action().takes_values())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::rewrite;
    use crate::args::Cli;

    fn check(line: &str, expected: &str) {
        let arguments = line.split(' ').map(Into::into).collect();
        let rewritten = rewrite(&Cli::command(), arguments);
        let text: Vec<_> = rewritten.iter().map(|argument| argument.to_string_lossy()).collect();
        assert_eq!(text.join(" "), expected);
    }

    #[test]
    fn single_dash_long_options_become_double_dash() {
        check("polyaxon ops get -uid abcd -p mnist", "polyaxon ops get --uid abcd -p mnist");
        check("polyaxon ops get -uid=abcd", "polyaxon ops get --uid=abcd");
        check(
            "polyaxon run -pm file.py:main -HP lr=choice:[1] -u-from .",
            "polyaxon run --pm file.py:main --HP lr=choice:[1] --u-from .",
        );
        check("polyaxon -v ops -uid abcd logs -nf", "polyaxon -v ops --uid abcd logs --nf");
    }

    #[test]
    fn values_and_what_follows_a_double_dash_are_left_alone() {
        check("polyaxon run --name -id -f a.yml", "polyaxon run --name -id -f a.yml");
        check("polyaxon run -n -id", "polyaxon run -n -id");
        check("polyaxon run -- -uid", "polyaxon run -- -uid");
        check("polyaxon run -P x=-id -lw -pid", "polyaxon run -P x=-id -lw -pid");
    }

    #[test]
    fn a_name_that_the_command_does_not_know_stays() {
        check("polyaxon run -off", "polyaxon run -off");
        check("polyaxon ops ls -off 3 -io", "polyaxon ops ls --off 3 --io");
    }
}
