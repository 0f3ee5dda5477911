//! The formulas of the ledger: a few operators, numbers, symbols and functions.
//!
//! A formula's text *is* its computation: it is parsed and evaluated from the
//! string that the reader sees, so the two cannot disagree. Arguments are
//! separated by `;` because a comma groups thousands.

use super::functions;
use super::show;

/// The longest formula in tokens, and so the deepest nesting; ours stay far below.
const TOKENS_MAX: usize = 512;

/// A formula, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(f64),
    Name(String),
    Mark(char),
}

impl Expression {
    /// Reads a formula. `×`, `·` and `−` are read as `*` and `-`; the error says what was not understood.
    pub fn parse(text: &str) -> Result<Self, String> {
        let chars: Vec<char> = text.chars().collect();
        let mut tokens = Vec::new();
        let mut at = 0;
        while at < chars.len() {
            let c = chars[at];
            if c.is_whitespace() {
                at += 1;
            } else if c.is_ascii_digit() {
                let (number, next) = number(&chars, at)?;
                tokens.push(Token::Number(number));
                at = next;
            } else if c.is_alphabetic() {
                let rest = &chars[at..];
                let end = rest
                    .iter()
                    .position(|c| !(c.is_alphanumeric() || *c == '_'))
                    .unwrap_or(rest.len());
                tokens.push(Token::Name(rest[..end].iter().collect()));
                at += end;
            } else {
                tokens.push(Token::Mark(mark(c)?));
                at += 1;
            }
        }
        if tokens.len() > TOKENS_MAX {
            return Err(format!("more than {TOKENS_MAX} tokens"));
        }
        Ok(Self { tokens })
    }

    /// Computes the formula; `lookup` gives each symbol its value.
    pub fn evaluate(&self, lookup: &dyn Fn(&str) -> Option<f64>) -> Result<f64, String> {
        let mut walk = Walk {
            tokens: &self.tokens,
            at: 0,
            lookup,
        };
        let value = walk.sum()?;
        match walk.tokens.get(walk.at) {
            None => Ok(value),
            Some(token) => Err(format!("unexpected {token:?}")),
        }
    }

    /// The formula as a person reads it: symbols kept, or replaced where `lookup` knows them.
    pub fn render(&self, lookup: &dyn Fn(&str) -> Option<f64>) -> String {
        let mut out = String::new();
        let mut before: Option<&Token> = None;
        for token in &self.tokens {
            let unary = token == &Token::Mark('-')
                && matches!(
                    before,
                    None | Some(Token::Mark('(' | ';' | '+' | '-' | '*' | '/' | '^'))
                );
            match token {
                Token::Number(n) => out.push_str(&show::exact(*n)),
                Token::Name(name) => match lookup(name) {
                    Some(v) if v < 0.0 => out.push_str(&format!("({})", show::exact(v))),
                    Some(v) => out.push_str(&show::exact(v)),
                    None => out.push_str(name),
                },
                Token::Mark('-') if unary => out.push('−'),
                Token::Mark(';') => out.push_str("; "),
                Token::Mark('+') => out.push_str(" + "),
                Token::Mark('-') => out.push_str(" − "),
                Token::Mark('*') => out.push_str(" × "),
                Token::Mark('/') => out.push_str(" / "),
                Token::Mark(c) => out.push(*c),
            }
            before = Some(token);
        }
        out
    }
}

/// A number at `at`: digits with thousands commas, a fraction, an exponent.
fn number(chars: &[char], mut at: usize) -> Result<(f64, usize), String> {
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut text = String::new();
    loop {
        match chars.get(at) {
            Some(c) if c.is_ascii_digit() || (*c == '.' && digit(at + 1)) => text.push(*c),
            Some(',') if digit(at + 1) => {}
            Some('e') if digit(at + 1) || (chars.get(at + 1) == Some(&'-') && digit(at + 2)) => {
                text.push('e');
                if chars[at + 1] == '-' {
                    text.push('-');
                    at += 1;
                }
            }
            _ => break,
        }
        at += 1;
    }
    match text.parse() {
        Ok(n) => Ok((n, at)),
        Err(_) => Err(format!("not a number: {text}")),
    }
}

fn mark(c: char) -> Result<char, String> {
    match c {
        '×' | '·' => Ok('*'),
        '−' => Ok('-'),
        '+' | '-' | '*' | '/' | '^' | '(' | ')' | ';' => Ok(c),
        _ => Err(format!("unknown sign {c}")),
    }
}

struct Walk<'a> {
    tokens: &'a [Token],
    at: usize,
    lookup: &'a dyn Fn(&str) -> Option<f64>,
}

impl Walk<'_> {
    fn take(&mut self, wanted: char) -> bool {
        let found = self.tokens.get(self.at) == Some(&Token::Mark(wanted));
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.signed()?;
        loop {
            if self.take('*') {
                value *= self.signed()?;
            } else if self.take('/') {
                value /= self.signed()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn signed(&mut self) -> Result<f64, String> {
        if self.take('-') {
            return Ok(-self.signed()?);
        }
        let base = self.atom()?;
        if self.take('^') {
            return Ok(base.powf(self.signed()?));
        }
        Ok(base)
    }

    fn atom(&mut self) -> Result<f64, String> {
        if self.take('(') {
            let value = self.sum()?;
            return if self.take(')') {
                Ok(value)
            } else {
                Err("a bracket is not closed".into())
            };
        }
        let token = self
            .tokens
            .get(self.at)
            .ok_or("the formula ends too early")?;
        self.at += 1;
        match token {
            Token::Number(n) => Ok(*n),
            Token::Name(name) if self.take('(') => {
                let mut arguments = Vec::new();
                while !self.take(')') {
                    arguments.push(self.sum()?);
                    if !self.take(';') && self.tokens.get(self.at) != Some(&Token::Mark(')')) {
                        return Err(format!("arguments of {name} are not closed"));
                    }
                }
                functions::call(name, &arguments)
            }
            Token::Name(name) => {
                (self.lookup)(name).ok_or_else(|| format!("unknown symbol {name}"))
            }
            Token::Mark(c) => Err(format!("unexpected {c}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, want: f64) {
        let known = |name: &str| (name == "n_in").then_some(900.0);
        let expression = Expression::parse(text).expect(text);
        let got = expression.evaluate(&known).expect(text);
        assert!(
            (got - want).abs() <= 1e-9 * want.abs().max(1.0),
            "{text}: {got}"
        );
        // What a reader sees, symbols filled in, comes to the same.
        let filled = expression.render(&known);
        let again = Expression::parse(&filled).expect(&filled);
        assert_eq!(again.evaluate(&|_| None).expect(&filled), got, "{filled}");
    }

    #[test]
    fn formulas_mean_what_they_say() {
        check("1 + 2 * 3 ^ 2 - 4 / 2", 17.0);
        check("1,200,000 × (n_in × 2.5 + 250 × 10) / 1e6", 5700.0);
        check("-(2 - 5)", 3.0);
        check("2 ^ -1", 0.5);
        check("max(1,000; n_in; -2)", 1000.0);
        check("floor(7 / 2) − ceil(0.2)", 2.0);
        check("1e-3 * 2", 0.002);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "1 +",
            "(1",
            "max(1 2)",
            "nobody",
            "nothing(1)",
            "1 2",
            "a $ b",
        ] {
            let result = Expression::parse(text).and_then(|e| e.evaluate(&|_| None));
            assert!(result.is_err(), "{text}: {result:?}");
        }
    }
}
