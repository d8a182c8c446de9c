//! One run of a campaign on a machine, whichever copy of the state directory it runs from. Locks lie in the directory and
//! are copied with it; a name in the kernel is not, and goes when its process does (unix(7), abstract addresses). Systems
//! other than Linux have no such names, and other machines and containers with a network of their own do not see them.

/// Whatever keeps the name taken.
#[derive(Debug)]
pub(super) struct Presence {
    #[cfg(target_os = "linux")]
    _socket: std::os::unix::net::UnixListener,
}

#[cfg(target_os = "linux")]
impl Presence {
    /// Takes the name of these parts. None where the system has no such names or does not let us; an error, with the
    /// process where it can be told, if another has it.
    pub(super) fn of(parts: &[&[u8]]) -> Result<Option<Self>, Option<u32>> {
        use std::io::ErrorKind;
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

        let Ok(address) = SocketAddr::from_abstract_name(name(parts)) else { return Ok(None) };
        match UnixListener::bind_addr(&address) {
            Ok(socket) => Ok(Some(Self { _socket: socket })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {
                let holder = UnixStream::connect_addr(&address).ok().and_then(|socket| peer(&socket));
                Err(holder)
            }
            Err(_) => Ok(None),
        }
    }
}

#[cfg(not(target_os = "linux"))]
impl Presence {
    /// There are no such names here.
    pub(super) fn of(_parts: &[&[u8]]) -> Result<Option<Self>, Option<u32>> {
        Ok(None)
    }
}

/// The process at the other end.
#[cfg(target_os = "linux")]
fn peer(socket: &std::os::unix::net::UnixStream) -> Option<u32> {
    let credentials = rustix::net::sockopt::socket_peercred(socket).ok()?;
    u32::try_from(credentials.pid.as_raw_nonzero().get()).ok()
}

#[cfg(target_os = "linux")]
fn name(parts: &[&[u8]]) -> Vec<u8> {
    use sha2::{Digest, Sha256};

    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    [&b"dialer-"[..], &hash.finalize()].concat()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_process_s_until_it_lets_go() {
        let id = std::process::id().to_le_bytes();
        let ours = Presence::of(&[&id, b"leads"]).unwrap();
        assert!(ours.is_some());
        assert_eq!(Presence::of(&[&id, b"leads"]).unwrap_err(), Some(std::process::id()));
        assert!(Presence::of(&[&id, b"lead", b"s"]).unwrap().is_some());
        drop(ours);
        assert!(Presence::of(&[&id, b"leads"]).unwrap().is_some());
    }
}
