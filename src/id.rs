//! Newtypes and the small vocabulary that every room shares.
//!
//! Nothing here does IO. An id is checked once, where it enters, and cannot be
//! built wrong afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Why a string is not an id: the rule, in words fit for an error message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidId(pub &'static str);

/// A visitor's name on the wire: 1 to 64 of `A-Z a-z 0-9 . _ -`, not starting with `.`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserId(Arc<str>);

/// The longest `user_id`, in bytes (all ASCII).
pub const USER_ID_MAX: usize = 64;
/// The longest `example_message_id`, in bytes (all ASCII).
pub const MESSAGE_ID_MAX: usize = 128;

impl UserId {
    /// Checks the rule and keeps the id.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
        if text.is_empty()
            || text.len() > USER_ID_MAX
            || text.starts_with('.')
            || !text.bytes().all(legal)
        {
            return Err(InvalidId(
                "1 to 64 of A-Z a-z 0-9 . _ -, not starting with a dot",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The id as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The id that a client gives its example message: 1 to 128 of `A-Z a-z 0-9 . _ : -`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// Checks the rule and keeps the id.
    pub fn parse(text: &str) -> Result<Self, InvalidId> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b':');
        if text.is_empty() || text.len() > MESSAGE_ID_MAX || !text.bytes().all(legal) {
            return Err(InvalidId("1 to 128 of A-Z a-z 0-9 . _ : -"));
        }
        Ok(Self(text.into()))
    }

    /// The id as it stands on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_id {
    ($($name:ident),*) => {$(
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0.as_ref().to_owned()
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}
text_id!(UserId, MessageId);

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub u128);

        impl $name {
            /// Reads the form that `Display` writes.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                const RULE: InvalidId = InvalidId(concat!($prefix, " followed by 32 hexadecimal digits"));
                let digits = text.strip_prefix($prefix).ok_or(RULE)?;
                let lower = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                if digits.len() != 32 || !digits.bytes().all(lower) {
                    return Err(RULE);
                }
                u128::from_str_radix(digits, 16).map(Self).map_err(|_| RULE)
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "{:032x}"), self.0)
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.to_string()
            }
        }
        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }
    };
}
random_id!(
    /// One example message being answered, and its result. 128 random bits: unguessable.
    SessionId,
    "s_"
);
random_id!(
    /// One socket.
    ConnectionId,
    "c_"
);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),*
        }
        impl $name {
            /// Every value, in the order of the wire's documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];
            /// The word on the wire.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
            /// Reads the word of the wire.
            pub fn parse(text: &str) -> Option<Self> {
                match text { $($word => Some(Self::$variant),)* _ => None }
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
words!(
    /// What an example message asks about; it routes to an agent.
    Category {
        /// Spend less for the same work.
        Cost = "cost-optimization",
        /// Answer sooner.
        Latency = "latency-optimization",
        /// Which model for which work.
        Selection = "model-selection",
        /// Capacity, limits and growth.
        Scaling = "scaling",
        /// Several objectives at once.
        Advanced = "advanced",
    }
);
words!(
    /// How deep an answer goes.
    Complexity {
        /// The answer and one lever.
        Basic = "basic",
        /// Levers stacked, alternatives.
        Intermediate = "intermediate",
        /// Uncertainty, sensitivity, roadmap.
        Advanced = "advanced",
    }
);
words!(
    /// What the example is worth to the business that shows it.
    BusinessValue {
        /// Wins a new customer.
        Conversion = "conversion",
        /// Keeps one.
        Retention = "retention",
        /// Grows one.
        Expansion = "expansion",
    }
);
