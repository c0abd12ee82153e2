//! Connections without TLS.

use tokio_postgres::NoTls;
use tokio_postgres::config::SslMode;

use super::{ClientCertificate, Tls};
use crate::error::{Error, Result};

pub(crate) type Connector = NoTls;

/// Returns a connector that cannot encrypt, or an error if encryption is required.
pub(in crate::connection) fn connector(
    mode: SslMode,
    _: Tls,
    _: Option<&str>,
    own: Option<&ClientCertificate>,
) -> Result<Connector> {
    match mode {
        _ if own.is_some() => Err(Error::Config("sslcert requires TLS: enable the feature `tls` of relata".to_owned())),
        SslMode::Disable | SslMode::Prefer => Ok(NoTls),
        _ => Err(Error::Config("the sslmode requires TLS: enable the feature `tls` of relata".to_owned())),
    }
}
