//! TLS by rustls, and the verification of the server's certificate for values of `sslmode` that require less than full
//! verification.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{ClientCertificate, Tls};
use crate::error::{Error, Result};

pub(crate) type Connector = MakeRustlsConnect;

/// Returns a connector that verifies the server's identity according to `tls`. `root` is `sslrootcert`, and `own` what the
/// client shows of itself.
pub(in crate::connection) fn connector(
    _: SslMode,
    tls: Tls,
    root: Option<&str>,
    own: Option<&ClientCertificate>,
) -> Result<Connector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Config(format!("TLS cannot be set up: {error}")))?;
    let builder = match tls {
        Tls::VerifyFull => builder.with_root_certificates(roots(root)?),
        Tls::Unverified => builder.dangerous().with_custom_certificate_verifier(Arc::new(Lenient::new(provider, None))),
        Tls::VerifyCa => {
            let roots = Arc::new(roots(root)?);
            let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            let authority = verifier.build().map_err(|error| Error::Config(format!("sslmode=verify-ca: {error}")))?;
            let verifier = Arc::new(Lenient::new(provider, Some(authority)));
            builder.dangerous().with_custom_certificate_verifier(verifier)
        }
    };
    let config = match own {
        None => builder.with_no_client_auth(),
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(certified(own)?))),
    };
    Ok(MakeRustlsConnect::new(config))
}

/// Reads what the client shows of itself.
///
/// rustls would refuse certificates of version 1, which `openssl x509 -req` makes. The server decides about that.
fn certified(own: &ClientCertificate) -> Result<CertifiedKey> {
    let ClientCertificate { certificate, key } = own;
    let chain = certificates("sslcert", certificate)?;
    let signing = rustls::crypto::ring::sign::any_supported_type(&private_key(key)?).map_err(|_| {
        Error::Config(format!("sslkey {key} is of a kind that is not supported: use RSA, ECDSA or Ed25519"))
    })?;
    let certified = CertifiedKey::new(chain, signing);
    match certified.keys_match() {
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::KeyMismatch)) => {
            Err(Error::Config(format!("sslcert {certificate} and sslkey {key} do not belong together")))
        }
        _ => Ok(certified),
    }
}

/// Reads the certificates of a PEM file, which has at least one.
fn certificates(option: &str, path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let read = CertificateDer::pem_file_iter(path)
        .map_err(|error| Error::Config(format!("{option} {path} cannot be read: {error}")))?;
    let read: std::result::Result<Vec<_>, _> = read.collect();
    let read = read.map_err(|error| Error::Config(format!("{option} {path} is not PEM: {error}")))?;
    if read.is_empty() {
        return Err(Error::Config(format!("{option} {path} has no certificate in PEM format")));
    }
    Ok(read)
}

/// Reads the private key of a PEM file. Errors show nothing of it.
fn private_key(path: &str) -> Result<PrivateKeyDer<'static>> {
    let wrong = |reason: &str| Error::Config(format!("sslkey {path} {reason}"));
    let text = std::fs::read(path).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    let is_encrypted = text.windows(ENCRYPTED.len()).any(|part| part == ENCRYPTED);
    if is_encrypted {
        return Err(wrong(
            "is encrypted, which is not supported: write it without a passphrase (openssl pkey -in FILE -out NEW)",
        ));
    }
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| wrong("has no private key in PEM format"))
}

/// What the PEM file of a key with a passphrase has: in its first line, or in a header.
const ENCRYPTED: &[u8] = b"ENCRYPTED";

/// Returns the trusted certificates: those of `sslrootcert`, otherwise the system's.
fn roots(certificate: Option<&str>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match certificate {
        Some(path) if path != "system" => {
            for certificate in certificates("sslrootcert", path)? {
                roots.add(certificate).map_err(|error| Error::Config(format!("sslrootcert {path}: {error}")))?;
            }
        }
        _ => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    if roots.is_empty() {
        return Err(Error::Config(
            "sslmode requires to verify the server, but there is no trusted certificate: set sslrootcert=FILE".into(),
        ));
    }
    Ok(roots)
}

/// A partial verification of the server's identity, as libpq defines it for sslmode `prefer`, `require` and
/// `verify-ca`.
#[derive(Debug)]
struct Lenient {
    provider: Arc<rustls::crypto::CryptoProvider>,
    /// Checks that a trusted authority has issued the certificate, for any host. `None` accepts every certificate.
    authority: Option<Arc<rustls::client::WebPkiServerVerifier>>,
}

impl Lenient {
    fn new(
        provider: Arc<rustls::crypto::CryptoProvider>,
        authority: Option<Arc<rustls::client::WebPkiServerVerifier>>,
    ) -> Self {
        Self { provider, authority }
    }
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = &self.authority else { return Ok(ServerCertVerified::assertion()) };
        match authority.verify_server_cert(certificate, intermediates, name, ocsp, now) {
            Err(rustls::Error::InvalidCertificate(
                rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
