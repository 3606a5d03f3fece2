//! The languages that guests and hosts are spoken to in: their texts ([`Phrases`], one file a language), their dates and clocks
//! ([`Locale`]), and which one a reader wants (RFC 9110 12.5.4, RFC 4647). Start with [`Language`].
//!
//! Another language is one file beside `en.rs` and one line in the table below; a text that it lacks does not compile.

mod alert;
mod choose;
mod desk;
mod guest_phrases;
mod locale;
mod page;
mod phrases;

pub use alert::{AlertPhrases, AlertWords};
pub use desk::DeskPhrases;
pub use guest_phrases::GuestPhrases;
pub use locale::{Clock, Direction, Locale};
pub use page::{PagePhrases, Said};
pub use phrases::{HostWords, MailPhrases, Phrases, Words};

use std::fmt;

/// The modules, the enum and the table, so that a language is named once.
macro_rules! languages {
    ($($(#[$doc:meta])* $name:ident = $module:ident, $tag:literal;)+) => {
        $(mod $module;)+

        /// A language that we speak.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum Language {
            $($(#[$doc])* $name,)+
        }

        impl Language {
            /// All of them.
            pub const ALL: &'static [Language] = &[$(Language::$name,)+];

            /// Its tag (BCP 47): the value of `lang` and of Content-Language, and what the config and the API call it.
            pub fn tag(self) -> &'static str {
                match self {
                    $(Language::$name => $tag,)+
                }
            }

            /// What is said in it.
            pub fn phrases(self) -> &'static Phrases {
                match self {
                    $(Language::$name => &$module::PHRASES,)+
                }
            }
        }
    };
}

languages! {
    /// English, with the 24-hour clock and weeks from Monday.
    #[default]
    English = en, "en";
    /// English as in the United States: the 12-hour clock and weeks from Sunday.
    AmericanEnglish = en_us, "en-US";
    /// German.
    German = de, "de";
    /// French.
    French = fr, "fr";
    /// Spanish.
    Spanish = es, "es";
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

/// What two numbers of a thing are called, where a language tells only one from many.
fn counted(count: i64, one: bool, singular: &str, plural: &str) -> String {
    format!("{count} {}", if one { singular } else { plural })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_its_own_tag_and_name() {
        for (at, one) in Language::ALL.iter().enumerate() {
            for other in &Language::ALL[at + 1..] {
                assert_ne!(one.tag(), other.tag());
                assert_ne!(one.phrases().name, other.phrases().name);
            }
        }
    }
}
