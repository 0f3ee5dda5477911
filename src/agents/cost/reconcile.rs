//! What is paid at list price, and whether the stated bill agrees with it.

use super::super::answer::Table;
use super::super::facts::PRICE_PAGES;
use super::super::ledger::{Prose, Value, say};
use super::super::understand::{Kind, Quantity};
use super::super::work::{Work, column, fact};

/// A stated bill.
pub(in crate::agents) fn states_spend(work: &Work<'_>) -> bool {
    work.said.first(Kind::Spend).is_some()
}

/// True where the stated money is in dollars, as the price lists are.
pub(in crate::agents) fn dollars(work: &Work<'_>) -> bool {
    work.said.first(Kind::Spend).is_none_or(|q| q.unit == "USD")
}

/// The stated bill a month, in its own currency.
pub(in crate::agents) fn spend_per_month(work: &mut Work<'_>) -> Option<Value> {
    let quantity = work.said.first(Kind::Spend)?.clone();
    let unit = quantity.unit.to_string();
    work.monthly("spend", "stated spend a month", &quantity, &unit)
}

/// Cost a month at list price: of the tokens of an invoice, or of requests.
pub(in crate::agents) fn baseline(work: &mut Work<'_>) -> Option<Prose> {
    let Some(model) = work.model.clone() else {
        return spend_is_all(work);
    };
    let name = work.name(&model);
    if let Some(cost) = invoice(work, &model) {
        work.keep("baseline", &cost);
        return Some(say!(
            "The tokens of the invoice cost {} a month at the list price of {}.",
            cost.money(),
            name
        ));
    }
    let per_request = work.cost_of_request(&model, true)?;
    if work.requests().is_none() && states_spend(work) && dollars(work) {
        let spend = spend_per_month(work)?;
        if per_request.value > 0.0 {
            let inputs = [("spend", &spend), ("c", &per_request)];
            let n = work.ledger.derive(
                "requests a month implied by the bill",
                "spend / c",
                PRICE_PAGES,
                &inputs,
                "requests/month",
            );
            work.keep("requests", &n);
            work.keep("implied_requests", &n);
            work.finding("info", "The volume follows from the bill", say!(
                "The message states no volume. At {} a request the bill of {} a month pays for about {} requests; everything below rests on that.",
                per_request.money(), spend.money(), n.count()
            ));
        }
    }
    let cost = work.cost_of_month(&model, true)?;
    let n = work.requests_or_default();
    work.keep("baseline", &cost);
    work.keep("baseline_request", &per_request);
    Some(say!(
        "{} requests a month at {} each on {} cost {} a month.",
        n.count(),
        per_request.money(),
        name,
        cost.money()
    ))
}

/// No model is named: the bill itself is what levers act on.
fn spend_is_all(work: &mut Work<'_>) -> Option<Prose> {
    if let Some((price, tokens)) = blended(work) {
        let inputs = [("p", &price), ("tokens", &tokens)];
        let cost = work.ledger.derive(
            "cost a month at your price",
            "tokens * p / 1e6",
            "your price",
            &inputs,
            "USD/month",
        );
        work.keep("baseline", &cost);
        return Some(say!(
            "{} tokens a month at {} per million cost {} a month.",
            tokens.count(),
            price.money(),
            cost.money()
        ));
    }
    let spend = spend_per_month(work)?;
    work.keep("baseline", &spend);
    Some(say!(
        "The bill of {} a month is taken as it stands: no model is named to check it against.",
        spend.money()
    ))
}

/// A stated price for any token, with a stated number of tokens.
fn blended(work: &mut Work<'_>) -> Option<(Value, Value)> {
    let price = work.said.qualified(Kind::UnitPrice, "blended")?.clone();
    let total = work.said.first(Kind::TokensTotal)?.clone();
    let stated = price.value.base()?;
    let price = work.stated(
        "unit_price",
        "price of a million tokens",
        &price,
        stated,
        "USD/Mtok",
        (0.0, 1e5),
    );
    let tokens = work.monthly("tokens", "tokens a month", &total, "tokens")?;
    work.keep("tokens_month", &tokens);
    Some((price, tokens))
}

/// The tokens of a month, where an invoice states them.
fn invoice(work: &mut Work<'_>, model: &str) -> Option<Value> {
    let find = |work: &Work<'_>, q: &str| work.said.qualified(Kind::TokensTotal, q).cloned();
    let month = |work: &mut Work<'_>, name: &str, label: &str, q: Quantity| {
        work.monthly(name, label, &q, "tokens")
    };
    let input = find(work, "input")?;
    let output = find(work, "output")?;
    let input = month(work, "input_tokens", "input tokens a month", input)?;
    let output = month(work, "output_tokens", "output tokens a month", output)?;
    let prices = work.prices(model, 0.0, true)?;
    let cached = find(work, "cached_input")
        .and_then(|q| month(work, "cached_tokens", "cached input tokens a month", q));
    match (cached, prices.cached) {
        (Some(cached), Some(p_cached)) => {
            let inputs = [
                ("input", &input),
                ("cached", &cached),
                ("p_in", &prices.input),
                ("p_cached", &p_cached),
                ("output", &output),
                ("p_out", &prices.output),
            ];
            let formula = "((input - cached) * p_in + cached * p_cached + output * p_out) / 1e6";
            Some(work.ledger.derive(
                "list cost of the invoice",
                formula,
                PRICE_PAGES,
                &inputs,
                "USD/month",
            ))
        }
        _ => {
            let inputs = [
                ("input", &input),
                ("p_in", &prices.input),
                ("output", &output),
                ("p_out", &prices.output),
            ];
            let formula = "(input * p_in + output * p_out) / 1e6";
            Some(work.ledger.derive(
                "list cost of the invoice",
                formula,
                PRICE_PAGES,
                &inputs,
                "USD/month",
            ))
        }
    }
}

/// The stated bill against the list price: said before any saving is claimed.
pub(in crate::agents) fn reconcile(work: &mut Work<'_>) -> Option<Prose> {
    let list = work.kept("baseline")?;
    let spend = spend_per_month(work)?;
    if work.kept("implied_requests").is_some() || work.model.is_none() || list.value <= 0.0 {
        return None;
    }
    if !dollars(work) {
        let list_text = list.money();
        work.finding("warning", "Two currencies", say!(
            "Your bill is {} a month, the price list says {} a month. They are not compared: an exchange rate would be an invented number here. State one to have them reconciled.",
            spend.money(), list_text
        ));
        return Some(say!(
            "Stated {}, list price {}: different currencies, not compared.",
            spend.money(),
            list.money()
        ));
    }
    let inputs = [("stated", &spend), ("list", &list)];
    let ratio = work.ledger.derive(
        "stated spend over list price",
        "stated / list",
        "the check of the bill",
        &inputs,
        "x",
    );
    let gap = work.ledger.derive(
        "unexplained spend a month",
        "stated - list",
        "the check of the bill",
        &inputs,
        "USD/month",
    );
    work.keep("ratio", &ratio);
    work.keep("gap", &gap);
    if (0.8..=1.25).contains(&ratio.value) {
        work.insight("The bill adds up", say!(
            "Stated {} a month, computed {} at list price: {} times, within the margin of a fifth below and a quarter above.",
            spend.money(), list.money(), ratio.digits(3)
        ));
        return Some(say!(
            "Stated {} and computed {} a month agree.",
            spend.money(),
            list.money()
        ));
    }
    contradiction(work, &spend, &list, &ratio, &gap);
    if ratio.value < 1.0 {
        return Some(say!(
            "Stated {} a month, less than the {} at list price: {} times.",
            spend.money(),
            list.money(),
            ratio.digits(3)
        ));
    }
    Some(say!(
        "Stated {} a month, explained {} at list price: {} times; {} a month is not explained.",
        spend.money(),
        list.money(),
        ratio.digits(4),
        gap.money()
    ))
}

/// A bill below the list price, as a sentence of the summary; the gap is then no riddle
/// but a discount to be named.
pub(in crate::agents) fn below_list(spend: &Value, list: &Value) -> Prose {
    say!(
        "You state {} a month, less than the {} that this traffic costs at list price: a discount, a cache or a smaller volume must be behind it.",
        spend.money(),
        list.money()
    )
}

fn contradiction(work: &mut Work<'_>, spend: &Value, list: &Value, ratio: &Value, gap: &Value) {
    if ratio.value < 1.0 {
        work.finding("contradiction", "The bill is lower than the list price of this traffic", say!(
            "You state {} a month, but these requests cost {} at list price: {} times. Possible causes: a negotiated discount, a prompt cache or batch price already in effect, fewer or shorter requests than stated, or a cheaper model for a part of them. Savings below are counted from the list price.",
            spend.money(), list.money(), ratio.digits(3)
        ));
        return;
    }
    work.finding("contradiction", "The bill does not follow from the traffic you describe", say!(
        "Stated {} a month, explained {} at list price, unexplained {}: the bill is {} times what these requests cost. Find the difference before cutting anything: further calls, uncounted instructions or history, retries, reasoning tokens, other services. Savings below are counted from what is explained, not from the bill.",
        spend.money(), list.money(), gap.money(), ratio.digits(4)
    ));
    causes(work, ratio, gap);
}

/// What each candidate cause alone would have to be, and the visitor's own values for them.
fn causes(work: &mut Work<'_>, ratio: &Value, gap: &Value) {
    let (Some(n), Some(model)) = (work.kept("requests"), work.model.clone()) else {
        return;
    };
    let (t_in, t_out) = (work.tokens_in(), work.tokens_out());
    let Some(prices) = work.prices(&model, t_in.value, true) else {
        return;
    };
    if n.value <= 0.0 || prices.input.value <= 0.0 || prices.output.value <= 0.0 {
        return;
    }
    let reference = "the gap, attributed to one cause";
    let mut alone = |label: &str, formula: &str, inputs: &[(&str, &Value)], unit: &str| {
        work.ledger.derive(label, formula, reference, inputs, unit)
    };
    let calls = alone(
        "model calls per request that would explain it",
        "ratio",
        &[("ratio", ratio)],
        "calls/request",
    );
    let extra_in = alone(
        "further input tokens that would explain it",
        "gap * 1e6 / (n * p_in)",
        &[("gap", gap), ("n", &n), ("p_in", &prices.input)],
        "tokens/request",
    );
    let extra_out = alone(
        "hidden output tokens that would explain it",
        "gap * 1e6 / (n * p_out)",
        &[("gap", gap), ("n", &n), ("p_out", &prices.output)],
        "tokens/request",
    );
    let retries = alone(
        "share of requests sent again that would explain it",
        "ratio - 1",
        &[("ratio", ratio)],
        "fraction",
    );
    let rows = vec![
        fact(
            "Several model calls per request",
            calls.cell(calls.digits(3).then(" calls per request")),
        ),
        fact(
            "System prompt or history not counted",
            extra_in.cell(extra_in.count().then(" more input tokens")),
        ),
        fact(
            "Reasoning or other hidden output",
            extra_out.cell(extra_out.count().then(" more output tokens")),
        ),
        fact(
            "Retries",
            retries.cell(retries.percent().then(" sent again")),
        ),
        fact(
            "Other services on the same bill",
            gap.cell(gap.money().then(" a month")),
        ),
    ];
    work.table(Table {
        id: "causes".into(),
        title: "What each cause alone would have to be to explain the bill".into(),
        columns: vec![column("Cause", ""), column("It would take", "")],
        rows,
    });
    explained(work, &n, &t_in, &t_out, &prices.input, &prices.output);
}

/// The same cost with the visitor's values for the causes; all neutral until edited.
fn explained(
    work: &mut Work<'_>,
    n: &Value,
    t_in: &Value,
    t_out: &Value,
    p_in: &Value,
    p_out: &Value,
) {
    let why = "A possible cause of the difference: set it to what you find.";
    let mut cause = |name: &str, label: &str, neutral: f64, unit: &str, most: f64| {
        work.ledger
            .assume(name, label, neutral, unit, (neutral, most), why)
    };
    let (each, share) = ("tokens/request", "fraction");
    let label = "model calls per request";
    let calls = cause("calls_per_request", label, 1.0, "calls/request", 100.0);
    let retry = cause(
        "retry_rate",
        "share of requests sent again",
        0.0,
        share,
        10.0,
    );
    let extra = cause(
        "uncounted_input_tokens",
        "input tokens not counted",
        0.0,
        each,
        1e6,
    );
    let hidden = cause(
        "hidden_output_tokens",
        "hidden output tokens",
        0.0,
        each,
        1e6,
    );
    let label = "other services on the bill";
    let other = cause("other_services", label, 0.0, "USD/month", 1e12);
    let edited = calls.value != 1.0
        || [&retry, &extra, &hidden, &other]
            .iter()
            .any(|v| v.value != 0.0);
    if !edited {
        return;
    }
    let inputs = [
        ("n", n),
        ("calls", &calls),
        ("retry", &retry),
        ("t_in", t_in),
        ("extra", &extra),
        ("p_in", p_in),
        ("t_out", t_out),
        ("hidden", &hidden),
        ("p_out", p_out),
        ("other", &other),
    ];
    let formula = "n * calls * (1 + retry) * ((t_in + extra) * p_in + (t_out + hidden) * p_out) / 1e6 + other";
    let label = "explained spend a month with your causes";
    let cost = work
        .ledger
        .derive(label, formula, PRICE_PAGES, &inputs, "USD/month");
    rest(work, &cost);
}

/// What the visitor's causes leave unexplained.
fn rest(work: &mut Work<'_>, cost: &Value) {
    let Some(spend) = spend_per_month(work) else {
        return;
    };
    let inputs = [("stated", &spend), ("explained", cost)];
    let (label, formula) = ("still unexplained", "stated - explained");
    let rest = work.ledger.derive(
        label,
        formula,
        "the check of the bill",
        &inputs,
        "USD/month",
    );
    work.keep("explained", cost);
    let prose = say!(
        "The traffic now explains {} a month of {}; {} remains.",
        cost.money(),
        spend.money(),
        rest.money()
    );
    work.finding("info", "With the causes you entered", prose);
}
