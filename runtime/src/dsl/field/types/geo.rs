//! Places of PostGIS, and points.

use geo_types::{Coord, Geometry};

use super::{PartOf, WholeOf};
use crate::dsl::Filter;
use crate::dsl::expression::{Expression, holds, like_column, named};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::{Form, Operand};
use crate::rows::Model;
use crate::value::{IntoValue, Param, Scalar, Spatial};

fn operand(place: impl Into<Geometry<f64>>) -> Operand {
    like_column(place.into().into_param())
}

#[diagnostic::do_not_recommend]
impl<P: Spatial, V: Into<Geometry<f64>>> PartOf<P> for V {
    fn contains<M: Model>(self, column: u16) -> Filter<M> {
        holds(column, Form::Call("ST_Covers"), vec![operand(self)])
    }
}

#[diagnostic::do_not_recommend]
impl<P: Spatial, V: Into<Geometry<f64>>> WholeOf<P> for V {
    fn contained_in<M: Model>(self, column: u16) -> Filter<M> {
        holds(column, Form::Call("ST_CoveredBy"), vec![operand(self)])
    }
}

/// The base of columns that hold places, to compare with a place of the type `G`.
#[diagnostic::on_unimplemented(
    message = "a column of `{Self}` has no place to compare with a `{G}`",
    label = "only `Geometry` and `Geography` columns have `distance`, `within_distance` and `intersects`",
    note = "a `point` column has `distance_from`, a vector `l2_distance`, `cosine_distance` and others"
)]
pub trait PlacedWith<G> {
    #[doc(hidden)]
    fn param(place: G) -> Param;
}

#[diagnostic::do_not_recommend]
impl<P: Spatial, G: Into<Geometry<f64>>> PlacedWith<G> for P {
    fn param(place: G) -> Param {
        place.into().into_param()
    }
}

impl<M: Model, T: Scalar, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns the distance from the place: in meters for a `geography`, in units of the coordinates for a `geometry`.
    /// Sorting by it uses an index of type `Gist`.
    pub fn distance<G>(self, place: G) -> Expression<M, f64, A>
    where
        T::Base: PlacedWith<G>,
    {
        let form = Form::Distance { call: "ST_Distance", infix: "<->" };
        Expression::new(self.column, form, vec![like_column(T::Base::param(place))])
    }

    /// Matches if the distance from the place is at most this: in meters for a `geography`, in units of the coordinates
    /// for a `geometry`. It uses an index of type `Gist`.
    pub fn within_distance<G>(self, place: G, distance: f64) -> Filter<M>
    where
        T::Base: PlacedWith<G>,
    {
        let distance = named(Param::Float(distance), "float8");
        holds(self.column, Form::Call("ST_DWithin"), vec![like_column(T::Base::param(place)), distance])
    }

    /// Matches if the two places have a point in common. It uses an index of type `Gist`.
    pub fn intersects<G>(self, place: G) -> Filter<M>
    where
        T::Base: PlacedWith<G>,
    {
        holds(self.column, Form::Call("ST_Intersects"), vec![like_column(T::Base::param(place))])
    }
}

impl<M: Model, T: Scalar<Base = Coord<f64>>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns the distance of a `point` from another one. Sorting by it uses an index of type `Gist`.
    pub fn distance_from(self, point: impl IntoValue<Coord<f64>>) -> Expression<M, f64, A> {
        Expression::new(self.column, Form::Infix("<->"), vec![like_column(point.into_value().into_param())])
    }
}
