//! Puts a module's functions and locals into an order that compresses well. What the module does,
//! and its size before compression, stay the same.

use std::cmp::Reverse;
use std::convert::Infallible;

use anyhow::{Context, Result, anyhow};
use wasm_encoder::reencode::{Error, Reencode, utils};
use wasm_encoder::{CodeSection, Function, FunctionSection, Instruction, Module};
use wasmparser::{
    CodeSectionReader, FunctionBody, FunctionSectionReader, Operator, Parser, Payload, TypeRef,
    ValType,
};

/// The module with functions of one type side by side, the small ones first, and with the busiest
/// locals of a function numbered first.
///
/// # Errors
/// When it is no module.
pub(crate) fn arranged(module: &[u8]) -> Result<Vec<u8>> {
    let mut order = Order::of(module).context("the module cannot be read")?;
    let mut out = Module::new();
    order
        .parse_core_module(&mut out, Parser::new(0), module)
        .map_err(|error| anyhow!("the module cannot be arranged: {error}"))?;
    Ok(out.finish())
}

/// What stands where.
struct Order {
    /// The new number of each function, those that are imported included.
    functions: Vec<u32>,
    /// The old places of the functions that are not imported, by their new ones.
    places: Vec<usize>,
    /// How many parameters each function has that is not imported, by its old place.
    parameters: Vec<u32>,
    /// In the function that is being written: the new number of each local.
    locals: Vec<u32>,
}

impl Order {
    fn of(module: &[u8]) -> wasmparser::Result<Self> {
        let mut imported = 0;
        let mut parameters_of = Vec::new();
        let mut types = Vec::new();
        let mut sizes = Vec::new();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::TypeSection(section) => {
                    for kind in section.into_iter_err_on_gc_types() {
                        parameters_of.push(kind?.params().len() as u32);
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                    }
                }
                Payload::FunctionSection(section) => {
                    for kind in section {
                        types.push(kind?);
                    }
                }
                Payload::CodeSectionEntry(body) => sizes.push(body.range().len()),
                _ => {}
            }
        }
        let mut places: Vec<usize> = (0..sizes.len()).collect();
        places.sort_by_key(|&place| (types[place], sizes[place]));
        let mut functions: Vec<u32> = (0..imported + places.len() as u32).collect();
        for (number, &place) in (imported..).zip(&places) {
            functions[imported as usize + place] = number;
        }
        let parameters = types.iter().map(|&kind| parameters_of[kind as usize]);
        Ok(Self {
            functions,
            parameters: parameters.collect(),
            places,
            locals: Vec::new(),
        })
    }

    /// Numbers the locals of a function anew, and gives them in their new order.
    fn count_locals(
        &mut self,
        parameters: u32,
        body: &FunctionBody<'_>,
    ) -> wasmparser::Result<Vec<ValType>> {
        let mut kinds = Vec::new();
        for group in body.get_locals_reader()? {
            let (count, kind) = group?;
            kinds.extend(std::iter::repeat_n(kind, count as usize));
        }
        let mut uses = vec![0_u32; parameters as usize + kinds.len()];
        let mut operators = body.get_operators_reader()?;
        while !operators.eof() {
            if let Operator::LocalGet { local_index }
            | Operator::LocalSet { local_index }
            | Operator::LocalTee { local_index } = operators.read()?
            {
                uses[local_index as usize] += 1;
            }
        }
        let uses_of = |local: usize| uses[parameters as usize + local];
        let mut order: Vec<usize> = (0..kinds.len()).collect();
        // Those of one type stay together: their declaration counts them.
        let first = |kind: ValType| kinds.iter().position(|other| *other == kind);
        order.sort_by_key(|&local| (first(kinds[local]), Reverse(uses_of(local))));
        self.locals = (0..uses.len() as u32).collect();
        for (number, &local) in (parameters..).zip(&order) {
            self.locals[parameters as usize + local] = number;
        }
        Ok(order.into_iter().map(|local| kinds[local]).collect())
    }
}

impl Reencode for Order {
    type Error = Infallible;

    fn function_index(&mut self, function: u32) -> Result<u32, Error<Infallible>> {
        Ok(self.functions[function as usize])
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let types = section
            .into_iter()
            .collect::<wasmparser::Result<Vec<_>>>()?;
        for &place in &self.places {
            functions.function(types[place]);
        }
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error<Infallible>> {
        let bodies = section
            .into_iter()
            .collect::<wasmparser::Result<Vec<_>>>()?;
        for place in self.places.clone() {
            let body = &bodies[place];
            let mut locals = Vec::new();
            for kind in self.count_locals(self.parameters[place], body)? {
                locals.push(self.val_type(kind)?);
            }
            let mut function = Function::new_with_locals_types(locals);
            let mut operators = body.get_operators_reader()?;
            while !operators.eof() {
                function.instruction(&self.parse_instruction(&mut operators)?);
            }
            code.function(&function);
        }
        Ok(())
    }

    fn instruction<'a>(
        &mut self,
        operator: Operator<'a>,
    ) -> Result<Instruction<'a>, Error<Infallible>> {
        let local = |index: u32| self.locals[index as usize];
        Ok(match operator {
            Operator::LocalGet { local_index } => Instruction::LocalGet(local(local_index)),
            Operator::LocalSet { local_index } => Instruction::LocalSet(local(local_index)),
            Operator::LocalTee { local_index } => Instruction::LocalTee(local(local_index)),
            other => utils::instruction(self, other)?,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use wasm_encoder::ValType;
    use wasm_encoder::{ExportKind, ExportSection, TypeSection};

    /// A large function with two locals, of which the second is the busier one; and a small one
    /// of the same type, which calls the large one.
    fn module() -> Vec<u8> {
        let mut types = TypeSection::new();
        types.ty().function([ValType::I32], []);
        let mut functions = FunctionSection::new();
        functions.function(0).function(0);
        let mut exports = ExportSection::new();
        exports.export("large", ExportKind::Func, 0);
        let mut large = Function::new([(2, ValType::I32), (1, ValType::I64)]);
        for local in [0, 2, 2, 1] {
            large.instruction(&Instruction::LocalGet(local));
            large.instruction(&Instruction::Drop);
        }
        large.instruction(&Instruction::End);
        let mut small = Function::new([]);
        small.instruction(&Instruction::LocalGet(0));
        small.instruction(&Instruction::Call(0));
        small.instruction(&Instruction::End);
        let mut code = CodeSection::new();
        code.function(&large).function(&small);
        let mut module = Module::new();
        module
            .section(&types)
            .section(&functions)
            .section(&exports)
            .section(&code);
        module.finish()
    }

    #[test]
    fn small_functions_and_busy_locals_come_first() {
        let arranged = arranged(&module()).unwrap();
        let mut bodies = Vec::new();
        for payload in Parser::new(0).parse_all(&arranged) {
            match payload.unwrap() {
                Payload::CodeSectionEntry(body) => {
                    let operators = body.get_operators_reader().unwrap();
                    bodies.push(
                        operators
                            .into_iter()
                            .collect::<Result<Vec<_>, _>>()
                            .unwrap(),
                    );
                }
                Payload::ExportSection(exports) => {
                    assert_eq!(exports.into_iter().next().unwrap().unwrap().index, 1);
                }
                _ => {}
            }
        }
        let large = Operator::Call { function_index: 1 };
        assert_eq!(bodies[0][1], large);
        let locals: Vec<_> = bodies[1]
            .iter()
            .filter_map(|operator| match operator {
                Operator::LocalGet { local_index } => Some(*local_index),
                _ => None,
            })
            .collect();
        assert_eq!(locals, [0, 1, 1, 2]);
    }

    #[test]
    fn doing_it_twice_changes_nothing() {
        let once = arranged(&module()).unwrap();
        assert_eq!(once.len(), module().len());
        assert_eq!(arranged(&once).unwrap(), once);
        assert!(arranged(b"no module").is_err());
    }
}
