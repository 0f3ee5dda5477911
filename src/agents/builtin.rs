//! The built-in engine: understand → plan → calculate → explain. Pure.

use time::Date;
use time::macros::format_description;

use super::answer::Answer;
use super::catalog::Catalog;
use super::ledger::{Prose, say};
use super::understand::{Kind, ListPrices, ModelNames, Quantity, Understanding, understand};
use super::work::{Step, Work};
use super::{Event, Refusal, Task, advanced, cost, latency, scaling, selection};
use crate::id::Category;

/// One agent: its name, its rule table, and how it explains.
struct Agent {
    name: &'static str,
    plan: &'static [Step],
    explain: fn(&mut Work<'_>),
}

const fn agent(category: Category) -> Agent {
    match category {
        Category::Scaling => Agent {
            name: scaling::NAME,
            plan: scaling::PLAN,
            explain: scaling::explain,
        },
        Category::Latency => Agent {
            name: latency::NAME,
            plan: latency::PLAN,
            explain: latency::explain,
        },
        Category::Selection => Agent {
            name: selection::NAME,
            plan: selection::PLAN,
            explain: selection::explain,
        },
        Category::Advanced => Agent {
            name: advanced::NAME,
            plan: advanced::PLAN,
            explain: advanced::explain,
        },
        Category::Cost => Agent {
            name: cost::NAME,
            plan: cost::PLAN,
            explain: cost::explain,
        },
    }
}

/// The catalog's prices on a day, for the check of a stated bill.
struct Prices<'a>(&'a Catalog, Date);

impl ListPrices for Prices<'_> {
    fn usd_per_mtok(&self, model: &str) -> Option<(f64, f64)> {
        let price = self.0.price(model, self.1)?;
        Some((price.input_usd_per_mtok, price.output_usd_per_mtok))
    }
}

/// What a message is understood to say, with the catalog's names and prices of a day.
///
/// # Errors
/// Where `as_of` is no ISO 8601 day.
pub fn reading(content: &str, catalog: &Catalog, as_of: &str) -> Result<Understanding, Refusal> {
    let day = day(as_of)?;
    let names = ModelNames::new(
        catalog
            .names()
            .map(|(id, aliases)| (id.to_owned(), aliases.to_vec())),
    );
    Ok(understand(content, &names, day, &Prices(catalog, day)))
}

/// Answers a task. The same task and catalog give the same answer and events, byte for byte.
///
/// # Errors
/// Where nothing can be computed from the message, with what to write instead.
pub fn answer(
    task: &Task,
    catalog: &Catalog,
    emit: &mut dyn FnMut(Event),
) -> Result<Answer, Refusal> {
    let said = reading(&task.content, catalog, &task.as_of)?;
    let day = day(&task.as_of)?;
    let agent = agent(task.category);
    let mut work = Work::new(task, said, catalog, day, emit);
    work.draft.agent_name = agent.name.into();
    work.settle_model();
    let understood = understood(&work);
    work.think(understood);
    let silent = work.said.quantities.iter().all(|q| !q.in_range)
        && work.said.models.is_empty()
        && work.said.constraints.is_empty();
    if let Some(refusal) = no_volume(&work) {
        return Err(refusal);
    }
    if silent || work.run(agent.plan) == 0 {
        return Err(nothing(&work));
    }
    warn(&mut work);
    let assumed = assumed(&work);
    work.think(assumed);
    (agent.explain)(&mut work);
    if !work.has_something_to_say() {
        return Err(nothing(&work));
    }
    work.finish()
}

fn day(text: &str) -> Result<Date, Refusal> {
    Date::parse(text, format_description!("[year]-[month]-[day]")).map_err(|_| Refusal {
        code: "bad_date".into(),
        message: "The day of the prices must be written as year-month-day.".into(),
    })
}

/// A stated volume that is none: computing with a placeholder instead would answer a question
/// that nobody asked. An edited volume replaces it.
fn no_volume(work: &Work<'_>) -> Option<Refusal> {
    let volume = |q: &&Quantity| matches!(q.kind, Kind::Requests | Kind::Users | Kind::Sessions);
    let stated = || work.said.quantities.iter().filter(volume);
    let wrong = stated().find(|q| !q.in_range)?;
    let edited = work.task.assumptions.contains_key("requests_per_month");
    if edited || stated().any(|q| q.in_range) {
        return None;
    }
    let nought = wrong.value.numbers().iter().all(|v| *v == 0.0);
    let why = match nought {
        true => "Nothing is sent, so nothing is paid and nothing can be planned",
        false => "No such volume can be computed with",
    };
    Some(Refusal {
        code: "no_volume".into(),
        message: format!(
            "You wrote \"{}\". {why}. How many requests a month do you expect?",
            wrong.quote.chars().take(80).collect::<String>()
        ),
    })
}

/// What was read, in words.
fn understood(work: &Work<'_>) -> String {
    let quotes: Vec<&str> = work
        .said
        .quantities
        .iter()
        .map(|q| q.quote.as_str())
        .take(8)
        .collect();
    let mut models: Vec<String> = work.said.models.iter().map(|m| work.name(&m.id)).collect();
    models.dedup();
    let mut text = match quotes.len() {
        0 => "I found no quantities in the message.".to_owned(),
        _ => format!("I read: {}.", quotes.join("; ")),
    };
    if !models.is_empty() {
        text.push_str(&format!(" Models: {}.", models.join(", ")));
    }
    text
}

fn assumed(work: &Work<'_>) -> String {
    let names: Vec<&str> = work
        .ledger
        .quantities()
        .iter()
        .filter(|q| q.source == super::answer::Source::Assumption)
        .map(|q| q.label.as_str())
        .collect();
    match names.len() {
        0 => "Everything stands on your numbers and the catalog; nothing is assumed.".to_owned(),
        _ => format!("Assumed, and yours to edit: {}.", names.join(", ")),
    }
}

/// What the understanding flagged, as findings.
fn warn(work: &mut Work<'_>) {
    let plain = |text: String| Prose {
        text,
        refs: Vec::new(),
    };
    let age = work.catalog.age_days(work.as_of);
    if age > Catalog::STALE_DAYS {
        let row = format!("prices of {}", work.catalog.prices_as_of());
        let age = work
            .ledger
            .catalog("age of the prices", age as f64, "days", &row);
        let text = say!(
            "The prices are {} days old. Compare them with the providers' pages before you decide; a file of your own prices can replace them.",
            age.digits(6)
        );
        work.finding("warning", "The prices are old", text);
    }
    for name in work.said.unknown_models.clone().iter().take(3) {
        let name: String = name.chars().take(60).collect();
        let text = format!(
            "\"{name}\" is not in the catalog. Its price and speed are not known here, so nothing is computed for it."
        );
        work.finding("warning", "A model is not known", plain(text));
    }
    let out: Vec<String> = work
        .said
        .quantities
        .iter()
        .filter(|q| !q.in_range)
        .map(|q| format!("\"{}\"", q.quote))
        .take(4)
        .collect();
    if !out.is_empty() {
        let text = format!(
            "{} cannot be computed with and was left out.",
            out.join(", ")
        );
        work.finding("warning", "Values out of range", plain(text));
    }
    for flag in work.said.flags.clone() {
        let finding = match flag.as_str() {
            "contradiction:requests" => Some((
                "contradiction",
                "Two volumes are stated",
                "The message states more than one volume; the first is used. Edit it if another is meant.",
            )),
            "contradiction:tokens_in" => Some((
                "contradiction",
                "Two input lengths are stated",
                "The message states more than one input length; the first is used. Edit it if another is meant.",
            )),
            "contradiction:percentile_order" => Some((
                "contradiction",
                "The percentiles are not in order",
                "A higher percentile cannot be faster than a lower one: please check which is which.",
            )),
            "injection" => Some((
                "info",
                "Instructions in the message change nothing",
                "The message is read as data. Its quantities count; what it tells the agent to do does not.",
            )),
            _ => None,
        };
        if let Some((severity, title, text)) = finding {
            work.finding(severity, title, plain(text.to_owned()));
        }
    }
}

fn nothing(work: &Work<'_>) -> Refusal {
    let example = match work.task.category {
        Category::Cost => {
            "which model answers, how many requests a month, and how many tokens go in and come out, for example: \"We run 200,000 requests a month on gpt-4o with 900 tokens in and 250 out.\""
        }
        Category::Latency => {
            "which model answers, how long answers are, and how fast they must be, for example: \"Answers of 300 tokens on gpt-4o must stand within 3 s at p95.\""
        }
        Category::Selection => {
            "which models you consider or the tokens of a request, for example: \"Compare GPT-4o and Claude Haiku 4.5 for 1,500 tokens in and 400 out.\""
        }
        Category::Scaling => {
            "the load and a limit or service time, for example: \"Peak 12 requests per second, each takes 1.8 s; limit 2M TPM.\""
        }
        Category::Advanced => {
            "the model, the volume and what matters most, for example: \"600k requests a month on gpt-4o, 2,000 in and 300 out, 40% less cost, p95 under 2 s.\""
        }
    };
    Refusal {
        code: "nothing_to_compute".into(),
        message: format!("There is nothing in the message to compute with. Please write {example}"),
    }
}

/// The agent that a message asks for by its words, where nobody chose one.
pub fn category_of(said: &Understanding) -> Category {
    use super::understand::{Metric, ModelRole};
    let has = |kind| said.first(kind).is_some();
    let candidates = said.models_in(ModelRole::Candidate).len();
    let owned = has(Kind::GpuCount) && has(Kind::Requests) && has(Kind::RunCost);
    if has(Kind::Seed) || has(Kind::Draws) || owned || (has(Kind::Latency) && has(Kind::Spend)) {
        Category::Advanced
    } else if has(Kind::RateLimit)
        || has(Kind::ServiceTime)
        || has(Kind::Gpu)
        || has(Kind::SlotsPerReplica)
        || said
            .all(Kind::Latency)
            .any(|q| q.metric == Some(Metric::Wait))
    {
        Category::Scaling
    } else if has(Kind::Latency) || has(Kind::Fanout) || has(Kind::Tps) {
        Category::Latency
    } else if has(Kind::Weight) || candidates > 2 || (candidates > 1 && !has(Kind::Spend)) {
        Category::Selection
    } else if (has(Kind::Users) || has(Kind::GrowthRate)) && !has(Kind::Spend) {
        Category::Scaling
    } else {
        Category::Cost
    }
}
