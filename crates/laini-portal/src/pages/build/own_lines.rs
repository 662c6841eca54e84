use axum::http::Method;
use laini_core::line::{Msisdn, NumberPlan};
use laini_core::partner::App;
use laini_office::Problem;
use laini_wire::world::{LINES_PATH, LineAnswer, LineRequest, LinesAnswer};
use serde_json::json;

use crate::asking::Asked;
use crate::portal::Portal;
use crate::visit::Visit;

/// The first lines of the world's own.
pub(super) async fn own_lines(portal: &Portal, visit: &Visit, app: &App) -> Result<LinesAnswer, Problem> {
    let asked = portal.ask_as(visit, app, (Method::GET, LINES_PATH), None).await?;
    let told = serde_json::from_slice(&asked.body);
    told.map_err(|_| Problem::not_now(format!("the world cannot be read: {}", asked.error_message())))
}

/// States a line as the form says it, whatever it was.
pub(super) async fn put_line(portal: &Portal, visit: &Visit, app: &App, number: &str) -> Result<Asked, Problem> {
    let day = |name: &str| Some(visit.field(name).to_owned()).filter(|day| !day.is_empty());
    let (registered_at, last_swap_at) = (day("line_registered"), day("line_swapped").map(Some));
    let line = LineRequest { registered_at, last_swap_at, ..LineRequest::default() };
    portal.ask_as(visit, app, (Method::PUT, &format!("{LINES_PATH}/{number}")), Some(&json!(line))).await
}

/// Takes a line of the world's own away.
pub(super) async fn remove_line(portal: &Portal, visit: &Visit, app: &App, number: Msisdn) -> Result<Asked, Problem> {
    portal.ask_as(visit, app, (Method::DELETE, &format!("{LINES_PATH}/{}", number.digits())), None).await
}

/// What stands for a line in a link: its masked number, for a whole one is in no address. `None` = there may be others of
/// that form, or it is no line of the world's own.
pub(super) fn in_link(lines: &LinesAnswer, number: &str, plan: NumberPlan) -> Option<String> {
    let own = lines.lines.iter().find(|line| line.msisdn == number)?;
    let mask = masked(own, plan)?;
    of_link(lines, &mask, plan).map(|_| mask)
}

/// The number of the one line that a link leads to; `None` = there is none, or several.
pub(super) fn of_link(lines: &LinesAnswer, mask: &str, plan: NumberPlan) -> Option<String> {
    if lines.next_after.is_some() {
        return None;
    }
    let mut alike = lines.lines.iter().filter(|line| masked(line, plan).is_some_and(|of| of == mask));
    alike.next().filter(|_| alike.next().is_none()).map(|line| line.msisdn.clone())
}

fn masked(line: &LineAnswer, plan: NumberPlan) -> Option<String> {
    plan.parse(&line.msisdn).ok().map(Msisdn::masked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(numbers: &[&str], next_after: Option<&str>) -> LinesAnswer {
        let line = |number: &&str| LineAnswer {
            msisdn: (*number).to_owned(),
            origin: "own".to_owned(),
            status: "active".to_owned(),
            registered_at: None,
            holder_since: None,
            last_swap_at: None,
            swap_cause: None,
            contract_type: None,
            hashed_imsi: None,
            restricted: false,
            source_rejected: false,
        };
        LinesAnswer { lines: numbers.iter().map(line).collect(), next_after: next_after.map(str::to_owned) }
    }

    #[test]
    fn a_link_leads_to_the_only_line_of_its_form_and_names_no_number() {
        let plan = NumberPlan::KENYA;
        let (one, other, alike) = ("254733000001", "254733000002", "254700111001");
        let two = lines(&[one, other], None);
        let mask = in_link(&two, one, plan).unwrap();
        assert!(mask.contains("***") && !mask.contains("733"), "{mask}");
        assert_eq!(of_link(&two, &mask, plan).as_deref(), Some(one));
        assert_eq!(in_link(&two, "254733000003", plan), None, "no line of its own");
        assert_eq!(of_link(&lines(&[other], None), &mask, plan), None, "gone");
        let three = lines(&[alike, one, other], None);
        assert_eq!((in_link(&three, one, plan), of_link(&three, &mask, plan)), (None, None), "two of one form");
        assert!(in_link(&three, other, plan).is_some());
        assert_eq!(in_link(&lines(&[one], Some(one)), one, plan), None, "there are more, which are not known");
    }
}
