use laini_core::access::{TotpSecret, recovery_code};
use zeroize::Zeroizing;

use super::notice::{Notice, tell};
use super::proof::{SealedSecret, SecondFactor};
use super::sign_in::prove_again;
use super::{Person, Proof};
use crate::{Problem, Work};

/// Recovery codes that are made at once.
const RECOVERY_CODES: usize = 10;

/// A second factor as it is shown, once, to be put into an app.
pub struct BegunFactor {
    /// To be typed.
    pub secret: Zeroizing<String>,
    /// To be shown as a QR code.
    pub uri: Zeroizing<String>,
}

/// Begins a second factor of whoever is signed in. It counts once it has shown a code.
pub fn begin_factor(work: &mut Work<'_>, password: &str, peer: &str) -> Result<BegunFactor, Problem> {
    let (person, mut proof) = prove_again(work, password, peer)?;
    if proof.factor.is_some() {
        return Err(Problem::not_now("there is a second factor already; remove it first"));
    }
    let mut bytes = [0; 20];
    work.office.entropy.fill(&mut bytes);
    let secret = TotpSecret::new(bytes);
    proof.begun = Some(SealedSecret::seal(work.office, person.id, &secret));
    work.put(&proof)?;
    let uri = secret.uri(&work.office.settings.operator, &person.email);
    Ok(BegunFactor { secret: secret.in_base32(), uri })
}

/// Confirms it by its first code; the recovery codes, which are shown once.
pub fn confirm_factor(work: &mut Work<'_>, code: &str) -> Result<Vec<Zeroizing<String>>, Problem> {
    let (person, mut proof) = own(work)?;
    let begun = proof.begun.take().ok_or(Problem::not_now("no second factor was begun; begin one first"))?;
    let secret = begun.open(work.office, person.id);
    let step = secret.and_then(|secret| secret.step_of(code, work.at, None));
    let used = step.ok_or(Problem::invalid("code", "it is not the one of now; is the clock of the device right?"))?;
    proof.factor = Some(SecondFactor { secret: begun, used, since: work.at });
    let codes = new_codes(work, &mut proof);
    work.put(&proof)?;
    work.note("second_factor.add", person.seat.partner(), person.id, "");
    tell(work, &person, Notice::FactorAdded)?;
    Ok(codes)
}

/// New recovery codes in the place of those that are left, against the password and a code (or a recovery code).
pub fn renew_recovery_codes(
    work: &mut Work<'_>,
    password: &str,
    code: &str,
    peer: &str,
) -> Result<Vec<Zeroizing<String>>, Problem> {
    let (person, mut proof) = prove_again(work, password, peer)?;
    if proof.factor.is_none() {
        return Err(Problem::not_now("there is no second factor that they could stand in for"));
    }
    take_code(work, &mut proof, code)?;
    let codes = new_codes(work, &mut proof);
    work.put(&proof)?;
    work.note("second_factor.recovery_codes", person.seat.partner(), person.id, "");
    tell(work, &person, Notice::CodesRenewed)?;
    Ok(codes)
}

/// Removes the second factor of whoever is signed in, against the password and a code (or a recovery code).
pub fn remove_factor(work: &mut Work<'_>, password: &str, code: &str, peer: &str) -> Result<(), Problem> {
    let (person, mut proof) = prove_again(work, password, peer)?;
    take_code(work, &mut proof, code)?;
    (proof.factor, proof.begun, proof.recovery) = (None, None, Vec::new());
    work.put(&proof)?;
    work.note("second_factor.remove", person.seat.partner(), person.id, "");
    tell(work, &person, Notice::FactorRemoved)
}

fn take_code(work: &Work<'_>, proof: &mut Proof, code: &str) -> Result<(), Problem> {
    if proof.takes_code(work.office, code, work.at) || proof.takes_recovery_code(code) {
        return Ok(());
    }
    Err(Problem::invalid("code", "it is wrong, was used already, or has passed"))
}

fn own(work: &mut Work<'_>) -> Result<(Person, Proof), Problem> {
    let id = work.actor.person().ok_or(Problem::NotFound("person"))?;
    let proof = work.look::<Proof>(id)?.unwrap_or_else(|| Proof::none(id));
    Ok((work.get(id)?, proof))
}

fn new_codes(work: &Work<'_>, proof: &mut Proof) -> Vec<Zeroizing<String>> {
    let code = |_| {
        let mut random = [0; 10];
        work.office.entropy.fill(&mut random);
        recovery_code(random)
    };
    let codes: Vec<_> = (0..RECOVERY_CODES).map(code).collect();
    proof.recovery = codes.iter().map(|code| proof.recovery_hash(code)).collect();
    codes
}
