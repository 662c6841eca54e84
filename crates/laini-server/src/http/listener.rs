use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::Speaker;
use super::door::Door;
use super::origin::{Origin, counted_as};
use super::{ApiError, Front, Tls};
use crate::{Environments, Limits};

/// How long to wait after the system refused to accept (no file descriptors, mostly).
const ACCEPT_PAUSE_MS: u64 = 50;
/// How many surplus connections are told why at once; more are closed without a word.
const LAST_WORDS_AT_ONCE: usize = 64;
/// How long telling one may take.
const LAST_WORDS_TIMEOUT_MS: u64 = 1_000;
/// How much of its request is taken before that connection is closed, so that the answer arrives.
const LAST_WORDS_READ_BYTES: usize = 16 * 1024;

/// A place that accepts connections, and what answers on them.
pub(crate) struct Listening {
    pub(crate) listener: TcpListener,
    pub(crate) environments: Environments,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) front: Arc<Front>,
}

/// Accepts connections everywhere until `shutdown` resolves, then waits for those under way.
pub(crate) async fn listen(places: Vec<Listening>, limits: &Limits, shutdown: impl Future<Output = ()>) {
    let counted = places.first().map(|place| place.front.connections()).unwrap_or_default();
    let door = Arc::new(Door::new(limits.connections_max, limits.connections_per_address_max, counted));
    let (drain, draining) = watch::channel(());
    let mut listeners = JoinSet::new();
    for place in places {
        let speaker = Speaker::new(Arc::clone(&place.front), limits);
        let accepting = Accepting { place, speaker, door: Arc::clone(&door), draining: draining.clone() };
        listeners.spawn(accepting.run());
    }
    shutdown.await;
    drain.send_replace(());
    let all_done = async { while listeners.join_next().await.is_some() {} };
    if timeout(Duration::from_millis(limits.drain_timeout_ms), all_done).await.is_err() {
        tracing::warn!(connections = door.connections(), "connections were cut at the end of the drain timeout");
    }
}

/// One listener at work.
struct Accepting {
    place: Listening,
    speaker: Speaker,
    door: Arc<Door>,
    draining: watch::Receiver<()>,
}

impl Accepting {
    /// Accepts until the drain begins; ends when the last of its connections has ended.
    async fn run(self) {
        let Self { place, speaker, door, mut draining } = self;
        let Listening { listener, environments, tls, front } = place;
        let mut connections = JoinSet::new();
        let mut refusals = JoinSet::new();
        let drain = draining.clone();
        loop {
            let (stream, address) = tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => (stream, address.ip()),
                    Err(error) => {
                        // A connection that broke before it was accepted, or no descriptors left.
                        tracing::warn!(%error, "a connection could not be accepted");
                        sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                        continue;
                    }
                },
                Some(_) = connections.join_next() => continue,
                Some(_) = refusals.join_next() => continue,
                _ = draining.changed() => break,
            };
            // Answers are small and whole: nothing is won by waiting for more.
            let _ = stream.set_nodelay(true);
            if let Some(entered) = door.enter(counted_as(address), front.is_proxy(address)) {
                let origin = Origin { address, environments, certificate: None, is_tls: tls.is_some() };
                connections.spawn(serve(speaker.clone(), stream, tls.clone(), origin, drain.clone(), entered));
            } else if tls.is_none() && refusals.len() < LAST_WORDS_AT_ONCE {
                refusals.spawn(say_last_words(stream, ApiError::Unreachable.into_last_words(front.mint())));
            }
        }
        drop(listener);
        while connections.join_next().await.is_some() {}
    }
}

async fn serve(
    speaker: Speaker,
    stream: TcpStream,
    tls: Option<Arc<Tls>>,
    origin: Origin,
    draining: watch::Receiver<()>,
    place: super::door::Place,
) {
    match tls {
        None => speaker.serve(stream, origin, draining).await,
        Some(tls) => speaker.serve_tls(&tls, stream, origin, draining).await,
    }
    drop(place);
}

/// Tells a surplus connection why it is closed. Reading a little of it keeps the system from throwing
/// the answer away together with the unread request.
async fn say_last_words(mut stream: TcpStream, words: Vec<u8>) {
    let telling = async {
        stream.write_all(&words).await?;
        stream.shutdown().await?;
        let mut rest = [0; 1_024];
        let mut read = 0;
        while read < LAST_WORDS_READ_BYTES {
            match stream.read(&mut rest).await? {
                0 => break,
                n => read += n,
            }
        }
        std::io::Result::Ok(())
    };
    // Whether it listened is its own affair.
    let _ = timeout(Duration::from_millis(LAST_WORDS_TIMEOUT_MS), telling).await;
}
