//! Connections 连接: takes them in up to a number, gives each a time to say what it wants, and lets requests under way end before the server
//! does.
//!
//! Entry point: [`serve`]. What one request may cost is the router's (`http::TIMEOUT`, `http::BODY_BYTES`); here is what a connection may
//! cost before there is a request.

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::Service as _;

/// What connections may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Open at once; more wait until one ends.
    pub connections: usize,
    /// For the head of a request, and between two requests. Longer than the minute a reverse proxy keeps a connection, so that it is never
    /// closed under a request just sent.
    pub head: Duration,
    /// For requests under way when the server is told to stop.
    pub farewell: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            connections: 8_192,
            head: Duration::from_secs(75),
            farewell: Duration::from_secs(10),
        }
    }
}

/// After a connection could not be accepted (no file descriptor left): until the next try.
const BREATH: Duration = Duration::from_millis(200);

/// Answers requests until `stop` is there; whether all under way then could end in time.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) -> bool {
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut stop = std::pin::pin!(stop);
    loop {
        let (stream, place) = tokio::select! {
            () = &mut stop => break,
            accepted = next(&listener, &places) => accepted,
        };
        let (stream, address) = stream;
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(address));
            router.clone().call(request)
        });
        let connection = open.watch(builder.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // A client that goes away in the middle is no fault of ours.
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
    drop(listener);
    tokio::time::timeout(limits.farewell, open.shutdown()).await.is_ok()
}

/// The next connection, once there is a place for it.
async fn next(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> ((TcpStream, SocketAddr), Option<tokio::sync::OwnedSemaphorePermit>) {
    let place = places.clone().acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Answers are small: none waits for the next one to fill a packet.
                let _ = stream.set_nodelay(true);
                return ((stream, address), place);
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken in");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}
