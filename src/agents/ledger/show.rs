//! Numbers as people read them.

/// A number with ten significant digits and thousands commas: what the arithmetic is filled in with.
pub fn exact(value: f64) -> String {
    significant(value, 10)
}

/// A number with so many significant digits (integers are kept whole), trailing zeros dropped, thousands grouped.
pub fn significant(value: f64, digits: i32) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0" } else { "not computable" }.into();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let decimals = (digits - 1 - magnitude).clamp(0, 15) as usize;
    let text = decimal(value, decimals);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A number with exactly so many decimals, thousands grouped, and a real minus sign.
pub fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.*}", decimals, value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let mut out = String::new();
    let is_zero = text.bytes().all(|b| matches!(b, b'0' | b'.'));
    if value < 0.0 && !is_zero {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// Money: `$5,700`, `€10,400`, `$235.20`, `$0.00475`: whole from a thousand on, where cents are
/// noise (the arithmetic keeps them); three significant digits below one unit.
pub fn money(value: f64, unit: &str) -> String {
    let sign = if value < 0.0 { "−" } else { "" };
    let size = value.abs();
    let cents = decimal(size, 2);
    let number = if !value.is_finite() || size == 0.0 {
        significant(value, 3)
    } else if size >= 999.995 {
        decimal(size, 0)
    } else if size >= 1.0 {
        cents.strip_suffix(".00").unwrap_or(&cents).to_owned()
    } else {
        let digits = significant(size, 3);
        // Thirty cents are $0.30.
        if digits.len() == 3 {
            format!("{digits}0")
        } else {
            digits
        }
    };
    let currency = unit.split(['/', ' ']).next().unwrap_or("");
    match currency {
        "EUR" => format!("{sign}€{number}"),
        "USD" => format!("{sign}${number}"),
        other => format!("{sign}{number} {other}"),
    }
}

/// A count: whole below a million where it is whole, else three to four digits; `1.2 million`, `3.1 billion`.
pub fn count(value: f64) -> String {
    match value.abs() {
        v if v >= 1e12 => format!("{} trillion", significant(value / 1e12, 4)),
        v if v >= 1e9 => format!("{} billion", significant(value / 1e9, 4)),
        v if v >= 1e6 => format!("{} million", significant(value / 1e6, 4)),
        v if v >= 100.0 => decimal(value, 0),
        _ => significant(value, 3),
    }
}

/// A fraction as a percentage: `30.3%`.
pub fn percent(fraction: f64) -> String {
    let value = fraction * 100.0;
    let decimals = match value.abs() {
        v if v >= 1000.0 => 0,
        v if v >= 0.95 => 1,
        _ => 2,
    };
    let text = decimal(value, decimals);
    if text.contains('.') {
        format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
    } else {
        format!("{text}%")
    }
}

/// A duration given in seconds: `145 ms`, `2.07 s`, `3.2 h`.
pub fn seconds(value: f64) -> String {
    match value.abs() {
        v if v < 1.0 => format!("{} ms", significant(value * 1000.0, 3)),
        v if v < 100.0 => format!("{} s", significant(value, 3)),
        v if v < 7200.0 => format!("{} s", decimal(value, 0)),
        _ => format!("{} h", significant(value / 3600.0, 3)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(exact(1_200_000.0), "1,200,000");
        assert_eq!(exact(0.1 + 0.2), "0.3");
        assert_eq!(exact(-1549.95), "−1,549.95");
        assert_eq!(money(5700.0, "USD/month"), "$5,700");
        assert_eq!(money(235.2, "USD"), "$235.20");
        assert_eq!(money(0.00475, "USD/request"), "$0.00475");
        assert_eq!(money(0.3, "USD/Mtok"), "$0.30");
        assert_eq!(money(-10400.28332, "EUR/month"), "−€10,400");
        assert_eq!(count(1_200_000.0), "1.2 million");
        assert_eq!(count(666_666.666), "666,667");
        assert_eq!(count(21.6), "21.6");
        assert_eq!(percent(0.3031578), "30.3%");
        assert_eq!(percent(0.4), "40%");
        assert_eq!(seconds(0.144537), "145 ms");
        assert_eq!(seconds(2.0709), "2.07 s");
        assert_eq!(decimal(-0.001, 2), "0.00");
    }
}
