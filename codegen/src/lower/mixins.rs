//! Expands mixins: the fields of a mixin take the place of each `...Name`, and its attributes come before those of the
//! model. Later passes do not see mixins.

use std::collections::{BTreeMap, BTreeSet};

use super::Cx;
use crate::diagnostics::{self as codes, Diagnostic, Span, did_you_mean, suggest};
use crate::syntax::{Attribute, FieldBlock, FieldLine, ModelKind, Name};

/// The mixins by name, without those that cannot be used.
pub(super) struct Mixins<'a> {
    by_name: BTreeMap<&'a str, &'a FieldBlock<'a>>,
    models: BTreeMap<&'a str, Span>,
}

/// The maximum depth of nested mixins, because expanding them is recursive.
const MAX_DEPTH: usize = 16;

/// The fields and attributes of a block.
#[derive(Default)]
pub(super) struct Members<'a> {
    pub(super) fields: Vec<&'a FieldLine<'a>>,
    pub(super) attributes: Vec<&'a Attribute<'a>>,
}

/// Reads the mixins, and reports relations, cycles and unknown names in them.
pub(super) fn read_mixins<'a>(cx: &mut Cx<'a, '_>) -> Mixins<'a> {
    let ast = cx.ast;
    let mut by_name = BTreeMap::new();
    for mixin in &ast.mixins {
        by_name.entry(mixin.name.text).or_insert(mixin);
    }
    let models = ast.models.iter().filter(|model| model.kind != ModelKind::Composite);
    let models = models.map(|model| (model.name.text, model.name.span)).collect();
    let mixins = Mixins { by_name, models };
    for mixin in &ast.mixins {
        for field in &mixin.fields {
            if let Some(model) = mixins.models.get(field.ty.name.text) {
                report_relation(cx, mixin.name, field, *model);
            }
        }
        let mut walk = Walk { mixins: &mixins, path: vec![mixin.name.text], seen: BTreeMap::new(), cx: &mut *cx };
        walk.collect(mixin, &mut Members::default());
    }
    mixins
}

impl<'a> Mixins<'a> {
    /// Returns the members of a model, including those of its mixins.
    pub(super) fn expand(&self, cx: &mut Cx<'a, '_>, model: &'a FieldBlock<'a>) -> Members<'a> {
        let mut members = Members::default();
        for spread in &model.spreads {
            if !self.by_name.contains_key(spread.name.text) {
                self.report_unknown(cx, spread.name);
            }
        }
        let mut walk = Walk { mixins: self, path: Vec::new(), seen: BTreeMap::new(), cx };
        walk.collect(model, &mut members);
        members
    }

    fn report_unknown(&self, cx: &mut Cx<'_, '_>, name: Name<'_>) {
        let known = self.by_name.keys().copied().filter(|_| cx.may_search());
        let help = suggest(did_you_mean(name.text, known).map(|guess| format!("...{guess}")), || {
            format!("declare it: `mixin {} {{ .. }}`", name.text)
        });
        let message = format!("there is no mixin `{}`", name.text);
        cx.report(Diagnostic::new(codes::UNKNOWN_MIXIN, name.span, message).label("unknown mixin").help(help));
    }
}

/// Walks through the mixins of one block.
struct Walk<'w, 'a, 'd> {
    mixins: &'w Mixins<'a>,
    /// The mixins on the current path. The first one is reported if it occurs again.
    path: Vec<&'a str>,
    /// The place where each mixin was included.
    seen: BTreeMap<&'a str, Span>,
    cx: &'w mut Cx<'a, 'd>,
}

impl<'a> Walk<'_, 'a, '_> {
    /// Adds the members of a block. Each mixin is added once.
    fn collect(&mut self, block: &'a FieldBlock<'a>, members: &mut Members<'a>) {
        let mut spreads = block.spreads.iter().peekable();
        for at in 0..=block.fields.len() {
            while let Some(spread) = spreads.next_if(|spread| spread.before == at) {
                self.put_in(spread.name, members);
            }
            let field = block.fields.get(at);
            members.fields.extend(field.filter(|field| self.is_kept(field)));
        }
        members.attributes.extend(&block.attributes);
    }

    /// A relation in a mixin was reported at the mixin.
    fn is_kept(&self, field: &FieldLine<'_>) -> bool {
        self.path.is_empty() || !self.mixins.models.contains_key(field.ty.name.text)
    }

    fn put_in(&mut self, name: Name<'a>, members: &mut Members<'a>) {
        let Some(mixin) = self.mixins.by_name.get(name.text).copied() else {
            // Inside a mixin, this is reported once, when the mixin itself is read.
            if self.path.len() == 1 && self.is_reading() {
                let mixins = self.mixins;
                mixins.report_unknown(self.cx, name);
            }
            return;
        };
        if self.path.contains(&name.text) {
            if self.path.first() == Some(&name.text) && self.is_reading() {
                report_circle(self.cx, name, mixin.name);
            }
            return;
        }
        if self.path.len() > MAX_DEPTH {
            if self.is_reading() {
                report_depth(self.cx, name);
            }
            return;
        }
        if let Some(first) = self.seen.insert(name.text, name.span) {
            if self.path.len() == 1 || !self.is_reading() {
                report_repeated(self.cx, name, first);
            }
            return;
        }
        self.path.push(name.text);
        self.collect(mixin, members);
        self.path.pop();
    }

    /// Returns whether the walk began in a mixin: `seen` never contains the block where it began.
    fn is_reading(&self) -> bool {
        self.path.first().is_some_and(|first| !self.seen.contains_key(first))
    }
}

fn report_relation(cx: &mut Cx<'_, '_>, mixin: Name<'_>, field: &FieldLine<'_>, model: Span) {
    let message = format!("`{}.{}` is a relation, which a mixin cannot have", mixin.text, field.name.text);
    cx.report(
        Diagnostic::new(codes::RELATION_IN_MIXIN, field.ty.span, message)
            .label("this is a model")
            .second(model, "declared here; this model would need a field for every model that includes the mixin")
            .help("keep the column in the mixin, and write the relation in each model"),
    );
}

fn report_circle(cx: &mut Cx<'_, '_>, spread: Name<'_>, mixin: Name<'_>) {
    cx.report(
        Diagnostic::new(codes::MIXIN_CIRCLE, spread.span, format!("the mixin `{}` contains itself", mixin.text))
            .label("includes the first one again")
            .second(mixin.span, "the mixin")
            .help("remove one of these `...` lines"),
    );
}

fn report_depth(cx: &mut Cx<'_, '_>, spread: Name<'_>) {
    let message = format!("mixins are nested more than {MAX_DEPTH} levels deep");
    cx.report(
        Diagnostic::new(codes::MIXIN_CIRCLE, spread.span, message)
            .label("too deep")
            .help("include some of the mixins in the model itself"),
    );
}

fn report_repeated(cx: &mut Cx<'_, '_>, again: Name<'_>, first: Span) {
    cx.report(
        Diagnostic::new(codes::REPEATED_MIXIN, again.span, format!("the mixin `{}` is included twice", again.text))
            .label("included again")
            .second(first, "first included here, possibly by another mixin")
            .help("remove one of them"),
    );
}

/// A mistake in a mixin is found in every model that includes it. It is reported only once.
pub(super) fn report_once(cx: &mut Cx<'_, '_>) {
    let ends =
        cx.ast.mixins.iter().filter_map(|mixin| Some(((mixin.name.span.file, mixin.name.span.start), mixin.close?)));
    let inside: BTreeMap<(u32, u32), u32> = ends.collect();
    if inside.is_empty() {
        return;
    }
    let is_in_mixin = |span: Span| {
        let before = inside.range(..=(span.file, span.start)).next_back();
        before.is_some_and(|((file, _), close)| *file == span.file && span.start <= *close)
    };
    let mut seen = BTreeSet::new();
    cx.diagnostics.retain(|found| !is_in_mixin(found.span) || seen.insert((found.span, found.code)));
}
