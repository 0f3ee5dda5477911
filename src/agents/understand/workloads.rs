//! Labels of workloads: "(a) 300k chats/month ...", "Search answers: 900k/month".

use super::lexer::{Shape, Token};
use super::quantity::{Constraint, Kind, Metric, Quantity, Role};
use super::text::Text;

/// A message with more workloads than this is no list of workloads.
const LABELS_MAX: usize = 20;

/// Gives each quantity and each wish for patience the label before it, where
/// the message has two or more.
pub(super) fn label(
    quantities: &mut [Quantity],
    constraints: &mut [Constraint],
    text: &Text,
    tokens: &[Token],
) {
    let labels = labels(text, tokens);
    if labels.len() < 2 || labels.len() > LABELS_MAX {
        return;
    }
    let before = |at: usize| {
        let label = labels.iter().rfind(|(start, _)| *start <= at);
        label
            .map(|(_, label)| label.clone())
            .filter(|l| !l.is_empty())
    };
    for q in quantities {
        let whole = matches!(
            q.kind,
            Kind::Budget | Kind::Invest | Kind::Horizon | Kind::DiscountRate
        );
        q.workload = before(q.span.start).filter(|_| !whole);
        // A list of workloads states requirements.
        if q.workload.is_some() && q.kind == Kind::Latency && q.metric != Some(Metric::Component) {
            q.role = Some(Role::Target);
        }
    }
    for wish in constraints.iter_mut().filter(|c| c.name == "batchable") {
        if let Some(label) = before(wish.span.start) {
            wish.name = format!("batchable:{label}");
        }
    }
}

/// The place in the original and the label; an empty label ends the list.
fn labels(text: &Text, tokens: &[Token]) -> Vec<(usize, String)> {
    let mut list: Vec<(usize, String)> = Vec::new();
    let place = |token: &Token| text.original_span(&token.range).start;
    let mut start = true;
    for (at, token) in tokens.iter().enumerate() {
        if list.len() > 2 * LABELS_MAX {
            break;
        }
        let next = |ahead: usize| tokens.get(at + ahead);
        if token.symbol('(') && next(2).is_some_and(|t| t.symbol(')')) {
            let label = next(1)
                .filter(|t| t.range.len() == 1)
                .map(|t| text.lower[t.range.start]);
            if let Some(label) = label.filter(char::is_ascii_alphanumeric) {
                list.push((place(token), label.to_string()));
            }
        } else if start && token.shape == Shape::Word {
            let colon = (1..=3).find(|i| next(*i).is_some_and(|t| t.symbol(':')));
            let number = colon
                .and_then(|i| next(i + 1))
                .is_some_and(|t| matches!(t.shape, Shape::Number(_)));
            if number {
                list.push((place(token), token.word.clone()));
            } else if !list.is_empty() && list.iter().all(|(_, l)| l.len() > 1 || l.is_empty()) {
                list.push((place(token), String::new()));
            }
        }
        start = matches!(token.shape, Shape::Break) || token.symbol(':') && start;
    }
    if list.iter().filter(|(_, label)| !label.is_empty()).count() < 2 {
        list.clear();
    }
    list
}
