use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::arrange;
use crate::compile::Part;
use crate::glue::{self, Names};
use crate::minify;
use crate::paths::Paths;

/// Where a part's glue waits for its hashed name.
pub(crate) fn glue_path(stage: &Path, part: Part) -> PathBuf {
    stage.join(format!("{}.js", part.name()))
}

/// Where a part's module waits for its hashed name.
pub(crate) fn wasm_path(stage: &Path, part: Part) -> PathBuf {
    stage.join(format!("{}.wasm", part.name()))
}

/// The name by which the module asks for what the glue gives it.
const IMPORTS: &str = "./parlour_bg.js";

/// Makes glue and module out of the compiler's `wasm`, in the stage.
pub(crate) fn generate(paths: &Paths, part: Part, wasm: &Path) -> Result<()> {
    let stage = paths.stage();
    fs::create_dir_all(&stage)?;
    let mut bindgen = Bindgen::new();
    bindgen
        .input_bytes("parlour", without_references(fs::read(wasm)?))
        .out_name("parlour")
        .web(true)?
        .typescript(false)
        // The one who imports the glue says where the module is: its name holds a hash.
        .omit_default_module_path(true)
        .remove_name_section(true)
        .remove_producers_section(true);
    let mut output = bindgen
        .generate_output()
        .context("wasm-bindgen cannot read the widget's wasm")?;
    ensure!(
        output.snippets().values().all(Vec::is_empty) && output.local_modules().is_empty(),
        "the widget must be one script and one module: no JavaScript snippets"
    );
    let glue = minify::script(output.js()).context("the glue")?;
    let glue = glue::with_own_runtime(&glue)?;
    let wasm = output.wasm_mut();
    let imports = wasm.imports.iter().map(|import| import.name.clone());
    let mut imports: Vec<String> = imports.collect();
    let glue = glue::with_listed_imports(&glue, IMPORTS, &mut imports)?;
    for import in wasm.imports.iter_mut() {
        let number = imports.iter().position(|name| *name == import.name);
        import.name = number.unwrap_or_default().to_string();
        import.module = glue::IMPORTS.to_owned();
    }
    let mut names = Names::default();
    let mut unused = Vec::new();
    for export in wasm.exports.iter_mut() {
        if glue.contains(&format!("wasm.{}", export.name)) {
            export.name = names.short(&export.name);
        } else {
            unused.push(export.id());
        }
    }
    for export in unused {
        wasm.exports.delete(export);
    }
    walrus::passes::gc::run(wasm);
    let glue = names.apply(&glue, |before, _| before.ends_with("wasm."));
    // Only tools read it, and the last one has.
    wasm.customs.remove_raw("target_features");
    let module = wasm_path(&stage, part);
    fs::write(&module, wasm.emit_wasm())?;
    optimise(&module)?;
    fs::write(&module, arrange::arranged(&fs::read(&module)?)?)?;
    let glue = glue::compact(&glue).context("the glue")?;
    fs::write(glue_path(&stage, part), glue)?;
    Ok(())
}

/// The module, saying of itself that it has no reference types. wasm-bindgen then gives it numbers
/// for the page's objects instead of the objects, which is a kilobyte less.
fn without_references(mut module: Vec<u8>) -> Vec<u8> {
    const FEATURE: &[u8] = b"+\x0freference-types";
    let found = module.windows(FEATURE.len()).rposition(|at| at == FEATURE);
    if let Some(at) = found {
        module[at] = b'-';
    }
    module
}

/// Whether wasm-opt is there; its presence changes the result.
pub(crate) fn has_optimiser() -> bool {
    Command::new("wasm-opt")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// Saves about 3 %, so it is used where it is and nobody has to install it.
fn optimise(module: &Path) -> Result<()> {
    if !has_optimiser() {
        return Ok(());
    }
    let optimised = module.with_extension("opt");
    // Older versions refuse what rustc emits unless each feature is named.
    let status = Command::new("wasm-opt")
        .args(["-Oz", "--enable-bulk-memory", "--enable-mutable-globals"])
        .args([
            "--enable-nontrapping-float-to-int",
            "--enable-reference-types",
        ])
        .args(["--enable-sign-ext", "--enable-multivalue", "-o"])
        .arg(&optimised)
        .arg(module)
        .status()?;
    if status.success() && tables(&fs::read(&optimised)?) == tables(&fs::read(module)?) {
        fs::rename(&optimised, module)?;
    } else {
        eprintln!("wasm-opt failed; going on without it");
    }
    Ok(())
}

/// The tables that a module exports, by number; nothing if it cannot be read. Version 108 of wasm-opt
/// exports the first table in the place of the second, and the glue then writes into the wrong one.
fn tables(module: &[u8]) -> Option<Vec<u32>> {
    const EXPORTS: u8 = 7;
    const TABLE: u8 = 1;
    let mut rest = module.get(8..)?;
    loop {
        let (&section, after) = rest.split_first()?;
        let (length, after) = number(after)?;
        let (content, after) = after.split_at_checked(length as usize)?;
        rest = after;
        if section != EXPORTS {
            continue;
        }
        let (count, mut content) = number(content)?;
        let mut found = Vec::new();
        for _ in 0..count {
            let (name, after) = number(content)?;
            let (&kind, after) = after.get(name as usize..)?.split_first()?;
            let (index, after) = number(after)?;
            content = after;
            if kind == TABLE {
                found.push(index);
            }
        }
        return Some(found);
    }
}

/// A LEB128 number, and what follows it.
fn number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (at, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_tables_are_told_apart() {
        let module = |table| {
            let mut bytes = b"\0asm\x01\0\0\0".to_vec();
            bytes.extend([4, 1, 0]);
            bytes.extend([7, 9, 2, 1, b'f', 0, 9, 1, b't', 1, table]);
            bytes
        };
        assert_eq!(tables(&module(1)), Some(vec![1]));
        assert_ne!(tables(&module(0)), tables(&module(1)));
        assert_eq!(tables(b"\0asm"), None);
        assert_eq!(number(&[0xe5, 0x8e, 0x26, 7]), Some((624_485, &[7][..])));
    }
}
