//! Connections that can be cut: a lost answer is a connection that closes without one.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// Cuts the connection that a request came on: nothing more is written to it, not even the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct ConnectionLoss(Arc<AtomicBool>);

impl ConnectionLoss {
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    cut: ConnectionLoss,
}

/// Connections as they come in.
pub(super) struct Listening(pub(super) TcpListener);

impl Listener for Listening {
    type Io = Connection;
    type Addr = ConnectionLoss;

    async fn accept(&mut self) -> (Connection, ConnectionLoss) {
        loop {
            match self.0.accept().await {
                Ok((stream, _)) => {
                    let cut = ConnectionLoss::default();
                    // An answer that waits to be sent together with more would only be late.
                    let _refused = stream.set_nodelay(true);
                    return (Connection { stream, cut: cut.clone() }, cut);
                }
                // Out of descriptors, most likely: some will be given back.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<ConnectionLoss> {
        Ok(ConnectionLoss::default())
    }
}

impl Connected<IncomingStream<'_, Listening>> for ConnectionLoss {
    fn connect_info(stream: IncomingStream<'_, Listening>) -> Self {
        stream.remote_addr().clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
