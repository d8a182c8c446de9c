//! A body that is asked last: whether its request may still go is decided when it is about to leave, after the
//! connection and TLS, where a process may have been stopped. Failing then leaves a request without its body, which no
//! server carries out.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Whether a request may still go.
pub(super) type MayGo = Box<dyn Fn() -> bool + Send + Sync>;

struct LastWord {
    body: Option<Bytes>,
    may_go: MayGo,
    withdrawn: Arc<AtomicBool>,
}

/// A body of one piece, and whether it was withdrawn instead of sent.
pub(super) fn body(body: String, may_go: MayGo) -> (reqwest::Body, Arc<AtomicBool>) {
    let withdrawn = Arc::new(AtomicBool::new(false));
    let last_word = LastWord { body: Some(body.into()), may_go, withdrawn: Arc::clone(&withdrawn) };
    (reqwest::Body::wrap(last_word), withdrawn)
}

impl Body for LastWord {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Some(body) = self.body.take() else { return Poll::Ready(None) };
        if (self.may_go)() {
            return Poll::Ready(Some(Ok(Frame::data(body))));
        }
        self.withdrawn.store(true, Ordering::SeqCst);
        Poll::Ready(Some(Err(io::Error::other("withdrawn before it was sent"))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.body.as_ref().map_or(0, |body| body.len() as u64))
    }
}
