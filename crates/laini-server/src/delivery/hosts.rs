use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::send::PER_HOST_MAX;

/// Counts what is under way to each host, so that a slow one keeps only its share of the worker.
#[derive(Clone, Default)]
pub(crate) struct Hosts(Arc<Mutex<HashMap<String, usize>>>);

/// A place among those under way to a host; given back when dropped.
pub(super) struct Place {
    hosts: Hosts,
    host: String,
}

impl Hosts {
    /// A place, unless all of the host's are taken.
    pub(super) fn enter(&self, host: &str) -> Option<Place> {
        let mut under_way = self.held();
        let count = under_way.entry(host.to_owned()).or_default();
        if *count == PER_HOST_MAX {
            return None;
        }
        *count += 1;
        Some(Place { hosts: self.clone(), host: host.to_owned() })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.hosts.held();
        if let Some(count) = under_way.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.host);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_its_places_and_no_more() {
        let hosts = Hosts::default();
        let mut places: Vec<_> = (0..PER_HOST_MAX).map(|_| hosts.enter("bank.example").unwrap()).collect();
        assert!(hosts.enter("bank.example").is_none());
        assert!(hosts.enter("other.example").is_some());
        places.pop();
        assert!(hosts.enter("bank.example").is_some());
        places.clear();
        assert!(hosts.held().is_empty(), "hosts without deliveries are forgotten");
    }
}
