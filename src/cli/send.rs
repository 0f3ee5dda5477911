//! `emflow send`: a visitor in the terminal.

use serde_json::{Value, json};

use super::client::{ConnectError, Connection, Server};
use super::{Exit, SendArgs, answer};
use crate::agents;
use crate::agents::answer::Answer;
use crate::agents::catalog::Catalog;
use crate::clock;
use crate::id::{Category, Complexity};
use crate::intake::random_u128;

/// How often a lost connection is dialled again before giving up.
const REDIALS: u32 = 5;

/// Connects, sends, shows what happens, prints the result.
pub fn run(args: &SendArgs) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("emflow: the runtime could not be started: {error}");
            return Exit::Failed;
        }
    };
    match runtime.block_on(send(args)) {
        Ok(exit) => exit,
        Err(error) => {
            eprintln!("emflow: {error}");
            Exit::Connect
        }
    }
}

async fn send(args: &SendArgs) -> Result<Exit, ConnectError> {
    let server = Server::new(&args.url, args.ca.as_deref())?;
    let mut connection = server.visit().await?;
    let message = message(args, &connection.user_id);
    let mut watch = Watch {
        json: args.json,
        applied: 0,
        epoch: None,
        session: None,
    };
    let mut redials = 0;
    loop {
        let lost = match watch.follow(&mut connection, &message).await {
            Ok(exit) => {
                connection.close().await;
                return Ok(exit);
            }
            Err(lost) => lost,
        };
        if redials == REDIALS || lost.starts_with("45") {
            return Err(ConnectError::Connect(args.url.clone(), lost));
        }
        redials += 1;
        eprintln!("the connection was lost ({lost}); dialling again");
        let query = watch
            .epoch
            .as_ref()
            .map(|epoch| format!("?last_sequence={}&epoch={epoch}", watch.applied));
        connection = redial(&server, &connection, &query.unwrap_or_default()).await?;
    }
}

async fn redial(
    server: &Server,
    lost: &Connection,
    query: &str,
) -> Result<Connection, ConnectError> {
    let mut tries = 0;
    loop {
        let (user, token) = (lost.user_id.clone(), lost.token.clone());
        match server.connect(user, token, query).await {
            Err(ConnectError::Connect(..)) if tries < REDIALS => {
                tries += 1;
                let pause = crate::machine::backoff::full_jitter(
                    std::time::Duration::from_millis(500),
                    std::time::Duration::from_secs(8),
                    tries,
                    random_u128() as u64,
                );
                tokio::time::sleep(pause).await;
            }
            other => return other,
        }
    }
}

fn message(args: &SendArgs, user_id: &str) -> Value {
    let category = args.category.unwrap_or_else(|| routed(&args.text));
    let complexity = args.complexity.unwrap_or(Complexity::Intermediate);
    let title: String = args.text.chars().take(60).collect();
    json!({"type": "chat_message", "payload": {
        "content": args.text,
        "example_message_id": format!("cli-{:032x}", random_u128()),
        "example_message_metadata": {
            "title": if title.trim().is_empty() { "message" } else { title.trim() },
            "category": category, "complexity": complexity,
            "businessValue": "conversion", "estimatedTime": "a few seconds",
        },
        "user_id": user_id, "timestamp": clock::wall().0,
    }})
}

/// The agent that the words ask for.
fn routed(text: &str) -> Category {
    let today = clock::wall().date().to_string();
    let said = agents::reading(text, &Catalog::builtin(), &today);
    said.map_or(Category::Cost, |said| agents::category_of(&said))
}

/// Follows one session to its end.
struct Watch {
    json: bool,
    applied: u64,
    epoch: Option<String>,
    session: Option<String>,
}

impl Watch {
    /// `Err` where the connection was lost.
    async fn follow(
        &mut self,
        connection: &mut Connection,
        message: &Value,
    ) -> Result<Exit, String> {
        // Sent again after each loss: the same id starts nothing twice.
        connection.send(message).await?;
        loop {
            let text = connection.next().await?;
            let frame: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            if let Some(sequence) = frame["sequence"].as_u64() {
                self.epoch = Some(frame["epoch"].to_string());
                connection.send(&json!({"type": "ack", "payload": {"sequence": sequence, "epoch": frame["epoch"]}})).await?;
                if sequence <= self.applied {
                    continue;
                }
                self.applied = sequence;
            }
            if self.json {
                println!("{text}");
            }
            if let Some(exit) = self.show(&frame) {
                return Ok(exit);
            }
        }
    }

    fn show(&mut self, frame: &Value) -> Option<Exit> {
        let payload = &frame["payload"];
        let text = payload["message"].as_str().unwrap_or_default();
        let mine =
            self.session.is_none() || frame["session_id"].as_str() == self.session.as_deref();
        match frame["type"].as_str().unwrap_or_default() {
            "message_accepted" => self.session = payload["session_id"].as_str().map(str::to_owned),
            "error" if frame["sequence"].is_null() => {
                self.say(&format!("refused: {text}"));
                for field in payload["fields"].as_array().into_iter().flatten() {
                    self.say(&format!(
                        "  {}: {}; {}",
                        word(field, "field"),
                        word(field, "rule"),
                        word(field, "fix")
                    ));
                }
                return Some(Exit::Session);
            }
            _ if !mine => {}
            "processing_started" if payload["resumed"] == true => {
                self.say("the server was restarted; the session goes on")
            }
            "agent_started" => self.say(&format!(
                "{} ({})",
                word(payload, "agent_name"),
                word(payload, "backend")
            )),
            "agent_thinking" => self.say(&format!("  {text}")),
            // A piece of the final text stands better in the result below.
            "partial_result" if payload["text_delta"].is_null() => self.say(&format!("  {text}")),
            "tool_executing" => {
                let percent = payload["progress"].as_f64().unwrap_or(0.0) * 100.0;
                self.say(&format!(
                    "  {percent:3.0} %  {}: {text}",
                    word(payload, "tool_name")
                ));
            }
            "agent_completed" => return Some(self.result(payload)),
            "error" => {
                self.say(&format!("no result: {text} {}", word(payload, "recovery")));
                return Some(Exit::Session);
            }
            "session_cancelled" | "session_expired" => {
                self.say(&format!(
                    "the session has ended: {}",
                    word(payload, "reason")
                ));
                return Some(Exit::Session);
            }
            _ => {}
        }
        None
    }

    fn result(&self, payload: &Value) -> Exit {
        if self.json {
            return Exit::Done;
        }
        match serde_json::from_value::<Answer>(payload["result"].clone()) {
            Ok(result) => {
                println!();
                let _ = answer::print(&result, &mut std::io::stdout());
                Exit::Done
            }
            Err(error) => {
                eprintln!("emflow: the result could not be read: {error}");
                Exit::Failed
            }
        }
    }

    /// Progress goes to standard error with `--json`, so that standard output holds frames alone.
    fn say(&self, line: &str) {
        if self.json {
            eprintln!("{line}")
        } else {
            println!("{line}")
        }
    }
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
