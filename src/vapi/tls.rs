//! Whose certificates are believed: those of the system, or Mozilla's list where the system has none.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, Error, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

/// The rules for connections under TLS. Reads the system's certificates, which takes some milliseconds.
pub(crate) fn system() -> Result<ClientConfig, Error> {
    match builder()?.with_platform_verifier() {
        Ok(verified) => Ok(verified.with_no_client_auth()),
        // A container without certificates is no reason not to dial.
        Err(_) => with_roots(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
    }
}

/// The rules where no connection is to be made under TLS: nobody is believed, nothing is read.
pub(crate) fn nobody() -> Result<ClientConfig, Error> {
    with_roots(RootCertStore::empty())
}

fn with_roots(roots: RootCertStore) -> Result<ClientConfig, Error> {
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    ClientConfig::builder_with_provider(Arc::new(ring::default_provider())).with_safe_default_protocol_versions()
}
