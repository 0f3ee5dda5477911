//! Labels of workloads: "(a) 300k chats/month at 1,100 in, (b) ...".

use super::quantity::{Kind, Quantity};
use super::text::Text;

/// Gives each quantity the label before it, where the message has two or more.
pub(super) fn label(quantities: &mut [Quantity], text: &Text) {
    let labels = labels(text);
    if labels.len() < 2 {
        return;
    }
    for q in quantities {
        let of_workload = !matches!(
            q.kind,
            Kind::Budget | Kind::Invest | Kind::Horizon | Kind::DiscountRate
        );
        let before = labels.iter().rfind(|(at, _)| *at <= q.span.start);
        if let Some((_, label)) = before.filter(|_| of_workload) {
            q.workload = Some(label.clone());
        }
    }
}

/// "(a)", "b)", "(1)": the place in the original and the label.
fn labels(text: &Text) -> Vec<(usize, String)> {
    let mut list = Vec::new();
    for (at, window) in text.lower.windows(3).enumerate() {
        if let ['(', c, ')'] = window
            && (c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            list.push((text.original_span(&(at..at + 1)).start, c.to_string()));
        }
    }
    list
}
