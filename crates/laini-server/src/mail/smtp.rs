use std::time::Duration;

use jiff::Timestamp;
use laini_core::partner::LetterId;
use laini_office::mail::{Carrier, CarryError, Letter};
use lettre::Message;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{SmtpConnection, Tls, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, MailParameter};
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
    server: (String, u16),
    tls: Tls,
    credentials: Option<Credentials>,
    from: Sender,
}

/// How far a letter had come when something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The connection, the credentials or the sender: none of this is the letter's.
    Way,
    /// The recipient, or the letter itself.
    Letter,
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
        let credentials = settings.credentials.map(|(user, password)| Credentials::new(user, password.to_string()));
        Ok(Self { server: (settings.host, settings.port), tls, credentials, from: settings.from })
    }

    fn hand_over(&self, mail: &Message) -> Result<(), (Step, Error)> {
        let mut connection = self.connect().map_err(|error| (Step::Way, error))?;
        let done = say(&mut connection, mail);
        // Says goodbye where the connection still can, and closes it.
        connection.abort();
        done
    }

    fn connect(&self) -> Result<SmtpConnection, Error> {
        let (name, timeout) = (ClientId::default(), Some(Duration::from_millis(TIMEOUT_MS)));
        let (host, port) = &self.server;
        let from_first_byte = match &self.tls {
            Tls::Wrapper(tls) => Some(tls),
            _ => None,
        };
        let mut connection = SmtpConnection::connect((host.as_str(), *port), timeout, &name, from_first_byte, None)?;
        if let Tls::Required(tls) = &self.tls {
            connection.starttls(tls, &name)?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials)?;
        }
        Ok(connection)
    }
}

/// Step by step, for what a refusal means depends on what is refused. The text of a letter is ASCII as it is sent.
fn say(connection: &mut SmtpConnection, mail: &Message) -> Result<(), (Step, Error)> {
    let envelope = mail.envelope();
    // Addresses of people are ASCII; a sender may be set that is not.
    let is_utf8 = envelope.from().is_some_and(|from| !AsRef::<str>::as_ref(from).is_ascii());
    let parameters = if is_utf8 { vec![MailParameter::SmtpUtfEight] } else { Vec::new() };
    connection.command(Mail::new(envelope.from().cloned(), parameters)).map_err(|error| (Step::Way, error))?;
    for to in envelope.to() {
        connection.command(Rcpt::new(to.clone(), Vec::new())).map_err(|error| (Step::Letter, error))?;
    }
    connection.command(Data).map_err(|error| (Step::Letter, error))?;
    connection.message(&mail.formatted()).map_err(|error| (Step::Letter, error))?;
    Ok(())
}

impl Carrier for SmtpCarrier {
    fn carry(&self, id: LetterId, letter: &Letter, at: Timestamp) -> Result<(), CarryError> {
        let mail = message(&self.from, id, letter, at)?;
        self.hand_over(&mail).map_err(|(step, error)| carry_error(step, &error))?;
        tracing::info!(about = letter.about, "a letter was handed to the mail server");
        Ok(())
    }
}

/// The server's own words may repeat the address, so they are not told: only its status is.
fn carry_error(step: Step, error: &Error) -> CarryError {
    let reason = match error.status() {
        Some(code) => format!("the mail server answered {code}"),
        None if error.is_timeout() => "the mail server did not answer in time".to_owned(),
        None if error.is_tls() => "the mail server's certificate or TLS does not fit".to_owned(),
        None if error.is_response() => "the mail server's answer cannot be read".to_owned(),
        None => "the mail server cannot be reached, or does not take these credentials".to_owned(),
    };
    CarryError { is_final: step == Step::Letter && is_for_good(error), reason }
}

/// Whether a letter is refused for good: its recipient is not there, or it is one that nobody takes (550 to 553).
/// Everything else is something that the operator can mend within the days for which letters are tried, and it would be
/// in every letter's way: wrong credentials, a sender or a relay that is refused (554, or 5.7.x by policy), a command
/// that the server does not know.
fn is_for_good(error: &Error) -> bool {
    let Some(code) = error.status() else { return false };
    let is_of_mailbox = matches!(code.to_string().as_str(), "550" | "551" | "552" | "553");
    let is_policy = std::error::Error::source(error).is_some_and(|said| said.to_string().starts_with("5.7."));
    is_of_mailbox && !is_policy
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread::{JoinHandle, spawn};

    use super::*;

    /// What a mail server says where it does not say that all is fine.
    #[derive(Clone, Copy)]
    struct Says {
        greeting: &'static str,
        auth: &'static str,
        mail: &'static str,
        rcpt: &'static str,
        data: &'static str,
        end: &'static str,
    }

    const FINE: Says = Says {
        greeting: "220 ready",
        auth: "235 welcome",
        mail: "250 fine",
        rcpt: "250 fine",
        data: "354 go on",
        end: "250 taken",
    };

    /// A mail server for one connection; what it was told.
    fn server(says: Says) -> (u16, JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (port, spawn(move || serve(&listener.accept().unwrap().0, says)))
    }

    fn serve(mut stream: &TcpStream, says: Says) -> Vec<String> {
        let mut told = Vec::new();
        let mut is_data = false;
        write!(stream, "{}\r\n", says.greeting).unwrap();
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { break };
            let answer = match (is_data, line.split([' ', ':']).next().unwrap_or_default()) {
                (true, ".") => {
                    is_data = false;
                    says.end
                }
                (true, _) => "",
                (false, "EHLO") => "250-here\r\n250 AUTH PLAIN",
                (false, "AUTH") => says.auth,
                (false, "MAIL") => says.mail,
                (false, "RCPT") => says.rcpt,
                (false, "DATA") => {
                    is_data = says.data.starts_with('3');
                    says.data
                }
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
        let credentials = Some(("laini".to_owned(), Zeroizing::new("a password".to_owned())));
        let settings = SmtpSettings { host: "127.0.0.1".into(), port, tls: SmtpTls::None, credentials, from };
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
        let (port, server) = server(FINE);
        assert_eq!(carry(port), Ok(()));
        let told = server.join().unwrap();
        assert!(told.iter().any(|line| line == "RCPT TO:<a.person@bank.example>"), "{told:?}");
        assert!(told.ends_with(&["A text.".into(), "..".into(), "QUIT".into(), String::new(), ".".into()]), "{told:?}");
    }

    #[test]
    fn what_the_server_refuses_is_told_without_its_words_and_is_final_for_the_letter_alone() {
        let rcpt = |rcpt| Says { rcpt, ..FINE };
        let end = |end| Says { end, ..FINE };
        let cases = [
            (rcpt("550 no such user a.person@bank.example"), true, "550"),
            (rcpt("550 5.1.1 no such user"), true, "550"),
            (rcpt("551 gone"), true, "551"),
            (rcpt("553 no name of ours"), true, "553"),
            (end("552 5.3.4 too large"), true, "552"),
            (rcpt("451 a.person: later"), false, "451"),
            // What is in every letter's way.
            (Says { greeting: "554 nobody here", ..FINE }, false, "554"),
            (Says { greeting: "550 you are on a list", ..FINE }, false, "550"),
            (Says { auth: "535 5.7.8 wrong", ..FINE }, false, "535"),
            (Says { auth: "534 5.7.9 too weak", ..FINE }, false, "534"),
            (Says { auth: "538 not without TLS", ..FINE }, false, "538"),
            (Says { auth: "550 not you", ..FINE }, false, "550"),
            (Says { mail: "530 authenticate first", ..FINE }, false, "530"),
            (Says { mail: "553 this sender is not yours", ..FINE }, false, "553"),
            (Says { mail: "501 odd", ..FINE }, false, "501"),
            (rcpt("530 authenticate first"), false, "530"),
            (rcpt("554 5.7.1 relaying is refused"), false, "554"),
            (rcpt("550 5.7.1 relaying is refused"), false, "550"),
            (rcpt("550-5.7.1 this sender\r\n550 5.7.1 is not yours"), false, "550"),
            (rcpt("503 out of order"), false, "503"),
            (Says { data: "554 no recipient", ..FINE }, false, "554"),
            (end("554 5.7.1 looks like junk"), false, "554"),
        ];
        for (says, is_final, status) in cases {
            let (port, server) = server(says);
            let error = carry(port).unwrap_err();
            server.join().unwrap();
            let told = format!("the mail server answered {status}");
            assert_eq!((error.is_final, error.reason), (is_final, told), "{} {}", says.rcpt, says.end);
        }
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        assert!(!carry(closed).unwrap_err().is_final);
    }
}
