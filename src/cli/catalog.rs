//! The catalog for commands that compute without a server: the operator's, where the
//! configuration names one, so that they say what the appliance would say.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::check_config;
use crate::agents::catalog::Catalog;
use crate::config::{Config, Overrides, environment};

/// Where the configuration comes from, for its `agents.catalog` and `agents.as_of`.
#[derive(Debug, Clone, Default, Args)]
pub struct CatalogArgs {
    /// The configuration file [default: ./config.toml, else /etc/emflow/config.toml, where there is one].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl CatalogArgs {
    /// The catalog, and the day for which prices are looked up where the configuration says one.
    /// None where something is wrong, which is said on `err` then.
    ///
    /// # Errors
    /// A closed pipe.
    pub fn load(&self, err: &mut impl Write) -> io::Result<Option<(Catalog, Option<time::Date>)>> {
        let loaded = Config::load(&Overrides::default(), environment(), self.config.as_deref());
        let config = match loaded {
            Ok(loaded) => loaded.config,
            Err(mistakes) => {
                check_config::report(&mistakes, err)?;
                return Ok(None);
            }
        };
        match of(&config) {
            Ok(catalog) => Ok(Some((catalog, config.agents.as_of))),
            Err(why) => {
                writeln!(err, "error: agents.catalog: {why}")?;
                Ok(None)
            }
        }
    }
}

/// The catalog of a configuration.
///
/// # Errors
/// The file, and the first thing that is wrong with it.
pub fn of(config: &Config) -> Result<Catalog, String> {
    let Some(path) = &config.agents.catalog else {
        return Ok(Catalog::builtin());
    };
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string());
    let read = text.and_then(|text| {
        Catalog::parse(&text).map_err(|faults| match faults.first() {
            Some(fault) => fault.to_string(),
            None => "cannot be read".to_owned(),
        })
    });
    read.map_err(|error| format!("{}: {error}", path.display()))
}
