use std::net::{IpAddr, SocketAddr};

use axum::http::header::{FORWARDED, HeaderName};
use axum::http::{HeaderMap, HeaderValue};
use laini_core::access::AddressRules;

/// How many hops are walked at most; a longer way is not believed.
const HOPS_MAX: usize = 32;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies in front of the server, which are believed when they say whom they ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrustedProxies {
    /// Where they are.
    pub networks: AddressRules,
    /// Where they say it.
    pub header: ForwardedHeader,
}

/// The header in which proxies name the client. One alone is read: a proxy that writes one passes the
/// other on as the client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl TrustedProxies {
    /// Who asks, over a connection from `address`: the last hop that is no trusted proxy. What stands
    /// before it in the header was written by strangers.
    pub(super) fn client(&self, address: IpAddr, headers: &HeaderMap) -> IpAddr {
        if self.networks.is_empty() || !self.networks.contain(address) {
            return address;
        }
        let mut client = address.to_canonical();
        for hop in self.header.hops(headers).take(HOPS_MAX) {
            // A hop that cannot be read ends what can be believed.
            let Some(hop) = hop else { break };
            client = hop;
            if !self.networks.contain(hop) {
                break;
            }
        }
        client
    }
}

impl ForwardedHeader {
    /// From the nearest hop to the farthest; `None` for one that is no address.
    fn hops(self, headers: &HeaderMap) -> impl Iterator<Item = Option<IpAddr>> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self {
            Self::XForwardedFor => (X_FORWARDED_FOR, hop),
            Self::Forwarded => (FORWARDED, for_of_element),
        };
        let lines: Vec<&HeaderValue> = headers.get_all(name).iter().collect();
        // No address holds a comma, so elements can be parted without heeding quotes. A client's own
        // bytes, whatever they are, spoil no element but theirs.
        let elements = lines.into_iter().rev().flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        elements.map(move |element| std::str::from_utf8(element).ok().and_then(read))
    }
}

/// The `for` of one element of `Forwarded`.
fn for_of_element(element: &str) -> Option<IpAddr> {
    let mut fors = element.split(';').filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let value = fors.next().filter(|_| fors.next().is_none())?;
    hop(value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value))
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::7`, `[2001:db8::7]`, `[2001:db8::7]:4711`.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()));
    address.ok().map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PROXY: &str = "10.0.0.2";

    fn client(header: ForwardedHeader, from: &str, lines: &[&str]) -> String {
        let networks = AddressRules::parse(["10.0.0.0/24", "2001:db8:f::/48"]).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let name = if header == ForwardedHeader::Forwarded { FORWARDED } else { X_FORWARDED_FOR };
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        TrustedProxies { networks, header }.client(from.parse().unwrap(), &headers).to_string()
    }

    fn x(from: &str, lines: &[&str]) -> String {
        client(ForwardedHeader::XForwardedFor, from, lines)
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(x("203.0.113.9", &["192.0.2.7"]), "203.0.113.9");
        assert_eq!(x(PROXY, &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(x("::ffff:10.0.0.2", &["192.0.2.7"]), "192.0.2.7");
        assert_eq!(x("2001:db8:f::1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn the_last_hop_that_is_no_proxy_counts_whatever_stands_before_it() {
        assert_eq!(x(PROXY, &["198.51.100.1, 192.0.2.7"]), "192.0.2.7");
        assert_eq!(x(PROXY, &["198.51.100.1, 192.0.2.7, 10.0.0.3"]), "192.0.2.7");
        assert_eq!(x(PROXY, &["198.51.100.1", "192.0.2.7", "10.0.0.3"]), "192.0.2.7");
        assert_eq!(x(PROXY, &["10.0.0.4, 10.0.0.3"]), "10.0.0.4");
    }

    #[test]
    fn what_cannot_be_read_ends_what_is_believed() {
        assert_eq!(x(PROXY, &[]), PROXY);
        for nonsense in ["", "unknown", "_hidden", "192.0.2", "192.0.2.7 198.51.100.1", "bank.test", "\u{e9}"] {
            assert_eq!(x(PROXY, &[nonsense]), PROXY, "{nonsense}");
            assert_eq!(x(PROXY, &[&format!("192.0.2.7, {nonsense}, 10.0.0.3")]), "10.0.0.3", "{nonsense}");
        }
        let way = vec!["10.0.0.3"; HOPS_MAX + 1].join(",");
        assert_eq!(x(PROXY, &[&format!("192.0.2.7,{way}")]), "10.0.0.3");
    }

    #[test]
    fn ports_and_brackets_are_understood() {
        for (text, is) in [
            ("192.0.2.7:4711", "192.0.2.7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            assert_eq!(x(PROXY, &[text]), is, "{text}");
        }
    }

    #[test]
    fn the_standard_header_is_read_where_it_is_chosen() {
        let forwarded = |lines: &[&str]| client(ForwardedHeader::Forwarded, PROXY, lines);
        assert_eq!(forwarded(&["for=192.0.2.7"]), "192.0.2.7");
        assert_eq!(forwarded(&["proto=https;For=\"[2001:db8::7]:4711\";by=10.0.0.2"]), "2001:db8::7");
        assert_eq!(forwarded(&["for=198.51.100.1, for=192.0.2.7;proto=http", "for=10.0.0.3"]), "192.0.2.7");
        for nonsense in ["for=unknown", "for=_gazonk", "by=192.0.2.7", "for=192.0.2.7;for=198.51.100.1", "192.0.2.7"] {
            assert_eq!(forwarded(&[nonsense]), PROXY, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_a_stranger_a_neighbour(text in "[ -~]{0,80}", mut hops in prop::collection::vec(any::<IpAddr>(), 0..4)) {
            prop_assert_eq!(x("203.0.113.9", &[&text]), "203.0.113.9");
            // Whatever the client itself wrote, the hop that the proxy added is what counts.
            hops.push("192.0.2.7".parse().unwrap());
            let line = hops.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            prop_assert_eq!(x(PROXY, &[&text, &line]), "192.0.2.7");
        }
    }
}
