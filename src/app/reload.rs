//! Puts a changed configuration in force in the rooms, without dropping a socket.

use std::sync::{Arc, Weak};

use super::{demo, wiring};
use crate::access::permits::Permits;
use crate::appearance::Appearance;
use crate::clock;
use crate::config::{Config, LogFilter};
use crate::intake::Queue;
use crate::live::{Apply, InForce};
use crate::serve::Services;
use crate::serve::tls::{Origin, Reloadable};

/// Changes what is logged; whoever has set logging up gives it.
pub type SetLog = Arc<dyn Fn(&LogFilter) + Send + Sync>;

struct Rooms {
    /// Weak, because the rooms hold this.
    services: Weak<Services>,
    tls: Arc<Reloadable>,
    permits: Permits,
    queue: Arc<Queue>,
    log: Option<SetLog>,
}

/// Makes the rooms hear of changes from now on.
pub(super) fn begin(
    in_force: &InForce,
    services: &Arc<Services>,
    tls: &Arc<Reloadable>,
    (permits, queue): (Permits, Arc<Queue>),
    log: Option<SetLog>,
) {
    in_force.applied_by(Box::new(Rooms {
        services: Arc::downgrade(services),
        tls: Arc::clone(tls),
        permits,
        queue,
        log,
    }));
    // What the administrator has set was not known when logging began.
    in_force.apply_values();
}

impl Apply for Rooms {
    fn files(&self, config: &Config) -> Result<(), (&'static str, String)> {
        let gallery = demo::gallery(config).map_err(|e| ("examples.file", e.to_string()))?;
        let logo = demo::logo(config).map_err(|why| ("branding.logo", why))?;
        // The last that can fail: before it nothing is changed.
        self.tls
            .reload(&Origin::of(config), clock::wall())
            .map_err(|e| ("tls.certificate", e.to_string()))?;
        if let Some(services) = self.services.upgrade() {
            services.demo.gallery.change(|shown| {
                shown.configured = gallery;
                shown.file = config.examples.file.clone();
            });
            services.demo.look.configure(Appearance {
                logo,
                ..config.branding.appearance()
            });
        }
        Ok(())
    }

    fn values(&self, config: &Config) {
        if let Some(set) = &self.log {
            set(&config.log.level);
        }
        self.permits.set(wiring::capacity(config));
        let limits = wiring::admission_limits(config);
        self.queue.with(|admission| admission.set_limits(limits));
        // There may be room for those who wait.
        self.queue.ready.notify_one();
        let Some(services) = self.services.upgrade() else {
            return;
        };
        let look = &services.demo.look;
        look.configure(Appearance {
            // A file: read where files are.
            logo: look.configured().logo,
            ..config.branding.appearance()
        });
        services.limits.set(wiring::rates(config));
        let attempts = config.limits.attempts_per_minute;
        services.new_visitors.set(attempts);
        let settings = &services.settings;
        settings.limits.set(wiring::told_limits(config));
        let proxies = config.limits.trusted_proxies.clone();
        settings.trusted_proxies.set(proxies);
    }
}
