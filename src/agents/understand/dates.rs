//! Dates, times of the clock, versions and ordinals: numbers that state no
//! quantity. They are consumed before the grammar sees them.

use super::lexer::{Shape, Token, distracts, is_calendar};

/// Joins what is a date, a time or a version into one token each.
pub(super) fn join(tokens: Vec<Token>) -> Vec<Token> {
    let mut joined: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let rest = &tokens[at..];
        if let Some(token) = once_a_day(rest) {
            joined.push(token);
            at += 2;
            continue;
        }
        let (count, shape) = percentile(rest)
            .or_else(|| calendar(rest))
            .or_else(|| numeric_date(rest))
            .or_else(|| year(rest, joined.last()))
            .or_else(|| ordinal(rest))
            .or_else(|| distractor(rest, &joined))
            .unwrap_or((1, rest[0].shape.clone()));
        let mut token = rest[0].clone();
        token.range.end = rest[count - 1].range.end;
        token.shape = shape;
        joined.push(token);
        at += count;
    }
    joined
}

/// "1日3万件": a day, and then the number that it is for.
fn once_a_day(rest: &[Token]) -> Option<Token> {
    let one = number(rest.first()) == Some(1.0);
    let day = rest
        .get(1)
        .filter(|t| t.glued && matches!(t.word.as_str(), "日" | "天"))?;
    let number_follows = rest
        .get(2)
        .is_some_and(|t| t.glued && (number(Some(t)).is_some()));
    (one && number_follows).then(|| {
        let mut token = day.clone();
        token.range.start = rest[0].range.start;
        token.meaning =
            super::lexicon::look_up_unspaced(&['每', '天']).map_or(token.meaning, |m| m.0);
        token
    })
}

fn number(token: Option<&Token>) -> Option<f64> {
    match token?.shape {
        Shape::Number(value) => Some(value),
        _ => None,
    }
}

fn is_year(value: f64) -> bool {
    value.fract() == 0.0 && (1990.0..=2099.0).contains(&value)
}

fn is_day(value: f64) -> bool {
    value.fract() == 0.0 && (1.0..=31.0).contains(&value)
}

/// "95th percentile", "95 percentile".
fn percentile(rest: &[Token]) -> Option<(usize, Shape)> {
    let value = number(rest.first())?;
    let suffix = usize::from(matches!(
        rest.get(1)?.word.as_str(),
        "th" | "st" | "nd" | "rd"
    ));
    let dot = usize::from(suffix == 0 && rest[1].shape == Shape::Break);
    let word = rest.get(1 + suffix + dot)?.word.as_str();
    let named =
        word.starts_with("percentile") || word.starts_with("perzentil") || word == "percentil";
    (named && value > 0.0 && value < 100.0)
        .then_some((2 + suffix + dot, Shape::Percentile(value / 100.0)))
}

/// "June 2027", "12 March 2025", "March 12, 2025", "1. Juni".
fn calendar(rest: &[Token]) -> Option<(usize, Shape)> {
    let day_first = number(rest.first()).filter(|v| is_day(*v)).is_some();
    let dot = usize::from(
        day_first
            && rest
                .get(1)
                .is_some_and(|t| t.shape == Shape::Break && t.glued),
    );
    let suffix = usize::from(
        day_first
            && rest
                .get(1)
                .is_some_and(|t| matches!(t.word.as_str(), "th" | "st" | "nd" | "rd")),
    );
    let at = usize::from(day_first) + dot + suffix;
    let month = rest.get(at).filter(|t| is_calendar(t))?;
    // "may" and "mar" are also everyday words: alone they are left to the rules.
    let mut end = at + 1;
    let mut day = day_first;
    if !day_first
        && let Some(value) = number(rest.get(end))
        && is_day(value)
        && !followed_by_unit(rest, end)
    {
        end += 1;
        day = true;
        if rest
            .get(end)
            .is_some_and(|t| matches!(t.word.as_str(), "th" | "st" | "nd" | "rd"))
        {
            end += 1;
        }
        if rest.get(end).is_some_and(|t| t.symbol(','))
            && number(rest.get(end + 1)).is_some_and(is_year)
        {
            end += 1;
        }
    }
    let year = number(rest.get(end)).filter(|v| is_year(*v));
    if year.is_some() {
        end += 1;
    }
    if !day && year.is_none() {
        return None;
    }
    let date = year.map(|y| (y as i32, month.meaning.scale as u8));
    Some((end, Shape::Date(date)))
}

fn followed_by_unit(rest: &[Token], at: usize) -> bool {
    rest.get(at + 1)
        .is_some_and(|t| t.meaning.tags != 0 && !t.glued || t.symbol('%'))
        || rest
            .get(at + 1)
            .is_some_and(|t| t.glued && t.shape == Shape::Word && t.word != "th")
}

/// "12.03.2025" came as no number already; "2025-03-12", "12/03/2025", "10:30".
fn numeric_date(rest: &[Token]) -> Option<(usize, Shape)> {
    let first = number(rest.first())?;
    let separator = match rest.get(1)?.shape {
        Shape::Symbol(c @ ('-' | '/' | ':')) => c,
        _ => return None,
    };
    let second = number(rest.get(2))?;
    let third = rest
        .get(3)
        .filter(|t| t.symbol(separator))
        .and_then(|_| number(rest.get(4)));
    match (separator, third) {
        ('-', Some(_)) if is_year(first) => Some((
            5,
            Shape::Date(Some((first as i32, second.clamp(1.0, 12.0) as u8))),
        )),
        ('/' | '-', Some(third)) if is_year(third) && is_day(first) => Some((5, Shape::Date(None))),
        ('/', None) if first == 24.0 && second == 7.0 => Some((3, Shape::Date(None))),
        (':', _) if first < 24.0 && (10.0..60.0).contains(&second) && rest[2].range.len() == 2 => {
            Some((3, Shape::Date(None)))
        }
        _ => None,
    }
}

/// "in 2025", "2027": a bare year without a unit.
fn year(rest: &[Token], before: Option<&Token>) -> Option<(usize, Shape)> {
    let value = number(rest.first())?;
    if !is_year(value) || rest[0].range.len() != 4 {
        return None;
    }
    let money = before.is_some_and(|t| {
        matches!(
            t.shape,
            Shape::Symbol('$' | '€' | '£' | '¥' | '-' | '/' | '+')
        )
    });
    let led = before.is_some_and(|t| {
        is_calendar(t)
            || ["in", "by", "of", "end", "but", "im"].contains(&t.meaning.lemma)
            || t.word == "seit"
            || t.word == "since"
            || t.lemma("a")
    });
    let next = rest.get(1);
    let unit = next.is_some_and(|t| {
        t.meaning.tags != 0 && !led
            || matches!(t.shape, Shape::Symbol('-' | '%' | '€' | '/' | '$'))
            || (t.glued && t.shape == Shape::Word)
    });
    // A noun may still follow an adjective: "2000 product reviews a month".
    let bare =
        next.is_none_or(|t| matches!(t.shape, Shape::Break) || t.symbol(',') || t.symbol(')'));
    (!money && !unit && (led || bare)).then_some((1, Shape::Date(Some((value as i32, 12)))))
}

/// "2nd", "3rd": an order, no quantity.
fn ordinal(rest: &[Token]) -> Option<(usize, Shape)> {
    number(rest.first())?;
    let suffix = rest.get(1).filter(|t| t.glued)?;
    matches!(suffix.word.as_str(), "th" | "st" | "nd" | "rd").then_some((2, Shape::Date(None)))
}

/// "version 4.1", "HTTP 429", "429 errors", "build 1050".
fn distractor(rest: &[Token], joined: &[Token]) -> Option<(usize, Shape)> {
    number(rest.first())?;
    let before = joined.last().is_some_and(distracts);
    let after = rest
        .get(1)
        .is_some_and(|t| distracts(t) && !t.symbol('#') && t.word.starts_with("err"));
    (before || after).then_some((1, Shape::Date(None)))
}

/// Flags for dates and versions that were seen and left alone.
pub(super) fn distractors(tokens: &[Token]) -> Vec<String> {
    let mut flags = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        let Shape::Date(date) = token.shape else {
            continue;
        };
        let version = at.checked_sub(1).is_some_and(|at| distracts(&tokens[at]));
        let name = if version && date.is_none() {
            "version"
        } else {
            "date"
        };
        flags.push(format!("distractor:{name}"));
    }
    flags
}
