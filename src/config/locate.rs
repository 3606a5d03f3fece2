//! Where the config file is: the first of a few places.

use super::environment::Environment;
use std::path::{Path, PathBuf};

/// The config file: `option` (`--config`), else `$OFFICEHOURS_CONFIG`, else the first that exists of `./officehours.toml`,
/// `$XDG_CONFIG_HOME/officehours/officehours.toml` (`~/.config` when it is not set) and `/etc/officehours/officehours.toml`.
/// A file that was named is not looked for elsewhere.
pub fn locate(
    option: Option<PathBuf>,
    environment: &Environment,
    exists: impl Fn(&Path) -> bool,
) -> Result<PathBuf, NotFound> {
    if let Some(named) = option.or_else(|| environment.get("OFFICEHOURS_CONFIG").map(PathBuf::from)) {
        return Ok(named);
    }
    let xdg = environment.get("XDG_CONFIG_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(|home| PathBuf::from(home).join(".config"));
    let user = xdg.or_else(home).map(|folder| folder.join("officehours/officehours.toml"));
    let here = PathBuf::from("officehours.toml");
    let places: Vec<PathBuf> =
        [Some(here), user, Some(PathBuf::from("/etc/officehours/officehours.toml"))].into_iter().flatten().collect();
    match places.iter().find(|place| exists(place)) {
        Some(found) => Ok(found.clone()),
        None => Err(NotFound { places }),
    }
}

/// There is no config file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no config file: looked for {}; write one with `officehours init`, or name it with --config", list(.places))]
pub struct NotFound {
    /// Where it was looked for.
    pub places: Vec<PathBuf>,
}

fn list(places: &[PathBuf]) -> String {
    places.iter().map(|place| place.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETC: &str = "/etc/officehours/officehours.toml";

    fn found(option: Option<&str>, environment: &[(&str, &str)], existing: &[&str]) -> String {
        let exists = |path: &Path| existing.iter().any(|there| path == Path::new(there));
        let located = locate(option.map(PathBuf::from), &Environment::fixed(environment), exists);
        located.map_or_else(|error| error.to_string(), |path| path.display().to_string())
    }

    #[test]
    fn a_named_file_counts_even_if_it_is_not_there() {
        assert_eq!(found(Some("a.toml"), &[("OFFICEHOURS_CONFIG", "b.toml")], &[ETC]), "a.toml");
        assert_eq!(found(None, &[("OFFICEHOURS_CONFIG", "b.toml")], &["officehours.toml"]), "b.toml");
    }

    #[test]
    fn the_nearest_place_wins() {
        let environment = [("XDG_CONFIG_HOME", "/x"), ("HOME", "/h"), ("OFFICEHOURS_CONFIG", "")];
        let all = ["officehours.toml", "/x/officehours/officehours.toml", ETC];
        assert_eq!(found(None, &environment, &all), "officehours.toml");
        assert_eq!(found(None, &environment, &all[1..]), "/x/officehours/officehours.toml");
        assert_eq!(found(None, &environment, &all[2..]), ETC);
        let of_home = "/h/.config/officehours/officehours.toml";
        assert_eq!(found(None, &[("HOME", "/h")], &[of_home, ETC]), of_home);
    }

    #[test]
    fn without_a_file_every_place_is_named() {
        let message = found(None, &[("HOME", "/h")], &[]);
        assert!(
            message.contains("looked for officehours.toml, /h/.config/officehours/officehours.toml, /etc"),
            "{message}"
        );
    }
}
