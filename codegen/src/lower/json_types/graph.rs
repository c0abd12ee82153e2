//! Types in types: which contain themselves, and how large they are.

use super::super::Cx;
use super::super::draft::TypeDraft;
use crate::diagnostics::{self as codes, Diagnostic};
use crate::ir::{Arity, JsonFieldType};

/// The number of fields of a type, with those of the types in it. The client has a path to each.
const MAX_FIELDS: usize = 1000;

/// The number of types within each other, which rustc follows by recursion.
const MAX_DEPTH: usize = 32;

/// Checks that each type has an end and a moderate size, and finds the fields whose values need a `Box`.
pub(super) fn check_sizes(cx: &mut Cx<'_, '_>) {
    let always = components(&edges(cx, |arity| arity == Arity::Required));
    let found = infinite_types(cx, &always);
    let is_finite = found.is_empty();
    cx.diagnostics.extend(found);
    if !is_finite {
        return;
    }
    let without_lists = components(&edges(cx, |arity| arity != Arity::List));
    for index in 0..cx.types.len() {
        for field in 0..cx.types[index].fields.len() {
            let draft = &cx.types[index].fields[field];
            let is_circle = target(draft.ty).is_some_and(|to| without_lists.of[to] == without_lists.of[index]);
            cx.types[index].fields[field].boxed = draft.arity() == Arity::Optional && is_circle;
        }
    }
    let found = large_types(cx);
    cx.diagnostics.extend(found);
}

/// Returns the type that a field holds.
fn target(ty: Option<JsonFieldType>) -> Option<usize> {
    match ty {
        Some(JsonFieldType::Type(id)) => Some(id.index()),
        _ => None,
    }
}

/// Returns the types that each type holds through fields of some arities.
fn edges(cx: &Cx<'_, '_>, follows: impl Fn(Arity) -> bool) -> Vec<Vec<usize>> {
    let of = |draft: &TypeDraft<'_>| {
        let fields = draft.fields.iter().filter(|field| follows(field.arity()));
        fields.filter_map(|field| target(field.ty)).collect()
    };
    cx.types.iter().map(of).collect()
}

/// A value of a type that always contains another value of it would never end.
fn infinite_types(cx: &Cx<'_, '_>, components: &Components) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, draft) in cx.types.iter().enumerate() {
        for field in draft.fields.iter().filter(|field| field.arity() == Arity::Required) {
            if target(field.ty).is_none_or(|to| components.of[to] != components.of[index]) {
                continue;
            }
            let (name, ty) = (field.ast.name.text, field.ast.ty.name.text);
            let message = format!("`{}` always contains another `{}`", draft.ast.name.text, draft.ast.name.text);
            found.push(
                Diagnostic::new(codes::INFINITE_TYPE, field.ast.ty.span, message)
                    .label("so a value of it would never end")
                    .help(format!("make a field on the way optional or a list, such as `{name} {ty}?`")),
            );
        }
    }
    found
}

/// Reports types with too many fields or levels.
fn large_types(cx: &Cx<'_, '_>) -> Vec<Diagnostic> {
    let all = edges(cx, |_| true);
    let groups = components(&all);
    let mut levels = vec![0_usize; groups.count];
    let mut fields = vec![0_usize; cx.types.len()];
    // Each group comes after those that it leads to.
    for members in groups.members() {
        let group = groups.of[members[0]];
        let below = members.iter().flat_map(|at| &all[*at]).filter(|to| groups.of[**to] != group);
        levels[group] = members.len() + below.map(|to| levels[groups.of[*to]]).max().unwrap_or(0);
    }
    let paths = |at: usize| {
        let fields = cx.types[at].fields.iter();
        let inside = fields.filter(|field| field.arity() != Arity::List && !field.boxed);
        inside.filter_map(|field| target(field.ty)).collect::<Vec<_>>()
    };
    let inside: Vec<_> = (0..cx.types.len()).map(paths).collect();
    for members in components(&inside).members() {
        for at in members {
            let below = inside[at].iter().fold(0_usize, |sum, to| sum.saturating_add(fields[*to]));
            fields[at] = cx.types[at].fields.len().saturating_add(below);
        }
    }
    let report = |(at, draft): (usize, &TypeDraft<'_>)| {
        let name = draft.ast.name;
        let problem = match (fields[at] > MAX_FIELDS, levels[groups.of[at]] > MAX_DEPTH) {
            (true, _) => format!("has more than {MAX_FIELDS} fields, with those of the types in it"),
            (false, true) => format!("has more than {MAX_DEPTH} types within each other"),
            (false, false) => return None,
        };
        let message = format!("`{}` {problem}", name.text);
        let diagnostic = Diagnostic::new(codes::LARGE_TYPE, name.span, message);
        Some(diagnostic.with("too large for the client", "write `Json` as the type of a field in it"))
    };
    cx.types.iter().enumerate().filter_map(report).collect()
}

/// The strongly connected components of a graph: groups of nodes that lead to each other.
struct Components {
    /// The group of each node. A group has a higher number than those that it leads to.
    of: Vec<usize>,
    count: usize,
}

impl Components {
    /// Returns the nodes of each group, in the order of the groups.
    fn members(&self) -> Vec<Vec<usize>> {
        let mut members = vec![Vec::new(); self.count];
        for (node, group) in self.of.iter().enumerate() {
            members[*group].push(node);
        }
        members
    }
}

/// Finds the components by Tarjan's algorithm, without recursion. A node without a circle is alone in its group, and
/// so is one that leads only to itself.
fn components(edges: &[Vec<usize>]) -> Components {
    const NEW: usize = usize::MAX;
    let (mut order, mut low, mut of) = (vec![NEW; edges.len()], vec![0; edges.len()], vec![NEW; edges.len()]);
    let (mut next, mut count) = (0, 0);
    let mut open: Vec<usize> = Vec::new();
    for start in 0..edges.len() {
        let mut path: Vec<(usize, usize)> = if order[start] == NEW { vec![(start, 0)] } else { Vec::new() };
        while let Some((node, edge)) = path.pop() {
            if edge == 0 {
                order[node] = next;
                low[node] = next;
                next += 1;
                open.push(node);
            }
            if let Some(to) = edges[node].get(edge).copied() {
                path.push((node, edge + 1));
                if order[to] == NEW {
                    path.push((to, 0));
                } else if of[to] == NEW {
                    low[node] = low[node].min(order[to]);
                }
                continue;
            }
            if low[node] == order[node] {
                while let Some(member) = open.pop() {
                    of[member] = count;
                    if member == node {
                        break;
                    }
                }
                count += 1;
            }
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
        }
    }
    Components { of, count }
}

#[cfg(test)]
mod tests {
    use super::components;

    #[test]
    fn circles_are_groups_and_come_after_what_they_lead_to() {
        let found = components(&[vec![1], vec![2, 4], vec![0, 3], vec![], vec![4], vec![3, 0]]);
        assert_eq!(found.of[0], found.of[1]);
        assert_eq!(found.of[1], found.of[2]);
        assert!(found.of[3] < found.of[0] && found.of[4] < found.of[0] && found.of[0] < found.of[5]);
        assert_eq!(found.count, 4);
    }

    #[test]
    fn long_chains_need_no_stack() {
        let mut edges: Vec<Vec<usize>> = (1..200_000).map(|next| vec![next]).collect();
        edges.push(vec![0]);
        assert_eq!(components(&edges).count, 1);
    }
}
