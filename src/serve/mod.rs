//! The edge towards the network: the only room that knows TLS, HTTP and sockets.

pub mod authority;
mod certificate;
mod keyfile;
pub mod tls;
