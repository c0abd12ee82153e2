//! How connections are encrypted: by rustls with the feature `tls`, and not at all without it.

#[cfg(feature = "tls")]
#[path = "tls/encrypted.rs"]
mod imp;
#[cfg(not(feature = "tls"))]
#[path = "tls/plain.rs"]
mod imp;

pub(crate) use imp::Connector;
pub(super) use imp::connector;

/// How much of the server's identity is checked, as libpq's sslmode says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// `disable`, `prefer`, `require`: encryption at most.
    Unverified,
    /// `verify-ca`: a certificate of a known authority.
    VerifyCa,
    /// `verify-full`: and for this host.
    VerifyFull,
}
