//! The functions that formulas may call: the common ones, and the published
//! algorithms of `calculate` where no line of arithmetic says it.

/// Calls a function by name; the error names what is wrong.
pub(super) fn call(name: &str, given: &[f64]) -> Result<f64, String> {
    let wrong = || Err(format!("{name} does not take {} arguments", given.len()));
    Ok(match (name, given) {
        ("min", [first, rest @ ..]) => rest.iter().fold(*first, |a, b| a.min(*b)),
        ("max", [first, rest @ ..]) => rest.iter().fold(*first, |a, b| a.max(*b)),
        ("sum", all) => all.iter().sum(),
        ("floor", [x]) => x.floor(),
        ("ceil", [x]) => x.ceil(),
        ("sqrt", [x]) => x.sqrt(),
        ("ln", [x]) => x.ln(),
        ("exp", [x]) => x.exp(),
        ("abs", [x]) => x.abs(),
        _ => return wrong(),
    })
}
