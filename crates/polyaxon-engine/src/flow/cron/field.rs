//! One field of a cron expression: the set of numbers that it allows.

/// What a field counts.
pub(super) struct Kind {
    pub(super) name: &'static str,
    lowest: i8,
    highest: i8,
    /// Names of the numbers from the lowest on.
    names: &'static [&'static str],
    /// A number above the highest that means the lowest: 7 is Sunday, as 0 is.
    alias: Option<i8>,
}

const fn kind(name: &'static str, lowest: i8, highest: i8) -> Kind {
    Kind { name, lowest, highest, names: &[], alias: None }
}

pub(super) static SECONDS: Kind = kind("second", 0, 59);
pub(super) static MINUTES: Kind = kind("minute", 0, 59);
pub(super) static HOURS: Kind = kind("hour", 0, 23);
pub(super) static DAYS: Kind = kind("day", 1, 31);
pub(super) static MONTHS: Kind = Kind {
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
    ..kind("month", 1, 12)
};
pub(super) static WEEKDAYS: Kind =
    Kind { names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"], alias: Some(7), ..kind("weekday", 0, 6) };

/// Numbers below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Set(u64);

impl Set {
    pub(super) const EMPTY: Set = Set(0);

    pub(super) fn contains(self, number: i8) -> bool {
        self.0 & (1 << number) != 0
    }

    /// The numbers from `first` on, in order.
    pub(super) fn from(self, first: i8) -> impl Iterator<Item = i8> {
        (first..64).filter(move |number| self.contains(*number))
    }

    /// Whether the field restricts nothing.
    pub(super) fn is_full(self, kind: &Kind) -> bool {
        (kind.lowest..=kind.highest).all(|number| self.contains(number))
    }
}

/// The set that a text such as `1-5,*/10,mon` allows.
pub(super) fn set(kind: &Kind, text: &str) -> Result<Set, String> {
    let mut allowed = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<i8>().map_err(|_| "has a step that is no number".to_owned())?),
            None => (part, 1),
        };
        if step < 1 {
            return Err(format!("has a step of {}", if step == 0 { "zero" } else { "less than zero" }));
        }
        let (first, last) = match range {
            "*" => (kind.lowest, kind.highest),
            "?" if kind.name == DAYS.name || kind.name == WEEKDAYS.name => (kind.lowest, kind.highest),
            range => match range.split_once('-') {
                Some((first, last)) => (number(kind, first)?, number(kind, last)?),
                None if part.contains('/') => (number(kind, range)?, kind.highest),
                None => (number(kind, range)?, number(kind, range)?),
            },
        };
        let size = kind.highest - kind.lowest + 1;
        let length = (last - first).rem_euclid(size);
        for offset in (0..=length).step_by(usize::from(step.unsigned_abs())) {
            allowed |= 1 << (kind.lowest + (first - kind.lowest + offset) % size);
        }
    }
    Ok(Set(allowed))
}

fn number(kind: &Kind, text: &str) -> Result<i8, String> {
    if let Some(place) = kind.names.iter().position(|name| *name == text) {
        return Ok(kind.lowest + place as i8);
    }
    let number: i8 = text.parse().map_err(|_| format!("holds `{text}`, which is no number"))?;
    if kind.alias == Some(number) {
        return Ok(kind.lowest);
    }
    let highest = kind.alias.unwrap_or(kind.highest);
    if (kind.lowest..=kind.highest).contains(&number) && !text.starts_with('+') {
        Ok(number)
    } else {
        Err(format!("is not between {} and {highest}", kind.lowest))
    }
}

/// Reads `5#3` (the third Friday); nothing when the part is of another form.
pub(super) fn nth_weekday(part: &str) -> Result<Option<(i8, i8)>, String> {
    let Some((day, nth)) = part.split_once('#') else { return Ok(None) };
    let nth: i8 = nth.parse().ok().filter(|nth| (1..=5).contains(nth)).ok_or("needs a number from 1 to 5 after `#`")?;
    Ok(Some((number(&WEEKDAYS, day)?, nth)))
}

/// The years that are allowed: ranges with a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Years(Vec<(i16, i16, i16)>);

const FIRST_YEAR: i16 = 1970;
const LAST_YEAR: i16 = 2099;

impl Years {
    pub(super) fn parse(text: &str) -> Result<Years, String> {
        let number = |text: &str| match text.parse::<i16>() {
            Ok(year) if (FIRST_YEAR..=LAST_YEAR).contains(&year) => Ok(year),
            _ => Err(format!("is not between {FIRST_YEAR} and {LAST_YEAR}")),
        };
        let range = |part: &str| {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => {
                    let step = step.parse::<i16>().ok().filter(|step| *step > 0);
                    (range, step.ok_or("has a step that is no number above zero")?)
                }
                None => (part, 1),
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (FIRST_YEAR, LAST_YEAR),
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(range)?, number(range)?),
            };
            Ok((first, last, step))
        };
        text.split(',').map(range).collect::<Result<_, String>>().map(Years)
    }

    pub(super) fn contains(&self, year: i16) -> bool {
        self.0.iter().any(|(first, last, step)| (*first..=*last).contains(&year) && (year - first) % step == 0)
    }

    pub(super) fn first(&self) -> i16 {
        self.0.iter().map(|(first, ..)| *first).min().unwrap_or(FIRST_YEAR)
    }
}
