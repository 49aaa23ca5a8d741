//! Connections over real sockets: the slow do not hold up the others, and what is under way ends before the server does.

use axum::Router;
use axum::routing::get;
use server::platform::connections::{self, Limits};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<bool>,
}

async fn start(router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(connections::serve(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Running { address, stop, ended }
}

async fn connect(to: SocketAddr, said: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(said.as_bytes()).await.unwrap();
    stream
}

/// All that comes until the other side closes.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    // A connection reset says the same as one closed.
    let _ = stream.read_to_end(&mut all).await;
    String::from_utf8(all).unwrap()
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn who_never_says_what_they_want_is_let_go_and_holds_up_nobody() {
    let limits = Limits {
        connections: 2,
        head: Duration::from_millis(300),
        ..Limits::default()
    };
    let server = start(Router::new().route("/", get(|| async { "well" })), limits).await;
    let slow = connect(server.address, "GET / HTTP/1.1\r\nhost: here\r\nx-and").await;
    let silent = connect(server.address, "").await;
    // Both places are taken; the third waits for one and is answered.
    let third = connect(server.address, ASK).await;
    assert!(rest(third).await.ends_with("well"));
    assert!(!rest(slow).await.contains("200 OK"));
    assert_eq!(rest(silent).await, "");
    server.stop.send(()).unwrap();
    assert!(server.ended.await.unwrap());
}

#[tokio::test]
async fn what_is_under_way_ends_before_the_server_does_and_nothing_new_begins() {
    let (begun, told) = oneshot::channel();
    let (go_on, may) = oneshot::channel::<()>();
    let gates = std::sync::Mutex::new(Some((begun, may)));
    let gates: &'static _ = Box::leak(Box::new(gates));
    let slow = get(move || async move {
        let (begun, may) = gates.lock().unwrap().take().unwrap();
        begun.send(()).unwrap();
        may.await.unwrap();
        "done"
    });
    let server = start(Router::new().route("/", slow), Limits::default()).await;
    let asked = connect(server.address, ASK).await;
    told.await.unwrap();
    server.stop.send(()).unwrap();
    // The door is closed for others as soon as the server has heard.
    while TcpStream::connect(server.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    go_on.send(()).unwrap();
    assert!(rest(asked).await.ends_with("done"));
    assert!(server.ended.await.unwrap());
}

#[tokio::test]
async fn a_request_without_end_does_not_keep_the_server() {
    let limits = Limits {
        farewell: Duration::from_millis(100),
        ..Limits::default()
    };
    let (begun, told) = oneshot::channel();
    let gate = std::sync::Mutex::new(Some(begun));
    let gate: &'static _ = Box::leak(Box::new(gate));
    let endless = get(move || async move {
        gate.lock().unwrap().take().unwrap().send(()).unwrap();
        std::future::pending::<&str>().await
    });
    let server = start(Router::new().route("/", endless), limits).await;
    let _asked = connect(server.address, ASK).await;
    told.await.unwrap();
    server.stop.send(()).unwrap();
    assert!(!server.ended.await.unwrap(), "it says that something did not end");
}
