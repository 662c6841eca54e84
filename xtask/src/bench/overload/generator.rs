use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::event::{Timespec, epoll};

use super::connection::{Connection, Progress};
use super::tally::{Outcome, Tally};

/// So many requests are sent before answers are looked at again, and so many answers before requests are sent.
const SENT_AT_ONCE: usize = 64;
const EVENTS_AT_ONCE: usize = 64;
const READ_BYTES: usize = 16 * 1024;
/// What the generator itself did not come to within this time is left out, so that a latency is the server's.
const LATE_AT_MOST: Duration = Duration::from_millis(2);
/// After the load the answers under way are awaited for so long; what is not there then never came.
const DRAIN_WITHIN: Duration = Duration::from_secs(5);
/// Connections that broke are opened again one at a time, so that the load does not wait for them.
const REOPEN_EVERY: Duration = Duration::from_millis(1);
/// Before the load a connection may take its time; during it, others wait for it.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const REOPEN_WITHIN: Duration = Duration::from_millis(5);
const SEED: u64 = 1;

/// Asks one server for random numbers over many connections, from one thread.
pub(super) struct Generator<'a> {
    address: SocketAddr,
    epoll: OwnedFd,
    numbers: Vec<&'a str>,
    /// One request; the number's place in it is `number_at`.
    request: Vec<u8>,
    number_at: usize,
    /// `None` where it broke and is not open again yet.
    connections: Vec<Option<Connection>>,
    /// Those without a request under way, the longest idle first.
    idle: VecDeque<usize>,
    /// Those whose callers wait as they were told, and until when; the first to end its wait on top.
    waiting: BinaryHeap<Reverse<(Duration, usize)>>,
    closed: VecDeque<usize>,
    random: fastrand::Rng,
}

/// What is asked for.
pub(super) struct Load {
    pub(super) pace: Pace,
    pub(super) manners: Manners,
    pub(super) connections: u64,
    pub(super) length: Duration,
}

/// When the next request falls due.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// On each connection as soon as the last one is answered.
    Closed,
    /// At random moments, so many a second, whatever became of the last ones.
    Open { per_s: f64 },
}

/// What callers do who were told to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::bench) enum Manners {
    /// The next request comes on their connection at once.
    None,
    /// They leave their connection alone for as long as `Retry-After` says.
    Wait,
}

impl<'a> Generator<'a> {
    pub(super) fn new(address: SocketAddr, token: &str, numbers: Vec<&'a str>) -> Result<Self> {
        let first = *numbers.first().context("there are no numbers to ask for")?;
        ensure!(numbers.iter().all(|number| number.len() == first.len()), "numbers differ in length");
        let body = format!("{{\"customerNumber\": \"{first}\"}}");
        let head = format!(
            "POST /imsi/v1/checkATI HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let number_at = head.len() + body.find(first).context("the body holds its number")?;
        Ok(Self {
            address,
            epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            numbers,
            request: [head, body].concat().into_bytes(),
            number_at,
            connections: Vec::new(),
            idle: VecDeque::new(),
            waiting: BinaryHeap::new(),
            closed: VecDeque::new(),
            random: fastrand::Rng::with_seed(SEED),
        })
    }

    /// Offers one load and waits for its answers.
    pub(super) fn run(&mut self, load: &Load) -> Result<Tally> {
        self.connect(usize::try_from(load.connections)?)?;
        let mut tally = Tally::new(load.length);
        let start = Instant::now();
        let mut reopened = Duration::ZERO;
        let mut due = Duration::ZERO;
        loop {
            let now = start.elapsed();
            if now >= load.length {
                break;
            }
            self.end_waits(now);
            due = self.send(load.pace, due.min(load.length), now, start, &mut tally);
            self.collect(load.manners, start, due.saturating_sub(start.elapsed()), &mut tally)?;
            if !self.closed.is_empty() && now.saturating_sub(reopened) >= REOPEN_EVERY {
                reopened = now;
                self.reopen_one()?;
            }
        }
        // What fell due while the generator itself was behind.
        while let Pace::Open { per_s } = load.pace
            && due < load.length
        {
            self.leave_out(due, &mut tally);
            due += self.gap(per_s);
        }
        self.drain(start, load.length, &mut tally)?;
        Ok(tally)
    }

    /// Until the next of independent callers: exponentially distributed.
    fn gap(&mut self, per_s: f64) -> Duration {
        Duration::from_secs_f64(-(1.0 - self.random.f64()).ln() / per_s)
    }

    /// Sends what fell due up to `now`, but not so much that answers wait for long; returns when the next falls due.
    fn send(&mut self, pace: Pace, mut due: Duration, now: Duration, start: Instant, tally: &mut Tally) -> Duration {
        let mut sent = 0;
        while sent < SENT_AT_ONCE {
            due = match pace {
                // What comes next waits for an answer.
                Pace::Closed if self.idle.is_empty() => return Duration::MAX,
                Pace::Closed => start.elapsed(),
                Pace::Open { .. } if due > now => return due,
                Pace::Open { .. } => due,
            };
            match pace {
                Pace::Open { .. } if now.saturating_sub(due) > LATE_AT_MOST => self.leave_out(due, tally),
                _ => sent += usize::from(self.offer(due, start, tally)),
            }
            if let Pace::Open { per_s } = pace {
                due += self.gap(per_s);
            }
        }
        due
    }

    /// One request that fell due at `due` and is not sent any more.
    fn leave_out(&self, due: Duration, tally: &mut Tally) {
        tally.offered(due);
        if self.idle.is_empty() { tally.unsent(due) } else { tally.skipped(due) }
    }

    /// One request that fell due at `due`; whether a connection was there to send it on.
    fn offer(&mut self, due: Duration, start: Instant, tally: &mut Tally) -> bool {
        tally.offered(due);
        let Some(index) = self.idle.pop_front() else {
            tally.unsent(due);
            return false;
        };
        let number = self.numbers[self.random.usize(..self.numbers.len())];
        self.request[self.number_at..self.number_at + number.len()].copy_from_slice(number.as_bytes());
        let taken = self.connections[index].as_mut().is_some_and(|connection| connection.ask(&self.request, due));
        if taken {
            tally.sent(due, start.elapsed());
        } else {
            self.close(index, tally);
        }
        true
    }

    /// Reads what has come, waiting for it at most until `wait` has passed.
    fn collect(&mut self, manners: Manners, start: Instant, wait: Duration, tally: &mut Tally) -> Result<()> {
        // A wait shorter than the kernel's own unit is spent looking.
        let wait = if wait < Duration::from_millis(2) { Duration::ZERO } else { Duration::from_millis(1) };
        let timeout = Timespec::try_from(wait)?;
        let mut events =
            [epoll::Event { flags: epoll::EventFlags::empty(), data: epoll::EventData::new_u64(0) }; EVENTS_AT_ONCE];
        let count = match epoll::wait(&self.epoll, &mut events, Some(&timeout)) {
            Ok(count) => count,
            Err(rustix::io::Errno::INTR) => 0,
            Err(error) => return Err(error).context("epoll"),
        };
        let mut buffer = [0; READ_BYTES];
        for event in &events[..count] {
            let index = usize::try_from(event.data.u64())?;
            let Some(connection) = &mut self.connections[index] else { continue };
            match connection.read(&mut buffer) {
                Progress::Waiting => {}
                Progress::Broken => self.close(index, tally),
                Progress::Answered(answer) => {
                    let due = connection.asked.take().unwrap_or_default();
                    let now = start.elapsed();
                    tally.answered(due, now, Outcome::of(answer.status));
                    match answer.retry_after.filter(|_| manners == Manners::Wait) {
                        _ if answer.closes => self.close(index, tally),
                        Some(wait) => self.waiting.push(Reverse((now + wait, index))),
                        None => self.idle.push_back(index),
                    }
                }
            }
        }
        Ok(())
    }

    fn end_waits(&mut self, now: Duration) {
        while let Some(Reverse((until, index))) = self.waiting.peek().copied()
            && until <= now
        {
            self.waiting.pop();
            self.idle.push_back(index);
        }
    }

    fn drain(&mut self, start: Instant, length: Duration, tally: &mut Tally) -> Result<()> {
        while self.under_way() > 0 && start.elapsed() < length + DRAIN_WITHIN {
            self.collect(Manners::None, start, DRAIN_WITHIN, tally)?;
        }
        tally.drain = start.elapsed().saturating_sub(length);
        for index in 0..self.connections.len() {
            if self.connections[index].as_ref().is_some_and(|connection| connection.asked.is_some()) {
                self.close(index, tally);
            }
        }
        Ok(())
    }

    fn under_way(&self) -> usize {
        self.connections.iter().flatten().filter(|connection| connection.asked.is_some()).count()
    }

    /// Gives a connection up; a request under way on it counts as broken.
    fn close(&mut self, index: usize, tally: &mut Tally) {
        let Some(connection) = self.connections[index].take() else { return };
        if let Some(due) = connection.asked {
            tally.broken(due);
        }
        // Dropping the stream takes it out of the kernel's list.
        self.idle.retain(|idle| *idle != index);
        self.waiting.retain(|Reverse((_, waiting))| *waiting != index);
        self.closed.push_back(index);
    }

    fn reopen_one(&mut self) -> Result<()> {
        let Some(index) = self.closed.pop_front() else { return Ok(()) };
        let Ok(connection) = Connection::open(self.address, REOPEN_WITHIN) else {
            self.closed.push_back(index);
            return Ok(());
        };
        self.watch(&connection, index)?;
        self.connections[index] = Some(connection);
        self.idle.push_back(index);
        Ok(())
    }

    /// Exactly so many connections, all open and idle.
    fn connect(&mut self, count: usize) -> Result<()> {
        self.connections.truncate(count);
        self.closed.clear();
        self.waiting.clear();
        for index in 0..count {
            if self.connections.get(index).is_some_and(Option::is_some) {
                continue;
            }
            let connection =
                Connection::open(self.address, CONNECT_WITHIN).context("the server takes no connection")?;
            self.watch(&connection, index)?;
            if index < self.connections.len() {
                self.connections[index] = Some(connection);
            } else {
                self.connections.push(Some(connection));
            }
        }
        self.idle = (0..count).collect();
        Ok(())
    }

    fn watch(&self, connection: &Connection, index: usize) -> Result<()> {
        let data = epoll::EventData::new_u64(index as u64);
        epoll::add(&self.epoll, &connection.stream, data, epoll::EventFlags::IN).context("epoll")
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// What the server of a test answers, in turn; an empty text breaks the connection.
    type Answers = &'static [&'static str];

    const ACCEPTED: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    const SHED: &str = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n";
    const LAST: &str = "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

    /// A server that ends with the connections made to it and, itself, with the test.
    fn server(answers: Answers) -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let turn = Arc::new(AtomicUsize::new(0));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, turn) = (stream.unwrap(), Arc::clone(&turn));
                std::thread::spawn(move || answer(stream, answers, &turn));
            }
        });
        address
    }

    fn answer(stream: TcpStream, answers: Answers, turn: &AtomicUsize) -> Option<()> {
        let mut requests = BufReader::new(stream.try_clone().ok()?);
        let mut stream = stream;
        loop {
            let mut line = String::new();
            while line != "\r\n" {
                line.clear();
                if requests.read_line(&mut line).ok()? == 0 {
                    return None;
                }
            }
            let mut body = [0; 34];
            requests.read_exact(&mut body).ok()?;
            assert_eq!(&body, b"{\"customerNumber\": \"254722000000\"}");
            let text = answers[turn.fetch_add(1, Ordering::Relaxed) % answers.len()];
            if text.is_empty() {
                return None;
            }
            stream.write_all(text.as_bytes()).ok()?;
        }
    }

    fn whole(answers: Answers, pace: Pace, manners: Manners) -> super::super::Window {
        let mut generator = Generator::new(server(answers), "token", vec!["254722000000"]).unwrap();
        let load = Load { pace, manners, connections: 4, length: Duration::from_millis(500) };
        generator.run(&load).unwrap().whole()
    }

    #[test]
    fn answers_are_told_apart_and_nothing_that_fell_due_is_lost() {
        let seen = whole(&[ACCEPTED, SHED, LAST, "", ACCEPTED], Pace::Open { per_s: 2_000.0 }, Manners::None);
        assert!(seen.accepted() > 0 && seen.shed() > 0 && seen.limited > 0 && seen.broken > 0);
        let all = seen.accepted() + seen.shed() + seen.limited + seen.broken + seen.unsent + seen.skipped;
        assert_eq!((seen.unexpected, all), (0, seen.offered));
    }

    #[test]
    fn a_closed_loop_sends_all_that_falls_due() {
        let seen = whole(&[ACCEPTED], Pace::Closed, Manners::None);
        assert_eq!((seen.accepted(), seen.unsent), (seen.offered, 0));
    }

    #[test]
    fn callers_who_heed_a_refusal_leave_their_connection_alone() {
        let seen = whole(&[SHED], Pace::Open { per_s: 2_000.0 }, Manners::Wait);
        assert!((1..=4).contains(&seen.shed()), "{} refusals on 4 connections", seen.shed());
        assert_eq!(seen.shed() + seen.unsent + seen.skipped, seen.offered);
    }
}
