//! The types of generated constants, and what programs build from them: fields, relations, filters, sort keys,
//! selections and new rows. All of it becomes data of `query`.

mod assignment;
mod calculated;
mod columns;
mod create;
mod expression;
mod field;
mod filter;
mod having;
mod key;
pub mod kind;
mod nested;
mod now;
mod omitted;
mod operand;
mod order;
mod relation;
mod scope;
mod selectable;
mod selection;
mod temporal;

pub(crate) use assignment::as_sets;
pub use assignment::{Assignment, IntoAssignments};
pub(crate) use calculated::calculations;
pub use calculated::{Aggregates, Calculated, count};
pub use columns::{Columns, GroupKeys, Grouping, WrittenColumns};
pub use create::{ANY, CreateRow, CreateWith, HasParents, InParent, Inside, Link, NewRow, OrCreate, Parent, PlacedIn};
pub use expression::{Case, Expression, SqlArguments, TextOrRange, case};
pub use field::{
    ColumnOf, Field, JsonField, JsonPath, OrderedInJson, Overlapping, PartOf, Relevance, SearchQuery, Searched, WholeOf,
};
#[cfg(feature = "types")]
pub use field::{IntoRange, Ranges};
pub(crate) use filter::escape_like;
pub use filter::{Filter, Unique, UniqueKey};
pub use having::{GroupOrder, Having};
pub use key::{Key, Keyed, UniqueColumns};
pub(crate) use nested::sets_of;
pub use nested::{Nested, NestedChange, NestedUpdate};
pub use now::{Elapsed, Now, Today, now, today};
pub use omitted::{Omits, add_row, read_row};
pub use operand::{Addend, Comparand, NewValue, Term};
pub use order::Order;
pub(crate) use relation::include_of;
pub use relation::{
    At, CanInclude, Filled, Included, IntoInclude, IsModel, Next, PlaceOf, Put, Recursive, RecursiveField, Refined,
    RelationField, RelationOf, RowOf, Slots, Slotted, WithAll,
};
pub use scope::Scope;
pub use selectable::{As, Selectable, SelectedFor, add_selected, read_selected};
pub use selection::{CountOf, SelectRelated, Selection};
pub use temporal::{DatePart, DateUnit, Day, Instant, Temporal};
