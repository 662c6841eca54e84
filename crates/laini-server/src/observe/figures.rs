use super::Metrics;
use super::labels::{Endpoint, StatusClass};

/// What a node has counted since it started, for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// What was asked of each group of paths; those that nobody asked are not there.
    pub endpoints: Vec<EndpointFigures>,
    /// Connections that are open.
    pub connections: i64,
}

/// What was asked of one group of paths.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointFigures {
    /// Its word, as metrics have it.
    pub name: &'static str,
    /// Answers by the first digit of their status, from 1 to 5.
    pub by_class: [u64; 5],
    /// Half of them took at most so many microseconds; `None` = more than ten seconds,
    pub p50: Option<u64>,
    /// and 99 of 100.
    pub p99: Option<u64>,
}

impl EndpointFigures {
    /// Answers in all.
    pub fn requests(&self) -> u64 {
        self.by_class.iter().sum()
    }
}

impl Metrics {
    /// What was counted so far. Times are upper bounds of the histogram's steps.
    pub fn figures(&self) -> Figures {
        let of = |endpoint: Endpoint| {
            let by_class: [u64; StatusClass::COUNT] = self.requests_of(endpoint);
            let (p50, p99) = (self.latency_of(endpoint, 50), self.latency_of(endpoint, 99));
            EndpointFigures { name: endpoint.word(), by_class, p50, p99 }
        };
        let endpoints = Endpoint::ALL.map(of).into_iter().filter(|of| of.requests() > 0).collect();
        Figures { endpoints, connections: self.connections().get() }
    }
}
