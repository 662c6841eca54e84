use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use laini_core::partner::PartnerId;
use laini_office::billing::work_out;
use laini_office::jobs::{CameTo, Figures, Job, JobState, Place, RESULT_KEPT};
use laini_office::{Office, Problem};
use tokio::time::{sleep, timeout};

use crate::figures::count;
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::WorkingWords;

/// Whoever begins a job waits so long for it: what is over by then is shown at once, and no progress flickers by.
const PATIENCE: Duration = Duration::from_millis(300);

/// How far something is that is worked out. Its page looks again every second, or by a link where there are no scripts.
#[derive(Template)]
#[template(path = "parts/working.html")]
pub(crate) struct Working {
    words: &'static WorkingWords,
    /// What is worked out.
    what: &'static str,
    rows: String,
    until: Option<String>,
    /// The page that shows it, with its filters.
    pub(crate) here: String,
}

impl Working {
    /// How far a job is.
    pub(crate) fn of(job: &Job, portal: &Portal, visit: &Visit, what: &'static str) -> Self {
        Self {
            words: &visit.language.words().working,
            what,
            rows: count(job.rows()),
            until: job.reached().map(|at| portal.shown(at)),
            here: visit.address(),
        }
    }
}

impl Portal {
    /// The job that works something out for a partner: the one that is known, with what it came to, or one that begins.
    pub(crate) async fn figures(
        &self,
        visit: &Visit,
        partner: PartnerId,
        figures: Figures,
    ) -> Result<Arc<Job>, Problem> {
        match self.office.jobs.figures_of(partner, figures) {
            Some(job) => Ok(job),
            None => self.begin_figures(visit, partner, figures).await,
        }
    }

    /// Begins to work something out for a partner, where that does not go on already, and waits a moment for it.
    pub(crate) async fn begin_figures(
        &self,
        visit: &Visit,
        partner: PartnerId,
        figures: Figures,
    ) -> Result<Arc<Job>, Problem> {
        let by = visit.actor().in_trail();
        let (job, place) = self.office.jobs.work_out(partner, figures, by, visit.context.at)?;
        if let Some(place) = place {
            let ended = tokio::spawn(worked_out(Arc::clone(&self.office), Arc::clone(&job), place));
            // What takes longer goes on by itself.
            let _ = timeout(PATIENCE, ended).await;
        }
        Ok(job)
    }

    /// What a job came to; `None` = it goes on. Why it failed is told once: whoever looks again has it begun anew.
    pub(crate) fn came_to(&self, job: &Arc<Job>) -> Result<Option<CameTo>, Problem> {
        match job.state() {
            JobState::UnderWay => Ok(None),
            JobState::Done(came_to) => Ok(Some(came_to)),
            JobState::Failed(problem) => {
                self.office.jobs.forget(job);
                Err(problem)
            }
        }
    }
}

/// Works out what a job is for, and forgets it once its result was kept long enough.
async fn worked_out(office: Arc<Office>, job: Arc<Job>, place: Place) {
    let working = tokio::task::spawn_blocking({
        let (office, job) = (Arc::clone(&office), Arc::clone(&job));
        move || {
            let _place = place;
            work_out(&office, &job)
        }
    });
    job.end(match working.await {
        Ok(Ok(came_to)) => JobState::Done(came_to),
        Ok(Err(problem)) => {
            if let Problem::Store(error) = &problem {
                tracing::error!(error, of = ?job.of, "something could not be worked out for a page");
            }
            JobState::Failed(problem)
        }
        Err(error) => JobState::Failed(Problem::Store(format!("a piece of work failed: {error}"))),
    });
    // What gave its place to others is gone at once, and is not kept by whoever waits to forget it.
    let job = Arc::downgrade(&job);
    tokio::spawn(async move {
        sleep(RESULT_KEPT.unsigned_abs()).await;
        if let Some(job) = job.upgrade() {
            office.jobs.forget(&job);
        }
    });
}
