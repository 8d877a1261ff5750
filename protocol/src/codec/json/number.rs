//! Numbers: integers exactly, and of all others only whether they are finite.

use super::read::Reader;

pub(super) enum Number {
    Unsigned(u64),
    Negative(i64),
    Float,
}

/// Reads a number. `None` is a syntax error or a number above the largest double,
/// which serde_json refuses as well.
pub(super) fn read(reader: &mut Reader<'_>) -> Option<Number> {
    let negative = reader.peek() == b'-';
    if negative {
        reader.at += 1;
    }
    // The number is `digits` times ten to the `exponent`.
    let mut digits = 0;
    let mut exponent = 0;
    let mut integer = true;
    match reader.peek() {
        b'0' => {
            reader.at += 1;
            if reader.peek().is_ascii_digit() {
                return None;
            }
        }
        b'1'..=b'9' => {
            while let byte @ b'0'..=b'9' = reader.peek() {
                reader.at += 1;
                if !integer || !append(&mut digits, byte) {
                    integer = false;
                    exponent += 1;
                }
            }
        }
        _ => return None,
    }
    if reader.peek() == b'.' {
        integer = false;
        fraction(reader, &mut digits, &mut exponent)?;
    }
    if reader.peek() | 0x20 == b'e' {
        integer = false;
        power(reader, &mut exponent)?;
    }
    if !integer {
        return if infinite(digits, exponent) {
            None
        } else {
            Some(Number::Float)
        };
    }
    if !negative {
        return Some(Number::Unsigned(digits));
    }
    // Minus zero, and what is below the least i64, wrap to the other side.
    let value = (digits as i64).wrapping_neg();
    Some(if value < 0 {
        Number::Negative(value)
    } else {
        Number::Float
    })
}

/// Appends a digit, if the number still fits.
fn append(digits: &mut u64, byte: u8) -> bool {
    let digit = u64::from(byte - b'0');
    if *digits > (u64::MAX - digit) / 10 {
        return false;
    }
    *digits = *digits * 10 + digit;
    true
}

fn fraction(reader: &mut Reader<'_>, digits: &mut u64, exponent: &mut i32) -> Option<()> {
    reader.at += 1;
    if !reader.peek().is_ascii_digit() {
        return None;
    }
    let mut full = false;
    while let byte @ b'0'..=b'9' = reader.peek() {
        reader.at += 1;
        full = full || !append(digits, byte);
        if !full {
            *exponent -= 1;
        }
    }
    Some(())
}

fn power(reader: &mut Reader<'_>, exponent: &mut i32) -> Option<()> {
    reader.at += 1;
    let negative = reader.peek() == b'-';
    if negative || reader.peek() == b'+' {
        reader.at += 1;
    }
    if !reader.peek().is_ascii_digit() {
        return None;
    }
    let mut power = 0_i32;
    while let byte @ b'0'..=b'9' = reader.peek() {
        reader.at += 1;
        power = power
            .saturating_mul(10)
            .saturating_add(i32::from(byte - b'0'));
    }
    *exponent = if negative {
        exponent.saturating_sub(power)
    } else {
        exponent.saturating_add(power)
    };
    Some(())
}

/// Whether `digits` times ten to the `exponent`, computed in doubles as serde_json does, is infinite.
fn infinite(digits: u64, exponent: i32) -> bool {
    if digits == 0 || exponent < 289 {
        return false;
    }
    if exponent > 308 {
        return true;
    }
    // From 1e303 a single step up or down by an exact power of ten gives the
    // nearest double for each of 1e289 to 1e308; from 1e289 it does not.
    let mut step = 1.0;
    for _ in 0..exponent.abs_diff(303) {
        step *= 10.0;
    }
    let power = if exponent < 303 {
        1e303 / step
    } else {
        1e303 * step
    };
    (digits as f64 * power).is_infinite()
}
