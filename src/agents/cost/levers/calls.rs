//! Fewer calls: answers from a semantic cache.

use super::*;

/// A share of repeated questions is stated.
pub(in crate::agents) fn repeats(work: &Work<'_>) -> bool {
    work.said.share("repeat").is_some()
}

pub(in crate::agents) fn semantic_cache(work: &mut Work<'_>) -> Option<Prose> {
    pull(
        work,
        &Kindred {
            name: "Semantic cache",
            title: "Answer repeated questions from a semantic cache",
            effort: "medium",
            confidence: "medium",
            apply: |work, t| {
                let h = work.share(
                    "repeat",
                    "share of repeated questions, taken as the hit rate",
                )?;
                let tokens = work.ledger.assume(
                    "embed_tokens",
                    "tokens of a question to embed",
                    50.0,
                    "tokens/request",
                    (0.0, 1e5),
                    "A placeholder: the length of a short question.",
                );
                let price = work.ledger.assume(
                    "embed_usd_per_mtok",
                    "price of embedding",
                    0.02,
                    "USD/Mtok",
                    (0.0, 100.0),
                    "A placeholder at the level of small embedding models; not in the catalog.",
                );
                let inputs = [
                    ("h", &h),
                    ("cost", &t.cost),
                    ("n", &t.n),
                    ("embed", &tokens),
                    ("p_embed", &price),
                ];
                let saving = work.ledger.derive(
                    "saving of a semantic cache a month",
                    "h * cost - n * embed * p_embed / 1e6",
                    "GPT Semantic Cache, arXiv:2411.05276",
                    &inputs,
                    "USD/month",
                );
                let n = work.ledger.derive(
                    "requests that still reach the model",
                    "n * (1 - h)",
                    "hits are not sent",
                    &[("n", &t.n), ("h", &h)],
                    "requests/month",
                );
                let why = say!(
                    "About {} of the questions repeat. Each hit saves the whole call; every question pays for its embedding. A hit may be wrong: check a sample before you trust the rate.",
                    h.percent()
                );
                Some(Effect {
                    saving,
                    why,
                    after: Traffic { n, ..t.clone() },
                })
            },
        },
    )
}
