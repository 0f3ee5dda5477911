//! Close codes. 41xx, 1001, 1012 and 1013 mean come back; 45xx mean do not until something changed.

/// Why a socket is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Close {
    /// 1000: the client said goodbye.
    Done,
    /// 1001: the server drains.
    GoingAway,
    /// 1002: the WebSocket protocol was broken.
    Protocol,
    /// 1007: text that is not UTF-8.
    NotUtf8,
    /// 1009: frame or message over the limit.
    TooBig,
    /// 1011: our own failure.
    Internal,
    /// 1012: the visitor's stream begins again.
    Restart,
    /// 1013: overloaded.
    Overloaded,
    /// 4100: frames were not acknowledged after every retry.
    NotAcknowledging,
    /// 4101: neither frame nor pong for the idle timeout.
    Idle,
    /// 4102: older than the maximum age.
    MaxAge,
    /// 4103: sending too fast.
    TooFast,
    /// 4104: not reading; a write timed out.
    NotReading,
    /// 4500: too many bad frames.
    TooManyErrors,
    /// 4501: credential expired or revoked, or logged out.
    CredentialEnded,
    /// 4502: replaced by a newer socket.
    Replaced,
    /// 4503: cleaned up or disconnected by an administrator.
    ByAdministrator,
}

impl Close {
    /// The code on the wire.
    pub fn code(self) -> u16 {
        match self {
            Close::Done => 1000,
            Close::GoingAway => 1001,
            Close::Protocol => 1002,
            Close::NotUtf8 => 1007,
            Close::TooBig => 1009,
            Close::Internal => 1011,
            Close::Restart => 1012,
            Close::Overloaded => 1013,
            Close::NotAcknowledging => 4100,
            Close::Idle => 4101,
            Close::MaxAge => 4102,
            Close::TooFast => 4103,
            Close::NotReading => 4104,
            Close::TooManyErrors => 4500,
            Close::CredentialEnded => 4501,
            Close::Replaced => 4502,
            Close::ByAdministrator => 4503,
        }
    }

    /// True where something went wrong, on either side; false for an ordinary end.
    pub fn is_fault(self) -> bool {
        !matches!(
            self,
            Close::Done
                | Close::GoingAway
                | Close::MaxAge
                | Close::CredentialEnded
                | Close::Replaced
                | Close::ByAdministrator
        )
    }

    /// The reason on the wire: short (a close frame holds 123 bytes) and plain.
    pub fn reason(self) -> &'static str {
        match self {
            Close::Done => "done",
            Close::GoingAway => "the server is going away; come back",
            Close::Protocol => "protocol error",
            Close::NotUtf8 => "text frames must be UTF-8",
            Close::TooBig => "frame over the size limit",
            Close::Internal => "internal error; come back",
            Close::Restart => "your frames begin again; come back",
            Close::Overloaded => "overloaded; come back later",
            Close::NotAcknowledging => "frames were sent four times without an acknowledgement",
            Close::Idle => "no frame and no pong for the idle timeout",
            Close::MaxAge => "the connection reached its maximum age; come back",
            Close::TooFast => "sending too fast",
            Close::NotReading => "not reading what is sent",
            Close::TooManyErrors => "too many bad frames",
            Close::CredentialEnded => "the credential expired or was revoked",
            Close::Replaced => "replaced by a newer socket of this visitor",
            Close::ByAdministrator => "closed by an administrator",
        }
    }
}
