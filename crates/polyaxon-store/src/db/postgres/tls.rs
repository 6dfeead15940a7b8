//! TLS to the database, as far as its address asks for it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Protection, Roots};
use crate::{Error, Result};

pub(super) fn connector(protection: &Protection) -> Result<MakeRustlsConnect> {
    let provider = Arc::new(ring::default_provider());
    let (roots, is_host_checked) = match protection {
        Protection::None | Protection::Encrypted => (None, false),
        Protection::Authority(roots) => (Some(roots), false),
        Protection::Host(roots) => (Some(roots), true),
    };
    let authorities = roots
        .map(|roots| {
            let store = Arc::new(trusted(roots)?);
            WebPkiServerVerifier::builder_with_provider(store, Arc::clone(&provider)).build().map_err(unusable)
        })
        .transpose()?;
    let verifier = Verifier { provider: Arc::clone(&provider), authorities, is_host_checked };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(unusable)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

fn trusted(roots: &Roots) -> Result<RootCertStore> {
    let mut store = RootCertStore::empty();
    match roots {
        Roots::System => {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Roots::File(path) => {
            let read = || -> std::result::Result<Vec<CertificateDer<'static>>, _> {
                CertificateDer::pem_file_iter(path)?.collect()
            };
            let certificates = read().map_err(|error| {
                Error::Address(format!("cannot read the certificates of the database in {}: {error}", path.display()))
            })?;
            store.add_parsable_certificates(certificates);
        }
    }
    Ok(store)
}

fn unusable(error: impl std::fmt::Display) -> Error {
    Error::Address(format!("TLS to the database cannot be set up: {error}"))
}

/// Checks as much as the address asks for.
#[derive(Debug)]
struct Verifier {
    provider: Arc<CryptoProvider>,
    /// Nobody is asked when there are none: the connection is only encrypted.
    authorities: Option<Arc<WebPkiServerVerifier>>,
    is_host_checked: bool,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        revocation: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let Some(authorities) = &self.authorities else { return Ok(ServerCertVerified::assertion()) };
        match authorities.verify_server_cert(certificate, intermediates, name, revocation, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if !self.is_host_checked => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
