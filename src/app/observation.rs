//! What the observer looks at.

use std::sync::Arc;

use super::StartError;
use crate::agents::catalog::Catalog;
use crate::backups::Backups;
use crate::business;
use crate::clock;
use crate::config::Config;
use crate::meter::Meters;
use crate::observe::{Ages, Limits, Observer, Rooms};
use crate::serve::tls::Reloadable;
use crate::serve::webhook::Webhook;

/// Begins the business counts where there are none, and looks at the disk before anybody comes.
pub(super) async fn open(rooms: Rooms) -> Result<Observer, StartError> {
    if let Some(op) = business::begin(&rooms.store, clock::wall())? {
        rooms.committer.commit(vec![op]).await?;
    }
    let observer = Observer::new(rooms);
    if let Err(why) = observer.look_at_disk().await {
        tracing::warn!(%why, "the disk could not be looked at");
    }
    Ok(observer)
}

/// What grows old.
pub(super) fn ages(tls: &Arc<Reloadable>, catalog: Arc<Catalog>, backups: &Backups) -> Ages {
    let certificate = Arc::clone(tls);
    Ages {
        certificate_ends: Arc::new(move || certificate.presented().not_after),
        catalog_days: Arc::new(move || catalog.age_days(clock::wall().date())),
        last_backup: super::backups::last(backups),
    }
}

/// When an alert is raised.
pub(super) fn limits(config: &Config) -> Limits {
    let alerts = &config.alerts;
    let ms = |span: std::time::Duration| span.as_secs_f64() * 1000.0;
    let share = |percent: u32| f64::from(percent) / 100.0;
    Limits {
        processing_ms: ms(alerts.processing_time),
        error_rate: share(alerts.error_percent),
        memory_growth: alerts.memory_growth.0 as f64,
        breaker_open_ms: ms(alerts.breaker_open),
        failed_connections: share(alerts.failed_connections_percent),
        disk_free: alerts.disk_free.0 as f64,
        certificate_days: f64::from(alerts.certificate_days),
        catalog_days: f64::from(alerts.catalog_days),
        backup_days: alerts.backup_age.as_secs_f64() / 86_400.0,
        lag_ms: ms(alerts.event_loop_lag),
        hold: alerts.hold,
        settle: alerts.settle,
    }
}

/// Who is told of alerts.
pub(super) fn webhook(config: &Config, meters: &Meters) -> Result<Webhook, StartError> {
    let (url, secret) = (&config.alerts.webhook_url, &config.alerts.webhook_secret);
    Webhook::new(url.expose(), secret.expose(), meters.clone())
        .map_err(|error| StartError::File(error.to_string()))
}
