//! What a department or a host gives our pages of its own: a colour, pictures, a style sheet, a line at the foot. Its
//! files are read once and served like ours, under names with the hash of their bytes. Start with [`Look::new`].

use super::accent::Accent;
use super::assets::hashed;
use bytes::Bytes;

/// A file to be served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LookFile {
    /// Under `/-/`.
    pub(super) name: String,
    /// Its media type.
    pub(super) kind: &'static str,
    pub(super) bytes: Bytes,
}

/// A picture of the config, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Without a dot.
    pub extension: &'static str,
    /// Its bytes.
    pub bytes: Bytes,
}

/// The media type of a picture by how its name ends, in lower case and without a dot; `None`: no picture that browsers
/// all show.
fn picture_kind(extension: &str) -> Option<&'static str> {
    match extension {
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "jpg" | "jpeg" => Some("image/jpeg"),
        "webp" => Some("image/webp"),
        _ => None,
    }
}

/// How the names of pictures may end.
pub const PICTURES: [&str; 5] = ["svg", "png", "jpg", "jpeg", "webp"];

/// From what a [`Look`] is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LookSource {
    /// In place of our green.
    pub accent: Option<Accent>,
    /// At the head of every page.
    pub logo: Option<Picture>,
    /// Beside the host's name.
    pub photo: Option<Picture>,
    /// CSS that comes after ours.
    pub stylesheet: Option<String>,
    /// At the foot of every page.
    pub footer: Option<String>,
}

/// A look, ready to be served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    files: Vec<LookFile>,
    /// Names of style sheets, in order.
    pub(super) styles: Vec<String>,
    /// The name of a picture.
    pub(super) logo: Option<String>,
    /// The name of a picture.
    pub(super) photo: Option<String>,
    pub(super) footer: Option<String>,
}

impl Look {
    /// Names the files.
    pub(super) fn new(source: LookSource) -> Look {
        let mut look = Look { footer: source.footer, ..Look::default() };
        for style in source.accent.map(Accent::style).into_iter().chain(source.stylesheet) {
            let name = look.add("look", "css", "text/css; charset=utf-8", Bytes::from(style));
            look.styles.push(name);
        }
        let mut picture = |name, picture: Option<Picture>| {
            let Picture { extension, bytes } = picture?;
            Some(look.add(name, extension, picture_kind(extension)?, bytes))
        };
        let (logo, photo) = (picture("logo", source.logo), picture("photo", source.photo));
        Look { logo, photo, ..look }
    }

    fn add(&mut self, name: &str, extension: &str, kind: &'static str, bytes: Bytes) -> String {
        let name = hashed(name, &bytes, extension);
        self.files.push(LookFile { name: name.clone(), kind, bytes });
        name
    }

    pub(super) fn file(&self, name: &str) -> Option<&LookFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_bytes_and_found_by_their_names() {
        let picture = |bytes: &'static [u8]| Some(Picture { extension: "png", bytes: Bytes::from_static(bytes) });
        let look = |bytes| {
            Look::new(LookSource { logo: picture(bytes), stylesheet: Some("h1{}".into()), ..LookSource::default() })
        };
        let (one, other) = (look(b"1"), look(b"2"));
        assert_ne!(one.logo, other.logo);
        assert_eq!(one.styles, other.styles);
        let file = one.file(one.logo.as_deref().unwrap()).unwrap();
        assert_eq!((file.kind, file.bytes.as_ref()), ("image/png", &b"1"[..]));
        assert_eq!(one.file("logo.png"), None);
        assert!(PICTURES.iter().all(|extension| picture_kind(extension).is_some()));
    }
}
