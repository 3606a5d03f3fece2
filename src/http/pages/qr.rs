//! QR codes (ISO/IEC 18004) as pictures within a page: black on white in both themes, with the quiet zone that readers need.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Blank modules around a code.
const QUIET: usize = 4;

/// A QR code, ready to be drawn.
pub(super) struct Qr {
    /// Modules of a side, with the quiet zone.
    pub(super) side: usize,
    /// The dark modules, as the `d` of an SVG path.
    pub(super) path: String,
}

impl Qr {
    /// `None` when the text is longer than a code can hold (some 2,300 bytes).
    pub(super) fn new(text: &str) -> Option<Qr> {
        let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
        let width = code.width();
        let colors = code.into_colors();
        let mut path = String::new();
        for (y, row) in colors.chunks(width.max(1)).enumerate() {
            let mut x = 0;
            for run in row.chunk_by(|one, next| one == next) {
                if run.first() == Some(&Color::Dark) {
                    // Writing to a String cannot fail.
                    let _ = write!(path, "M{} {}h{}v1h-{}z", x + QUIET, y + QUIET, run.len(), run.len());
                }
                x += run.len();
            }
        }
        Some(Qr { side: width + 2 * QUIET, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader reads in the path, drawn as an SVG is, eight pixels a module.
    fn read(qr: &Qr) -> String {
        let mut dark = vec![vec![false; qr.side]; qr.side];
        for run in qr.path.split('z').filter(|run| !run.is_empty()) {
            let numbers: Vec<usize> = run
                .split(|c: char| !c.is_ascii_digit())
                .filter(|n| !n.is_empty())
                .map(|n| n.parse().unwrap())
                .collect();
            let [x, y, length, ..] = numbers[..] else { panic!("{run}") };
            dark[y][x..x + length].fill(true);
        }
        let side = qr.side * 8;
        let shade = |x: usize, y: usize| if dark[y / 8][x / 8] { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(side, side, shade);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_reader_reads_what_was_written() {
        for text in [
            "https://meet.example.edu/noether/office-hour".to_owned(),
            "HTTPS://MEET.EXAMPLE.EDU/7".to_owned(),
            format!("https://meet.example.edu/{}/{}", "n".repeat(64), "o".repeat(64)),
        ] {
            assert_eq!(read(&Qr::new(&text).unwrap()), text);
        }
    }

    #[test]
    fn what_no_code_can_hold_is_left_out() {
        assert!(Qr::new(&"ö".repeat(2000)).is_none());
    }
}
