use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Which part of the network an IP address belongs to (the special-purpose registries of RFC 6890).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Reachable from everywhere.
    Public,
    /// This machine.
    Loopback,
    /// This link, where clouds keep their metadata.
    LinkLocal,
    /// Somebody's inside, shared address space of carriers and unique local addresses included.
    Private,
    /// Many machines.
    Multicast,
    /// No machine, or this one.
    Unspecified,
    /// An IPv6 address that stands for an IPv4 one: mapped, compatible, 6to4, NAT64, Teredo.
    Embedded,
    /// Documentation, tests, protocols, the future.
    Reserved,
}

/// IPv4 networks that are not public: address, prefix length. The first that holds an address names it.
const NOT_PUBLIC_V4: [([u8; 4], u32, Network); 16] = [
    ([0, 0, 0, 0], 32, Network::Unspecified),
    ([0, 0, 0, 0], 8, Network::Reserved),
    ([10, 0, 0, 0], 8, Network::Private),
    ([100, 64, 0, 0], 10, Network::Private),
    ([127, 0, 0, 0], 8, Network::Loopback),
    ([169, 254, 0, 0], 16, Network::LinkLocal),
    ([172, 16, 0, 0], 12, Network::Private),
    ([192, 0, 0, 0], 24, Network::Reserved),
    ([192, 0, 2, 0], 24, Network::Reserved),
    ([192, 88, 99, 0], 24, Network::Reserved),
    ([192, 168, 0, 0], 16, Network::Private),
    ([198, 18, 0, 0], 15, Network::Reserved),
    ([198, 51, 100, 0], 24, Network::Reserved),
    ([203, 0, 113, 0], 24, Network::Reserved),
    ([224, 0, 0, 0], 4, Network::Multicast),
    ([240, 0, 0, 0], 4, Network::Reserved),
];

/// The same for IPv6: the network as a number, prefix length.
const NOT_PUBLIC_V6: [(u128, u32, Network); 17] = [
    (0, 128, Network::Unspecified),
    (1, 128, Network::Loopback),
    (0, 96, Network::Embedded),
    (0xffff << 32, 96, Network::Embedded),
    (0xffff << 48, 96, Network::Embedded),
    (0x0064_ff9b << 96, 96, Network::Embedded),
    (0x0064_ff9b_0001 << 80, 48, Network::Embedded),
    (0xfc00 << 112, 7, Network::Private),
    (0xfe80 << 112, 10, Network::LinkLocal),
    (0xfec0 << 112, 10, Network::Private),
    (0xff00 << 112, 8, Network::Multicast),
    (0x2001_0000 << 96, 32, Network::Embedded),
    (0x2001_0000 << 96, 23, Network::Reserved),
    (0x2001_0db8 << 96, 32, Network::Reserved),
    (0x2002 << 112, 16, Network::Embedded),
    (0x3fff << 112, 20, Network::Reserved),
    // Whatever is not in here was never given out as global unicast.
    (0x2000 << 112, 3, Network::Public),
];

impl Network {
    /// The part that `address` belongs to.
    pub fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    fn of_v4(address: Ipv4Addr) -> Self {
        let holds = |(net, prefix, _): &&([u8; 4], u32, Self)| {
            (address.to_bits() ^ u32::from_be_bytes(*net)).leading_zeros() >= *prefix
        };
        NOT_PUBLIC_V4.iter().find(holds).map_or(Self::Public, |(_, _, network)| *network)
    }

    fn of_v6(address: Ipv6Addr) -> Self {
        let holds = |(net, prefix, _): &&(u128, u32, Self)| (address.to_bits() ^ net).leading_zeros() >= *prefix;
        NOT_PUBLIC_V6.iter().find(holds).map_or(Self::Reserved, |(_, _, network)| *network)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::LinkLocal => "link-local",
            Self::Private => "private",
            Self::Multicast => "multicast",
            Self::Unspecified => "unspecified",
            Self::Embedded => "IPv4-in-IPv6",
            Self::Reserved => "reserved",
        })
    }
}

/// How far deliveries may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Only public addresses.
    Public,
    /// This machine as well: only where the server itself listens on loopback alone.
    Loopback,
}

impl Reach {
    /// The reach of a server that listens on these addresses. One behind a proxy is reached from
    /// elsewhere, wherever it listens.
    pub fn of_server(addresses: impl IntoIterator<Item = IpAddr>, is_proxied: bool) -> Self {
        let all_loopback = addresses.into_iter().all(|address| Network::of(address) == Network::Loopback);
        if all_loopback && !is_proxied { Self::Loopback } else { Self::Public }
    }

    /// Whether a connection to `address` may be made at all.
    pub fn includes(self, address: IpAddr) -> bool {
        match Network::of(address) {
            Network::Public => true,
            Network::Loopback => self == Self::Loopback,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each part with addresses at its borders.
    const TABLE: [(&str, Network); 81] = [
        ("1.1.1.1", Network::Public),
        ("8.8.8.8", Network::Public),
        ("0.0.0.0", Network::Unspecified),
        ("0.0.0.1", Network::Reserved),
        ("0.255.255.255", Network::Reserved),
        ("1.0.0.0", Network::Public),
        ("9.255.255.255", Network::Public),
        ("10.0.0.0", Network::Private),
        ("10.255.255.255", Network::Private),
        ("11.0.0.0", Network::Public),
        ("100.63.255.255", Network::Public),
        ("100.64.0.0", Network::Private),
        ("100.127.255.255", Network::Private),
        ("100.128.0.0", Network::Public),
        ("126.255.255.255", Network::Public),
        ("127.0.0.0", Network::Loopback),
        ("127.0.0.1", Network::Loopback),
        ("127.255.255.255", Network::Loopback),
        ("128.0.0.0", Network::Public),
        ("169.253.255.255", Network::Public),
        ("169.254.0.0", Network::LinkLocal),
        ("169.254.169.254", Network::LinkLocal),
        ("169.255.0.0", Network::Public),
        ("172.15.255.255", Network::Public),
        ("172.16.0.0", Network::Private),
        ("172.31.255.255", Network::Private),
        ("172.32.0.0", Network::Public),
        ("192.0.0.8", Network::Reserved),
        ("192.0.1.0", Network::Public),
        ("192.0.2.1", Network::Reserved),
        ("192.88.99.1", Network::Reserved),
        ("192.167.255.255", Network::Public),
        ("192.168.0.0", Network::Private),
        ("192.168.255.255", Network::Private),
        ("192.169.0.0", Network::Public),
        ("198.17.255.255", Network::Public),
        ("198.18.0.0", Network::Reserved),
        ("198.19.255.255", Network::Reserved),
        ("198.20.0.0", Network::Public),
        ("198.51.100.7", Network::Reserved),
        ("203.0.113.7", Network::Reserved),
        ("223.255.255.255", Network::Public),
        ("224.0.0.1", Network::Multicast),
        ("239.255.255.255", Network::Multicast),
        ("240.0.0.1", Network::Reserved),
        ("255.255.255.255", Network::Reserved),
        ("::", Network::Unspecified),
        ("::1", Network::Loopback),
        ("::2", Network::Embedded),
        ("::127.0.0.1", Network::Embedded),
        ("::ffff:127.0.0.1", Network::Embedded),
        ("::ffff:8.8.8.8", Network::Embedded),
        ("::ffff:0:127.0.0.1", Network::Embedded),
        ("64:ff9b::7f00:1", Network::Embedded),
        ("64:ff9b:1::1", Network::Embedded),
        ("64:ff9b:1:ffff::1", Network::Embedded),
        ("100::1", Network::Reserved),
        ("2001::1", Network::Embedded),
        ("2001:0:7f00:1::", Network::Embedded),
        ("2001:2::1", Network::Reserved),
        ("2001:10::1", Network::Reserved),
        ("2001:1ff:ffff::1", Network::Reserved),
        ("2001:200::1", Network::Public),
        ("2001:4860:4860::8888", Network::Public),
        ("2001:db8::1", Network::Reserved),
        ("2001:db9::1", Network::Public),
        ("2002:7f00:1::", Network::Embedded),
        ("2002:a00:1::", Network::Embedded),
        ("2003::1", Network::Public),
        ("2606:4700:4700::1111", Network::Public),
        ("3ffe:ffff::1", Network::Public),
        ("3fff::1", Network::Reserved),
        ("3fff:fff:ffff::1", Network::Reserved),
        ("3fff:1000::1", Network::Public),
        ("4000::1", Network::Reserved),
        ("5f00::1", Network::Reserved),
        ("fc00::1", Network::Private),
        ("fd12:3456::1", Network::Private),
        ("fe80::1", Network::LinkLocal),
        ("fec0::1", Network::Private),
        ("ff02::1", Network::Multicast),
    ];

    #[test]
    fn every_address_is_in_its_part_of_the_network() {
        for (address, network) in TABLE {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Network::of(address), network, "{address}");
            assert_eq!(Reach::Public.includes(address), network == Network::Public, "{address}");
            let with_loopback = matches!(network, Network::Public | Network::Loopback);
            assert_eq!(Reach::Loopback.includes(address), with_loopback, "{address}");
        }
    }

    #[test]
    fn one_listener_beyond_loopback_or_a_proxy_ends_its_reach() {
        let parse = |address: &&str| address.parse::<IpAddr>().unwrap();
        let reach = |addresses: &[&str]| Reach::of_server(addresses.iter().map(parse), false);
        assert_eq!(reach(&["127.0.0.1", "::1"]), Reach::Loopback);
        assert_eq!(Reach::of_server(["127.0.0.1"].iter().map(parse), true), Reach::Public);
        for beyond in ["0.0.0.0", "::", "10.0.0.1", "8.8.8.8", "::ffff:127.0.0.1"] {
            assert_eq!(reach(&["127.0.0.1", beyond]), Reach::Public, "{beyond}");
        }
    }
}
