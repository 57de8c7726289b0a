//! Lets in a bounded number of connections, and none that idles.

use axum::serve::Listener;
use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, Sleep, sleep},
};

#[cfg(test)]
mod tests;

/// Connections at one time; further ones wait in the system's queue.
const CONNECTIONS: usize = 256;

/// How long a connection may say nothing.
const IDLE: Duration = Duration::from_secs(30);

/// A listener that counts whom it let in.
#[derive(Debug)]
pub(super) struct Gate {
    listener: TcpListener,
    places: Arc<Semaphore>,
    idle: Duration,
}

impl Gate {
    /// Guards a listener.
    pub(super) fn new(listener: TcpListener) -> Gate {
        Gate { listener, places: Arc::new(Semaphore::new(CONNECTIONS)), idle: IDLE }
    }
}

impl Listener for Gate {
    type Io = Guest;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Guest, SocketAddr) {
        let place = Arc::clone(&self.places).acquire_owned().await;
        let place = place.expect("nobody closes this semaphore");
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let idle = self.idle;
        (Guest { stream, idle, leave: Box::pin(sleep(idle)), _place: place }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends when its peer has said nothing, and taken nothing we said, for too long.
#[derive(Debug)]
pub(super) struct Guest {
    stream: TcpStream,
    idle: Duration,
    leave: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Guest {
    /// Something passed, so there is time again.
    fn stay(&mut self) {
        let later = Instant::now() + self.idle;
        self.leave.as_mut().reset(later);
    }
}

impl AsyncRead for Guest {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_read(context, buffer) {
            Poll::Ready(result) => {
                self.stay();
                Poll::Ready(result)
            }
            Poll::Pending => {
                ready!(self.leave.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Guest {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(context, bytes));
        self.stay();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
