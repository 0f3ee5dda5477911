//! What sessions cost in memory, and that they give it back.

use crate::harness::{Server, Visitor, run};

const SESSIONS: u64 = 4;

/// Resident bytes of the process.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        * 1024
}

/// Visitors who have their answers and stay connected.
async fn visitors(server: &Server, count: usize) -> Vec<Visitor> {
    let mut all = Vec::new();
    for _ in 0..count {
        let mut visitor = server.visit().await;
        for n in 0..SESSIONS {
            visitor.ask(&format!("m{n}")).await;
            visitor.until("agent_completed").await;
            visitor.ack_all().await;
        }
        all.push(visitor);
    }
    all
}

#[test]
fn a_session_takes_less_than_64_kib() {
    // req: S6
    const VISITORS: usize = 100;
    run(async {
        // The cache of the store has its own bound, and is filled by the first ones; a backup by
        // plan would be weighed too.
        let alone = [
            ("EMFLOW_STORE__CACHE", "8MiB"),
            ("EMFLOW_BACKUP__EVERY", "0s"),
        ];
        let server = Server::start(&alone);
        let first = visitors(&server, VISITORS).await;
        let before = resident(&server);
        let more = visitors(&server, VISITORS).await;
        let grown = resident(&server).saturating_sub(before);
        let sessions = VISITORS as u64 * SESSIONS;
        println!("{} bytes a session", grown / sessions);
        assert!(
            grown < sessions * 64 * 1024,
            "{sessions} sessions of {} connected visitors took {grown} bytes",
            more.len()
        );
        drop(first);
    });
}
