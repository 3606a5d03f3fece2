//! A colour of the department's own, made readable on our pages: the shades that go with it, in the light and in the
//! dark, each with the contrast that WCAG 2.2 asks for (1.4.3: 4.5 to 1). Pure. Start with [`Accent::style`].

use std::fmt;

/// A colour (sRGB).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent(pub [u8; 3]);

/// What the pages' own style has behind text.
struct Theme {
    page: Accent,
    panel: Accent,
    /// The end towards which a colour is mixed until it can be read.
    away: Accent,
}

const WHITE: Accent = Accent([255, 255, 255]);
const BLACK: Accent = Accent([0, 0, 0]);
const LIGHT: Theme = Theme { page: Accent([0xf6, 0xf5, 0xf1]), panel: WHITE, away: BLACK };
const DARK: Theme = Theme { page: Accent([0x13, 0x18, 0x16]), panel: Accent([0x1b, 0x22, 0x20]), away: WHITE };
/// WCAG 2.2, 1.4.3.
const READABLE: f64 = 4.5;

/// A colour with what goes with it in one theme.
struct Shades {
    accent: Accent,
    /// Of text on the accent.
    ink: Accent,
    tint: Accent,
    tint_line: Accent,
}

impl Accent {
    /// The style sheet that puts the colour in place of ours.
    pub(super) fn style(self) -> String {
        let block = |theme: &Theme| {
            let Shades { accent, ink, tint, tint_line } = self.shades(theme);
            format!(":root{{--accent:{accent};--accent-ink:{ink};--tint:{tint};--tint-line:{tint_line}}}")
        };
        format!("{}@media (prefers-color-scheme:dark){{{}}}", block(&LIGHT), block(&DARK))
    }

    fn shades(self, theme: &Theme) -> Shades {
        let tried = (0..=20).map(|step| {
            let accent = self.mixed(theme.away, f64::from(step) / 20.0);
            Shades {
                accent,
                ink: if contrast(accent, WHITE) >= contrast(accent, BLACK) { WHITE } else { BLACK },
                tint: theme.panel.mixed(accent, 0.1),
                tint_line: theme.panel.mixed(accent, 0.3),
            }
        });
        let mut last = None;
        for shades in tried {
            let readable = [theme.page, theme.panel, shades.tint, shades.ink]
                .into_iter()
                .all(|ground| contrast(shades.accent, ground) >= READABLE);
            if readable {
                return shades;
            }
            last = Some(shades);
        }
        last.unwrap_or(Shades { accent: theme.away, ink: theme.panel, tint: theme.panel, tint_line: theme.panel })
    }

    /// `part` of the way to `other`.
    fn mixed(self, other: Accent, part: f64) -> Accent {
        let channel = |a: u8, b: u8| {
            let mixed = f64::from(a) + (f64::from(b) - f64::from(a)) * part;
            // Within 0 and 255, as both ends are.
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and within 0..=255")]
            let channel = mixed.round() as u8;
            channel
        };
        let ([r, g, b], [x, y, z]) = (self.0, other.0);
        Accent([channel(r, x), channel(g, y), channel(b, z)])
    }

    /// Relative luminance, WCAG 2.2.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let c = f64::from(channel) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        };
        let [r, g, b] = self.0;
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }
}

/// As CSS has it.
impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// The contrast ratio of WCAG 2.2, 1 to 21.
fn contrast(a: Accent, b: Accent) -> f64 {
    let (a, b) = (a.luminance(), b.luminance());
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_becomes_readable_in_both_themes() {
        for r in (0..=255).step_by(15) {
            for g in (0..=255).step_by(15) {
                for b in (0..=255).step_by(15) {
                    for theme in [&LIGHT, &DARK] {
                        let colour = Accent([r, g, b]);
                        let shades = colour.shades(theme);
                        for ground in [theme.page, theme.panel, shades.tint, shades.ink] {
                            let ratio = contrast(shades.accent, ground);
                            assert!(ratio >= READABLE, "{colour} became {} on {ground}: {ratio:.2}", shades.accent);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let green = Accent([0x14, 0x61, 0x4f]);
        assert!(green.style().starts_with(":root{--accent:#14614f;--accent-ink:#ffffff;"), "{}", green.style());
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 1e-9);
    }
}
