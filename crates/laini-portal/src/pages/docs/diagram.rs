use std::fmt::Write as _;

use super::markdown::escaped;

/// How far two actors stand apart, in units of the drawing,
const ACTOR_APART: usize = 210;
/// how wide an actor's box is,
const ACTOR_WIDTH: usize = 130;
/// and how high.
const ACTOR_HEIGHT: usize = 34;
/// The way from one message to the next.
const STEP: usize = 44;
/// What is left free around it.
const EDGE: usize = 10;

/// Who says what to whom, one after the other.
pub(super) struct Sequence {
    actors: Vec<(String, String)>,
    messages: Vec<Message>,
}

struct Message {
    from: usize,
    to: usize,
    is_answer: bool,
    text: String,
}

impl Sequence {
    /// Reads a sequence diagram as the guide writes it, in the form of Mermaid: `participant A as Name`, `A->>B: text`,
    /// and `-->>` for an answer. Lines that are neither say nothing.
    pub(super) fn read(text: &str) -> Self {
        let mut sequence = Self { actors: Vec::new(), messages: Vec::new() };
        for line in text.lines().map(str::trim) {
            if let Some((id, name)) = line.strip_prefix("participant ").and_then(|rest| rest.split_once(" as ")) {
                sequence.actors.push((id.to_owned(), name.to_owned()));
            } else if let Some(message) = sequence.message(line) {
                sequence.messages.push(message);
            }
        }
        sequence
    }

    fn message(&self, line: &str) -> Option<Message> {
        let (way, text) = line.split_once(": ")?;
        let (from, to) = way.split_once("->>")?;
        let is_answer = from.ends_with('-');
        let actor = |id: &str| self.actors.iter().position(|(known, _)| known == id.trim());
        let (from, to) = (actor(from.trim_end_matches('-'))?, actor(to)?);
        Some(Message { from, to, is_answer, text: text.to_owned() })
    }

    /// A drawing, with everything that it says as a list beside it.
    pub(super) fn drawn(&self, id: &str, label: &str) -> String {
        let width = ACTOR_APART * self.actors.len().saturating_sub(1) + ACTOR_WIDTH + 2 * EDGE + ACTOR_APART / 2;
        let height = ACTOR_HEIGHT + STEP * (self.messages.len() + 1) + 2 * EDGE;
        let alt = escaped(label);
        let mut svg = format!(
            "<div class=\"scroll\" tabindex=\"0\"><svg class=\"diagram\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{alt}\"><defs><marker id=\"{id}-tip\" viewBox=\"0 0 8 8\" \
             refX=\"7\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\">\
             <path class=\"tip\" d=\"M0 0L8 4L0 8z\"/></marker></defs>"
        );
        for (place, (_, name)) in self.actors.iter().enumerate() {
            let (x, bottom) = (middle(place), height - EDGE);
            let (left, top) = (x - ACTOR_WIDTH / 2, EDGE);
            let (line, text) = (top + ACTOR_HEIGHT, top + ACTOR_HEIGHT / 2 + 5);
            let _ = write!(
                svg,
                "<line class=\"life\" x1=\"{x}\" y1=\"{line}\" x2=\"{x}\" y2=\"{bottom}\"/>\
                 <rect class=\"actor\" x=\"{left}\" y=\"{top}\" width=\"{ACTOR_WIDTH}\" height=\"{ACTOR_HEIGHT}\" rx=\"6\"/>\
                 <text x=\"{x}\" y=\"{text}\" text-anchor=\"middle\">{}</text>",
                escaped(name)
            );
        }
        for (place, message) in self.messages.iter().enumerate() {
            let y = EDGE + ACTOR_HEIGHT + STEP * (place + 1);
            draw(&mut svg, message, y, id);
        }
        svg + "</svg></div>\n" + &self.told(id, label)
    }

    /// The same in words, for whoever does not see it.
    fn told(&self, id: &str, label: &str) -> String {
        let name = |place: usize| escaped(&self.actors[place].1);
        let mut told = format!("<details id=\"{id}-words\" class=\"soft\"><summary>{}</summary><ol>", escaped(label));
        for message in &self.messages {
            let (from, to, text) = (name(message.from), name(message.to), escaped(&message.text));
            let whole =
                if message.from == message.to { format!("{from}: {text}") } else { format!("{from} → {to}: {text}") };
            let _ = write!(told, "<li>{whole}</li>");
        }
        told + "</ol></details>\n"
    }
}

fn draw(svg: &mut String, message: &Message, y: usize, id: &str) {
    let class = if message.is_answer { "back" } else { "arrow" };
    let (from, to, text) = (middle(message.from), middle(message.to), escaped(&message.text));
    if message.from == message.to {
        let (out, back, beside, line) = (from + 26, y + 12, from + 34, y + 6);
        let _ = write!(
            svg,
            "<path class=\"{class}\" d=\"M{from} {y}H{out}V{back}H{from}\" marker-end=\"url(#{id}-tip)\"/>\
             <text x=\"{beside}\" y=\"{line}\">{text}</text>"
        );
        return;
    }
    // Beside the line that it leads to, so that the tip is seen.
    let tip = if to > from { to - 2 } else { to + 2 };
    let (x, above) = (from.midpoint(to), y - 6);
    let _ = write!(
        svg,
        "<line class=\"{class}\" x1=\"{from}\" y1=\"{y}\" x2=\"{tip}\" y2=\"{y}\" marker-end=\"url(#{id}-tip)\"/>\
         <text x=\"{x}\" y=\"{above}\" text-anchor=\"middle\">{text}</text>"
    );
}

fn middle(place: usize) -> usize {
    EDGE + ACTOR_WIDTH / 2 + ACTOR_APART * place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_told_in_words_too() {
        let text =
            "sequenceDiagram\nparticipant A as App <1>\nparticipant B as laini\nA->>B: a & b\nB->>B: thinks\nB-->>A: c";
        let drawn = Sequence::read(text).drawn("d1", "In words");
        assert_eq!(drawn.matches("<li>").count(), 3, "{drawn}");
        assert!(drawn.contains("<li>App &lt;1&gt; → laini: a &amp; b</li><li>laini: thinks</li>"), "{drawn}");
        assert_eq!((drawn.matches("class=\"actor\"").count(), drawn.matches("class=\"back\"").count()), (2, 1));
        assert!(!drawn.contains("style="), "{drawn}");
    }
}
