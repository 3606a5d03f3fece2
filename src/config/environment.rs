//! Environment variables, as a value: nothing but the process's edge reads the real ones.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Looks up environment variables. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    get: Arc<Lookup>,
}

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Environment {
    /// The variables of this process. One that is not UTF-8 counts as unset.
    pub fn of_process() -> Environment {
        Environment::new(|name| std::env::var(name).ok())
    }

    /// Whatever the function answers.
    pub fn new(get: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Environment {
        Environment { get: Arc::new(get) }
    }

    /// These variables and no others.
    pub fn fixed(variables: &[(&str, &str)]) -> Environment {
        let variables: HashMap<String, String> =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Environment::new(move |name| variables.get(name).cloned())
    }

    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<String> {
        (self.get)(name).filter(|value| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Variables hold passwords.
        f.write_str("Environment(…)")
    }
}
