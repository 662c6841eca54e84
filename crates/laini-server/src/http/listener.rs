use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::Speaker;
use super::door::Door;
use super::{ApiError, Front};
use crate::Limits;

/// How long to wait after the system refused to accept (no file descriptors, mostly).
const ACCEPT_PAUSE_MS: u64 = 50;
/// How many surplus connections are told why at once; more are closed without a word.
const LAST_WORDS_AT_ONCE: usize = 64;
/// How long telling one may take.
const LAST_WORDS_TIMEOUT_MS: u64 = 1_000;
/// How much of its request is taken before that connection is closed, so that the answer arrives.
const LAST_WORDS_READ_BYTES: usize = 16 * 1024;

/// Accepts connections until `shutdown` resolves, then waits for those under way.
pub(crate) async fn listen(
    listener: TcpListener,
    front: Arc<Front>,
    limits: &Limits,
    shutdown: impl Future<Output = ()>,
) {
    let door = Arc::new(Door::new(limits.connections_max, limits.connections_per_address_max, front.connections()));
    let speaker = Speaker::new(Arc::clone(&front), limits);
    let (drain, draining) = watch::channel(());
    let mut connections = JoinSet::new();
    let mut refusals = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let (stream, address) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => (stream, client(address.ip())),
                Err(error) => {
                    // A connection that broke before it was accepted, or no descriptors left.
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                    continue;
                }
            },
            Some(_) = connections.join_next() => continue,
            Some(_) = refusals.join_next() => continue,
            () = &mut shutdown => break,
        };
        // Answers are small and whole: nothing is won by waiting for more.
        let _ = stream.set_nodelay(true);
        if let Some(place) = door.enter(address) {
            connections.spawn(serve(speaker.clone(), stream, address, draining.clone(), place));
        } else if refusals.len() < LAST_WORDS_AT_ONCE {
            refusals.spawn(say_last_words(stream, ApiError::Unreachable.into_last_words(front.mint())));
        }
    }
    drop(listener);
    drain.send_replace(());
    let all_done = async { while connections.join_next().await.is_some() {} };
    if timeout(Duration::from_millis(limits.drain_timeout_ms), all_done).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut at the end of the drain timeout");
    }
}

/// Whom limits count as one client: an IPv4 address, or the /64 that a holder of IPv6 is given.
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

async fn serve(
    speaker: Speaker,
    stream: TcpStream,
    address: IpAddr,
    draining: watch::Receiver<()>,
    place: super::door::Place,
) {
    speaker.serve(stream, address, draining).await;
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
