//! From what the message says to entries of the ledger: volumes a month, tokens a
//! request, the model and its prices. What is missing becomes a visible default.

use super::answer::{NamedQuantity, Source};
use super::ledger::Value;
use super::understand::{Kind, ModelRole, Per, Quantity, UseCase};
use super::work::Work;

/// Where conversions between periods come from.
pub(super) const MONTH: &str =
    "a mean month has 365.25 / 12 = 30.4375 days, 730.5 hours, 2,629,800 seconds";
/// Where prices come from.
pub(super) const PRICE_PAGES: &str = "the providers' price pages";

/// The prices of a model in USD per million tokens.
#[derive(Debug, Clone)]
pub(super) struct Prices {
    pub(super) input: Value,
    pub(super) output: Value,
    /// A prompt token read from the cache.
    pub(super) cached: Option<Value>,
    /// A prompt token written to the five-minute cache.
    pub(super) write: Option<Value>,
}

impl Work<'_> {
    /// Enters a stated quantity under a name of its own, with a value already in `unit`.
    pub(super) fn stated(
        &mut self,
        name: &str,
        label: &str,
        quantity: &Quantity,
        value: f64,
        unit: &str,
        range: (f64, f64),
    ) -> Value {
        let several = quantity.value.numbers().len() > 1;
        self.ledger.named(NamedQuantity {
            name: name.into(),
            label: label.into(),
            value,
            unit: unit.into(),
            source: Source::Message,
            quote: Some(quantity.quote.clone()),
            span: Some((quantity.span.start, quantity.span.end)),
            editable: true,
            range: Some(range),
            note: several
                .then(|| "The middle of the stated range, or the mode of three values.".into()),
        })
    }

    /// The first quantity of a kind under its own word, where stated.
    pub(super) fn first(
        &mut self,
        kind: Kind,
        label: &str,
        unit: &str,
        range: (f64, f64),
    ) -> Option<Value> {
        let quantity = self.said.first(kind)?.clone();
        let value = quantity.value.base()?;
        Some(self.stated(kind.as_str(), label, &quantity, value, unit, range))
    }

    /// A stated share (0 to 1) of a qualifier.
    pub(super) fn share(&mut self, q: &str, label: &str) -> Option<Value> {
        let quantity = self.said.qualified(Kind::Share, q)?.clone();
        let value = quantity.value.base()?;
        Some(self.stated(
            &format!("{q}_share"),
            label,
            &quantity,
            value,
            "fraction",
            (0.0, 1.0),
        ))
    }

    /// A stated amount over a period, as an amount a month: the entry itself where the
    /// message says "a month", else derived from it. The visitor may edit either.
    pub(super) fn monthly(
        &mut self,
        name: &str,
        label: &str,
        quantity: &Quantity,
        unit: &str,
    ) -> Option<Value> {
        let base = quantity.value.base()?;
        let per = quantity.per.unwrap_or(Per::Month);
        let wide = (0.0, 1e16);
        let per_month = format!("{unit}/month");
        let direct = format!("{name}_per_month");
        if per == Per::Month {
            return Some(self.stated(&direct, label, quantity, base, &per_month, wide));
        }
        if let Some(edited) = self.ledger.edit(&direct, Some(wide)) {
            let why = "Edited by you.";
            return Some(
                self.ledger
                    .assume(&direct, label, edited, &per_month, wide, why),
            );
        }
        let stated_unit = format!("{unit}/{}", per.as_str());
        let stated_name = format!("{name}_per_{}", per.as_str());
        let stated = self.stated(&stated_name, label, quantity, base, &stated_unit, wide);
        if per == Per::WorkingDay {
            let days = match self.said.first(Kind::WorkingDays).cloned() {
                Some(q) => {
                    let days = q.value.base()?;
                    self.stated(
                        "working_days",
                        "working days a month",
                        &q,
                        days,
                        "days/month",
                        (1.0, 31.0),
                    )
                }
                None => self.ledger.assume(
                    "working_days",
                    "working days a month",
                    21.75,
                    "days/month",
                    (1.0, 31.0),
                    "261 working days a year.",
                ),
            };
            let inputs = [("x", &stated), ("days", &days)];
            return Some(
                self.ledger
                    .derive(label, "x * days", MONTH, &inputs, &per_month),
            );
        }
        Some(self.ledger.derive(
            label,
            month_formula(per)?,
            MONTH,
            &[("x", &stated)],
            &per_month,
        ))
    }

    /// Requests a month: stated, or from users or sessions; none where nothing says it.
    pub(super) fn requests(&mut self) -> Option<Value> {
        if let Some(known) = self.kept("requests") {
            return Some(known);
        }
        let value = self.requests_anew()?;
        self.keep("requests", &value);
        Some(value)
    }

    fn requests_anew(&mut self) -> Option<Value> {
        if let Some(q) = self.said.requests().cloned() {
            return self.monthly("requests", "requests a month", &q, "requests");
        }
        if let Some(edited) = self.ledger.edit("requests_per_month", Some((0.0, 1e16))) {
            let unit = "requests/month";
            return Some(self.ledger.assume(
                "requests_per_month",
                "requests a month",
                edited,
                unit,
                (0.0, 1e16),
                "Edited by you.",
            ));
        }
        if let Some(sessions) = self.said.first(Kind::Sessions).cloned() {
            let sessions = self.monthly("sessions", "sessions a month", &sessions, "sessions")?;
            let turns = match self.first(
                Kind::Turns,
                "turns of a session",
                "turns/session",
                (1.0, 1e4),
            ) {
                Some(turns) => turns,
                None => self.ledger.assume(
                    "turns",
                    "turns of a session",
                    4.0,
                    "turns/session",
                    (1.0, 1e4),
                    "A placeholder without a source; count the turns of your own sessions.",
                ),
            };
            let inputs = [("sessions", &sessions), ("turns", &turns)];
            return Some(self.ledger.derive(
                "requests a month",
                "sessions * turns",
                "one request a turn",
                &inputs,
                "requests/month",
            ));
        }
        self.said.first(Kind::Users)?;
        self.requests_of_users()
    }

    fn requests_of_users(&mut self) -> Option<Value> {
        let users = self.first(Kind::Users, "users", "users", (0.0, 1e10))?;
        let each = match self.said.first(Kind::RequestsPerUser).cloned() {
            Some(q) => {
                let base = q.value.base()?;
                let periods = match q.per {
                    Some(per) => per.per_month()? / 30.4375,
                    None => 1.0,
                };
                self.stated("requests_per_user_day", "requests of a user a day", &q, base * periods, "requests/user/day", (0.0, 1e5))
            }
            None => self.ledger.assume(
                "requests_per_user_day",
                "requests of a user a day",
                10.0,
                "requests/user/day",
                (0.1, 1000.0),
                "Nothing in the message says how often a user asks; a placeholder without a source.",
            ),
        };
        let inputs = [("users", &users), ("each", &each)];
        Some(self.ledger.derive(
            "requests a month",
            "users * each * 30.4375",
            MONTH,
            &inputs,
            "requests/month",
        ))
    }

    /// Requests a month, with a placeholder volume where nothing says it.
    pub(super) fn requests_or_default(&mut self) -> Value {
        if let Some(value) = self.requests() {
            return value;
        }
        let why = "The message states no volume: a round number to compute with, edit it to yours.";
        let value = self.ledger.assume(
            "requests_per_month",
            "requests a month",
            100_000.0,
            "requests/month",
            (0.0, 1e16),
            why,
        );
        self.keep("requests", &value);
        value
    }

    /// Input tokens of a request: stated, the sum of stated parts, or a placeholder.
    pub(super) fn tokens_in(&mut self) -> Value {
        if let Some(known) = self.kept("tokens_in") {
            return known;
        }
        let value = self.tokens_in_anew();
        self.keep("tokens_in", &value);
        value
    }

    fn tokens_in_anew(&mut self) -> Value {
        let range = (1.0, 1e7);
        let unit = "tokens/request";
        if let Some(value) = self.first(Kind::TokensIn, "input tokens of a request", unit, range) {
            return value;
        }
        if let Some(edited) = self.ledger.edit("tokens_in", Some(range)) {
            return self.ledger.assume(
                "tokens_in",
                "input tokens of a request",
                edited,
                unit,
                range,
                "Edited by you.",
            );
        }
        let kinds = [Kind::TokensPrefix, Kind::TokensInRest, Kind::TokensInPart];
        let stated: Vec<Quantity> = kinds
            .iter()
            .flat_map(|k| self.said.all(*k).cloned())
            .collect();
        let mut parts = Vec::new();
        for quantity in stated.iter().take(6) {
            if let Some(value) = quantity.value.base() {
                let same = parts.iter().filter(|(k, _)| *k == quantity.kind).count();
                let name = match same {
                    0 => quantity.kind.as_str().to_owned(),
                    n => format!("{}_{}", quantity.kind.as_str(), n + 1),
                };
                let label = match quantity.kind {
                    Kind::TokensPrefix => "tokens of the stable prefix",
                    Kind::TokensInRest => "input tokens beside the prefix",
                    _ => "a part of the input",
                };
                parts.push((
                    quantity.kind,
                    self.stated(&name, label, quantity, value, unit, range),
                ));
            }
        }
        let symbols = ["a", "b", "c", "d", "e", "f"];
        let inputs: Vec<(&str, &Value)> = symbols
            .iter()
            .copied()
            .zip(parts.iter().map(|p| &p.1))
            .collect();
        match inputs.len() {
            0 => self.default_tokens(
                "tokens_in",
                "input tokens of a request",
                UseCase::of(&self.said).tokens().0,
            ),
            1 => parts.remove(0).1,
            n => {
                let formula = symbols[..n].join(" + ");
                self.ledger.derive(
                    "input tokens of a request",
                    &formula,
                    "sum of the stated parts",
                    &inputs,
                    unit,
                )
            }
        }
    }

    /// Output tokens of a request: stated, or a placeholder.
    pub(super) fn tokens_out(&mut self) -> Value {
        if let Some(value) = self.first(
            Kind::TokensOut,
            "output tokens of a request",
            "tokens/request",
            (1.0, 1e7),
        ) {
            return value;
        }
        self.default_tokens(
            "tokens_out",
            "output tokens of a request",
            UseCase::of(&self.said).tokens().1,
        )
    }

    fn default_tokens(&mut self, name: &str, label: &str, tokens: f64) -> Value {
        let case = UseCase::of(&self.said).as_str().replace('_', " ");
        let why = format!("A placeholder for {case}; the message does not state it.");
        self.ledger
            .assume(name, label, tokens, "tokens/request", (1.0, 1e7), &why)
    }

    /// Finds the model in use: the visitor's edit, the message, else none.
    pub(super) fn settle_model(&mut self) {
        let edited = self.ledger.edit_word("model");
        let known = |id: &str| self.catalog.model(id).is_some();
        if let Some(id) = edited {
            if known(&id) {
                self.model = Some(id);
                return;
            }
            let id: String = id.chars().take(60).collect();
            let text = format!(
                "The model \"{id}\" is not in the catalog; the answer stands on the one in the message."
            );
            self.finding(
                "warning",
                "An edited model is unknown",
                super::ledger::Prose {
                    text,
                    refs: Vec::new(),
                },
            );
        }
        let in_role = |role| self.said.models_in(role).first().map(|id| (*id).to_owned());
        let found = in_role(ModelRole::Current)
            .or_else(|| in_role(ModelRole::QualityFloor))
            .or_else(|| in_role(ModelRole::Mentioned));
        self.model = found.filter(|id| known(id));
    }

    /// The display name of a model.
    pub(super) fn name(&self, id: &str) -> String {
        self.catalog.model(id).map_or_else(
            || id.to_owned(),
            |m| match &m.host {
                Some(host) => format!("{} on {host}", m.name),
                None => m.name.clone(),
            },
        )
    }

    /// The row of a model, with source and date, as provenance names it.
    pub(super) fn row(&self, id: &str) -> String {
        let Some(model) = self.catalog.model(id) else {
            return id.to_owned();
        };
        let source = self
            .catalog
            .source(&model.evidence.source)
            .unwrap_or(&model.evidence.source);
        format!("{id}: {source} ({})", model.evidence.status.as_str())
    }

    /// The prices of a model for a prompt of this length; `editable` for those that the
    /// visitor should be able to replace.
    pub(super) fn prices(
        &mut self,
        id: &str,
        prompt_tokens: f64,
        editable: bool,
    ) -> Option<Prices> {
        let price = self
            .catalog
            .price_for_prompt(id, self.as_of, prompt_tokens)?;
        let row = self.row(id);
        let name = self.name(id);
        let mut enter = |what: &str, key: &str, value: f64| {
            let label = format!("{name}: {what}");
            if !editable {
                return self.ledger.catalog(&label, value, "USD/Mtok", &row);
            }
            self.ledger.named(NamedQuantity {
                name: format!("{id}.{key}"),
                label,
                value,
                unit: "USD/Mtok".into(),
                source: Source::Catalog,
                quote: None,
                span: None,
                editable: true,
                range: Some((0.0, 10_000.0)),
                note: Some(row.clone()),
            })
        };
        Some(Prices {
            input: enter(
                "price of input",
                "input_usd_per_mtok",
                price.input_usd_per_mtok,
            ),
            output: enter(
                "price of output",
                "output_usd_per_mtok",
                price.output_usd_per_mtok,
            ),
            cached: price
                .cached_read_usd_per_mtok
                .map(|p| enter("price of cached input", "cached_usd_per_mtok", p)),
            write: price
                .cache_write_5m_usd_per_mtok
                .map(|p| enter("price of a cache write", "cache_write_usd_per_mtok", p)),
        })
    }

    /// Cost of a request at list price.
    pub(super) fn cost_of_request(&mut self, id: &str, editable: bool) -> Option<Value> {
        let (t_in, t_out) = (self.tokens_in(), self.tokens_out());
        let p = self.prices(id, t_in.value, editable)?;
        let label = format!("{}: cost of a request", self.name(id));
        let inputs = [
            ("t_in", &t_in),
            ("p_in", &p.input),
            ("t_out", &t_out),
            ("p_out", &p.output),
        ];
        let formula = "(t_in * p_in + t_out * p_out) / 1e6";
        Some(
            self.ledger
                .derive(&label, formula, PRICE_PAGES, &inputs, "USD/request"),
        )
    }

    /// Cost of a month at list price.
    pub(super) fn cost_of_month(&mut self, id: &str, editable: bool) -> Option<Value> {
        let c = self.cost_of_request(id, editable)?;
        let n = self.requests_or_default();
        let label = format!("{}: cost a month", self.name(id));
        Some(self.ledger.derive(
            &label,
            "n * c",
            PRICE_PAGES,
            &[("n", &n), ("c", &c)],
            "USD/month",
        ))
    }
}

/// The formula that turns `x` of a period into a month's.
fn month_formula(per: Per) -> Option<&'static str> {
    Some(match per {
        Per::Second => "x * 2629800",
        Per::Minute => "x * 43830",
        Per::Hour => "x * 730.5",
        Per::Day => "x * 30.4375",
        Per::Week => "x * 30.4375 / 7",
        Per::Month => "x",
        Per::Quarter => "x / 3",
        Per::Year => "x / 12",
        _ => return None,
    })
}
