use super::*;

fn ledger(edits: Json) -> Ledger {
    Ledger::new(&serde_json::from_value(edits).unwrap())
}

fn requests(ledger: &mut Ledger) -> Value {
    ledger.assume(
        "requests_per_month",
        "requests",
        1e6,
        "requests/month",
        (0.0, 1e12),
        "a test",
    )
}

#[test]
fn a_derivation_shows_its_arithmetic() {
    let mut l = ledger(serde_json::json!({}));
    let n = requests(&mut l);
    let price = l.catalog("price", 0.0045, "USD/request", "gpt-4o, 2026-08-01");
    let cost = l.derive(
        "cost",
        "n * c",
        "price list",
        &[("n", &n), ("c", &price)],
        "USD/month",
    );
    assert_eq!(cost.value, 4500.0);
    let shown = l.derivation(&cost).unwrap();
    assert_eq!(shown.formula, "n × c");
    assert_eq!(shown.arithmetic, "1,000,000 × 0.0045 = 4,500");
    let prose = say!("It costs {} a month for {}.", cost.money(), n.count());
    assert_eq!(prose.text, "It costs $4,500 a month for 1 million.");
    // Only what is cited, and what that rests on, is handed out.
    let unused = l.derive("unused", "n + n", "", &[("n", &n)], "");
    let cited = [cost.id.clone()].into();
    let entries = l.finish(&cited).unwrap();
    assert!(entries.iter().all(|d| d.id != unused.id));
    assert!(entries.iter().any(|d| d.id == cost.id));
}

#[test]
fn an_edit_replaces_and_is_marked() {
    let mut l =
        ledger(serde_json::json!({"requests_per_month": 2e6, "nonsense": 1, "tokens_in": -5}));
    assert_eq!(requests(&mut l).value, 2e6);
    assert_eq!(l.quantities()[0].source, Source::Assumption);
    let kept = l.assume(
        "tokens_in",
        "tokens",
        900.0,
        "tokens/request",
        (1.0, 1e7),
        "a test",
    );
    assert_eq!(kept.value, 900.0);
    assert_eq!(l.unknown_edits(), ["nonsense"]);
    assert_eq!(l.refused_edits()[0].0, "tokens_in");
}

#[test]
fn what_cannot_be_computed_is_refused() {
    for formula in ["n / (n - n)", "ln(0 - n)", "n / nobody", "n /"] {
        let mut l = ledger(serde_json::json!({}));
        let n = requests(&mut l);
        let bad = l.derive("ratio", formula, "", &[("n", &n)], "");
        let refusal = l.finish(&[bad.id].into()).unwrap_err();
        assert_eq!(refusal.code, "not_computable", "{formula}");
    }
}

#[test]
fn a_number_typed_by_hand_is_noticed() {
    assert!(prose::has_number("costs 5 dollars"));
    assert!(prose::has_number("costs $5"));
    assert!(!prose::has_number(
        "the p95 of H100 cards with gpt-4.1-mini"
    ));
}
