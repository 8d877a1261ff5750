//! Makes the glue small. wasm-bindgen gives imports and exports long names with hashes, twice each,
//! in the glue and in the module; and it is prepared for more than ever happens here.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};

use crate::minify;

/// What the glue calls: ours, in the place of wasm-bindgen's.
const RUNTIME: &str = include_str!("runtime.js");

/// Replaces the helpers and the way in, at the end of the glue, by [`RUNTIME`]. The glue must be
/// minified.
///
/// # Errors
/// When wasm-bindgen's glue looks otherwise than that of the version that was looked at.
pub(crate) fn with_own_runtime(glue: &str) -> Result<String> {
    let class = glue.split_once("export class ").map(|(_, class)| class);
    let name = class.and_then(|class| Some(class.split_once('{')?.0));
    let first = match name {
        Some(name) => format!("const {name}Finalization="),
        None => "function addHeapObject(".to_owned(),
    };
    let at = glue.find(&first).context("the glue has no helpers")?;
    let (kept, dropped) = glue.split_at(at);
    ensure!(
        dropped.ends_with("export{initSync,__wbg_init as default};"),
        "the glue does not end with its way in"
    );
    ensure!(
        !dropped.contains("__wbindgen_start"),
        "the module has to be started"
    );
    let runtime = minify::script(RUNTIME).context("runtime.js")?;
    for (_, helper) in declared(dropped, &["function "]) {
        let is_there = declared(&runtime, &DECLARATIONS).any(|(_, own)| own == helper);
        ensure!(
            is_there || !words(kept).any(|word| word == helper),
            "runtime.js lacks {helper}"
        );
    }
    let kept = kept.replace(",wasm.__wbindgen_malloc,wasm.__wbindgen_realloc)", ")");
    let kept = match name {
        Some(name) => without_finalizer(kept, name)?,
        None => kept,
    };
    Ok(kept + &runtime)
}

/// The glue with its class, but without what frees an object that was forgotten: there are none.
fn without_finalizer(mut glue: String, class: &str) -> Result<String> {
    for gone in [
        format!("{class}Finalization.unregister(this);"),
        format!("{class}Finalization.register(this,this.__wbg_ptr,this);"),
        format!("if(Symbol.dispose){class}.prototype[Symbol.dispose]={class}.prototype.free;"),
    ] {
        ensure!(glue.contains(&gone), "the glue has no {gone}");
        glue = glue.replace(&gone, "");
    }
    let free = glue.find("free(){").context("the class cannot be freed")?;
    let line = glue[free..].find('\n').context("the class is one line")?;
    glue.replace_range(free..=free + line, "");
    Ok(glue)
}

/// Makes a list of the object by which the glue gives the module what it imports from `from`, and
/// brings the names of the imports into the order of that list: the module has to import by number.
///
/// # Errors
/// When the glue does not have all imports, or gives them otherwise.
pub(crate) fn with_listed_imports(
    glue: &str,
    from: &str,
    imports: &mut [String],
) -> Result<String> {
    let place = |name: &String| glue.find(&format!("{name}:function("));
    for name in imports.iter() {
        ensure!(place(name).is_some(), "the glue has no {name}");
    }
    imports.sort_by_key(place);
    let mut glue = glue.to_owned();
    for name in imports.iter() {
        glue = glue.replacen(&format!("{name}:function("), "function(", 1);
    }
    let end = format!("}};return{{__proto__:null,{from:?}:");
    for (from, to) in [
        ("={__proto__:null,function(", "=[function("),
        (&end, &format!("];return{{{IMPORTS}:")),
    ] {
        ensure!(glue.contains(from), "the glue has no {from}");
        glue = glue.replacen(from, to, 1);
    }
    Ok(glue)
}

/// The name by which the module asks for the list of its imports.
pub(crate) const IMPORTS: &str = "w";

const DECLARATIONS: [&str; 3] = ["function ", "let ", "const "];

/// The place and name of each function or variable that the glue declares with one of these words.
fn declared<'a>(glue: &'a str, words: &'a [&str]) -> impl Iterator<Item = (usize, &'a str)> {
    words.iter().flat_map(|word| {
        glue.match_indices(word).map(|(at, _)| {
            let name = &glue[at + word.len()..];
            let end = name.find(|c: char| !is_word(c)).unwrap_or(name.len());
            (at, &name[..end])
        })
    })
}

fn words(glue: &str) -> impl Iterator<Item = &str> {
    glue.split(|c: char| !is_word(c))
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
    let mut own = vec!["wasm", "WASM_VECTOR_LEN"];
    for (at, name) in declared(glue, &DECLARATIONS) {
        if name.len() > 4 && !glue[..at].ends_with("export ") {
            own.push(name);
        }
    }
    own.extend(words(glue).filter(|word| {
        word.strip_prefix("arg")
            .is_some_and(|number| number.parse::<u8>().is_ok())
    }));
    minify::renamed(glue, own.into_iter())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const GLUE: &str = "\
        export class Chat{__destroy_into_raw(){ChatFinalization.unregister(this);return 1}\n\
        free(){wasm.__wbg_chat_free(1);}\n\
        constructor(){ChatFinalization.register(this,this.__wbg_ptr,this);}\n\
        hello(name){wasm.hello(passStringToWasm0(name,wasm.__wbindgen_malloc,wasm.__wbindgen_realloc));}}\n\
        if(Symbol.dispose)Chat.prototype[Symbol.dispose]=Chat.prototype.free;\
        function __wbg_get_imports(){const import0={__proto__:null,\
        __wbg_b_0123:function(arg0){return handleError(function(arg0){b(arg0);},arguments);},\
        __wbg_a_4567:function(arg0){a(arg0);},};\
        return{__proto__:null,\"./chat_bg.js\":import0,}}\n\
        const ChatFinalization=new FinalizationRegistry(ptr=>wasm.__wbg_chat_free(ptr,1));\
        function handleError(f,args){}\n\
        function passStringToWasm0(arg,malloc,realloc){}\n\
        async function __wbg_load(module,imports){}\n\
        export{initSync,__wbg_init as default};";

    #[test]
    fn the_runtime_is_our_own() {
        let glue = with_own_runtime(GLUE).unwrap();
        for gone in ["__wbg_load", "Finalization", "free(", "realloc", "//"] {
            assert!(!glue.contains(gone), "{gone}: {glue}");
        }
        assert!(
            glue.contains("wasm.hello(passStringToWasm0(name))"),
            "{glue}"
        );
        assert!(glue.ends_with("});"), "{glue}");
        assert!(with_own_runtime("something else").is_err());
        assert!(with_own_runtime(&GLUE.replace("initSync", "other")).is_err());
        let lacking = GLUE.replace("handleError", "handleMore");
        let error = with_own_runtime(&lacking).unwrap_err().to_string();
        assert_eq!(error, "runtime.js lacks handleMore");
    }

    #[test]
    fn imports_become_a_list() {
        let mut imports = vec!["__wbg_a_4567".to_owned(), "__wbg_b_0123".to_owned()];
        let glue = with_listed_imports(GLUE, "./chat_bg.js", &mut imports).unwrap();
        assert_eq!(imports, ["__wbg_b_0123", "__wbg_a_4567"]);
        assert!(glue.contains("import0=[function(arg0){return "), "{glue}");
        assert!(
            glue.contains("},function(arg0){a(arg0);},];return{w:import0,}"),
            "{glue}"
        );
        assert!(with_listed_imports(GLUE, "./other.js", &mut imports).is_err());
        assert!(with_listed_imports(GLUE, "./chat_bg.js", &mut ["c".into()]).is_err());
    }

    #[test]
    fn only_names_in_their_place_become_short() {
        let mut names = Names::default();
        assert_eq!(names.short("hello"), "a");
        assert_eq!(names.short("name"), "b");
        assert_eq!(names.short("hello"), "a");
        let exports = names.apply(GLUE, |before, _| before.ends_with("wasm."));
        assert_eq!(exports, GLUE.replace("wasm.hello", "wasm.a"));
    }

    #[test]
    fn own_functions_and_arguments_get_letters() {
        let glue = compact(GLUE).unwrap();
        assert!(glue.contains("\nhello(name)"), "{glue}");
        for gone in ["handleError", "arg0", "import0"] {
            assert!(!glue.contains(gone), "{gone}: {glue}");
        }
        assert!(glue.contains("__wbg_b_0123:function("), "{glue}");
    }

    #[test]
    fn letters_are_all_different() {
        let all: std::collections::BTreeSet<String> = (0..2_000).map(letters).collect();
        assert_eq!(all.len(), 2_000);
    }
}
