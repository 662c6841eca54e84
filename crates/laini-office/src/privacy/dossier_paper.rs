use jiff::Timestamp;

use super::{Dossier, LineHeld};
use crate::paper::{Block, Paper, Table};

impl Dossier {
    /// As a paper for the holder of the number.
    pub fn paper(&self, operator: &str) -> Paper {
        let or_beginning = |at: Option<Timestamp>, otherwise: &str| at.map_or(otherwise.to_owned(), told);
        let lead = vec![
            format!("From {operator}"),
            format!("About the number {}", self.number),
            format!(
                "What was held and asked from {} to {}",
                or_beginning(self.from, "the beginning"),
                or_beginning(self.until, &told(self.made))
            ),
        ];
        let mut blocks = vec![Block::Heading("What is held".to_owned()), self.line_block()];
        if let Some(restricted) = self.restricted {
            blocks.push(Block::Text(restriction(restricted)));
        }
        blocks.push(Block::Heading("What changed".to_owned()));
        blocks.push(self.events_block());
        if !self.unread_lines.is_empty() {
            let places = self.unread_lines.join(", ");
            blocks.push(Block::Text(format!("Notices about the number that could not be read: {places}.")));
        }
        blocks.push(Block::Heading("Who asked about the number, and what they were told".to_owned()));
        blocks.push(self.checks_block());
        if !self.refused.is_empty() {
            blocks.push(Block::Heading("Who asked about the number and was told nothing".to_owned()));
            blocks.push(self.refused_block());
        }
        if !self.desks.is_empty() {
            blocks.push(Block::Heading("Who keeps the number, since it was looked up by hand".to_owned()));
            blocks.push(self.desks_block());
        }
        if !self.requests.is_empty() {
            blocks.push(Block::Heading("What was asked of us about the number".to_owned()));
            blocks.push(self.requests_block());
        }
        let foot = format!("Made {}. {} checks.", told(self.made), self.checks.len());
        Paper { title: "What is held about your number".to_owned(), lead, blocks, foot }
    }

    fn line_block(&self) -> Block {
        let Some(line) = &self.line else { return Block::Text("Nothing is known about the number.".to_owned()) };
        Block::Facts(facts(line))
    }

    fn events_block(&self) -> Block {
        let row = |event: &super::EventHeld| vec![told(event.at), event.r#type.to_owned(), event.source.clone()];
        table(&["When", "What", "Told by"], self.events.iter().map(row).collect())
    }

    fn checks_block(&self) -> Block {
        let row = |check: &super::CheckHeld| {
            let disclosed = check.disclosed.clone().unwrap_or_else(|| "forgotten since".to_owned());
            let what = format!("{} ({})", check.product, check.environment);
            vec![
                told(check.at),
                check.partner.clone(),
                what,
                check.purpose.to_owned(),
                check.outcome.to_owned(),
                disclosed,
            ]
        };
        let heads = ["When", "Who", "What was asked", "What for", "What came of it", "What was told"];
        table(&heads, self.checks.iter().map(row).collect())
    }

    fn refused_block(&self) -> Block {
        let row = |call: &super::RefusedHeld| {
            vec![told(call.at), call.partner.clone(), call.environment.to_owned(), call.code.clone()]
        };
        table(&["When", "Who", "Where", "Why not"], self.refused.iter().map(row).collect())
    }

    fn desks_block(&self) -> Block {
        let row = |kept: &super::DeskHeld| {
            vec![told(kept.at), kept.partner.clone(), kept.stands_in.to_owned(), told(kept.until)]
        };
        table(&["When", "Who", "Where", "Until"], self.desks.iter().map(row).collect())
    }

    fn requests_block(&self) -> Block {
        let row = |request: &super::RequestHeld| {
            vec![told(request.received), request.action.to_owned(), request.status.to_owned()]
        };
        table(&["When", "What", "How far"], self.requests.iter().map(row).collect())
    }
}

fn facts(line: &LineHeld) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let mut facts = vec![
        fact("Status", line.status.to_owned()),
        fact("SIM", line.sim.clone()),
        fact("Registered", told(line.registered)),
        fact("Held by the present holder since", told(line.holding_since)),
    ];
    if let (Some(at), Some(cause)) = (line.last_swap, line.swap_cause) {
        facts.push(fact("SIM changed", format!("{} ({cause})", told(at))));
    }
    facts.extend(line.contract.map(|contract| fact("Contract", contract.to_owned())));
    facts
}

fn restriction(until: Timestamp) -> String {
    let until =
        if until == Timestamp::MAX { "whoever holds it".to_owned() } else { format!("who held it on {}", told(until)) };
    format!("The number is restricted, for {until}: nobody is told anything about it.")
}

fn table(heads: &[&str], rows: Vec<Vec<String>>) -> Block {
    if rows.is_empty() {
        return Block::Text("Nothing.".to_owned());
    }
    let columns = heads.iter().map(|head| ((*head).to_owned(), false)).collect();
    Block::Table(Table { columns, rows, sums: Vec::new() })
}

fn told(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
