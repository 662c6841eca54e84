use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::http::Method;
use laini_core::partner::May;
use laini_office::Problem;

use crate::answer::Answer;
use crate::portal::Portal;
use crate::visit::Visit;
use crate::words::RailWords;

/// What a page's function is doing.
type Doing = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + Send>>;
type Handle = Box<dyn Fn(Arc<Portal>, Arc<Visit>) -> Doing + Send + Sync>;

/// Who is shown a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Access {
    /// Everybody.
    Anyone,
    /// Whoever signed in and may.
    SignedIn(May),
}

/// A page, as a list of all of them has it.
#[derive(Debug, Clone)]
pub struct PageOfAll {
    /// GET to look, POST to do.
    pub method: Method,
    /// Its path; parts in braces are ids.
    pub path: &'static str,
    /// Who is let in; `None` = everybody.
    pub may: Option<May>,
}

/// A group of the rail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Workspace {
    /// Of a partner's developers, owners and billing.
    Build,
    /// Of a bank's fraud and cheque desk.
    Investigate,
    /// Of the operator's staff.
    Operate,
}

impl Workspace {
    /// In the order of the rail.
    pub(crate) const ALL: [Self; 3] = [Self::Build, Self::Investigate, Self::Operate];
}

/// A page's entry in the rail of those who may see the page.
#[derive(Clone, Copy)]
pub(crate) struct RailEntry {
    pub(crate) workspace: Workspace,
    pub(crate) label: fn(&RailWords) -> &'static str,
}

/// Which file comes with a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// None.
    Nothing,
    /// One that is read whole: a document.
    File,
    /// One that is read as it comes.
    Stream,
}

/// A path with what is done there.
pub(crate) struct Page {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) access: Access,
    handle: Handle,
    /// The page with the form that was sent: shown again, with the reason, where it is refused.
    form: Option<Handle>,
    pub(crate) rail: Option<RailEntry>,
    /// The file that comes with its form.
    pub(crate) takes: Takes,
}

impl Page {
    /// A page to look at.
    pub(crate) fn get<D>(path: &'static str, access: Access, show: impl Show<D>) -> Self
    where
        D: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        Self { method: Method::GET, path, access, handle: boxed(show), form: None, rail: None, takes: Takes::Nothing }
    }

    /// A form that does something; refused, the page of `form` is shown again with the reason.
    pub(crate) fn post<D, F>(path: &'static str, access: Access, act: impl Show<D>, form: impl Show<F>) -> Self
    where
        D: Future<Output = Result<Answer, Problem>> + Send + 'static,
        F: Future<Output = Result<Answer, Problem>> + Send + 'static,
    {
        let (handle, form) = (boxed(act), Some(boxed(form)));
        Self { method: Method::POST, path, access, handle, form, rail: None, takes: Takes::Nothing }
    }

    /// Puts it into the rail.
    pub(crate) fn in_rail(mut self, workspace: Workspace, label: fn(&RailWords) -> &'static str) -> Self {
        self.rail = Some(RailEntry { workspace, label });
        self
    }

    /// A form with which a file comes.
    pub(crate) fn taking_file(self) -> Self {
        Self { takes: Takes::File, ..self }
    }

    /// A form whose last part is a file of any size, which is read as it comes.
    pub(crate) fn taking_stream(self) -> Self {
        Self { takes: Takes::Stream, ..self }
    }

    pub(crate) fn listed(&self) -> PageOfAll {
        let may = match self.access {
            Access::Anyone => None,
            Access::SignedIn(may) => Some(may),
        };
        PageOfAll { method: self.method.clone(), path: self.path, may }
    }

    /// Does what there is to do.
    pub(crate) async fn answer(&self, portal: &Arc<Portal>, visit: Visit) -> Answer {
        let visit = Arc::new(visit);
        match (self.handle)(Arc::clone(portal), Arc::clone(&visit)).await {
            Ok(answer) => answer,
            Err(problem) => self.refused(portal, &visit, problem).await,
        }
    }

    async fn refused(&self, portal: &Arc<Portal>, visit: &Visit, problem: Problem) -> Answer {
        let is_of_form = matches!(
            problem,
            Problem::Invalid { .. }
                | Problem::NotNow(_)
                | Problem::Taken(_)
                | Problem::Unproven(_)
                | Problem::TooOften { .. }
                | Problem::TooLarge { .. }
                | Problem::Contended
                | Problem::Forbidden(_)
        );
        let again = visit.refused(problem.clone());
        if visit.is_part {
            return again.alert(&problem);
        }
        let Some(form) = self.form.as_ref().filter(|_| is_of_form) else { return again.sorry(portal, &problem) };
        let status = crate::status::status_of(&problem);
        match form(Arc::clone(portal), Arc::new(again)).await {
            Ok(answer) => answer.with_status(status),
            Err(other) => visit.sorry(portal, &other),
        }
    }
}

/// An async function of a page.
pub(crate) trait Show<D>: Fn(Arc<Portal>, Arc<Visit>) -> D + Send + Sync + 'static {}
impl<D, F: Fn(Arc<Portal>, Arc<Visit>) -> D + Send + Sync + 'static> Show<D> for F {}

fn boxed<D>(show: impl Show<D>) -> Handle
where
    D: Future<Output = Result<Answer, Problem>> + Send + 'static,
{
    Box::new(move |portal, visit| Box::pin(show(portal, visit)))
}
