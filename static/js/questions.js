// The words of questions that were asked from another device: the frames do not repeat them, the server has them.

const AT_ONCE = 1;

export class Questions {
  /** `fetch(sessionId)` → the session as REST tells it; `found(run)` after each question that was filled in. */
  constructor({ fetch, found }) {
    this.fetch = fetch;
    this.found = found;
    this.wanted = [];
    this.asking = 0;
  }

  /** Asks for the words of a run that has none; the newest first, for it is what is looked at. */
  want(run) {
    if (run.asked !== null || run.asking || run.sessionId === null) return;
    run.asking = true;
    this.wanted.push(run);
    this.pump();
  }

  /** One at a time: a visitor's history must not become a flood of requests. */
  async pump() {
    if (this.asking >= AT_ONCE || this.wanted.length === 0) return;
    const run = this.wanted.pop();
    this.asking += 1;
    try {
      run.asked ??= asPayload(await this.fetch(run.sessionId));
      this.found(run);
    } catch (error) {
      if (error.status === undefined) {
        // No answer at all: the next connection asks again.
        this.wanted.push(run);
        return;
      }
      // The server no longer has it.
      run.wordless = true;
      this.found(run);
    } finally {
      this.asking -= 1;
    }
    this.pump();
  }
}

/** The session of REST in the form in which a question is asked. */
export function asPayload(session) {
  return {
    content: session.content, example_message_id: session.example_message_id,
    example_message_metadata: {
      title: session.title, category: session.category, complexity: session.complexity,
      businessValue: session.businessValue, estimatedTime: session.estimatedTime, agent_preferences: {},
    },
    user_id: session.user_id, timestamp: Date.parse(session.created_at),
    session_context: {
      ...(session.parent_session_id ? { parent_session_id: session.parent_session_id } : {}),
      ...(session.assumptions ? { assumptions: session.assumptions } : {}),
    },
  };
}
