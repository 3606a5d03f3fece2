//! Durations as the config and messages write them: `30s`, `30m`, `4h`, `60d`, `2w`, `1h30m`. Elapsed time: a day is 24 hours.

use jiff::SignedDuration;

/// Longest first, as they must be written.
const UNITS: [(char, i64); 5] = [('w', 7 * 86_400), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// Beyond this it is a slip, and arithmetic on instants stays far from its ends.
const LONGEST: i64 = 3_650 * 86_400;

/// Reads a duration. The error says what to write instead.
pub fn parse_duration(text: &str) -> Result<SignedDuration, String> {
    let advice = "write a duration as 30s, 30m, 4h, 60d, 2w or 1h30m";
    if text.is_empty() {
        return Err(format!("an empty duration; {advice}"));
    }
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut seconds: i64 = 0;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() {
            return Err(format!("`{text}` is no duration; {advice}"));
        }
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        if unit.is_empty() {
            return Err(format!(
                "`{number}` has no unit; write {number}s, {number}m, {number}h, {number}d or {number}w"
            ));
        }
        let known = |&&(letter, _): &&(char, i64)| unit.len() == 1 && unit.starts_with(letter);
        if !UNITS.iter().any(|entry| known(&entry)) {
            return Err(format!("`{unit}` is no unit of time; the units are s, m, h, d and w, as in 1h30m"));
        }
        let Some(&(_, length)) = units.find(known) else {
            return Err(format!("`{text}` has its units out of order; longest first, each once, as in 1h30m"));
        };
        let part = number.parse::<i64>().ok().and_then(|number| number.checked_mul(length));
        let sum = part.and_then(|part| seconds.checked_add(part)).filter(|sum| *sum <= LONGEST);
        seconds = sum.ok_or_else(|| format!("`{text}` is longer than ten years"))?;
        rest = tail;
    }
    Ok(SignedDuration::from_secs(seconds))
}

/// Writes a duration in the shortest form that [`parse_duration`] reads back. What is finer than a second is dropped.
pub fn format_duration(duration: SignedDuration) -> String {
    let mut rest = duration.as_secs().max(0);
    // A week is written only when nothing else is: 7d is plainer than 1w, 14d than 2w.
    let mut text = String::new();
    for (letter, length) in UNITS.iter().filter(|(letter, _)| *letter != 'w') {
        if rest >= *length {
            text.push_str(&format!("{}{letter}", rest / length));
            rest %= length;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_are_elapsed_time() {
        for (text, seconds) in [
            ("30s", 30),
            ("30m", 1_800),
            ("4h", 14_400),
            ("60d", 5_184_000),
            ("2w", 1_209_600),
            ("1h30m", 5_400),
            ("1w1d1h1m1s", 694_861),
            ("0m", 0),
            ("90m", 5_400),
        ] {
            assert_eq!(parse_duration(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_told_what_to_write() {
        for (text, part) in [
            ("", "empty"),
            ("30", "30m"),
            ("1h30", "`30` has no unit"),
            ("30min", "`min` is no unit"),
            ("30m1h", "longest first"),
            ("30m30m", "each once"),
            ("-5m", "is no duration"),
            ("5 m", "is no unit"),
            ("h", "is no duration"),
            ("1.5h", "is no unit"),
            ("99999999999999999999s", "ten years"),
            ("9223372036854775807w", "ten years"),
            ("3651d", "ten years"),
            ("5µ", "is no unit"),
        ] {
            let message = parse_duration(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0i64..=LONGEST) {
            let duration = SignedDuration::from_secs(seconds);
            prop_assert_eq!(parse_duration(&format_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,12}|[0-9wdhms]{0,24}") {
            let _ = parse_duration(&text);
        }
    }
}
