//! What the terminal says once the appliance is ready: what a stranger needs next.

use std::io::{IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};

use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use crate::app::App;
use crate::config::Config;
use crate::serve::network;

/// Prints it on standard output, and opens the page where a person sits at a desktop.
pub fn print(app: &App, config: &Config) {
    let terminal = std::io::stdout().is_terminal();
    // The server runs whether anybody reads this or not.
    let _ = write(app, config, terminal, &mut std::io::stdout().lock());
    if config.server.open_browser && terminal && desktop() {
        open_browser(&own_page(app, config));
    }
}

fn write(app: &App, config: &Config, terminal: bool, out: &mut impl Write) -> std::io::Result<()> {
    let port = app.address.port();
    writeln!(out, "emflow {} is ready", env!("CARGO_PKG_VERSION"))?;
    let near = places(app, config, out)?;
    administration(app, config, out)?;
    writeln!(out, "  engine      {}", app.engine)?;
    writeln!(out, "  data        {}", config.server.data_dir.display())?;
    certificate(app, out)?;
    if let (true, Some(url)) = (terminal, &near) {
        write!(out, "{}", picture(url))?;
    }
    if port != config.server.listen.port() && config.server.listen.port() != 0 {
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

/// Where visitors come; the address for the local network, where there is one.
fn places(app: &App, config: &Config, out: &mut impl Write) -> std::io::Result<Option<String>> {
    let port = app.address.port();
    writeln!(out, "  demo        {}", own_page(app, config))?;
    if app.presented.is_none() {
        writeln!(
            out,
            "  proxy       plain HTTP on {}, for the proxy on this machine",
            app.address
        )?;
        return Ok(None);
    }
    for name in &config.server.public_names {
        writeln!(out, "  by name     https://{}:{port}/", name.as_str())?;
    }
    let near = nearby(app.address, network::likely());
    match &near {
        Some(url) => writeln!(out, "  network     {url}")?,
        None if app.address.ip().is_unspecified() => writeln!(
            out,
            "  network     this machine has no address on a local network"
        )?,
        None => writeln!(
            out,
            "  network     not reachable; `emflow --listen 0.0.0.0:{port}` opens it to the local network"
        )?,
    }
    Ok(near)
}

/// Where a browser on this machine comes in.
fn own_page(app: &App, config: &Config) -> String {
    match behind_proxy(config).into_iter().next() {
        Some(page) => page,
        None => format!("https://{}/", network::local(app.address)),
    }
}

/// The pages as a proxy in front shows them, where one ends TLS; empty where none does.
pub(super) fn behind_proxy(config: &Config) -> Vec<String> {
    if !config.tls.plain_behind_proxy {
        return Vec::new();
    }
    let names = &config.server.public_names;
    let named = names.iter().map(|n| format!("https://{}/", n.as_str()));
    let named: Vec<String> = named.collect();
    match named.is_empty() {
        true => vec!["https://localhost/".to_owned()],
        false => named,
    }
}

fn certificate(app: &App, out: &mut impl Write) -> std::io::Result<()> {
    let Some(presented) = &app.presented else {
        return writeln!(out, "  certificate the proxy's");
    };
    writeln!(out, "  certificate {}", presented.fingerprint)?;
    if presented.issued.is_some() {
        writeln!(
            out,
            "              of our own authority: `emflow trust` makes this machine trust it, \
             the page /trust says how on others"
        )?;
    }
    Ok(())
}

/// How the administrator gets in, and what for the first time.
fn administration(app: &App, config: &Config, out: &mut impl Write) -> std::io::Result<()> {
    let page = format!("{}admin", own_page(app, config));
    match &app.admin_link {
        Some(secret) => {
            writeln!(out, "  admin       {page}#link={secret}")?;
            writeln!(
                out,
                "              logs one browser in, once, within ten minutes"
            )?;
        }
        None => writeln!(out, "  admin       {page}")?,
    }
    if let Some(password) = &app.generated_password {
        writeln!(
            out,
            "              the password, shown this once: {password}"
        )?;
    } else if app.admin_disabled() {
        writeln!(
            out,
            "              no password yet, so nobody gets in; set one with `emflow admin set-password`"
        )?;
    }
    Ok(())
}

/// Where a device on the same network finds us; none where we listen to this machine alone.
pub(super) fn nearby(listening: SocketAddr, likely: Option<IpAddr>) -> Option<String> {
    let ip = listening.ip();
    let address = match ip.is_unspecified() {
        true => likely?,
        false if ip.is_loopback() => return None,
        false => ip,
    };
    let address = SocketAddr::new(address, listening.port());
    Some(format!("https://{address}/"))
}

/// The address as a QR code, black on white whatever the terminal's colours are: a camera cannot
/// read it reversed. Empty where the address is too long for one.
fn picture(url: &str) -> String {
    let Ok(code) = QrCode::with_error_correction_level(url, EcLevel::L) else {
        return String::new();
    };
    let drawn = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Dark)
        .light_color(Dense1x2::Light)
        .build();
    drawn
        .lines()
        .map(|line| format!("  \x1b[38;5;16;48;5;231m{line}\x1b[0m\n"))
        .collect()
}

/// Whether there is a desktop that could open a browser.
fn desktop() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "macos") || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    // It may be missing or fail; the address stands above.
    let _ = std::process::Command::new(opener)
        .arg(url)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_is_told_an_address_that_reaches_us_or_none() {
        let check = |listen: &str, likely: Option<&str>, shown: Option<&str>| {
            let likely = likely.map(|text| text.parse().unwrap());
            let url = nearby(listen.parse().unwrap(), likely);
            assert_eq!(url.as_deref(), shown, "{listen}");
        };
        let lan = Some("192.168.1.5");
        check("0.0.0.0:8443", lan, Some("https://192.168.1.5:8443/"));
        check("[::]:8444", lan, Some("https://192.168.1.5:8444/"));
        check("0.0.0.0:8443", None, None);
        check("127.0.0.1:8443", lan, None);
        check("[::1]:8443", lan, None);
        check("10.0.0.7:443", lan, Some("https://10.0.0.7:443/"));
        check("[2001:db8::7]:443", lan, Some("https://[2001:db8::7]:443/"));
    }

    #[test]
    fn the_picture_is_a_square_of_half_blocks() {
        let drawn = picture("https://192.168.178.123:8443/");
        let lines: Vec<&str> = drawn.lines().collect();
        let blocks = |line: &str| line.chars().filter(|c| " ▀▄█".contains(*c)).count() - 2;
        // Version 2 or 3 with its quiet zone, two rows a line.
        assert!((16..=20).contains(&lines.len()), "{}", lines.len());
        assert!(lines.iter().all(|line| blocks(line) == blocks(lines[0])));
        assert!(blocks(lines[0]).div_ceil(2) == lines.len());
        assert!(picture(&"x".repeat(5000)).is_empty());
    }
}
