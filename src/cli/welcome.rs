//! What the terminal says once the appliance is ready: what a stranger needs next.

use std::io::{IsTerminal, Write};
use std::net::{Ipv4Addr, SocketAddr};

use crate::app::App;
use crate::config::Config;
use crate::serve::network::lan_addresses;

/// Prints it on standard output, and opens the page where a person sits at a desktop.
pub fn print(app: &App, config: &Config) {
    // The server runs whether anybody reads this or not.
    let _ = write(app, config, &mut std::io::stdout().lock());
    if config.server.open_browser
        && std::io::stdout().is_terminal()
        && std::env::var_os("DISPLAY").is_some()
    {
        open_browser(&format!("https://{}/", host(app.address)));
    }
}

fn write(app: &App, config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    let port = app.address.port();
    let local = format!("https://{}/", host(app.address));
    writeln!(out, "emflow {} is ready", env!("CARGO_PKG_VERSION"))?;
    writeln!(out, "  demo        {local}")?;
    if app.address.ip().is_unspecified() {
        for address in lan_addresses() {
            writeln!(out, "  on the network  https://{address}:{port}/")?;
        }
    }
    for name in &config.server.public_names {
        writeln!(out, "  by name     https://{}:{port}/", name.as_str())?;
    }
    if let Some(password) = &app.generated_password {
        writeln!(
            out,
            "  administrator's password, shown this once: {password}"
        )?;
    } else if app.admin_disabled() {
        writeln!(
            out,
            "  administrator: no password yet; set one with: emflow admin set-password"
        )?;
    }
    writeln!(out, "  engine      {}", app.engine)?;
    writeln!(out, "  data        {}", config.server.data_dir.display())?;
    writeln!(out, "  certificate {}", app.presented.fingerprint)?;
    if let Some(issued) = &app.presented.issued {
        writeln!(
            out,
            "  made by our own authority; browsers trust it once {} is installed",
            issued.authority.display()
        )?;
    }
    if app.address.port() != config.server.listen.port() && config.server.listen.port() != 0 {
        writeln!(
            out,
            "  port {} is taken by another program, so this is the next free one",
            config.server.listen.port()
        )?;
    }
    if app.resumed > 0 {
        writeln!(
            out,
            "  answers that the last stop interrupted and that go on: {}",
            app.resumed
        )?;
    }
    if let Some(loss) = &app.loss {
        writeln!(out, "  DATA WAS LOST and you accepted it: {loss}")?;
    }
    writeln!(
        out,
        "Stop with Ctrl-C; what was accepted is kept and goes on at the next start."
    )?;
    out.flush()
}

/// Under which a browser on this machine comes in: an address that was named is the only one.
fn host(address: SocketAddr) -> String {
    let any = address.ip() == Ipv4Addr::LOCALHOST || address.ip().is_unspecified();
    if any {
        format!("localhost:{}", address.port())
    } else {
        address.to_string()
    }
}

fn open_browser(url: &str) {
    // It may be missing or fail; the address stands above.
    let _ = std::process::Command::new("xdg-open")
        .arg(url)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
}

#[cfg(test)]
mod tests {
    use super::host;

    #[test]
    fn the_address_is_one_that_answers() {
        let check = |listen: &str, shown: &str| {
            assert_eq!(host(listen.parse().unwrap()), shown, "{listen}");
        };
        check("127.0.0.1:8443", "localhost:8443");
        check("0.0.0.0:8443", "localhost:8443");
        check("[::]:8443", "localhost:8443");
        check("[::1]:8443", "[::1]:8443");
        check("192.0.2.7:8444", "192.0.2.7:8444");
        check("[2001:db8::7]:8443", "[2001:db8::7]:8443");
    }
}
