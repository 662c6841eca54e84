use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;
use laini_core::partner::PrivacyRequestId;
use laini_core::privacy::{IdentityProof, PrivacyAction, RequestState, held_until};
use laini_office::privacy::{
    NewRequest, PrivacyRequest, Subject, approve, carry_out, check_identity, hold_again, receive,
};
use laini_office::{Office, Problem, Work};

use crate::command::Context;
use crate::command::context::{block_on, console, now};
use crate::config::Config;
use crate::failure::{WithHint as _, hinted};

/// By what right something is done about a number.
#[derive(Args)]
pub(super) struct OrderArgs {
    /// How it was made sure that the holder asks: document_in_person, certified_copy, representative or order. That
    /// somebody has the SIM proves nothing.
    #[arg(long, value_name = "HOW", value_parser = IdentityProof::parse)]
    identity_checked: Option<IdentityProof>,
    /// Carry out this privacy request instead of making one.
    #[arg(long, value_name = "ID", value_parser = PrivacyRequestId::parse)]
    request: Option<PrivacyRequestId>,
    /// Why; kept with the request and in the audit trail, so without the number.
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Do it although the SIM was swapped or ported within 30 days: somebody answers for it.
    #[arg(long)]
    override_hold: bool,
}

/// A number, and everything that is remembered about it.
pub(super) struct Desk {
    pub(super) config: Config,
    pub(super) office: Arc<Office>,
    pub(super) subject: Subject,
}

impl Desk {
    /// Opens everything, and looks the number up.
    pub(super) fn open(context: &Context, number: &str) -> anyhow::Result<Self> {
        let (house, config) = context.existing_house()?;
        let number = config.plan()?.parse_spaced(number).hint("write it as 2547…, +2547… or 07…")?;
        let ledger = house.ledger_beside()?;
        let registry = house.answering_registry(&config)?;
        let office = house.office_of(&config, &ledger, Some(&registry))?;
        let found = block_on(registry.reader.look_up(number))?.context("the number cannot be looked up").hint(
            "what is done about a number depends on its present holder; \
             load an extract with `laini registry import FILE`, or see `laini doctor`",
        )?;
        let hash = house.keys.subject().number(number);
        Ok(Self { config, office, subject: Subject { number, hash, found } })
    }

    /// The approved request that this order stands on: made now, or the one that it names, which is looked at again. One
    /// that is held is kept, and can be named when its time has come.
    pub(super) fn order(
        &self,
        action: PrivacyAction,
        any_holder: bool,
        args: &OrderArgs,
    ) -> anyhow::Result<PrivacyRequest> {
        let number = self.subject.number;
        let (request, held) = self.office.run(&console(), now(), |work| {
            let request = if let Some(id) = args.request {
                named(work, id, action, &self.subject)?
            } else {
                let (reason, held_until) = (args.reason.as_str(), held_until(&self.subject.found, work.at));
                receive(work, &NewRequest { number, action, partner: None, any_holder, reason, held_until })?
            };
            ordered(work, request, &self.subject, args)
        })?;
        match held {
            None => Ok(request),
            Some(problem) => Err(hinted(
                problem,
                format!(
                    "the request is kept as {id}: carry it out later with --request {id}, or now with --override-hold",
                    id = request.id
                ),
            )),
        }
    }

    /// Ends a request that was carried out.
    pub(super) fn done(&self, request: &PrivacyRequest, what: &str) -> anyhow::Result<()> {
        self.office.run(&console(), now(), |work| {
            let request = work.get(request.id)?;
            carry_out(work, request, what)
        })?;
        Ok(())
    }
}

fn named(
    work: &mut Work<'_>,
    id: PrivacyRequestId,
    action: PrivacyAction,
    subject: &Subject,
) -> Result<PrivacyRequest, Problem> {
    let request: PrivacyRequest = work.get(id)?;
    if request.number != subject.hash.hex() {
        return Err(Problem::not_now("the request is about another number"));
    }
    if request.action != action {
        return Err(Problem::not_now(format!("the request asks to {}", request.action.word())));
    }
    Ok(request)
}

/// Checks and approves a request as far as that is not done or holds no more; why it is held, where it is.
fn ordered(
    work: &mut Work<'_>,
    mut request: PrivacyRequest,
    subject: &Subject,
    args: &OrderArgs,
) -> Result<(PrivacyRequest, Option<Problem>), Problem> {
    match request.state {
        RequestState::Received => {
            let missing = "say with --identity-checked how it was made sure that the holder asks";
            let how = args.identity_checked.ok_or(Problem::not_now(missing))?;
            request = check_identity(work, request, subject, how)?;
        }
        RequestState::IdentityChecked | RequestState::Approved => hold_again(work, &mut request, subject)?,
        RequestState::Done | RequestState::Refused => {
            return Err(Problem::not_now("the request has ended; make a new one"));
        }
    }
    if request.state == RequestState::IdentityChecked {
        if request.standing().is_held(work.at) && !args.override_hold {
            let refusal = request.standing().approved(work.at, false, false).err();
            return Ok((request, refusal.map(|refusal| Problem::not_now(refusal.to_string()))));
        }
        request = approve(work, request, Some(subject), &args.reason, args.override_hold)?;
    }
    Ok((request, None))
}
