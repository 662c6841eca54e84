use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

use super::{Network, Reach};

/// The result address of an app whose developer listens with `laini listen`.
pub const LISTEN: &str = "laini:listen";

/// The longest address that is taken.
const URL_BYTES_MAX: usize = 2_048;
/// Beside 443, ports from here on: below live services that a stray POST could harm.
const FREE_PORTS_FROM: u16 = 1_024;

/// Where results can go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To whoever listens with the app's credentials: [`LISTEN`].
    Listener,
    /// To a web address.
    Web(ResultUrl),
}

impl Destination {
    /// Reads an address as it is registered or asked for.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, ResultUrlError> {
        if text == LISTEN {
            return Ok(Self::Listener);
        }
        ResultUrl::parse(text, reach).map(Self::Web)
    }

    /// Its normal form: equal destinations are equal texts.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Listener => LISTEN,
            Self::Web(url) => url.as_str(),
        }
    }
}

/// A web address that results may be sent to, in its normal form. Whether its host's addresses may be
/// connected to is judged at each attempt ([`Reach::includes`]): names move.
#[derive(Clone, PartialEq, Eq)]
pub struct ResultUrl(Url);

/// Why results are not sent to an address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResultUrlError {
    /// Too long, or no URL with a host.
    #[error("it is no web address of at most {URL_BYTES_MAX} characters")]
    NotAnAddress,
    /// Another scheme, or `http` beyond this machine.
    #[error("it must begin with https://")]
    NotHttps,
    /// `user:password@`.
    #[error("it must not hold a user name or a password")]
    Credentials,
    /// `#…`, which is never sent.
    #[error("it must not hold a fragment (#…)")]
    Fragment,
    /// An IP address in whatever notation, where a certificate wants a name.
    #[error("its host must be a name, not an IP address")]
    NotAName,
    /// A name without a dot, which only an inside resolver knows.
    #[error("its host must be a full name with a dot")]
    InsideName,
    /// A port of another service.
    #[error("its port must be 443, or {FREE_PORTS_FROM} and above")]
    Port,
}

impl ResultUrl {
    /// Reads an address.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, ResultUrlError> {
        // The parser would drop tabs and line ends silently, and read a backslash as a slash.
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        if text.len() > URL_BYTES_MAX || !text.bytes().all(is_plain) {
            return Err(ResultUrlError::NotAnAddress);
        }
        let url = Url::parse(text).map_err(|_| ResultUrlError::NotAnAddress)?;
        let host = url.host().ok_or(ResultUrlError::NotAnAddress)?;
        let is_here = reach == Reach::Loopback && is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if is_here => {}
            _ => return Err(ResultUrlError::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ResultUrlError::Credentials);
        }
        if url.fragment().is_some() {
            return Err(ResultUrlError::Fragment);
        }
        match host {
            _ if is_here => {}
            Host::Ipv4(_) | Host::Ipv6(_) => return Err(ResultUrlError::NotAName),
            Host::Domain(name) if !name.trim_end_matches('.').contains('.') => return Err(ResultUrlError::InsideName),
            Host::Domain(_) => {}
        }
        let port = url.port_or_known_default().unwrap_or(0);
        if port != 443 && port < FREE_PORTS_FROM && !(is_here && port != 0) {
            return Err(ResultUrlError::Port);
        }
        Ok(Self(url))
    }

    /// Its normal form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whom a cap on concurrent deliveries counts: host and port.
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// The IP address that stands in it in place of a name; only where it is on this machine.
    pub fn ip(&self) -> Option<IpAddr> {
        match self.0.host()? {
            Host::Ipv4(v4) => Some(v4.into()),
            Host::Ipv6(v6) => Some(v6.into()),
            Host::Domain(_) => None,
        }
    }
}

/// A path can hold a receiver's secret.
impl fmt::Debug for ResultUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ResultUrl({}://{}/…)", self.0.scheme(), self.0.authority())
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(v4) => Network::of((*v4).into()) == Network::Loopback,
        Host::Ipv6(v6) => Network::of((*v6).into()) == Network::Loopback,
        Host::Domain(name) => *name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_that_results_may_go_to() {
        let table = [
            ("https://bank.example/laini", "https://bank.example/laini"),
            ("HTTPS://Bank.Example", "https://bank.example/"),
            ("https://bank.example:443/a?b=c", "https://bank.example/a?b=c"),
            ("https://bank.example:8443/", "https://bank.example:8443/"),
            ("https://b%61nk.example/", "https://bank.example/"),
            ("https://xn--bnk-ula.example/", "https://xn--bnk-ula.example/"),
        ];
        for (text, normal) in table {
            for reach in [Reach::Public, Reach::Loopback] {
                assert_eq!(ResultUrl::parse(text, reach).unwrap().as_str(), normal);
            }
        }
        assert_eq!(Destination::parse(LISTEN, Reach::Public), Ok(Destination::Listener));
    }

    #[test]
    fn this_machine_is_reached_only_from_a_server_on_loopback() {
        for text in ["http://127.0.0.1:3000/hook", "http://localhost:3000/", "http://[::1]:80/", "https://127.0.0.1/"] {
            assert!(ResultUrl::parse(text, Reach::Loopback).is_ok(), "{text}");
            assert!(ResultUrl::parse(text, Reach::Public).is_err(), "{text}");
        }
        for text in ["http://10.0.0.1:3000/", "http://bank.example/", "https://10.0.0.1/", "http://127.0.0.1:0/"] {
            assert!(ResultUrl::parse(text, Reach::Loopback).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_that_are_refused_say_why() {
        use ResultUrlError as E;
        let long = format!("https://bank.example/{}", "a".repeat(URL_BYTES_MAX));
        let table = [
            ("", E::NotAnAddress),
            ("bank.example", E::NotAnAddress),
            (&long, E::NotAnAddress),
            ("https://bank.example/a b", E::NotAnAddress),
            ("https://bank.example/\ta", E::NotAnAddress),
            ("https://bank.example\\@bank.example/", E::NotAnAddress),
            ("https://bänk.example/", E::NotAnAddress),
            ("https://", E::NotAnAddress),
            ("https:///a", E::InsideName),
            ("mailto:a@bank.example", E::NotAnAddress),
            ("laini:listen2", E::NotAnAddress),
            ("http://bank.example/", E::NotHttps),
            ("ftp://bank.example/", E::NotHttps),
            ("file://bank.example/etc/passwd", E::NotHttps),
            ("gopher://bank.example/", E::NotHttps),
            ("https://user@bank.example/", E::Credentials),
            ("https://user:pw@bank.example/", E::Credentials),
            ("https://:pw@bank.example/", E::Credentials),
            ("https://bank.example/#a", E::Fragment),
            ("https://8.8.8.8/", E::NotAName),
            ("https://[2606:4700:4700::1111]/", E::NotAName),
            ("https://0x7f.1/", E::NotAName),
            ("https://017700000001/", E::NotAName),
            ("https://2130706433/", E::NotAName),
            ("https://localhost/", E::InsideName),
            ("https://vault/", E::InsideName),
            ("https://vault./", E::InsideName),
            ("https://bank.example:80/", E::Port),
            ("https://bank.example:22/", E::Port),
            ("https://bank.example:0/", E::Port),
            ("https://bank.example:1023/", E::Port),
            ("https://bank.example:99999/", E::NotAnAddress),
        ];
        for (text, why) in table {
            assert_eq!(ResultUrl::parse(text, Reach::Public), Err(why), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn whatever_is_read_names_a_host_over_https(text in "(https?|HTTPS|ftp):/{1,3}[a-z0-9.:@%\\[\\]x-]{0,30}[/?#]?[ -~]{0,10}|\\PC{0,40}") {
            if let Ok(url) = ResultUrl::parse(&text, Reach::Public) {
                prop_assert!(url.as_str().starts_with("https://"), "{}", text);
                prop_assert!(url.ip().is_none() && !url.authority().contains('@'), "{}", text);
                prop_assert_eq!(ResultUrl::parse(url.as_str(), Reach::Public), Ok(url));
            }
        }
    }
}
