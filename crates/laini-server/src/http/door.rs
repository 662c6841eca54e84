use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::gauge::Gauge;

/// Counts open connections and lets no more in than the caps allow.
pub(super) struct Door {
    connections_max: usize,
    per_address_max: usize,
    open: Mutex<Open>,
    /// How many are in, for whoever watches.
    gauge: Gauge,
}

#[derive(Default)]
struct Open {
    connections: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Door {
    pub(super) fn new(connections_max: usize, per_address_max: usize, gauge: Gauge) -> Self {
        Self { connections_max, per_address_max, open: Mutex::default(), gauge }
    }

    /// How many are open.
    pub(super) fn connections(&self) -> usize {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).connections
    }

    /// A place for a connection of `address`, freed when dropped; `None` where none is left. A proxy is
    /// many clients: only the cap in all holds for it.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, is_proxy: bool) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.connections >= self.connections_max {
            return None;
        }
        let of_address = open.by_address.entry(address).or_default();
        if *of_address >= self.per_address_max && !is_proxy {
            return None;
        }
        *of_address += 1;
        open.connections += 1;
        self.gauge.inc();
        Some(Place { door: Arc::clone(self), address })
    }
}

/// One open connection.
pub(super) struct Place {
    door: Arc<Door>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.door.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.connections -= 1;
        self.door.gauge.dec();
        if let Some(of_address) = open.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_caps_hold_and_places_come_back() {
        let door = Arc::new(Door::new(3, 2, Gauge::default()));
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let first = door.enter(a, false).unwrap();
        let _second = door.enter(a, false).unwrap();
        assert!(door.enter(a, false).is_none());
        drop(door.enter(a, true).unwrap());
        let _third = door.enter(b, false).unwrap();
        assert!(door.enter(b, false).is_none());
        drop(first);
        drop(door.enter(b, false).unwrap());
        assert_eq!(door.open.lock().unwrap().by_address.len(), 2);
        assert_eq!(door.gauge.get(), 2);
    }
}
