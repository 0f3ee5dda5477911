//! The figure behind each alert, and its words.

use super::Limits;
use crate::clock;
use crate::observe::Observer;
use crate::observe::windows::{Share, Span, Timing};

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::observe) enum Kind {
    /// Sessions take long.
    ProcessingTime,
    /// Sessions fail.
    ErrorRate,
    /// Memory grows.
    MemoryGrowth,
    /// A breaker stays open.
    BreakerOpen,
    /// Connections fail.
    FailedConnections,
    /// The disk fills.
    DiskFree,
    /// The certificate ends soon.
    CertificateExpiry,
    /// Prices are old.
    CatalogAge,
    /// Backups are old.
    BackupAge,
    /// Nothing can be stored any more.
    StoreFailed,
    /// Timers come late.
    EventLoopLag,
}

impl Kind {
    /// Every kind, in the order of the list.
    pub(in crate::observe) const ALL: &[Self] = &[
        Self::ProcessingTime,
        Self::ErrorRate,
        Self::MemoryGrowth,
        Self::BreakerOpen,
        Self::FailedConnections,
        Self::DiskFree,
        Self::CertificateExpiry,
        Self::CatalogAge,
        Self::BackupAge,
        Self::StoreFailed,
        Self::EventLoopLag,
    ];

    /// The stable word.
    pub(in crate::observe) fn as_str(self) -> &'static str {
        match self {
            Self::ProcessingTime => "processing_time",
            Self::ErrorRate => "error_rate",
            Self::MemoryGrowth => "memory_growth",
            Self::BreakerOpen => "breaker_open",
            Self::FailedConnections => "failed_connections",
            Self::DiskFree => "disk_free",
            Self::CertificateExpiry => "certificate_expiry",
            Self::CatalogAge => "catalog_age",
            Self::BackupAge => "backup_age",
            Self::StoreFailed => "store_failed",
            Self::EventLoopLag => "event_loop_lag",
        }
    }

    pub(super) fn bad_above(self) -> bool {
        !matches!(self, Self::DiskFree | Self::CertificateExpiry)
    }

    pub(super) fn limit(self, limits: &Limits) -> f64 {
        match self {
            Self::ProcessingTime => limits.processing_ms,
            Self::ErrorRate => limits.error_rate,
            Self::MemoryGrowth => limits.memory_growth,
            Self::BreakerOpen => limits.breaker_open_ms,
            Self::FailedConnections => limits.failed_connections,
            Self::DiskFree => limits.disk_free,
            Self::CertificateExpiry => limits.certificate_days,
            Self::CatalogAge => limits.catalog_days,
            Self::BackupAge => limits.backup_days,
            // 0 works, 1 has failed.
            Self::StoreFailed => 0.5,
            Self::EventLoopLag => limits.lag_ms,
        }
    }

    pub(super) fn unit(self) -> &'static str {
        match self {
            Self::ProcessingTime | Self::BreakerOpen | Self::EventLoopLag => "ms",
            Self::ErrorRate | Self::FailedConnections | Self::StoreFailed => "share",
            Self::MemoryGrowth | Self::DiskFree => "bytes",
            Self::CertificateExpiry | Self::CatalogAge | Self::BackupAge => "days",
        }
    }

    pub(super) fn severity(self) -> &'static str {
        match self {
            Self::StoreFailed | Self::DiskFree | Self::ErrorRate => "critical",
            _ => "warning",
        }
    }

    pub(super) fn title(self, limit: f64) -> String {
        let (s, percent, mib) = (limit / 1000.0, limit * 100.0, limit / 1_048_576.0);
        match self {
            Self::ProcessingTime => format!("A session took more than {s} s"),
            Self::ErrorRate => format!("Error rate above {percent:.0} %"),
            Self::MemoryGrowth => format!("Memory grew by more than {mib:.0} MiB"),
            Self::BreakerOpen => format!("A breaker open for more than {s} s"),
            Self::FailedConnections => format!("More than {percent:.0} % of connections failed"),
            Self::DiskFree => format!("Less than {mib:.0} MiB of disk free"),
            Self::CertificateExpiry => format!("Certificate ends in less than {limit:.0} days"),
            Self::CatalogAge => format!("Prices older than {limit:.0} days"),
            Self::BackupAge => format!("Last backup older than {limit:.1} days"),
            Self::StoreFailed => "The store has stopped".to_owned(),
            Self::EventLoopLag => format!("Timers more than {limit} ms late"),
        }
    }

    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::ProcessingTime => {
                "Look at the slow sessions; raise agents.max_processing or give the machine more cores."
            }
            Self::ErrorRate => "Look at the failed sessions and at the backend that answers them.",
            Self::MemoryGrowth => {
                "Look at open connections and pending frames; restart when it suits."
            }
            Self::BreakerOpen => {
                "Look at why the backend fails; reset the breaker once it is mended."
            }
            Self::FailedConnections => {
                "Look at the closed connections: network, certificate, clients that do not read."
            }
            Self::DiskFree => {
                "Free space on the disk of server.data_dir; new work is refused below store.min_free."
            }
            Self::CertificateExpiry => "Renew the certificate and reload.",
            Self::CatalogAge => "Bring in a catalog with newer prices (agents.catalog).",
            Self::BackupAge => "Look at why backups do not succeed.",
            Self::StoreFailed => {
                "Look at the disk, then start again: nothing that was shown is lost."
            }
            Self::EventLoopLag => "The machine is overloaded: give it more cores or less work.",
        }
    }

    /// Which events are behind it, as a prefix of their kinds.
    pub(super) fn events(self) -> &'static str {
        match self {
            Self::ProcessingTime | Self::ErrorRate => "session",
            Self::BreakerOpen => "breaker",
            Self::FailedConnections => "connection",
            Self::StoreFailed => "store",
            Self::MemoryGrowth | Self::DiskFree | Self::EventLoopLag => "check",
            Self::CertificateExpiry | Self::CatalogAge | Self::BackupAge => "alert",
        }
    }
}

/// What a check found.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// None where there is nothing to judge.
    pub(super) value: Option<f64>,
    pub(super) why: String,
}

impl Figure {
    pub(super) fn unknown(why: impl Into<String>) -> Self {
        Self {
            value: None,
            why: why.into(),
        }
    }

    pub(super) fn new(value: f64, why: impl Into<String>) -> Self {
        Self {
            value: Some(value),
            why: why.into(),
        }
    }

    fn share(share: Share, what: &str) -> Self {
        let Some(value) = share.value() else {
            return Self::unknown(format!("no {what} in the last 5 min"));
        };
        let percent = value * 100.0;
        Self::new(
            value,
            format!(
                "{percent:.1} % of {} {what} in the last 5 min failed",
                share.of
            ),
        )
    }
}

const DAY_S: f64 = 86_400.0;

impl Observer {
    /// Reads only what this kind needs: what breaks one check must not break the next.
    pub(super) fn figure(&self, kind: Kind) -> Figure {
        let rooms = &self.0.rooms;
        match kind {
            Kind::ProcessingTime => match self.percentiles(Timing::Processing, Span::FiveMinutes) {
                None => Figure::unknown("no session ended in the last 5 min"),
                Some(p) => {
                    let ms = p.max as f64 / 1000.0;
                    let text = format!(
                        "the slowest of {} sessions in the last 5 min took {:.1} s",
                        p.count,
                        ms / 1000.0
                    );
                    Figure::new(ms, text)
                }
            },
            Kind::ErrorRate => Figure::share(self.windows().share(|t| t.ended()), "sessions"),
            Kind::FailedConnections => {
                let share = self
                    .windows()
                    .share(|t| (t.connections, t.connections_failed));
                Figure::share(share, "connections")
            }
            Kind::MemoryGrowth => match self.0.machine.figures().memory_growth() {
                None => Figure::unknown("not known yet"),
                Some(growth) => {
                    let text = format!("{} MiB more than at the start", growth >> 20);
                    Figure::new(growth as f64, text)
                }
            },
            Kind::BreakerOpen => self.longest_open(),
            Kind::DiskFree => match self.0.machine.figures().disk {
                None => Figure::unknown("the disk could not be looked at"),
                Some((free, total)) => {
                    let text = format!("{} MiB free of {} MiB", free >> 20, total >> 20);
                    Figure::new(free as f64, text)
                }
            },
            Kind::CertificateExpiry => {
                let ends = (rooms.ages.certificate_ends)();
                let days = ends.since(clock::wall()).as_secs_f64() / DAY_S;
                Figure::new(
                    days,
                    format!("ends at {}, in {days:.0} days", ends.rfc3339()),
                )
            }
            Kind::CatalogAge => {
                let days = (rooms.ages.catalog_days)();
                Figure::new(days as f64, format!("the prices are {days} days old"))
            }
            Kind::BackupAge => self.backup_age(),
            Kind::StoreFailed => match rooms.committer.why() {
                None => Figure::new(0.0, "writes succeed"),
                Some(why) => Figure::new(1.0, why),
            },
            Kind::EventLoopLag => match self.lag_ms(clock::now()) {
                None => Figure::unknown("not measured yet"),
                Some(ms) => Figure::new(ms, format!("up to {ms:.1} ms late in the last minute")),
            },
        }
    }

    fn longest_open(&self) -> Figure {
        let now = clock::now();
        let open = self.0.rooms.breakers.all().into_iter();
        let open = open.filter_map(|(name, _, statistics)| {
            let since = statistics.opened_at?;
            Some((now.saturating_duration_since(since), name))
        });
        match open.max() {
            None => Figure::new(0.0, "all closed"),
            Some((span, name)) => {
                let text = format!("{name} does not take calls for {} s", span.as_secs());
                Figure::new(span.as_secs_f64() * 1000.0, text)
            }
        }
    }

    /// Where there was none yet, the time since the start counts.
    fn backup_age(&self) -> Figure {
        match (self.0.rooms.ages.last_backup)() {
            None => Figure::unknown("no backups are set up"),
            Some(last) => {
                let age = clock::wall().since(last.unwrap_or(self.0.started.1));
                let days = age.as_secs_f64() / DAY_S;
                let text = match last {
                    Some(at) => format!("the last one succeeded at {}", at.rfc3339()),
                    None => "none has succeeded since the start".to_owned(),
                };
                Figure::new(days, text)
            }
        }
    }
}
