//! Connections to those who look: so many at once, each dropped once nothing has moved on it for a while.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// Connections at once; further ones wait.
const MOST: usize = 64;
/// How long a connection may stand still. Whoever reads the events is sent something more often than that.
const STILL: Duration = Duration::from_secs(20);

/// Connections as they come in.
pub(super) struct Listening {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Listening {
    pub(super) fn new(listener: TcpListener) -> Self {
        Self { listener, places: Arc::new(Semaphore::new(MOST)) }
    }
}

impl Listener for Listening {
    type Io = Connection;
    type Addr = ();

    async fn accept(&mut self) -> (Connection, ()) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                unreachable!("the places are never closed")
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    // A picture that waits to be sent together with more would only be late.
                    let _refused = stream.set_nodelay(true);
                    return (Connection { stream, until: Box::pin(sleep(STILL)), _place: place }, ());
                }
                // Out of descriptors, most likely: some will be given back.
                Err(_) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

/// One connection.
pub(super) struct Connection {
    stream: TcpStream,
    /// When it has stood still for too long.
    until: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// What came of reading or writing; an error where nothing has moved for too long.
    fn watched<T>(&mut self, cx: &mut Context<'_>, moved: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.until.as_mut().reset(Instant::now() + STILL);
            return moved;
        }
        ready!(self.until.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        self.watched(cx, read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched(cx, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
