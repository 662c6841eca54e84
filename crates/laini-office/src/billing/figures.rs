use std::sync::Arc;

use super::count::Reading;
use super::{invoice_of, rows, usage, verify};
use crate::jobs::{CameTo, Figures, Job, JobOf};
use crate::{Actor, Office, Problem};

/// Works out in a job what it is for, from the partner's rows; the job is told how far that is. Blocks its thread for
/// seconds: who begins it has a place ([`crate::jobs::Jobs::work_out`]).
pub fn work_out(office: &Office, job: &Job) -> Result<CameTo, Problem> {
    let JobOf::Figures(partner, figures) = job.of else { return Err(Problem::NotFound("job")) };
    let told = |rows, at| {
        job.read(rows);
        job.reach(at);
    };
    let reading = Reading { office, partner: Some(partner), told: &told };
    let invoice = |number| office.run(&Actor::System, job.begun, |work| invoice_of(work, partner, number));
    match figures {
        Figures::Split(number) => {
            rows::split(reading, &invoice(number)?, job.begun)?;
            Ok(CameTo::Elsewhere)
        }
        Figures::Verification(number) => Ok(CameTo::Verified(Arc::new(verify::verify(reading, &invoice(number)?)?))),
        Figures::References(from, until) => Ok(CameTo::References(usage::referred(reading, from, until)?.into())),
    }
}
