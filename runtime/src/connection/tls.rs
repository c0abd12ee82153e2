//! How connections are encrypted: by rustls with the feature `tls`, and not at all without it.

#[cfg(feature = "tls")]
#[path = "tls/encrypted.rs"]
mod imp;
#[cfg(not(feature = "tls"))]
#[path = "tls/plain.rs"]
mod imp;

pub(crate) use imp::Connector;
pub(super) use imp::connector;

/// Returns whether connections can be encrypted at all.
pub(super) fn can_encrypt() -> bool {
    cfg!(feature = "tls")
}

/// How strictly the server's identity is checked, according to libpq's sslmode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tls {
    /// `disable`, `prefer`, `require`: encryption only.
    Unverified,
    /// `verify-ca`: the certificate was issued by a trusted authority.
    VerifyCa,
    /// `verify-full`: and it was issued for this host.
    VerifyFull,
}

/// The certificate that a client shows, and its private key: names of PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ClientCertificate {
    pub(super) certificate: String,
    pub(super) key: String,
}
