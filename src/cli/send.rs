//! `emflow send`: a visitor in the terminal.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::client::{ConnectError, Connection, Server};
use super::{Exit, SendArgs, answer};
use crate::agents::answer::Answer;
use crate::clock;
use crate::id::{Category, Complexity};
use crate::intake::random_u128;

/// How often a lost connection is dialled again before giving up.
const REDIALS: u32 = 5;

/// Connects, sends, shows what happens, prints the result.
///
/// # Errors
/// Where standard output cannot be written.
pub fn run(args: &SendArgs) -> io::Result<Exit> {
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("emflow: the runtime could not be started: {error}");
            return Ok(Exit::Failed);
        }
    };
    runtime.block_on(send(args)).unwrap_or_else(|error| {
        eprintln!("emflow: {error}");
        Ok(match error {
            ConnectError::Url(_) | ConnectError::Authority(..) => Exit::Usage,
            ConnectError::Connect(..) | ConnectError::Refused(_) => Exit::Connect,
        })
    })
}

async fn send(args: &SendArgs) -> Result<io::Result<Exit>, ConnectError> {
    let server = Server::new(&args.url, args.ca.as_deref())?;
    let mut connection = server.visit().await?;
    let category = match args.category {
        Some(category) => category,
        None => routed(&server, &connection, args).await,
    };
    let message = message(args, category, &connection.user_id);
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

fn message(args: &SendArgs, category: Category, user_id: &str) -> Value {
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

/// The agent that the words ask for. The appliance is asked: its catalog knows which names are
/// models. A text that it cannot read goes to the agent for costs, whose refusal says why.
async fn routed(server: &Server, visitor: &Connection, args: &SendArgs) -> Category {
    let draft = json!({"content": args.text});
    let path = "/api/v1/example-messages/understand";
    let asked = server.call(server.post(path, &draft, Some(&visitor.token)));
    let told = asked.await.ok().filter(|(status, _)| *status == 200);
    let suggested =
        told.and_then(|(_, preview)| Category::parse(preview["suggested_category"].as_str()?));
    suggested.unwrap_or(Category::Cost)
}

/// Follows one session to its end.
struct Watch {
    json: bool,
    applied: u64,
    epoch: Option<String>,
    session: Option<String>,
}

impl Watch {
    /// `Err` where the connection was lost; inside, where the output was.
    async fn follow(
        &mut self,
        connection: &mut Connection,
        message: &Value,
    ) -> Result<io::Result<Exit>, String> {
        // Sent again after each loss: the same id starts nothing twice.
        connection.send(message).await?;
        loop {
            let text = connection.next().await?;
            let frame: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
            let sequence = frame["sequence"].as_u64();
            let mut shown = Ok(None);
            match sequence {
                Some(n) if n <= self.applied => {}
                Some(n) if n > self.applied + 1 => {
                    return Err(format!("frame {} is missing", self.applied + 1));
                }
                _ => {
                    shown = self.show(&frame, &text);
                    self.applied = sequence.unwrap_or(self.applied);
                }
            }
            if let Some(sequence) = sequence {
                connection.send(&json!({"type": "ack", "payload": {"sequence": sequence, "epoch": frame["epoch"]}})).await?;
            }
            if let Some(exit) = shown.transpose() {
                return Ok(exit);
            }
        }
    }

    /// The first frame of a socket: where the numbers go on.
    fn begin(&mut self, payload: &Value) -> io::Result<()> {
        let number = |name: &str| payload[name].as_u64().unwrap_or_default();
        if payload["recovered"] == false {
            self.applied = number("oldest_sequence").saturating_sub(1);
            let reason = word(payload, "reason");
            self.say(&format!(
                "not everything was kept ({reason}); what is left begins again"
            ))?;
        } else if self.epoch.is_none() {
            self.applied = number("acknowledged_sequence");
        }
        self.epoch = Some(payload["epoch"].to_string());
        Ok(())
    }

    fn show(&mut self, frame: &Value, raw: &str) -> io::Result<Option<Exit>> {
        if self.json {
            writeln!(io::stdout(), "{raw}")?;
        }
        let payload = &frame["payload"];
        let text = payload["message"].as_str().unwrap_or_default();
        let mine =
            self.session.is_none() || frame["session_id"].as_str() == self.session.as_deref();
        match frame["type"].as_str().unwrap_or_default() {
            "connection_established" => self.begin(payload)?,
            "message_accepted" => self.session = payload["session_id"].as_str().map(str::to_owned),
            "error" if frame["sequence"].is_null() => {
                self.say(&format!("refused: {text}"))?;
                for field in payload["fields"].as_array().into_iter().flatten() {
                    self.say(&format!(
                        "  {}: {}; {}",
                        word(field, "field"),
                        word(field, "rule"),
                        word(field, "fix")
                    ))?;
                }
                return Ok(Some(Exit::Session));
            }
            _ if !mine => {}
            "processing_started" if payload["resumed"] == true => {
                self.say("the server was restarted; the session goes on")?;
            }
            "agent_started" => self.say(&format!(
                "{} ({})",
                word(payload, "agent_name"),
                word(payload, "backend")
            ))?,
            "agent_thinking" => self.say(&format!("  {text}"))?,
            // A piece of the final text stands better in the result below.
            "partial_result" if payload["text_delta"].is_null() => {
                self.say(&format!("  {text}"))?
            }
            "tool_executing" => {
                let percent = payload["progress"].as_f64().unwrap_or(0.0) * 100.0;
                self.say(&format!(
                    "  {percent:3.0} %  {}: {text}",
                    word(payload, "tool_name")
                ))?;
            }
            "agent_completed" => return self.result(payload).map(Some),
            "error" => {
                self.say(&format!("no result: {text} {}", word(payload, "recovery")))?;
                return Ok(Some(Exit::Session));
            }
            "session_cancelled" | "session_expired" => {
                self.say(&format!(
                    "the session has ended: {}",
                    word(payload, "reason")
                ))?;
                return Ok(Some(Exit::Session));
            }
            _ => {}
        }
        Ok(None)
    }

    fn result(&self, payload: &Value) -> io::Result<Exit> {
        if self.json {
            return Ok(Exit::Done);
        }
        match serde_json::from_value::<Answer>(payload["result"].clone()) {
            Ok(result) => {
                let mut out = io::stdout().lock();
                writeln!(out)?;
                answer::print(&result, &mut out)?;
                Ok(Exit::Done)
            }
            Err(error) => {
                eprintln!("emflow: the result could not be read: {error}");
                Ok(Exit::Failed)
            }
        }
    }

    /// Progress goes to standard error with `--json`, so that standard output holds frames alone.
    fn say(&self, line: &str) -> io::Result<()> {
        if self.json {
            writeln!(io::stderr(), "{line}")
        } else {
            writeln!(io::stdout(), "{line}")
        }
    }
}

fn word<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
