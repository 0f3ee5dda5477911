//! Prometheus text, by the library's encoder: families are named here, once a scrape.
//!
//! There is no registry: what is counted lives in [`crate::meter`] and in the rooms themselves, and
//! a second copy of it would cost the hot paths and could disagree.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use prometheus::{Encoder, TextEncoder};

use crate::meter::Recorder;

/// Upper bounds of a histogram of microseconds, in seconds: 0.1 ms to a minute.
const SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0, 30.0, 60.0,
];
/// Upper bounds of a histogram of numbers.
const NUMBERS: &[f64] = &[
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 1024.0, 2048.0,
];

/// Labels of one figure: name and value.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Families, as they are gathered.
#[derive(Default)]
pub(super) struct Families(Vec<MetricFamily>);

impl Families {
    /// What only rises; `name` ends in `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.counters(name, help, [(&[] as Labels<'_>, value)]);
    }

    /// The same, by labels.
    pub(super) fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) {
        let metric = |(labels, value): (Labels<'_>, u64)| {
            let mut counter = Counter::default();
            counter.set_value(value as f64);
            let mut metric = Metric::from_label(pairs(labels));
            metric.set_counter(counter);
            metric
        };
        let metrics = values.into_iter().map(metric).collect();
        self.family(name, help, MetricType::COUNTER, metrics);
    }

    /// What goes up and down; none where it is not known.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: Option<f64>) {
        self.gauges(name, help, value.map(|value| (&[] as Labels<'_>, value)));
    }

    /// The same, by labels.
    pub(super) fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = (Labels<'a>, f64)>,
    ) {
        let metric = |(labels, value): (Labels<'_>, f64)| {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            let mut metric = Metric::from_label(pairs(labels));
            metric.set_gauge(gauge);
            metric
        };
        let metrics = values.into_iter().map(metric).collect();
        self.family(name, help, MetricType::GAUGE, metrics);
    }

    /// A recorder of microseconds, in seconds.
    pub(super) fn seconds(&mut self, name: &str, help: &str, recorder: &Recorder) {
        self.histogram(name, help, recorder, SECONDS, 1e6);
    }

    /// A recorder of numbers.
    pub(super) fn numbers(&mut self, name: &str, help: &str, recorder: &Recorder) {
        self.histogram(name, help, recorder, NUMBERS, 1.0);
    }

    fn histogram(&mut self, name: &str, help: &str, from: &Recorder, bounds: &[f64], scale: f64) {
        let counts = from.counts();
        let bucket = |bound: &f64| {
            let mut bucket = Bucket::default();
            bucket.set_upper_bound(*bound);
            bucket.set_cumulative_count(counts.up_to((bound * scale).round() as u64));
            bucket
        };
        let mut histogram = Histogram::default();
        histogram.set_sample_count(counts.count());
        histogram.set_sample_sum(counts.sum as f64 / scale);
        histogram.set_bucket(bounds.iter().map(bucket).collect());
        let mut metric = Metric::default();
        metric.set_histogram(histogram);
        self.family(name, help, MetricType::HISTOGRAM, vec![metric]);
    }

    /// One without a figure is left out: the encoder refuses it.
    fn family(&mut self, name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) {
        if metrics.is_empty() {
            return;
        }
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        family.set_metric(metrics);
        self.0.push(family);
    }

    /// The text.
    ///
    /// # Errors
    /// What the encoder says.
    pub(super) fn encode(&self) -> Result<Vec<u8>, prometheus::Error> {
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.0, &mut text)?;
        Ok(text)
    }
}

fn pairs(labels: Labels<'_>) -> Vec<LabelPair> {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    labels.iter().map(pair).collect()
}
