//! Contrast for the colour that a site's owner has chosen (WCAG 2.2, 1.4.3).

/// Red, green and blue, 0 to 1.
type Rgb = [f32; 3];

const LIGHT: Rgb = [0.984, 0.98, 0.973];
const DARK: Rgb = [0.106, 0.114, 0.129];

/// What stands on the accent, and the accent as a text colour on light and dark surfaces.
#[derive(Debug, PartialEq)]
pub(crate) struct Colours {
    pub(crate) on: &'static str,
    pub(crate) light: String,
    pub(crate) dark: String,
}

/// The colours for an accent of the form `#rrggbb`; nothing for another form.
pub(crate) fn colours(accent: &str) -> Option<Colours> {
    let accent = parse(accent)?;
    let on = if contrast(accent, [1.0; 3]) >= contrast(accent, [0.0; 3]) {
        "#ffffff"
    } else {
        "#000000"
    };
    Some(Colours {
        on,
        light: readable(accent, LIGHT, 0.0),
        dark: readable(accent, DARK, 1.0),
    })
}

/// `colour`, moved towards black (0) or white (1) until it can be read on `surface`.
fn readable(colour: Rgb, surface: Rgb, towards: f32) -> String {
    let mut moved = colour;
    let mut share = 0.0;
    while contrast(moved, surface) < 4.6 && share < 1.0 {
        share += 0.05;
        moved = colour.map(|part| part + (towards - part) * share);
    }
    let mut text = String::from("#");
    for part in moved {
        let byte = (part * 255.0) as u8;
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

fn parse(text: &str) -> Option<Rgb> {
    let [b'#', digits @ ..] = text.as_bytes() else {
        return None;
    };
    let mut colour = [0.0; 3];
    if digits.len() != 6 {
        return None;
    }
    for (index, digit) in digits.iter().enumerate() {
        let value = char::from(*digit).to_digit(16)? as f32 / 255.0;
        colour[index / 2] += if index % 2 == 0 { value * 16.0 } else { value };
    }
    Some(colour)
}

fn contrast(a: Rgb, b: Rgb) -> f32 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    if a > b { a / b } else { b / a }
}

fn luminance(colour: Rgb) -> f32 {
    // A polynomial close to the sRGB curve (within 0.2 %): powf would bring in its library.
    let [red, green, blue] =
        colour.map(|part| part * (part * (part * 0.305_306 + 0.682_171_1) + 0.012_522_88));
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn any_colour_can_be_read() {
        for number in (0..0x100_0000).step_by(0x3333) {
            let text = format!("#{number:06x}");
            let colours = colours(&text).unwrap();
            let accent = parse(&text).unwrap();
            assert!(
                contrast(accent, parse(colours.on).unwrap()) >= 4.5,
                "{text}"
            );
            assert!(
                contrast(parse(&colours.light).unwrap(), LIGHT) >= 4.5,
                "{text}"
            );
            assert!(
                contrast(parse(&colours.dark).unwrap(), DARK) >= 4.5,
                "{text}"
            );
        }
    }

    #[test]
    fn a_readable_colour_stays_as_it_is() {
        assert_eq!(colours("#2F5BD8").unwrap().light, "#2f5bd8");
        assert_eq!(colours("#2F5BD8").unwrap().on, "#ffffff");
        assert_eq!(colours("#ffdd00").unwrap().on, "#000000");
    }

    #[test]
    fn other_forms_are_refused() {
        for text in ["", "#fff", "red", "#12345g", "#1234567", "123456"] {
            assert_eq!(colours(text), None, "{text}");
        }
    }
}
