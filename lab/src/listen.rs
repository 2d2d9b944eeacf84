//! A port that can be closed with all of its connections, as when a region is lost, and opened
//! again.

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;
pub type Answer = Response<Body>;

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
pub struct Cut;

/// What answers requests at a port.
#[async_trait::async_trait]
pub trait Handler: Send + Sync + 'static {
    async fn handle(&self, request: Request<Incoming>) -> Result<Answer, Cut>;
}

/// A whole body.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    use http_body_util::BodyExt;
    http_body_util::Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

pub struct Listener {
    pub port: u16,
    handler: Arc<dyn Handler>,
    accepting: Mutex<Option<Accepting>>,
}

/// Ends once `open` is dropped.
struct Accepting {
    open: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A free port of loopback, held until the listener opens it.
///
/// # Errors
/// None is free.
pub fn free_port() -> std::io::Result<u16> {
    std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|l| l.local_addr())
        .map(|a| a.port())
}

fn bind(port: u16) -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Old connections in TIME_WAIT must not keep a lab from starting again on its ports.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from(([127, 0, 0, 1], port)))?;
    socket.listen(1024)
}

impl Listener {
    /// # Errors
    /// The port is taken.
    pub fn open(port: u16, handler: Arc<dyn Handler>) -> std::io::Result<Self> {
        let listener = Self {
            port,
            handler,
            accepting: Mutex::default(),
        };
        listener.reopen()?;
        Ok(listener)
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port refuses, and connections were cut in the middle of whatever they did, when it
    /// returns.
    pub async fn close(&self) {
        let accepting = lock(&self.accepting).take();
        if let Some(Accepting { open, task }) = accepting {
            drop(open);
            let _ended = task.await;
        }
    }

    /// # Errors
    /// The port is taken.
    pub fn reopen(&self) -> std::io::Result<()> {
        let mut accepting = lock(&self.accepting);
        if accepting.is_none() {
            let socket = bind(self.port)?;
            let (open, closed) = oneshot::channel();
            let task = tokio::spawn(accept(socket, self.handler.clone(), closed));
            *accepting = Some(Accepting { open, task });
        }
        Ok(())
    }
}

async fn accept(socket: TcpListener, handler: Arc<dyn Handler>, mut closed: oneshot::Receiver<()>) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut closed => break,
            accepted = socket.accept() => {
                // Out of descriptors: the next round tries again once one is closed.
                let Ok((stream, _)) = accepted else { continue };
                drop(stream.set_nodelay(true));
                let handler = handler.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| {
                        let handler = handler.clone();
                        async move { handler.handle(request).await }
                    });
                    let mut http = hyper::server::conn::http1::Builder::new();
                    http.timer(TokioTimer::new());
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
            Some(_) = connections.join_next() => {}
        }
    }
    drop(socket);
    connections.shutdown().await;
}
