//! `inet` and `cidr`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cidr::{IpCidr, IpInet};

use super::{Overlapping, PartOf, WholeOf};
use crate::dsl::Filter;
use crate::dsl::expression::{Expression, holds, named};
use crate::dsl::field::Field;
use crate::dsl::kind::{Single, Source, Uniqueness};
use crate::query::Form;
use crate::rows::Model;
use crate::value::{IntoValue, NetAddress, Scalar};

macro_rules! networks {
    ($($base:ty: $($argument:ty),+;)+) => {
        $($(
            #[diagnostic::do_not_recommend]
            impl PartOf<$base> for $argument {
                fn contains<M: Model>(self, column: u16) -> Filter<M> {
                    compare(column, ">>=", self)
                }
            }

            #[diagnostic::do_not_recommend]
            impl WholeOf<$base> for $argument {
                fn contained_in<M: Model>(self, column: u16) -> Filter<M> {
                    compare(column, "<<=", self)
                }
            }

            #[diagnostic::do_not_recommend]
            impl Overlapping<$base> for $argument {
                fn overlaps<M: Model>(self, column: u16) -> Filter<M> {
                    compare(column, "&&", self)
                }
            }
        )+)+
    };
}

networks! {
    IpInet: IpInet, IpCidr, IpAddr, Ipv4Addr, Ipv6Addr;
    IpCidr: IpInet, IpCidr, IpAddr, Ipv4Addr, Ipv6Addr;
}

fn compare<M: Model>(column: u16, operator: &'static str, other: impl IntoValue<IpInet>) -> Filter<M> {
    holds(column, Form::Infix(operator), vec![named(other.into_value().into_param(), "inet")])
}

impl<M: Model, T: Scalar<Base: NetAddress>, A: Single, U: Uniqueness, S: Source> Field<M, T, A, U, S> {
    /// Returns the version of the protocol: 4 or 6.
    pub fn family(self) -> Expression<M, i32, A> {
        Expression::new(self.column, Form::Call("family"), Vec::new())
    }

    /// Returns the number of bits of the network.
    pub fn prefix_length(self) -> Expression<M, i32, A> {
        Expression::new(self.column, Form::Call("masklen"), Vec::new())
    }
}
