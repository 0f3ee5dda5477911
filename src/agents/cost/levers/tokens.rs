//! Fewer tokens: shorter context and shorter answers.

use super::*;

/// A part of the input that is retrieved or otherwise compressible.
pub(super) fn retrieved(work: &Work<'_>) -> Option<Quantity> {
    let text = work.task.content.to_lowercase();
    let about = |q: &&Quantity| {
        let from = q.span.start.saturating_sub(10);
        let near: String = text
            .chars()
            .skip(from)
            .take(q.span.end - from + 45)
            .collect();
        ["context", "retriev", "document", "passage", "histor"]
            .iter()
            .any(|w| near.contains(w))
    };
    let parts: Vec<&Quantity> = work.said.all(Kind::TokensInPart).collect();
    let alone = work.said.first(Kind::TokensIn).is_some();
    parts
        .iter()
        .copied()
        .find(about)
        .or_else(|| parts.first().copied().filter(|_| alone))
        .cloned()
}

/// A compressible part of the input is stated.
pub(in crate::agents) fn compressible(work: &Work<'_>) -> bool {
    retrieved(work).is_some()
}

pub(in crate::agents) fn compression(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Shorter context",
            title: "Compress or trim the retrieved context",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let quantity = retrieved(work)?;
                let stated = quantity.value.base()?;
                let name = if work.said.first(Kind::TokensIn).is_some() {
                    "context_tokens"
                } else {
                    "tokens_in_part"
                };
                let part = work.stated(
                    name,
                    "tokens of compressible context",
                    &quantity,
                    stated,
                    "tokens/request",
                    (0.0, 1e7),
                );
                let x = work.ledger.assume(
                    "compression_ratio",
                    "compression of the context",
                    2.0,
                    "x",
                    (1.0, 20.0),
                    "A cautious placeholder; papers report up to 20 times on their own tests.",
                );
                let less = work.ledger.derive(
                    "input tokens saved by compression",
                    "part * (1 - 1 / x)",
                    "LLMLingua, arXiv:2310.05736",
                    &[("part", &part), ("x", &x)],
                    "tokens/request",
                );
                let inputs = [("n", &t.n), ("less", &less), ("p_in", &t.p_in)];
                let saving = work.ledger.derive(
                    "saving of shorter context a month",
                    "n * less * p_in / 1e6",
                    "LLMLingua, arXiv:2310.05736",
                    &inputs,
                    "USD/month",
                );
                let t_in = work.ledger.derive(
                    "input tokens after compression",
                    "t_in - less",
                    "LLMLingua, arXiv:2310.05736",
                    &[("t_in", &t.t_in), ("less", &less)],
                    "tokens/request",
                );
                let why = say!(
                    "{} of the input tokens are retrieved context. Compressed {} times they cost {} tokens less a request. Measure answer quality on your own questions first.",
                    part.count(),
                    x.digits(3),
                    less.count()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { t_in, ..t.clone() },
                })
            },
        },
    )
}

/// No particular lever is asked about, and answers are long enough to be shortened.
pub(in crate::agents) fn long_answers(work: &Work<'_>) -> bool {
    let said = &work.said;
    let specific = ["cached", "batch", "easy"]
        .iter()
        .any(|q| said.share(q).is_some())
        || said.first(Kind::TokensPrefix).is_some()
        || said.first(Kind::TokensTotal).is_some()
        || said.first(Kind::Invest).is_some()
        || said.first(Kind::GrowthRate).is_some();
    let short = said.tokens_out().is_some_and(|t| t < 150.0);
    !specific && !short && work.model.is_some()
}

pub(in crate::agents) fn output_cap(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Shorter answers",
            title: "Ask for shorter answers and cap their length",
            effort: "low",
            confidence: "medium",
            apply: |work, t| {
                let cap = work.ledger.assume("output_cap", "answer length kept", 0.8, "fraction", (0.05, 1.0), "A placeholder: a fifth shorter by instruction and a cap; measure what your users accept.");
                let inputs = [
                    ("n", &t.n),
                    ("t_out", &t.t_out),
                    ("cap", &cap),
                    ("p_out", &t.p_out),
                ];
                let saving = work.ledger.derive(
                    "saving of shorter answers a month",
                    "n * t_out * (1 - cap) * p_out / 1e6",
                    PRICE_PAGES,
                    &inputs,
                    "USD/month",
                );
                let t_out = work.ledger.derive(
                    "output tokens after the cap",
                    "t_out * cap",
                    "the cap",
                    &[("t_out", &t.t_out), ("cap", &cap)],
                    "tokens/request",
                );
                let why = say!(
                    "Output is the dearest token: {} per million against {} for input. Answers of {} instead of {} tokens need no new model.",
                    t.p_out.money(),
                    t.p_in.money(),
                    t_out.count(),
                    t.t_out.count()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { t_out, ..t.clone() },
                })
            },
        },
    )
}
