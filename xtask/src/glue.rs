//! Makes the glue small. wasm-bindgen gives imports and exports long names with hashes, twice each,
//! in the glue and in the module; and its start is prepared for more ways than we start it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::minify;

/// How the widget is started: by the address of its module, in the form that wasm-bindgen takes as
/// well. Without streaming, so that a proxy that drops the media type does no harm. A failed start
/// may be tried again. Its names are shortened afterwards, so none may be one of a method of ours.
const START: &str = "\
let started;
async function fetchAndRun(from) {
    const answer = await fetch(from.module_or_path || from);
    if (!answer.ok) throw new Error(answer.url + ' ' + answer.status);
    const bytes = await answer.arrayBuffer();
    const { instance, module } = await WebAssembly.instantiate(bytes, __wbg_get_imports());
    return __wbg_finalize_init(instance, module);
}
export default from => started ||= fetchAndRun(from).catch(error => {
    started = undefined;
    throw error;
});
";

/// Replaces the way in, at the end of the glue, by [`START`]. The glue must be minified.
///
/// # Errors
/// When wasm-bindgen's glue looks otherwise than that of the version that was looked at.
pub(crate) fn with_own_start(glue: &str) -> Result<String> {
    let at = glue
        .find("async function __wbg_load(")
        .context("the glue has no __wbg_load")?;
    let (kept, dropped) = glue.split_at(at);
    ensure!(
        dropped.ends_with("export{initSync,__wbg_init as default};"),
        "the glue does not end with its way in"
    );
    ensure!(
        kept.contains("function __wbg_finalize_init(instance,module)"),
        "the glue does not say how its start ends"
    );
    Ok(format!("{kept}\n{START}"))
}

/// Short names in the place of long ones, in the order in which these are given.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<String, String>);

impl Names {
    /// The short name for `long`, the same each time.
    pub(crate) fn short(&mut self, long: &str) -> String {
        let count = self.0.len();
        self.0
            .entry(long.to_owned())
            .or_insert_with(|| letters(count))
            .clone()
    }

    /// `glue` with the short name of each known word that `is_name`, which is given what stands
    /// before and after it.
    pub(crate) fn apply(&self, glue: &str, is_name: impl Fn(&str, &str) -> bool) -> String {
        let mut out = String::with_capacity(glue.len());
        let mut at = 0;
        while at < glue.len() {
            let rest = &glue[at..];
            let word = &rest[..rest.find(|c: char| !is_word(c)).unwrap_or(rest.len())];
            let short = self
                .0
                .get(word)
                .filter(|_| is_name(&glue[..at], &rest[word.len()..]));
            out += short.map_or(word, String::as_str);
            let after = &rest[word.len()..];
            let gap = &after[..after.find(is_word).unwrap_or(after.len())];
            out += gap;
            at += word.len() + gap.len();
        }
        out
    }
}

/// `a` to `z`, then `aa`, `ba` and so on.
fn letters(mut number: usize) -> String {
    let mut out = String::new();
    loop {
        out.push(char::from(b'a' + (number % 26) as u8));
        number /= 26;
        if number == 0 {
            return out;
        }
        number -= 1;
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

/// The glue with short names for its own functions and variables. It must be minified.
///
/// # Errors
/// When it cannot be read as a script.
pub(crate) fn compact(glue: &str) -> Result<String> {
    let mut own = vec!["wasm"];
    for word in ["function ", "let ", "const "] {
        for (at, _) in glue.match_indices(word) {
            let name = &glue[at + word.len()..];
            let name = &name[..name.find(|c: char| !is_word(c)).unwrap_or(name.len())];
            if name.len() > 4 && !glue[..at].ends_with("export ") {
                own.push(name);
            }
        }
    }
    minify::renamed(glue, own.into_iter())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GLUE: &str = "\
        export function hello(name){wasm.hello_0123(addHeap(name))}\n\
        function addHeap(name){return wasm.__wbindgen_alloc+name.alloc}\n\
        const imports={hello_0123:addHeap,other:'hello_0123'};\
        function __wbg_finalize_init(instance,module){}\n\
        async function __wbg_load(module,imports){}\n\
        export{initSync,__wbg_init as default};";

    #[test]
    fn the_way_in_is_our_own() {
        let glue = with_own_start(GLUE).unwrap();
        assert!(!glue.contains("__wbg_load"), "{glue}");
        assert!(glue.ends_with("});\n"), "{glue}");
        assert!(with_own_start("something else").is_err());
        assert!(with_own_start(&GLUE.replace("initSync", "other")).is_err());
    }

    #[test]
    fn only_names_in_their_place_become_short() {
        let mut names = Names::default();
        assert_eq!(names.short("hello_0123"), "a");
        assert_eq!(names.short("name"), "b");
        assert_eq!(names.short("hello_0123"), "a");
        let exports = names.apply(GLUE, |before, _| before.ends_with("wasm."));
        assert_eq!(exports, GLUE.replace("wasm.hello_0123", "wasm.a"));
        let imports = names.apply(GLUE, |_, after| after.starts_with(':'));
        assert_eq!(imports, GLUE.replace("hello_0123:", "a:"));
    }

    #[test]
    fn own_functions_get_letters() {
        let glue = compact(GLUE).unwrap();
        assert!(glue.starts_with("export function hello(name)"), "{glue}");
        assert!(!glue.contains("addHeap"), "{glue}");
        assert!(glue.contains("hello_0123:"), "{glue}");
    }

    #[test]
    fn letters_are_all_different() {
        let all: std::collections::BTreeSet<String> = (0..2_000).map(letters).collect();
        assert_eq!(all.len(), 2_000);
    }
}
