//! `inet`, `cidr`, `macaddr` and `macaddr8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::{BufMut, BytesMut};
use cidr::{IpCidr, IpInet};
use macaddr::{MacAddr6, MacAddr8};
use postgres_protocol::types as wire;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::super::arithmetic::Ordered;
use super::super::into::{IntoNullable, IntoValue};
use super::super::param::Param;
use super::super::postgres::Encoded;
use super::super::scalar::Scalar;
use crate::value::BoxError;

/// Addresses and networks: the types of `inet` and `cidr`.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a network address")]
pub trait NetAddress: Scalar {}

impl NetAddress for IpInet {}
impl NetAddress for IpCidr {}

#[derive(Debug, PartialEq)]
struct Sent<T>(T);

macro_rules! addresses {
    ($($type:ty: $($known:ident)|+, |$raw:ident| $decode:expr, |$value:ident, $out:ident| $encode:expr;)+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl Scalar for $type {
                type Base = Self;

                fn decode($raw: &[u8]) -> Result<Self, BoxError> {
                    $decode
                }

                fn into_param(self) -> Param {
                    Param::Encoded(Encoded::new(Sent(self)))
                }

                fn accepts(ty: &Type) -> bool {
                    matches!(*ty, $(Type::$known)|+)
                }
            }

            impl ToSql for Sent<$type> {
                fn to_sql(&self, _: &Type, $out: &mut BytesMut) -> Result<IsNull, BoxError> {
                    let $value = &self.0;
                    $encode;
                    Ok(IsNull::No)
                }

                fn accepts(ty: &Type) -> bool {
                    matches!(*ty, $(Type::$known)|+)
                }

                to_sql_checked!();
            }
        )+
    };
}

addresses! {
    IpInet: INET | CIDR, |raw| {
        let inet = wire::inet_from_sql(raw)?;
        Ok(IpInet::new(inet.addr(), inet.netmask())?)
    }, |value, out| wire::inet_to_sql(value.address(), value.network_length(), out);
    IpCidr: CIDR | INET, |raw| {
        let inet = wire::inet_from_sql(raw)?;
        Ok(IpCidr::new(inet.addr(), inet.netmask())?)
    }, |value, out| wire::inet_to_sql(value.first_address(), value.network_length(), out);
    MacAddr6: MACADDR, |raw| Ok(MacAddr6::from(wire::macaddr_from_sql(raw)?)),
    |value, out| wire::macaddr_to_sql(value.into_array(), out);
    MacAddr8: MACADDR8, |raw| Ok(MacAddr8::from(<[u8; 8]>::try_from(raw)?)),
    |value, out| out.put_slice(value.as_bytes());
}

// PostgreSQL has a minimum and a maximum of `inet` only, which a `cidr` becomes.
impl Ordered for IpInet {}

macro_rules! from_addresses {
    ($($from:ty),+) => {
        $(
            #[diagnostic::do_not_recommend]
            impl IntoValue<IpInet> for $from {
                fn into_value(self) -> IpInet {
                    IpInet::new_host(self.into())
                }
            }

            #[diagnostic::do_not_recommend]
            impl IntoNullable<IpInet> for $from {
                fn into_nullable(self) -> Option<IpInet> {
                    Some(IpInet::new_host(self.into()))
                }
            }
        )+
    };
}

from_addresses!(IpAddr, Ipv4Addr, Ipv6Addr);

#[diagnostic::do_not_recommend]
impl IntoValue<IpInet> for IpCidr {
    fn into_value(self) -> IpInet {
        match self {
            IpCidr::V4(network) => IpInet::V4(network.first()),
            IpCidr::V6(network) => IpInet::V6(network.first()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent<T: Scalar>(value: T, ty: &Type) -> T {
        let mut out = BytesMut::new();
        value.into_param().to_sql(ty, &mut out).expect("is written");
        T::decode(&out).expect("is read")
    }

    #[test]
    fn addresses_survive_the_wire() {
        for text in ["10.1.2.3/8", "0.0.0.0/0", "255.255.255.255", "::/0", "2001:db8::1/64", "::ffff:1.2.3.4"] {
            let inet: IpInet = text.parse().expect("is one");
            assert_eq!(sent(inet, &Type::INET), inet);
        }
        for text in ["10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32"] {
            let cidr: IpCidr = text.parse().expect("is one");
            assert_eq!(sent(cidr, &Type::CIDR), cidr);
            assert_eq!(IntoValue::<IpInet>::into_value(cidr).to_string(), text);
        }
        let mac = MacAddr6::new(1, 2, 3, 0xff, 0, 6);
        assert_eq!(sent(mac, &Type::MACADDR), mac);
        let mac = MacAddr8::new(1, 2, 3, 0xff, 0, 6, 7, 8);
        assert_eq!(sent(mac, &Type::MACADDR8), mac);
        for length in 0..20 {
            let raw = vec![0xff; length];
            let _ = (IpInet::decode(&raw), IpCidr::decode(&raw), MacAddr6::decode(&raw), MacAddr8::decode(&raw));
        }
    }
}
