//! Dates by which something holds: "by June", "end of 2027", "by Q2".

use time::Date;

use super::lexer::{Shape, Token};
use super::lexicon::CALENDAR;
use super::quantity::{Kind, Role};
use super::rules::Draft;

/// "by June", "end of 2027", "by Q2": the month by which growth or a target holds.
pub(super) fn date(list: &mut [Draft], tokens: &[Token], as_of: Date) {
    for draft in list.iter_mut() {
        let dated = matches!(
            draft.kind,
            Kind::GrowthMultiplier
                | Kind::Users
                | Kind::Requests
                | Kind::Share
                | Kind::Budget
                | Kind::Sessions
                | Kind::Latency
        );
        if !dated {
            continue;
        }
        let window = draft.end..tokens.len().min(draft.end + 7);
        for at in window {
            if tokens[at].shape == Shape::Break || matches!(tokens[at].shape, Shape::Number(_)) {
                break;
            }
            if matches!(tokens[at].meaning.lemma, "by" | "end")
                && let Some(by) = month_at(tokens, at + 1, as_of)
            {
                draft.by = Some(by);
                break;
            }
        }
        if draft.by.is_some() && draft.role.is_none() && draft.kind != Kind::GrowthMultiplier {
            draft.role = Some(Role::Target);
        }
    }
}

fn month_at(tokens: &[Token], mut at: usize, as_of: Date) -> Option<String> {
    while tokens.get(at).is_some_and(|t| {
        matches!(
            t.word.as_str(),
            "end" | "of" | "the" | "next" | "ende" | "fin" | "de" | "mid" | "early" | "late"
        )
    }) {
        at += 1;
    }
    let token = tokens.get(at)?;
    if let Shape::Date(Some((year, month))) = token.shape {
        return Some(format!("{year:04}-{month:02}"));
    }
    let quarter = match token.word.as_str() {
        "q1" => Some(3),
        "q2" => Some(6),
        "q3" => Some(9),
        "q4" => Some(12),
        _ => None,
    };
    if let Some(month) = quarter {
        let year = match tokens.get(at + 1).map(|t| &t.shape) {
            Some(Shape::Date(Some((year, _)))) => *year,
            _ => next_year(month, as_of),
        };
        return Some(format!("{year:04}-{month:02}"));
    }
    if token.is(CALENDAR) {
        let month = token.meaning.scale as u8;
        return Some(format!("{:04}-{month:02}", next_year(month, as_of)));
    }
    if token.lemma("year") {
        return Some(format!("{:04}-12", as_of.year()));
    }
    None
}

/// The year of the next occurrence of a month after the day.
fn next_year(month: u8, as_of: Date) -> i32 {
    as_of.year() + i32::from(month <= u8::from(as_of.month()))
}
