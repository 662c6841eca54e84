//! A partner's receiver: records what it gets, answers what it was told to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::wire::HANGS_AFTER;

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}")).to_str().unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

type Answer = Box<dyn Fn(&Received) -> Response + Send + Sync>;

struct Shared {
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    answer: Mutex<Answer>,
}

/// A receiver on loopback, over plain HTTP.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// One that answers 200 and challenges.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            arrived: Notify::new(),
            answer: Mutex::new(Box::new(|received| received.body.clone().into_response())),
        });
        let app = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async { axum::serve(listener, app).await.unwrap() });
        Self { address, shared, serving }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/laini", self.address)
    }

    /// What it answers from now on.
    pub(crate) fn answers(&self, answer: impl Fn(&Received) -> Response + Send + Sync + 'static) {
        *self.shared.answer.lock().unwrap() = Box::new(answer);
    }

    /// A status without a body, on a connection that ends.
    pub(crate) fn answers_status(&self, status: u16) {
        self.answers(move |_| (StatusCode::from_u16(status).unwrap(), [(header::CONNECTION, "close")]).into_response());
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits until it got `count` requests.
    pub(crate) async fn got(&self, count: usize) -> Vec<Received> {
        let waiting = async {
            loop {
                let arrived = self.shared.arrived.notified();
                let received = self.received();
                if received.len() >= count {
                    return received;
                }
                arrived.await;
            }
        };
        timeout(HANGS_AFTER, waiting).await.expect("too few deliveries came")
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let received = Received { headers, body: String::from_utf8(body.to_vec()).unwrap() };
    let answer = (shared.answer.lock().unwrap())(&received);
    shared.received.lock().unwrap().push(received);
    shared.arrived.notify_waiters();
    answer
}

/// Listens where nobody may connect, on both loopback addresses, and counts who does.
pub(crate) struct Trap {
    pub(crate) port: u16,
    connects: Arc<AtomicUsize>,
    listening: Vec<JoinHandle<()>>,
}

impl Trap {
    pub(crate) async fn set() -> Self {
        let connects = Arc::new(AtomicUsize::new(0));
        let v4 = TcpListener::bind(("0.0.0.0", 0)).await.unwrap();
        let port = v4.local_addr().unwrap().port();
        let mut listeners = vec![v4];
        // Where there is IPv6 at all.
        listeners.extend(TcpListener::bind(("::1", port)).await);
        let count = |listener: TcpListener| {
            let connects = Arc::clone(&connects);
            tokio::spawn(async move {
                while listener.accept().await.is_ok() {
                    connects.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let listening = listeners.into_iter().map(count).collect();
        Self { port, connects, listening }
    }

    pub(crate) fn connects(&self) -> usize {
        self.connects.load(Ordering::SeqCst)
    }
}

impl Drop for Trap {
    fn drop(&mut self) {
        for task in &self.listening {
            task.abort();
        }
    }
}
