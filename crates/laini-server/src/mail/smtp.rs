use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_office::mail::{Carrier, CarryError, Letter};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{SmtpTransport, Transport as _};
use zeroize::Zeroizing;

use super::{Sender, message};

/// How long one answer of the mail server may take.
const TIMEOUT_MS: u64 = 10_000;

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// From its first byte on.
    Implicit,
    /// By STARTTLS; without it nothing is sent.
    StartTls,
    /// Not at all: for a server on the same machine.
    None,
}

/// Where letters are handed to.
pub struct SmtpSettings {
    /// The mail server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub tls: SmtpTls,
    /// User and password, where it wants them.
    pub credentials: Option<(String, Zeroizing<String>)>,
    /// Who letters are from.
    pub from: Sender,
}

/// Hands letters to a mail server.
pub struct SmtpCarrier {
    transport: SmtpTransport,
    from: Sender,
}

/// Why there is no way to the mail server at all.
#[derive(Debug, thiserror::Error)]
#[error("mail cannot be set up: {0}")]
pub struct SmtpError(String);

impl SmtpCarrier {
    /// A way to the mail server; nothing is connected yet.
    pub fn new(settings: SmtpSettings) -> Result<Self, SmtpError> {
        let tls = || TlsParameters::new(settings.host.clone()).map_err(|error| SmtpError(error.to_string()));
        let tls = match settings.tls {
            SmtpTls::Implicit => Tls::Wrapper(tls()?),
            SmtpTls::StartTls => Tls::Required(tls()?),
            SmtpTls::None => Tls::None,
        };
        let mut builder = SmtpTransport::builder_dangerous(&settings.host)
            .port(settings.port)
            .tls(tls)
            .timeout(Some(Duration::from_millis(TIMEOUT_MS)));
        if let Some((user, password)) = settings.credentials {
            builder = builder.credentials(Credentials::new(user, password.to_string()));
        }
        Ok(Self { transport: builder.build(), from: settings.from })
    }
}

impl Carrier for SmtpCarrier {
    fn carry(&self, id: LetterId, letter: &Letter, at: Timestamp) -> Result<(), CarryError> {
        let mail = message(&self.from, id, letter, at)?;
        match self.transport.send(&mail) {
            Ok(_) => {
                tracing::info!(about = letter.about, "a letter was handed to the mail server");
                Ok(())
            }
            Err(error) => Err(carry_error(&error)),
        }
    }
}

/// The server's own words may repeat the address, so they are not told: only its status is.
fn carry_error(error: &lettre::transport::smtp::Error) -> CarryError {
    let reason = match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "the mail server's certificate or TLS does not fit".to_owned(),
        None if error.is_response() => "the mail server's answer cannot be read".to_owned(),
        None => "the mail server cannot be reached, or does not take these credentials".to_owned(),
    };
    CarryError { is_final: error.is_permanent(), reason }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread::{JoinHandle, spawn};

    use super::*;

    /// A mail server for one connection that answers `to_recipient` to RCPT; what it was told.
    fn server(to_recipient: &'static str) -> (u16, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (port, spawn(move || serve(&listener.accept().unwrap().0, to_recipient)))
    }

    fn serve(mut stream: &TcpStream, to_recipient: &str) -> Vec<String> {
        let mut told = Vec::new();
        let mut is_data = false;
        write!(stream, "220 ready\r\n").unwrap();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            let answer = match (is_data, line.split([' ', ':']).next().unwrap_or_default()) {
                (true, ".") => {
                    is_data = false;
                    "250 taken"
                }
                (true, _) => "",
                (false, "DATA") => {
                    is_data = true;
                    "354 go on"
                }
                (false, "RCPT") => to_recipient,
                (false, "QUIT") => break,
                (false, _) => "250 fine",
            };
            told.push(line);
            if !answer.is_empty() && write!(stream, "{answer}\r\n").is_err() {
                break;
            }
        }
        told
    }

    fn carry(port: u16) -> Result<(), CarryError> {
        let from = Sender::parse("laini@mobile.example").unwrap();
        let settings = SmtpSettings { host: "127.0.0.1".into(), port, tls: SmtpTls::None, credentials: None, from };
        let letter = Letter {
            to: "a.person@bank.example".into(),
            subject: "Hello".into(),
            text: "A text.\n.\nQUIT\n".into(),
            about: "person 1".into(),
        };
        let at: Timestamp = "2026-11-22T09:00:00Z".parse().unwrap();
        SmtpCarrier::new(settings).unwrap().carry(LetterId::from_stored(7), &letter, at)
    }

    #[test]
    fn a_letter_is_handed_over_whole() {
        let (port, server) = server("250 fine");
        assert_eq!(carry(port), Ok(()));
        let told = server.join().unwrap();
        assert!(told.iter().any(|line| line == "RCPT TO:<a.person@bank.example>"), "{told:?}");
        assert!(told.ends_with(&["A text.".into(), "..".into(), "QUIT".into(), String::new(), ".".into()]), "{told:?}");
    }

    #[test]
    fn what_the_server_refuses_is_told_without_its_words() {
        let cases = [("550 no such user a.person@bank.example", true, "550"), ("451 a.person: later", false, "451")];
        for (answer, is_final, status) in cases {
            let (port, server) = server(answer);
            let error = carry(port).unwrap_err();
            server.join().unwrap();
            assert_eq!((error.is_final, error.reason), (is_final, format!("the mail server answered {status}")));
        }
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!carry(closed).unwrap_err().is_final);
    }
}
