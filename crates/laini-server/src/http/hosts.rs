use axum::http::header::HOST;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use laini_core::partner::Environment;

use crate::Environments;

/// Host names that are bound to an environment. Any other name, and none at all, is answered as its
/// listener answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HostNames {
    /// Names under which only sandbox credentials are answered, in lower case.
    pub sandbox: Vec<String>,
    /// Names under which only production credentials are answered, in lower case.
    pub production: Vec<String>,
}

impl HostNames {
    /// Whose credentials a request is answered with, that came in where `environments` are.
    pub(super) fn narrow(&self, environments: Environments, request: &Parts) -> Environments {
        if self.sandbox.is_empty() && self.production.is_empty() {
            return environments;
        }
        match named(request) {
            Named::Host(host) if has(&self.sandbox, host) => environments.only(Environment::Sandbox),
            Named::Host(host) if has(&self.production, host) => environments.only(Environment::Production),
            Named::Nothing | Named::Host(_) => environments,
            Named::Several => Environments::Neither,
        }
    }
}

/// Which host a request is for.
enum Named<'a> {
    Nothing,
    Host(&'a str),
    /// Two parties could take it for two hosts.
    Several,
}

/// The target's own host goes before the header (RFC 9112, section 3.2.2); HTTP/2 has it there always.
fn named(request: &Parts) -> Named<'_> {
    if let Some(authority) = request.uri.authority() {
        return Named::Host(authority.host());
    }
    let mut values = request.headers.get_all(HOST).iter();
    match (values.next(), values.next()) {
        (None, _) => Named::Nothing,
        (Some(_), Some(_)) => Named::Several,
        (Some(value), None) => value.to_str().map_or(Named::Several, |text| Named::Host(without_port(text))),
    }
}

fn without_port(text: &str) -> &str {
    match text.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => text,
    }
}

fn has(names: &[String], host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    names.iter().any(|name| name.eq_ignore_ascii_case(host))
}

/// Whether `text` can be a host name in a setting: without scheme, port or path.
pub fn is_host_name(text: &str) -> bool {
    text.parse::<Authority>().is_ok_and(|authority| authority.as_str() == text && authority.host() == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn narrowed(target: &str, hosts: &[&str]) -> Environments {
        let names = HostNames { sandbox: vec!["sandbox.bank.test".into()], production: vec!["api.bank.test".into()] };
        let mut request = Request::get(target);
        for host in hosts {
            request = request.header(HOST, *host);
        }
        names.narrow(Environments::Both, &request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn a_name_answers_its_environment_alone() {
        for host in ["sandbox.bank.test", "SANDBOX.Bank.Test", "sandbox.bank.test:8443", "sandbox.bank.test."] {
            assert_eq!(narrowed("/livez", &[host]), Environments::SandboxOnly, "{host}");
        }
        assert_eq!(narrowed("/livez", &["api.bank.test"]), Environments::ProductionOnly);
        for host in ["127.0.0.1:8080", "[::1]:8080", "sandbox.bank.test.evil.test", "x.api.bank.test", ""] {
            assert_eq!(narrowed("/livez", &[host]), Environments::Both, "{host}");
        }
        assert_eq!(narrowed("/livez", &[]), Environments::Both);
    }

    #[test]
    fn the_target_goes_before_the_header_and_two_headers_are_none() {
        assert_eq!(narrowed("https://sandbox.bank.test/livez", &["api.bank.test"]), Environments::SandboxOnly);
        assert_eq!(narrowed("/livez", &["api.bank.test", "sandbox.bank.test"]), Environments::Neither);
    }

    #[test]
    fn a_listener_of_the_other_environment_answers_nobody_under_that_name() {
        assert_eq!(Environments::ProductionOnly.only(Environment::Sandbox), Environments::Neither);
        assert_eq!(Environments::ProductionOnly.only(Environment::Production), Environments::ProductionOnly);
    }

    #[test]
    fn host_names_are_told_from_addresses_with_more() {
        for name in ["api.bank.test", "localhost", "192.0.2.7", "[::1]"] {
            assert!(is_host_name(name), "{name}");
        }
        for other in ["", "api.bank.test:443", "https://api.bank.test", "api.bank.test/x", "a b", "user@api.bank.test"]
        {
            assert!(!is_host_name(other), "{other}");
        }
    }
}
