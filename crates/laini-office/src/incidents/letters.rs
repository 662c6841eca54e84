use laini_core::support::IncidentState;

use super::event::Happened;
use super::{Incident, audience, in_words};
use crate::mail::{Letter, queue};
use crate::{Problem, Work};

/// Queues a letter to everybody who is told of what happened.
pub(super) fn tell(work: &mut Work<'_>, incident: &Incident, happened: Happened) -> Result<(), Problem> {
    let (subject, text) = words(work, incident, happened);
    for told in audience(work, &incident.affected)? {
        // No name: a partner writes those of its people, and to which address they go.
        for (_, to) in told.letters {
            let text = format!("Hello,\n\n{text}");
            queue(work, Letter { to, subject: subject.clone(), text, about: format!("incident {}", incident.id) })?;
        }
    }
    Ok(())
}

/// The subject, and the text behind the greeting.
fn words(work: &Work<'_>, incident: &Incident, happened: Happened) -> (String, String) {
    let operator = &work.office.settings.operator;
    let what = match happened {
        Happened::Opened => "Incident",
        Happened::Updated => "Incident, update",
        Happened::Resolved => "Incident resolved",
    };
    let subject = format!("{what}: {}", incident.title);
    let components: Vec<_> = incident.components.iter().map(|component| component.word()).collect();
    let said = incident.updates.last().map_or("", |update| update.text.as_str());
    let is_over = incident.state == IncidentState::Resolved;
    let until = incident.resolved.filter(|_| is_over).map(|at| format!("\nOver since: {}", in_words(work, at)));
    let portal = &work.office.settings.people.portal_url;
    let link = if portal.is_empty() {
        String::new()
    } else {
        let base = portal.trim_end_matches('/');
        format!("\n\nWhich of your calls failed meanwhile: {base}/incidents/{}", incident.id)
    };
    let text = format!(
        "{said}\n\nWhat: {}\nConcerns: {}\nSeverity: {}\nState: {}\nBegan: {}{}\n\nCalls that are not answered are not \
         charged.{link}\n\n{operator}\n",
        incident.title,
        components.join(", "),
        incident.severity.word(),
        incident.state.word(),
        in_words(work, incident.started),
        until.unwrap_or_default(),
    );
    (subject, text)
}
