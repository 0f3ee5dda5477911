//! Fifteen questions from end to end: from the numbers a visitor would write, through
//! catalog and calculators, to answers that were computed independently. E01 and so on
//! are the questions' numbers.

mod choice;
mod load;
mod money;
mod time_to_answer;

use std::collections::BTreeSet;

use time::Date;
use time::macros::date;

use super::cost::{TokenPrices, Tokens, usd_per_month, usd_per_request};
use super::latency;
use super::testing::close;
use crate::agents::catalog::{Catalog, Mode};

const TODAY: Date = date!(2026 - 12 - 01);

/// Money to a millionth, as everything that has no tolerance of its own.
#[track_caller]
fn check(question: &str, rows: &[(&str, f64, f64)]) {
    check_to(1e-6, question, rows);
}

#[track_caller]
fn check_to(relative: f64, question: &str, rows: &[(&str, f64, f64)]) {
    for (what, actual, expected) in rows {
        close(&format!("{question} {what}"), *actual, *expected, relative);
    }
}

#[track_caller]
fn set<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<&'a str> {
    names.into_iter().collect()
}

fn prices(catalog: &Catalog, model: &str) -> TokenPrices {
    catalog
        .price(model, TODAY)
        .expect("a model of the catalog")
        .token_prices()
}

fn month(catalog: &Catalog, model: &str, requests: f64, input: f64, output: f64) -> f64 {
    let usd = usd_per_request(&prices(catalog, model), &Tokens::plain(input, output)).unwrap();
    usd_per_month(usd, requests).unwrap()
}

fn median_total(catalog: &Catalog, model: &str, output: f64) -> f64 {
    let speed = catalog.speed(model, Mode::Direct).unwrap();
    latency::total_s(0.0, speed.ttft.p50, output, speed.tps.p50).unwrap()
}
