//! What the terminal says once the appliance is ready: what a stranger needs next.

use std::io::IsTerminal;
use std::net::IpAddr;

use crate::app::App;
use crate::config::Config;

/// Prints it on standard output, and opens the page where a person sits at a desktop.
pub fn print(app: &App, config: &Config) {
    let port = app.address.port();
    let local = format!("https://localhost:{port}/");
    println!("emflow {} is ready", env!("CARGO_PKG_VERSION"));
    println!("  demo        {local}");
    if app.address.ip().is_unspecified() {
        for address in lan_addresses() {
            println!("  on the network  https://{address}:{port}/");
        }
    }
    println!("  engine      {}", app.engine);
    println!("  data        {}", config.server.data_dir.display());
    println!("  certificate {}", app.presented.fingerprint);
    if let Some(issued) = &app.presented.issued {
        println!(
            "  made by our own authority; browsers trust it once {} is installed",
            issued.authority.display()
        );
    }
    if app.address.port() != config.server.listen.port() && config.server.listen.port() != 0 {
        println!(
            "  port {} is taken by another program, so this is the next free one",
            config.server.listen.port()
        );
    }
    if app.resumed > 0 {
        println!("  {} session(s) of before the last stop go on", app.resumed);
    }
    if let Some(loss) = &app.loss {
        println!("  DATA WAS LOST and you accepted it: {loss}");
    }
    println!("Stop with Ctrl-C; what was accepted is kept and goes on at the next start.");
    if config.server.open_browser
        && std::io::stdout().is_terminal()
        && std::env::var_os("DISPLAY").is_some()
    {
        open_browser(&local);
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

/// Addresses under which others may reach this machine.
fn lan_addresses() -> Vec<IpAddr> {
    let networks = sysinfo::Networks::new_with_refreshed_list();
    let mut addresses: Vec<IpAddr> = networks
        .values()
        .flat_map(|n| n.ip_networks())
        .map(|n| n.addr)
        .filter(|a| a.is_ipv4() && !a.is_loopback())
        .collect();
    addresses.sort();
    addresses
}
