use std::fmt;
use std::net::IpAddr;

use ipnet::{IpNet, Ipv4Net};

/// Networks that addresses are held against: where an app may ask from, or which proxies are believed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddressRules(Vec<IpNet>);

/// Why a text is no list of networks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressRulesError {
    /// It is neither an address nor a network.
    #[error("`{0}` is neither an address nor a network (10.1.0.0/16, 2001:db8::/32, 192.0.2.7)")]
    Malformed(String),
    /// It names a network by an address inside of it.
    #[error("`{given}` has bits set behind its prefix; the network is {meant}")]
    BitsBehindPrefix {
        /// As it was given.
        given: String,
        /// The network around it.
        meant: String,
    },
    /// There are too many.
    #[error("more than {} networks; name larger ones", AddressRules::NETWORKS_MAX)]
    TooMany,
}

impl AddressRules {
    /// The most networks in one list: each request is held against all of them.
    pub const NETWORKS_MAX: usize = 64;

    /// Reads addresses (`192.0.2.7`) and networks (`2001:db8::/32`).
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, AddressRulesError> {
        let networks: Vec<IpNet> = texts.into_iter().map(network).collect::<Result<_, _>>()?;
        if networks.len() > Self::NETWORKS_MAX {
            return Err(AddressRulesError::TooMany);
        }
        Ok(Self(networks))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of the networks holds `address`.
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether somebody at `address` may ask: where there are no networks, anybody may.
    pub fn allow(&self, address: IpAddr) -> bool {
        self.is_empty() || self.contain(address)
    }

    /// The networks, as [`AddressRules::parse`] reads them.
    pub fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(ToString::to_string)
    }
}

impl fmt::Display for AddressRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, network) in self.0.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            write!(f, "{comma}{network}")?;
        }
        Ok(())
    }
}

fn network(text: &str) -> Result<IpNet, AddressRulesError> {
    let text = text.trim();
    let malformed = || AddressRulesError::Malformed(text.to_owned());
    let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
    // The standard library's reading: 010.1.0.0 is nothing, for some take it for 8.1.0.0.
    let address: IpAddr = address.parse().map_err(|_| malformed())?;
    let given = match prefix {
        None => IpNet::from(address),
        Some(prefix) if prefix.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bits = prefix.parse().map_err(|_| malformed())?;
            IpNet::new(address, bits).map_err(|_| malformed())?
        }
        Some(_) => return Err(malformed()),
    };
    if given != given.trunc() {
        let meant = given.trunc().to_string();
        return Err(AddressRulesError::BitsBehindPrefix { given: text.to_owned(), meant });
    }
    canonical(given).ok_or_else(malformed)
}

/// IPv4 addresses in the clothes of IPv6 are IPv4 addresses.
fn canonical(network: IpNet) -> Option<IpNet> {
    /// `::ffff:0:0/96` holds them.
    const MAPPED_BITS: u8 = 96;
    let IpNet::V6(v6) = network else { return Some(network) };
    let Some(v4) = v6.network().to_ipv4_mapped() else { return Some(network) };
    let prefix = v6.prefix_len().checked_sub(MAPPED_BITS)?;
    Ipv4Net::new(v4, prefix).ok().map(IpNet::V4)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use proptest::prelude::*;

    fn rules(texts: &[&str]) -> AddressRules {
        AddressRules::parse(texts.iter().copied()).unwrap()
    }

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn without_networks_everybody_may_ask_and_nobody_is_named() {
        let none = AddressRules::default();
        assert!(none.allow(at("192.0.2.7")) && none.allow(at("2001:db8::1")));
        assert!(!none.contain(at("192.0.2.7")));
    }

    #[test]
    fn networks_hold_what_lies_in_them() {
        let rules = rules(&["10.1.0.0/16", " 192.0.2.7 ", "2001:db8:7::/48", "::1"]);
        for inside in ["10.1.0.0", "10.1.255.255", "192.0.2.7", "2001:db8:7:ffff::1", "::1", "::ffff:10.1.2.3"] {
            assert!(rules.allow(at(inside)), "{inside}");
        }
        for outside in ["10.2.0.0", "10.0.255.255", "192.0.2.8", "2001:db8:8::", "::2", "::ffff:10.2.0.0", "::10.1.2.3"]
        {
            assert!(!rules.allow(at(outside)), "{outside}");
        }
    }

    #[test]
    fn a_whole_family_can_be_named() {
        assert!(rules(&["0.0.0.0/0"]).allow(at("203.0.113.9")));
        assert!(!rules(&["0.0.0.0/0"]).allow(at("2001:db8::1")));
        assert!(!rules(&["::/0"]).allow(at("203.0.113.9")));
        assert!(!rules(&["::/0"]).allow(at("::ffff:203.0.113.9")));
    }

    #[test]
    fn mapped_networks_are_the_networks_they_stand_for() {
        assert_eq!(rules(&["::ffff:10.1.0.0/112"]), rules(&["10.1.0.0/16"]));
        assert_eq!(rules(&["::ffff:192.0.2.7"]), rules(&["192.0.2.7"]));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "*",
            "10.1",
            "10.1.0.0/33",
            "10.1.0.0/-1",
            "10.1.0.0/16/8",
            "10.1.0.0/+16",
            "10.1.0.0/",
            "010.1.0.0/16",
            "bank.test",
            "::/129",
        ] {
            let refused = AddressRules::parse([text]);
            assert_eq!(refused, Err(AddressRulesError::Malformed(text.to_owned())), "{text}");
        }
        let meant = AddressRules::parse(["10.1.2.3/16"]).unwrap_err().to_string();
        assert!(meant.ends_with("the network is 10.1.0.0/16"), "{meant}");
        let many = ["10.0.0.1"; AddressRules::NETWORKS_MAX + 1];
        assert_eq!(AddressRules::parse(many), Err(AddressRulesError::TooMany));
    }

    proptest! {
        #[test]
        fn texts_are_read_back(addresses in prop::collection::vec((any::<IpAddr>(), 0..=128u8), 0..10)) {
            let texts: Vec<String> = addresses
                .into_iter()
                .filter_map(|(address, prefix)| Some(IpNet::new(address, prefix).ok()?.trunc().to_string()))
                .collect();
            if let Ok(rules) = AddressRules::parse(texts.iter().map(String::as_str)) {
                let shown: Vec<String> = rules.texts().collect();
                prop_assert_eq!(&AddressRules::parse(shown.iter().map(String::as_str)).unwrap(), &rules);
                prop_assert_eq!(rules.to_string(), shown.join(","));
            }
        }

        #[test]
        fn a_network_holds_exactly_the_addresses_with_its_prefix(network: u32, address: u32, prefix in 0..=32u8) {
            let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
            let near = (network & mask) | (address & !mask);
            let rules = rules(&[&format!("{}/{prefix}", Ipv4Addr::from_bits(network & mask))]);
            prop_assert!(rules.allow(Ipv4Addr::from_bits(near).into()));
            prop_assert_eq!(rules.allow(Ipv4Addr::from_bits(address).into()), address & mask == network & mask);
        }
    }
}
