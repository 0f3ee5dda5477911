//! The vocabulary: what a visitor's message can state.

use std::borrow::Cow;
use std::ops::Range;

use serde::{Serialize, Serializer};

/// Declares an enum whose variants have one stable word each.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vmeta])* $variant),+ }

        impl $name {
            /// Its stable word, as it stands in JSON and in names of assumptions.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a number measures.
    Kind {
        /// Money paid now, a period.
        Spend = "spend",
        /// The most that may be paid, a period.
        Budget = "budget",
        /// Money saved, a period.
        Saving = "saving",
        /// What an alternative costs to run, a period.
        RunCost = "run_cost",
        /// Money paid once.
        Invest = "invest",
        /// Money lost at a breach.
        Penalty = "penalty",
        /// The amount at which a decision changes.
        Threshold = "threshold",
        /// USD per million tokens.
        UnitPrice = "unit_price",
        /// Money a request.
        RequestPrice = "request_price",
        /// Money a GPU and hour.
        GpuPrice = "gpu_price",
        /// Money a replica and hour.
        ReplicaPrice = "replica_price",
        /// Money a kilowatt-hour.
        EnergyPrice = "energy_price",
        /// Model calls or what stands for one call, a period.
        Requests = "requests",
        /// People or tenants.
        Users = "users",
        /// Requests of one user, a period.
        RequestsPerUser = "requests_per_user",
        /// Conversations, a period.
        Sessions = "sessions",
        /// Exchanges in a session.
        Turns = "turns",
        /// Sessions or users at the same moment.
        Concurrent = "concurrent",
        /// Input tokens of a request.
        TokensIn = "tokens_in",
        /// Output tokens of a request.
        TokensOut = "tokens_out",
        /// A stable beginning of the input, cacheable.
        TokensPrefix = "tokens_prefix",
        /// Input beside the prefix.
        TokensInRest = "tokens_in_rest",
        /// One of several summands of the input.
        TokensInPart = "tokens_in_part",
        /// Tokens of a period; `q` says input, output, cached_input or total.
        TokensTotal = "tokens_total",
        /// Input and output together, of a request.
        TokensPerRequest = "tokens_per_request",
        /// A context window that is needed.
        Context = "context",
        /// Input to output, or another proportion.
        Ratio = "ratio",
        /// Seconds.
        Latency = "latency",
        /// Seconds a request occupies a slot.
        ServiceTime = "service_time",
        /// Seconds after which a second copy is sent.
        HedgeAfter = "hedge_after",
        /// The percentile after which a second copy is sent, as a fraction.
        HedgePercentile = "hedge_percentile",
        /// A percentile asked for, as a fraction.
        PercentileWanted = "percentile_wanted",
        /// Output tokens a second.
        Tps = "tps",
        /// Growth a period, as a fraction.
        GrowthRate = "growth_rate",
        /// Growth as a factor, perhaps by a date.
        GrowthMultiplier = "growth_multiplier",
        /// A date by which something must stand; the value is absent, `by` holds it.
        Deadline = "deadline",
        /// Months looked ahead.
        Horizon = "horizon",
        /// A length of time that is no latency.
        Duration = "duration",
        /// A provider's limit; `q` is rpm, tpm, itpm, otpm, rpd, tpd or rps.
        RateLimit = "rate_limit",
        /// A fraction of requests, traffic or money; `q` says of what.
        Share = "share",
        /// Fraction of time in service.
        Availability = "availability",
        /// Fraction a year.
        DiscountRate = "discount_rate",
        /// Importance of a criterion, as a fraction.
        Weight = "weight",
        /// Least quality on a named scale.
        QualityMin = "quality_min",
        /// Most points of quality that may be lost.
        QualityDropMax = "quality_drop_max",
        /// Parallel calls of one request.
        Fanout = "fanout",
        /// Calls one after another.
        Steps = "steps",
        /// How many of the steps are independent.
        Parallelisable = "parallelisable",
        /// Model calls of one request.
        CallsPerRequest = "calls_per_request",
        /// Requests a replica serves at once.
        SlotsPerReplica = "slots_per_replica",
        /// Replicas in service.
        Replicas = "replicas",
        /// Squared coefficient of variation of the service time.
        Cs2 = "cs2",
        /// A type of GPU; the unit names it.
        Gpu = "gpu",
        /// How many GPUs.
        GpuCount = "gpu_count",
        /// Gigabytes a GPU.
        GpuMemory = "gpu_memory",
        /// Billions of parameters.
        ParamsB = "params_b",
        /// Watts.
        Power = "power",
        /// Seed of a simulation.
        Seed = "seed",
        /// Runs of a simulation.
        Draws = "draws",
        /// How many requests a measurement rests on.
        Sample = "sample",
        /// Fields to extract.
        Fields = "fields",
        /// Pages a document.
        Pages = "pages",
        /// How many options are wanted.
        Shortlist = "shortlist",
        /// Working days a month.
        WorkingDays = "working_days",
    }
}

words! {
    /// The denominator of a quantity.
    Per {
        /// A second.
        Second = "second",
        /// A minute.
        Minute = "minute",
        /// An hour.
        Hour = "hour",
        /// A day.
        Day = "day",
        /// A working day, 21.75 a month unless stated.
        WorkingDay = "working_day",
        /// Seven days.
        Week = "week",
        /// 30.4375 days.
        Month = "month",
        /// Three months.
        Quarter = "quarter",
        /// Twelve months.
        Year = "year",
        /// A request.
        Request = "request",
        /// A session.
        Session = "session",
        /// A million tokens.
        Mtok = "Mtok",
        /// A GPU for an hour.
        GpuHour = "gpu_hour",
        /// A kilowatt-hour.
        Kwh = "kWh",
    }
}

impl Per {
    /// How many of this period a month holds; none where it is no period of time.
    /// A month is 365.25 / 12 = 30.4375 days.
    pub fn per_month(self) -> Option<f64> {
        Some(match self {
            Self::Second => 2_629_800.0,
            Self::Minute => 43_830.0,
            Self::Hour => 730.5,
            Self::Day => 30.4375,
            // 261 working days a year; the message may state another number.
            Self::WorkingDay => 21.75,
            Self::Week => 30.4375 / 7.0,
            Self::Month => 1.0,
            Self::Quarter => 1.0 / 3.0,
            Self::Year => 1.0 / 12.0,
            _ => return None,
        })
    }
}

words! {
    /// What a latency measures.
    Metric {
        /// Until the first token.
        Ttft = "ttft",
        /// Until the whole answer stands.
        Total = "total",
        /// In the queue.
        Wait = "wait",
        /// A fixed part beside the model.
        Component = "component",
        /// One of several steps.
        Step = "step",
        /// The text does not say.
        Unspecified = "unspecified",
    }
}

words! {
    /// Where a value stands in the visitor's world.
    Role {
        /// As it is today.
        Current = "current",
        /// As it shall be.
        Target = "target",
        /// What must not be exceeded.
        Limit = "limit",
        /// Given and not to be optimised.
        Fixed = "fixed",
    }
}

words! {
    /// Where a model stands in the visitor's world.
    ModelRole {
        /// In use.
        Current = "current",
        /// Considered.
        Candidate = "candidate",
        /// Its quality is the least acceptable.
        QualityFloor = "quality_floor",
        /// To be run on own machines.
        SelfHost = "self_host",
        /// Only named.
        Mentioned = "mentioned",
    }
}

/// A stated number, or several.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Asked about or named, without a number.
    Absent,
    /// One number, always finite.
    One(f64),
    /// A range of two, or low, mode and high; ascending, always finite.
    Many(Vec<f64>),
}

impl Value {
    /// The base case: the number, the mode of three, the mid-point of a range.
    pub fn base(&self) -> Option<f64> {
        match self {
            Self::Absent => None,
            Self::One(value) => Some(*value),
            Self::Many(values) if values.len() == 3 => values.get(1).copied(),
            Self::Many(values) => Some(values.first()? / 2.0 + values.last()? / 2.0),
        }
    }

    /// Low and high, equal for a single number.
    pub fn bounds(&self) -> Option<(f64, f64)> {
        match self {
            Self::Absent => None,
            Self::One(value) => Some((*value, *value)),
            Self::Many(values) => Some((*values.first()?, *values.last()?)),
        }
    }

    /// All numbers.
    pub fn numbers(&self) -> &[f64] {
        match self {
            Self::Absent => &[],
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// The same with every number mapped; what is not finite afterwards saturates.
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        let f = |value: &f64| saturate(f(*value));
        match self {
            Self::Absent => Self::Absent,
            Self::One(value) => Self::One(f(value)),
            Self::Many(values) => Self::Many(values.iter().map(f).collect()),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent => serializer.serialize_none(),
            Self::One(value) => serializer.serialize_f64(*value),
            Self::Many(values) => values.serialize(serializer),
        }
    }
}

/// Beyond this a number says nothing but "too large"; it stays finite.
pub(super) const LARGEST: f64 = 1e31;

/// Saturates at [`LARGEST`].
pub(super) fn saturate(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else {
        value.clamp(-LARGEST, LARGEST)
    }
}

/// A typed number and the words it stands in.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Quantity {
    /// What it measures.
    pub kind: Kind,
    /// The number in `unit`.
    pub value: Value,
    /// For example `USD`, `token`, `s`, `fraction`; empty for a seed.
    pub unit: Cow<'static, str>,
    /// The denominator.
    pub per: Option<Per>,
    /// Which of its kind: a percentile, `avg`, `peak`, `range`, or what a share is of.
    pub q: Option<Cow<'static, str>>,
    /// What a latency measures.
    pub metric: Option<Metric>,
    /// Where it stands in the visitor's world.
    pub role: Option<Role>,
    /// The month by which it holds, `2027-06`.
    pub by: Option<String>,
    /// The label of the workload, where the message lists several.
    pub workload: Option<String>,
    /// False where it is outside of what can be computed with; then only shown.
    pub in_range: bool,
    /// Start and end in Unicode scalar values of the message.
    pub span: Range<usize>,
    /// The exact words.
    pub quote: String,
}

/// A model named in the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelMention {
    /// The catalog's id.
    pub id: String,
    /// Where it stands in the visitor's world.
    pub role: ModelRole,
    /// True where a family word was resolved to the current default of its family.
    pub assumed: bool,
    /// Start and end in Unicode scalar values of the message.
    pub span: Range<usize>,
    /// The exact words.
    pub quote: String,
}

/// A wish that is no number, for example `region:EU` or `open_weights`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Constraint {
    /// Its stable name.
    pub name: String,
    /// Start and end in Unicode scalar values of the message.
    pub span: Range<usize>,
    /// The exact words.
    pub quote: String,
}
