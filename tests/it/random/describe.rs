//! Macros that describe each model once, for both sides: as data for the oracle, and as calls of the generated client.

/// Adds the includes of a shape to a query, or to another include.
macro_rules! attach {
    ($query:expr, $includes:ident;) => { $query };
    ($query:expr, $includes:ident; one $($path:ident)::+ ($($inner:tt)*) $($rest:tt)*) => {{
        let include: &crate::random::query::Include = $includes.next().expect("has the shape");
        #[allow(unused_mut, unused_variables, reason = "there may be nothing inside")]
        let mut inner = include.rows.includes.iter();
        let child = attach!($($path)::+, inner; $($inner)*);
        attach!($query.include(child), $includes; $($rest)*)
    }};
    ($query:expr, $includes:ident; many $($path:ident)::+ ($($inner:tt)*) $($rest:tt)*) => {{
        let include: &crate::random::query::Include = $includes.next().expect("has the shape");
        #[allow(unused_mut, unused_variables, reason = "there may be nothing inside")]
        let mut inner = include.rows.includes.iter();
        let refined = crate::random::subject::Refine::refine($($path)::+.filter(None::<relata::Filter<_>>), &include.rows);
        let child = attach!(refined, inner; $($inner)*);
        attach!($query.include(child), $includes; $($rest)*)
    }};
}

/// Returns the shape as data.
macro_rules! branches {
    ($($kind:ident $model:ident :: $relation:ident ($($inner:tt)*))*) => {
        vec![$(crate::random::world::Branch { relation: stringify!($relation), inner: branches!($($inner)*) }),*]
    };
}

macro_rules! field_object {
    (Text $field:expr) => {
        Box::new(crate::random::fields::TextField($field))
    };
    (Json $field:expr) => {
        Box::new(crate::random::fields::JsonField($field))
    };
    ($class:ident $field:expr) => {
        Box::new($field)
    };
}

/// Describes one model: its fields (class, whether it can be null, where its values come from), relations, keys, pairs
/// of comparable fields, columns for `distinct` and `group_by`, aggregates, shapes of includes, selections.
macro_rules! subject {
    (
        $client:path, $module:ident, $model:ident, $delegate:ident;
        fields { $($field:ident: $class:ident $nullable:literal = $source:expr,)+ }
        relations { $($relation:ident: $arity:ident $child:literal $link:expr,)* }
        keys { $($key:ident($($key_field:ident: $key_type:ty),+),)+ }
        pairs { $($left:ident $right:ident,)* }
        columns { $(($($column:ident),+),)+ }
        calculations { $($method:ident $calculation:ident $calculated:ident,)+ }
        shapes { $([$($shape:tt)*],)+ }
        selections { $($selection:expr => [$($selected:expr),+],)+ }
    ) => {
        impl crate::random::subject::Subject for $model {
            type Db = $client;

            fn describe() -> crate::random::world::Model {
                use crate::random::world::*;
                let mut model = Model {
                    name: stringify!($model),
                    fields: vec![$(Field {
                        name: stringify!($field),
                        class: Class::$class,
                        nullable: $nullable,
                        pool: Vec::new(),
                    }),+],
                    relations: vec![$(Relation {
                        name: stringify!($relation),
                        child: $child,
                        arity: Arity::$arity,
                        link: $link,
                    }),*],
                    keys: Vec::new(),
                    pairs: Vec::new(),
                    columns: Vec::new(),
                    calculations: vec![Calculation::Rows],
                    shapes: vec![$(branches!($($shape)*)),+],
                    selections: Vec::new(),
                };
                model.keys = vec![$(model.fields_named(&[$(stringify!($key_field)),+])),+];
                model.pairs = vec![$((model.field(stringify!($left)), model.field(stringify!($right)))),*];
                model.columns = vec![$(model.fields_named(&[$(stringify!($column)),+])),+];
                $(model.calculations.push(Calculation::$calculation(model.field(stringify!($calculated))));)+
                model.selections = vec![$(vec![$($selected),+]),+];
                model
            }

            fn sources() -> Vec<crate::random::data::Source> {
                vec![$($source),+]
            }

            fn delegate(db: &Self::Db) -> relata::Delegate<Self> {
                db.$delegate()
            }

            fn field(place: usize) -> Box<dyn crate::random::fields::AnyField<Self>> {
                let all: &[fn() -> Box<dyn crate::random::fields::AnyField<Self>>] =
                    &[$(|| field_object!($class $module::$field)),+];
                all[place]()
            }

            fn pair(place: usize, operator: crate::random::query::Compare) -> relata::Filter<Self> {
                use crate::random::query::Compare;
                let all: &[fn(Compare) -> relata::Filter<Self>] = &[$(|operator| {
                    let (left, right) = ($module::$left, $module::$right);
                    match operator {
                        Compare::Eq => left.eq_field(right),
                        Compare::Ne => left.ne_field(right),
                        Compare::Lt => left.lt_field(right),
                        Compare::Lte => left.lte_field(right),
                        Compare::Gt => left.gt_field(right),
                        Compare::Gte => left.gte_field(right),
                    }
                }),*];
                all[place](operator)
            }

            fn relation(place: usize) -> Box<dyn crate::random::subject::AnyRelation<Self>> {
                let all: &[fn() -> Box<dyn crate::random::subject::AnyRelation<Self>>] =
                    &[$(|| Box::new($module::$relation)),*];
                all[place]()
            }

            fn key(place: usize, values: &[crate::random::value::Value]) -> relata::Unique<Self> {
                use crate::random::value::{Plain, Value};
                let all: &[fn(&[Value]) -> relata::Unique<Self>] = &[$(|values| {
                    let mut values = values.iter();
                    $module::$key.eq($(<$key_type>::of(values.next().expect("has as many values"))),+)
                }),+];
                all[place](values)
            }

            fn calculation(place: usize) -> Box<dyn crate::random::fields::AnyCalculation<Self>> {
                let all: &[fn() -> Box<dyn crate::random::fields::AnyCalculation<Self>>] =
                    &[|| Box::new(relata::count::<Self>()), $(|| Box::new($module::$calculated.$method())),+];
                all[place]()
            }

            fn distinct<Q: crate::random::subject::Refine<Self>>(query: Q, place: usize) -> Q {
                let mut _next = 0..;
                $(
                    if _next.next() == Some(place) {
                        return query.by(($($module::$column,)+));
                    }
                )+
                panic!("there is nothing to be distinct by at {place}")
            }

            fn find(
                find: relata::FindMany<Self>,
                shape: usize,
                includes: &[crate::random::query::Include],
            ) -> crate::random::subject::Run<Vec<crate::random::subject::Tree>> {
                use crate::random::subject::Observe;
                #[allow(unused_mut, unused_variables, reason = "there may be nothing included")]
                let mut includes = includes.iter();
                let mut _next = 0..;
                $(
                    if _next.next() == Some(shape) {
                        let query = attach!(find, includes; $($shape)*);
                        return Box::pin(async move { Ok(query.await?.iter().map(Observe::tree).collect()) });
                    }
                )+
                panic!("there is no shape {shape}")
            }

            fn find_one(
                find: relata::FindUnique<Self>,
                shape: usize,
                includes: &[crate::random::query::Include],
            ) -> crate::random::subject::Run<Vec<crate::random::subject::Tree>> {
                use crate::random::subject::Observe;
                #[allow(unused_mut, unused_variables, reason = "there may be nothing included")]
                let mut includes = includes.iter();
                let mut _next = 0..;
                $(
                    if _next.next() == Some(shape) {
                        let query = attach!(find, includes; $($shape)*);
                        return Box::pin(async move { Ok(query.await?.iter().map(Observe::tree).collect()) });
                    }
                )+
                panic!("there is no shape {shape}")
            }

            fn select(
                find: relata::FindMany<Self>,
                place: usize,
            ) -> crate::random::subject::Run<Vec<crate::random::subject::Tree>> {
                use crate::random::subject::Observe;
                let mut _next = 0..;
                $(
                    if _next.next() == Some(place) {
                        let query = find.select($selection);
                        return Box::pin(async move { Ok(query.await?.iter().map(Observe::tree).collect()) });
                    }
                )+
                panic!("there is no selection {place}")
            }

            fn aggregate(
                db: &Self::Db,
                rows: &crate::random::query::Rows,
            ) -> crate::random::subject::Run<crate::random::subject::Tree> {
                use crate::random::subject::{Observe, Refine};
                let values = (relata::count(), $($module::$calculated.$method()),+);
                let query = Self::delegate(db).aggregate(values).refine(rows);
                Box::pin(async move { Ok(query.await?.tree()) })
            }

            fn group_by(
                db: &Self::Db,
                groups: &crate::random::query::Groups,
            ) -> crate::random::subject::Run<Vec<crate::random::subject::Tree>> {
                use crate::random::subject::{Observe, refine_groups};
                let values = (relata::count(), $($module::$calculated.$method()),+);
                let mut _next = 0..;
                $(
                    if _next.next() == Some(groups.by) {
                        let query = Self::delegate(db).group_by(($($module::$column,)+)).aggregate(values);
                        let query = refine_groups(query, groups);
                        return Box::pin(async move { Ok(query.await?.iter().map(Observe::tree).collect()) });
                    }
                )+
                panic!("there is nothing to group by at {}", groups.by)
            }
        }

        impl crate::random::subject::RowTree for $model {
            fn values(&self) -> Vec<crate::random::subject::Tree> {
                use crate::random::subject::Observe;
                vec![crate::random::subject::Tree::Row(vec![$(self.$field.tree()),+])]
            }
        }
    };
}

/// A row with relations. `With` has them in the order in which they are named here.
macro_rules! with_relations {
    ($module:ident: $($relation:ident $slot:ident),+) => {
        impl<$($slot: crate::random::subject::Observe),+> crate::random::subject::RowTree for $module::With<$($slot),+> {
            fn values(&self) -> Vec<crate::random::subject::Tree> {
                let mut values = crate::random::subject::RowTree::values(&self.row_);
                values.extend([$(crate::random::subject::Observe::tree(&self.$relation)),+]);
                values
            }
        }
    };
}

pub(crate) use {attach, branches, field_object, subject, with_relations};
