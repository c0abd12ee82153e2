//! TLS by rustls, and the verification of the server's certificate for values of `sslmode` that require less than full
//! verification.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_postgres::config::SslMode;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::Tls;
use crate::error::{Error, Result};

pub(crate) type Connector = MakeRustlsConnect;

/// Returns a connector that verifies the server's identity according to `tls`. `root` is `sslrootcert`.
pub(in crate::connection) fn connector(_: SslMode, tls: Tls, root: Option<&str>) -> Result<Connector> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Config(format!("TLS cannot be set up: {error}")))?;
    let authority = match tls {
        Tls::VerifyFull => {
            let config = builder.with_root_certificates(roots(root)?).with_no_client_auth();
            return Ok(MakeRustlsConnect::new(config));
        }
        Tls::Unverified => None,
        Tls::VerifyCa => {
            let roots = Arc::new(roots(root)?);
            let verifier = rustls::client::WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider));
            Some(verifier.build().map_err(|error| Error::Config(format!("sslmode=verify-ca: {error}")))?)
        }
    };
    let verifier = Arc::new(Lenient { provider, authority });
    let config = builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// Returns the trusted certificates: those of `sslrootcert`, otherwise the system's.
fn roots(certificate: Option<&str>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    match certificate {
        Some(path) if path != "system" => {
            let certificates = CertificateDer::pem_file_iter(path)
                .map_err(|error| Error::Config(format!("sslrootcert {path} cannot be read: {error}")))?;
            for certificate in certificates {
                let certificate =
                    certificate.map_err(|error| Error::Config(format!("sslrootcert {path} is not PEM: {error}")))?;
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
