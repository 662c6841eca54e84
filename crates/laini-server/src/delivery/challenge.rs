use jiff::Timestamp;
use laini_core::access::KeyTree;
use laini_core::delivery::{ResultUrl, Verdict};
use laini_core::partner::ResultAddress;
use laini_wire::delivery::{CHALLENGE, Challenge};

use super::{Outbound, SendError, SignedMessage};

/// Why an address is not proven.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChallengeError {
    /// It was not reached.
    #[error(transparent)]
    Send(#[from] SendError),
    /// It answered with another status than 2xx.
    #[error("it answered {0}, not 2xx")]
    Status(u16),
    /// It answered something else than the challenge.
    #[error("it did not answer the value of \"challenge\"")]
    OtherAnswer,
}

/// Sends `address` a challenge made of `random`, and sees whether it answers it: as its whole answer, or
/// as `{"challenge": …}`. Whoever can answer wants deliveries there.
pub async fn prove(
    outbound: &Outbound,
    keys: &KeyTree,
    (address, to): (&ResultAddress, &ResultUrl),
    at: Timestamp,
    random: [u8; 16],
) -> Result<(), ChallengeError> {
    let challenge = format!("{:032x}", u128::from_be_bytes(random));
    let body = Challenge { r#type: CHALLENGE.into(), challenge: challenge.as_str().into() };
    // Two texts always serialise.
    let body = serde_json::to_string(&body).unwrap_or_default();
    let id = format!("challenge-{}-{}", address.id, &challenge[..8]);
    let message = SignedMessage::sign(keys, address, at, id, body);
    let (status, answer) = outbound.ask(to, &message).await?;
    if Verdict::of(status) != Verdict::Delivered {
        return Err(ChallengeError::Status(status));
    }
    if answers(&answer, &challenge) { Ok(()) } else { Err(ChallengeError::OtherAnswer) }
}

fn answers(answer: &[u8], challenge: &str) -> bool {
    let is_it = |text: &[u8]| text == challenge.as_bytes();
    let said = serde_json::from_slice::<serde_json::Value>(answer).ok();
    let in_json = said.as_ref().and_then(|said| said["challenge"].as_str().or(said.as_str()));
    is_it(answer.trim_ascii()) || in_json.is_some_and(|text| is_it(text.as_bytes()))
}
