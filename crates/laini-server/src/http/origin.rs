use std::net::{IpAddr, Ipv6Addr};

use crate::Environments;

/// How a request comes in: what is known before it has said anything.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    /// The other end of the connection.
    pub(super) address: IpAddr,
    /// Whose credentials its listener answers.
    pub(super) environments: Environments,
    /// SHA-256 of the client's certificate (DER), where it presented one that was verified.
    pub(super) certificate: Option<[u8; 32]>,
    /// Whether nobody between can read along.
    pub(super) is_tls: bool,
}

/// Whom limits count as one client: an IPv4 address, or the /64 that a holder of IPv6 is given.
pub(super) fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}
