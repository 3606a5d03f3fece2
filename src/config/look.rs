//! `[server.look]` and `[host.look]`: how pages look.

use super::Surroundings;
use super::file::Section;
use super::value::{prose, text};
use std::path::PathBuf;
use toml::de::DeValue;

/// How pages look, beyond what all installations have. Files are named here and read by the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Red, green and blue (sRGB), in place of the green.
    pub accent: Option<[u8; 3]>,
    /// A picture at the head of every page.
    pub logo: Option<PathBuf>,
    /// A picture beside the host's name; of hosts only.
    pub photo: Option<PathBuf>,
    /// A file of CSS that comes after the pages' own.
    pub stylesheet: Option<PathBuf>,
    /// A line at the foot of every page.
    pub footer: Option<String>,
}

pub(super) fn look(parent: &Section<'_>, surroundings: &Surroundings<'_>) -> Look {
    let Some(section) = parent.section("look") else { return Look::default() };
    let file =
        |key| section.has(key).then(|| section.read(key, text)).flatten().map(|path| surroundings.folder.join(path));
    Look {
        accent: section.read("accent", colour),
        logo: file("logo"),
        photo: file("photo"),
        stylesheet: file("stylesheet"),
        footer: section.read("footer", prose),
    }
}

fn colour(value: &DeValue<'_>) -> Result<[u8; 3], String> {
    let wrong = || "no colour; write red, green and blue in hexadecimal, as \"#14614f\"".to_owned();
    let written = text(value)?;
    let digits = written
        .strip_prefix('#')
        .filter(|digits| digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
        .ok_or_else(wrong)?;
    let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
    let [_, r, g, b] = number.to_be_bytes();
    Ok([r, g, b])
}
