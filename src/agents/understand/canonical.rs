//! Canonical values of an understanding: a month, a request, seconds.

use time::Date;

use super::{Kind, ModelRole, Per, Quantity, Role, Understanding};

impl Understanding {
    /// All quantities of a kind that can be computed with, in the order of the text.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Quantity> {
        self.quantities
            .iter()
            .filter(move |q| q.kind == kind && q.in_range)
    }

    /// The first quantity of a kind that can be computed with.
    pub fn first(&self, kind: Kind) -> Option<&Quantity> {
        self.all(kind).next()
    }

    /// The first quantity of a kind and qualifier, for example a share `cached`.
    pub fn qualified(&self, kind: Kind, q: &str) -> Option<&Quantity> {
        self.all(kind).find(|x| x.q.as_deref() == Some(q))
    }

    /// The base value of the first quantity of a kind.
    pub fn value(&self, kind: Kind) -> Option<f64> {
        self.first(kind)?.value.base()
    }

    /// The share (0 to 1) of a qualifier: `cached`, `batch`, `easy`, `repeat`, `retry`, ...
    pub fn share(&self, q: &str) -> Option<f64> {
        self.qualified(Kind::Share, q)?.value.base()
    }

    /// A quantity's base value a month; none where its period is no time.
    /// Uses the stated number of working days, where there is one.
    pub fn per_month(&self, quantity: &Quantity) -> Option<f64> {
        Some(quantity.value.base()? * self.periods(quantity.per?)?)
    }

    /// Low and high of a quantity a month.
    pub fn bounds_per_month(&self, quantity: &Quantity) -> Option<(f64, f64)> {
        let periods = self.periods(quantity.per?)?;
        let (low, high) = quantity.value.bounds()?;
        Some((low * periods, high * periods))
    }

    fn periods(&self, per: Per) -> Option<f64> {
        match (per, self.value(Kind::WorkingDays)) {
            (Per::WorkingDay, Some(days)) => Some(days),
            _ => per.per_month(),
        }
    }

    /// The quantity that `requests_per_month` rests on: today's average before
    /// a peak, a limit or a target. Of several workloads the first.
    pub fn requests(&self) -> Option<&Quantity> {
        let today = |q: &&Quantity| !matches!(q.role, Some(Role::Limit | Role::Target));
        let average = |q: &&Quantity| q.q.as_deref() != Some("peak");
        self.all(Kind::Requests)
            .filter(today)
            .find(average)
            .or_else(|| self.all(Kind::Requests).find(average))
    }

    /// Requests a month as stated, without a default; from users or sessions
    /// where their factors are stated too. A peak alone states no volume.
    pub fn requests_per_month(&self) -> Option<f64> {
        if let Some(requests) = self.requests() {
            return self.per_month(requests);
        }
        if let (Some(users), Some(each)) =
            (self.value(Kind::Users), self.first(Kind::RequestsPerUser))
        {
            return Some(users * self.per_month(each)?);
        }
        let sessions = self.first(Kind::Sessions)?;
        Some(self.per_month(sessions)? * self.value(Kind::Turns)?)
    }

    /// Requests a second at peak, where stated.
    pub fn peak_rps(&self) -> Option<f64> {
        let peak = self.qualified(Kind::Requests, "peak")?;
        Some(self.per_month(peak)? / Per::Second.per_month()?)
    }

    /// Growth a month as a fraction: a stated rate, or the rate that reaches a
    /// stated factor by its date or in its period, compounding; from the
    /// month of `as_of` to the month named.
    pub fn growth_per_month(&self, as_of: Date) -> Option<f64> {
        if let Some(rate) = self.first(Kind::GrowthRate) {
            let periods = rate.per.map_or(Some(1.0), Per::per_month)?;
            return Some((1.0 + rate.value.base()?).powf(periods) - 1.0);
        }
        let factor = self.first(Kind::GrowthMultiplier)?;
        let value = factor.value.base().filter(|v| *v > 0.0)?;
        let months = match (&factor.by, factor.q.as_deref()) {
            (Some(by), _) => months_until(by, as_of)?,
            (None, Some("every:month")) => 1.0,
            (None, Some("every:quarter")) => 3.0,
            (None, Some("every:year")) => 12.0,
            (None, Some("every:week")) => 7.0 / 30.4375,
            _ => return None,
        };
        (months > 0.0).then(|| value.powf(1.0 / months) - 1.0)
    }

    /// Input tokens of a request: as stated, or the sum of the stated parts.
    pub fn tokens_in(&self) -> Option<f64> {
        if let Some(stated) = self.value(Kind::TokensIn) {
            return Some(stated);
        }
        let parts = [Kind::TokensPrefix, Kind::TokensInRest, Kind::TokensInPart];
        let values: Vec<f64> = parts
            .into_iter()
            .flat_map(|kind| self.all(kind))
            .filter_map(|q| q.value.base())
            .collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// Output tokens of a request.
    pub fn tokens_out(&self) -> Option<f64> {
        self.value(Kind::TokensOut)
    }

    /// Money paid a month, in the currency of [`Understanding::currency`].
    pub fn spend_per_month(&self) -> Option<f64> {
        self.per_month(self.first(Kind::Spend)?)
    }

    /// The currency of the first money amount, ISO 4217; USD where none is named.
    pub fn currency(&self) -> &str {
        self.quantities
            .iter()
            .map(|q| q.unit.as_ref())
            .find(|unit| {
                matches!(
                    *unit,
                    "USD" | "EUR" | "GBP" | "JPY" | "CNY" | "RUB" | "CHF" | "INR"
                )
            })
            .unwrap_or("USD")
    }

    /// Ids of the models in a role, in the order of the text, each once.
    pub fn models_in(&self, role: ModelRole) -> Vec<&str> {
        let mut ids: Vec<&str> = Vec::new();
        for model in self.models.iter().filter(|m| m.role == role) {
            if !ids.contains(&model.id.as_str()) {
                ids.push(&model.id);
            }
        }
        ids
    }

    /// The model in use, where one is named; else the quality floor.
    pub fn current_model(&self) -> Option<&str> {
        let current = self.models_in(ModelRole::Current);
        let floor = self.models_in(ModelRole::QualityFloor);
        current.first().or(floor.first()).copied()
    }

    /// True where a constraint of this name was stated.
    pub fn wants(&self, name: &str) -> bool {
        self.constraints.iter().any(|c| c.name == name)
    }

    /// True where this flag was raised.
    pub fn flagged(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }
}

/// Calendar months from a day's month to `2027-06`.
fn months_until(by: &str, as_of: Date) -> Option<f64> {
    let (year, month) = by.split_once('-')?;
    let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
    Some(f64::from(
        (year - as_of.year()) * 12 + month - i32::from(u8::from(as_of.month())),
    ))
}
