//! Operators of the lists, which PostgreSQL chooses as it chooses functions: those of ranges, addresses, geometric types
//! and of extensions.

use super::super::catalog::{Function, Nulls, Slot};
use super::super::types::{Base, Ty};
use super::function::{choose, is_accepted, slot_at, sure};
use super::operator::Operand;
use super::{Cx, Typed};
use crate::ir::FieldId;

impl Cx<'_> {
    /// Returns whether the lists alone decide about an operator: because of an operand, or because an extension has it.
    pub(super) fn is_listed(&self, operator: &str, left: Ty, right: Ty) -> bool {
        let is_listed = |ty: Ty| match ty {
            Ty::Base(base) => base.is_named() || matches!(base, Base::Inet | Base::Bit | Base::Varbit),
            Ty::List(base) => base.is_named(),
            _ => false,
        };
        let is_single = |ty: Ty| matches!(ty, Ty::Base(_));
        let is_about_parts = matches!(operator, "@>" | "<@" | "&&");
        if is_listed(left) || is_listed(right) || is_about_parts && (is_single(left) || is_single(right)) {
            return true;
        }
        let is_known = |ty: Ty| !ty.is_open() && ty != Ty::Opaque;
        let (name, types) = (listed_name(operator), [left, right]);
        types.into_iter().any(is_known)
            && self.catalog.of_extensions(&name).any(|known| known.args.len() == 2 && is_accepted(known, &types))
    }

    /// Infers an operator of the lists; `None` if its meaning is not clear.
    pub(super) fn listed(&mut self, operator: &str, operands: &[Operand<'_>]) -> Option<Typed> {
        let types: Vec<Ty> = operands.iter().map(|(_, typed)| typed.ty).collect();
        if types.iter().all(|ty| ty.is_open()) {
            return None;
        }
        let (catalog, name) = (self.catalog, listed_name(operator));
        let all: Vec<&Function> = catalog.functions(None, &name).collect();
        let best = best_operators(&all, &types);
        let exprs: Vec<_> = operands.iter().map(|(expr, _)| *expr).collect();
        let Some(chosen) = sure(&best, &types) else {
            self.several_fit(operator, &best, &exprs, &types);
            if let ([left, right], true, false) = (types.as_slice(), best.is_empty(), types.contains(&Ty::Opaque)) {
                let help = self.what_fits(operator, &all, *left, *right);
                return Some(self.no_operator_but(operator, (*left, *right), exprs[1].span, help));
            }
            return None;
        };
        if let [left, right] = operands
            && chosen.args[0] == chosen.args[1]
        {
            self.same_field(*left, right.1.field);
            self.same_field(*right, left.1.field);
        }
        let typed: Vec<Typed> = operands.iter().map(|(_, typed)| *typed).collect();
        let ty = self.give_types(&chosen, &exprs, &typed, None);
        let from_list = chosen.result == Slot::Elements && typed.iter().any(|typed| typed.holes);
        let nullable = chosen.nulls == Nulls::Maybe || typed.iter().any(|typed| typed.nullable);
        Some(Typed { holes: chosen.holes || from_list, ..Typed::new(ty, nullable) })
    }

    /// Returns what to write in place of an operator that does not exist.
    fn what_fits(&self, operator: &str, all: &[&Function], left: Ty, right: Ty) -> String {
        let of_left = all.iter().filter(|known| known.args.len() == 2 && is_accepted(known, &[left, Ty::Literal]));
        let mut fitting: Vec<Ty> =
            of_left.filter_map(|known| slot_at(known, 1).ty(slot_at(known, 0).element_in(left))).collect();
        fitting.sort_unstable();
        fitting.dedup();
        let category = |ty: Ty| ty.base().map(Base::category);
        let alike = fitting.iter().find(|ty| category(**ty) == category(right) && category(right).is_some());
        match (alike, fitting.is_empty()) {
            (Some(ty), _) => format!("add a cast to the right side: `::{}`", ty.describe(self.schema)),
            (None, false) => format!("on the right side, it takes {}", self.one_of_types(&fitting)),
            (None, true) => {
                let has_same =
                    || self.catalog.functions(None, "operator ~=").any(|known| is_accepted(known, &[left, left]));
                let instead = if operator == "=" && has_same() { ": `~=` compares such values" } else { "" };
                format!("`{}` has no operator `{operator}`{instead}", left.describe(self.schema))
            }
        }
    }

    /// An open operand has the `@rust` type of the field on the other side, if the operator takes two values of one type.
    /// It need not be of the field's shape: a point has a distance to a polygon.
    fn same_field(&mut self, (expr, typed): Operand<'_>, field: Option<FieldId>) {
        let column = field.and_then(|field| self.schema.walk_field(field).as_column());
        if typed.ty.is_open() && column.is_some_and(|column| column.column().rust.is_some()) {
            self.value_of(expr, field);
        }
    }

    /// Returns the type of the right side, if it has none of its own.
    pub(super) fn listed_right_side(&self, operator: &str, left: Ty) -> Option<Ty> {
        let (catalog, name) = (self.catalog, listed_name(operator));
        let all: Vec<&Function> = catalog.functions(None, &name).collect();
        let types = [left, Ty::Literal];
        let chosen = sure(&best_operators(&all, &types), &types)?;
        let element = slot_at(&chosen, 0).element_in(left);
        slot_at(&chosen, 1).ty(element)
    }
}

/// Returns the name of an operator in the lists.
fn listed_name(operator: &str) -> String {
    let operator = if operator == "!=" { "<>" } else { operator };
    format!("operator {operator}")
}

/// Returns the operators that PostgreSQL prefers. See "Operator Type Resolution" in its documentation.
fn best_operators<'f>(all: &[&'f Function], types: &[Ty]) -> Vec<&'f Function> {
    let known = types.iter().copied().find(|ty| !ty.is_open());
    // At first, an open operand is assumed to have the type of the other one.
    let assumed: Vec<Ty> = types.iter().map(|ty| if ty.is_open() { known.unwrap_or(*ty) } else { *ty }).collect();
    let of_count = || all.iter().copied().filter(|function| function.args.len() == types.len());
    let is_exact =
        |function: &&'f Function| (0..types.len()).all(|at| slot_at(function, at).ty(None) == Some(assumed[at]));
    match of_count().find(is_exact) {
        Some(exact) => vec![exact],
        None => choose(of_count().filter(|function| is_accepted(function, types)).collect(), types),
    }
}
