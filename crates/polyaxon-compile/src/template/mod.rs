//! The template language of the polyaxonfile (spec §16.3): Jinja2 as far as files use it, printing like Python.
//!
//! Invariant: a template ends soon and stays small, whatever it says; work and output are limited.

mod convert;
mod error;
pub mod expand;
mod filters;
pub mod literal;
mod methods;
mod number;
mod percent;
pub mod print;
pub mod value;

use std::cell::Cell;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

pub use error::{Cause, TemplateError};

/// Work of one rendering: instructions, and bytes in units of 64.
const FUEL: u64 = 400_000;
/// What a failed rendering is taken to have used, which is not known: a document can fail some hundred times.
const FAILURE_FUEL: u64 = FUEL / 32;
/// Work of all renderings with one [`Budget`].
const TOTAL_FUEL: u64 = 4_000_000;
/// Bytes of one rendered text.
pub(crate) const MAX_OUTPUT: usize = 1 << 20;

/// What the templates of one document may still do together.
#[derive(Debug)]
pub struct Budget {
    fuel: Cell<u64>,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { fuel: Cell::new(TOTAL_FUEL) }
    }
}

/// Whether rendering would look at the text at all.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// Renders one text. Texts without `{{` and `{%` stay as they are.
pub fn render(text: &str, context: &Value, budget: &Budget) -> Result<String, TemplateError> {
    if !is_template(text) {
        return Ok(text.to_owned());
    }
    if budget.fuel.get() == 0 {
        return Err(TemplateError::exhausted());
    }
    let source = percent::rewrite(text);
    let rendered = run(&source, context, budget);
    rendered.map_err(|error| {
        // Places in a rewritten source say nothing about the text, and some end inside of a character.
        let is_part = |range: &Range<usize>| source == text && text.get(range.clone()).is_some();
        TemplateError { range: error.range.filter(is_part), ..error }
    })
}

fn run(source: &str, context: &Value, budget: &Budget) -> Result<String, TemplateError> {
    let template = ENGINE.template_from_str(source)?;
    let rendered = template.render_captured(context.clone());
    let used = match &rendered {
        Ok(rendered) => rendered.state().fuel_levels().unwrap_or_default().0,
        Err(error) if error.kind() == ErrorKind::OutOfFuel => FUEL,
        Err(_) => FAILURE_FUEL,
    };
    budget.fuel.set(budget.fuel.get().saturating_sub(used));
    Ok(rendered?.into_output())
}

/// The names that a template uses without setting them itself, dotted as far as they are static: `params.lr.as_arg`.
pub fn names(text: &str) -> Result<HashSet<String>, TemplateError> {
    if !is_template(text) {
        return Ok(HashSet::new());
    }
    Ok(ENGINE.template_from_str(&percent::rewrite(text))?.undeclared_variables(true))
}

static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_unknown_method_callback(methods::call);
    environment.set_fuel(Some(FUEL));
    // Positions in errors; the engine only keeps them in debug mode.
    environment.set_debug(true);
    environment.set_formatter(|out, _, value| {
        let mut text = String::new();
        print::write_text(value, &mut text);
        if text.len() > MAX_OUTPUT {
            return Err(Error::from(ErrorKind::OutOfFuel));
        }
        out.write_str(&text).map_err(|_| Error::from(ErrorKind::WriteFailure))
    });
    filters::register(&mut environment);
    environment
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_templates_end_with_a_clear_error() {
        let doubling = "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}\
                        {% endfor %}{{ ns.x }}";
        let nested = "{% for a in range(9999) %}{% for b in range(9999) %}{% for c in range(9999) %}x{% endfor %}\
                      {% endfor %}{% endfor %}";
        let cases = [
            "{% for i in range(10**9) %}x{% endfor %}",
            "{{ 'x' * 10**9 }}",
            "{{ [0] * 10**9 }}",
            "{{ 'x'|center(10**9) }}",
            "{{ 1|map_format('%1000000000d') }}",
            "{{ '%1000000000d'|format(1) }}",
            "{{ range(100000)|list * 1000 }}",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            "{{ 'x'|indent(10**9) }}",
            "{{ 2 ** 100000000 }}",
            "{{ 'x'.rjust(10**9) }}",
            "{{ 'x'.zfill(10**9) }}",
            nested,
            doubling,
        ];
        for template in cases {
            let result = render(template, &Value::from(()), &Budget::default());
            assert!(result.is_err(), "{template}: {} bytes", result.map_or(0, |text| text.len()));
        }
    }

    #[test]
    fn all_renderings_share_one_budget() {
        let budget = Budget::default();
        let work = "{% for i in range(50000) %}{% endfor %}";
        let result = (0..100).try_for_each(|_| render(work, &Value::from(()), &budget).map(|_| ()));
        assert_eq!(result.map_err(|error| error.cause), Err(Cause::Limit));
    }

    #[test]
    fn failures_use_the_budget_too() {
        let budget = Budget::default();
        let work = "{% for i in range(500) %}{% endfor %}{{ nothing.at.all }}";
        let causes: Vec<_> = (0..1000).map(|_| render(work, &Value::from(()), &budget).unwrap_err().cause).collect();
        assert_eq!((causes[0], causes[999]), (Cause::Undefined, Cause::Limit));
    }

    #[test]
    fn places_of_errors_are_parts_of_the_text() {
        let error = render("{{ x\u{feff} }}", &Value::from(()), &Budget::default()).unwrap_err();
        assert_eq!((error.cause, error.range), (Cause::Syntax, None));
    }
}
