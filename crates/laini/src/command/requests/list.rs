use anyhow::Context as _;
use clap::Args;
use jiff::Timestamp;
use laini_core::billing::CheckId;
use laini_office::requests::{About, Answered, RequestFilter, list};
use serde::Serialize;

use super::Told;
use crate::command::Context;
use crate::command::app::find;
use crate::command::context::{in_office, partner_of};
use crate::failure::WithHint as _;

/// `laini requests list`
#[derive(Args)]
pub(crate) struct ListArgs {
    /// Whose: the partner's name or id.
    partner: String,
    /// Only calls of this app: its id, consumer key or name.
    #[arg(long)]
    app: Option<String>,
    /// Only calls that failed.
    #[arg(long)]
    failed: bool,
    /// Only calls with this HTTP status.
    #[arg(long)]
    status: Option<u16>,
    /// Only calls with this code of the table of errors, such as 500.003.02.
    #[arg(long)]
    code: Option<String>,
    /// Only calls about this number, in any form; or masked, as 254******054.
    #[arg(long)]
    number: Option<String>,
    /// Only calls from this instant on (2026-11-22T09:00:00Z),
    #[arg(long)]
    from: Option<Timestamp>,
    /// and before this one.
    #[arg(long)]
    until: Option<Timestamp>,
    /// After this call, the last one of the page before.
    #[arg(long, value_name = "REQUEST_REF_ID")]
    after: Option<String>,
    /// At most so many calls, 1 to 500.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
}

#[derive(Serialize)]
struct Listed {
    requests: Vec<Told>,
    /// Where the next page begins.
    next: Option<String>,
}

/// Lists calls.
pub(crate) fn run(context: &Context, args: &ListArgs) -> anyhow::Result<()> {
    let after = args.after.as_deref().map(CheckId::parse_request_ref).transpose();
    let after = after.context("--after").hint("take the last id of the page before")?;
    let (_, config) = context.existing_house()?;
    let plan = config.plan()?;
    let about = args.number.as_deref().map(|number| About::parse(number, &plan).context("--number"));
    let about = about.transpose().hint("write a number as 2547…, +2547… or 07…, or masked as 254******054")?;
    let app = args.app.clone();
    let listed = in_office(context, |work| {
        let partner = partner_of(work, &args.partner)?;
        let book = work.book()?;
        let found = app.as_deref().map(|wanted| find(&book, wanted)).transpose();
        let app = found.map_err(|_| laini_office::Problem::NotFound("app"))?.map(|app| app.id);
        let filter = RequestFilter {
            app,
            answered: if args.failed { Answered::WithError } else { Answered::AnyHow },
            status: args.status,
            code: args.code.clone(),
            outcome: None,
            about: about.clone(),
            from: args.from,
            until: args.until,
            oldest_first: false,
        };
        let page = list(work, partner, &filter, after, args.limit.into())?;
        let told = page.requests.into_iter().map(|request| Told::of(request, work, partner));
        Ok(Listed { requests: told.collect::<Result<_, _>>()?, next: page.next.map(CheckId::request_ref) })
    })?;
    context.out.data(&listed, |listed| {
        let mut lines: Vec<String> = listed.requests.iter().map(Told::line).collect();
        if lines.is_empty() {
            lines.push(if listed.next.is_some() { "no calls so far" } else { "no calls" }.to_owned());
        }
        lines.extend(listed.next.iter().map(|next| format!("more with --after {next}")));
        lines.join("\n")
    })
}
