use std::fmt::Write as _;
use std::time::Duration;

use super::tally::{WINDOW, Window};
use super::{GOODPUT_AT_LEAST, Manners, Overload, REFUSAL_MS_AT_MOST, Step};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 560.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 940.0;
/// Goodput, in parts of the capacity.
const GOODPUT: Panel = Panel { top: 70.0, bottom: 270.0, least: 0.0, most: 1.25, is_log: false };
/// Latency, in ms.
const LATENCY: Panel = Panel { top: 330.0, bottom: 510.0, least: 0.1, most: 10_000.0, is_log: true };
const ACCEPTED: &str = "#1b7f5c";
const SHED: &str = "#d1741f";
const LIMIT: &str = "#b03a5b";
const INK: &str = "#333333";

/// One set of axes.
struct Panel {
    top: f64,
    bottom: f64,
    least: f64,
    most: f64,
    is_log: bool,
}

impl Panel {
    fn y(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.is_log { value.log10() } else { value };
        let value = value.clamp(self.least, self.most);
        let part = (scale(value) - scale(self.least)) / (scale(self.most) - scale(self.least));
        self.bottom - part * (self.bottom - self.top)
    }
}

/// One load, placed on the axis of time.
struct Band<'a> {
    load: &'a Step,
    starts_s: f64,
}

impl Band<'_> {
    /// Short enough for the narrowest band.
    fn label(&self) -> String {
        let heeded = if self.load.manners == Manners::Wait { ", heeded" } else { "" };
        format!("{} ×{heeded}", self.load.multiple)
    }
}

/// Goodput and latency over the time of the run.
pub(in crate::bench) fn svg(overload: &Overload) -> String {
    let (bands, seconds) = bands(overload);
    let x = |at_s: f64| LEFT + at_s / seconds * (RIGHT - LEFT);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"12\" fill=\"{INK}\">\n<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    text(&mut svg, LEFT, 24.0, "start", "Offered more than it can carry: what laini answers, and how soon");
    text(&mut svg, LEFT, 60.0, "start", "checks answered 200, in parts of the capacity");
    text(&mut svg, LEFT, 320.0, "start", "p99 from when the request fell due, ms");
    axes(&mut svg, &GOODPUT, &[0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
    axes(&mut svg, &LATENCY, &[0.1, 1.0, 10.0, 100.0, 1_000.0, 10_000.0]);
    for (number, band) in bands.iter().enumerate() {
        let (from, to) = (x(band.starts_s), x(band.starts_s + band.load.tally.length_s()));
        if number % 2 == 0 {
            for panel in [&GOODPUT, &LATENCY] {
                let (top, width, height) = (panel.top, to - from, panel.bottom - panel.top);
                let shape = format!("x=\"{from:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\"");
                let _ = writeln!(svg, "<rect {shape} fill=\"#000000\" fill-opacity=\"0.05\"/>");
            }
        }
        text(&mut svg, f64::midpoint(from, to), 44.0, "middle", &band.label());
    }
    let capacity = overload.capacity();
    let goodput = |window: &Window| Some(per_second(window.accepted()) / capacity);
    let accepted = |window: &Window| (window.accepted() > 0).then(|| window.accepted_ms(0.99));
    let shed = |window: &Window| (window.shed() > 0).then(|| window.shed_ms(0.99));
    for band in &bands {
        line(&mut svg, band, &x, &GOODPUT, ACCEPTED, goodput);
        line(&mut svg, band, &x, &LATENCY, ACCEPTED, accepted);
        line(&mut svg, band, &x, &LATENCY, SHED, shed);
    }
    level(&mut svg, GOODPUT.y(GOODPUT_AT_LEAST), "90 %");
    level(&mut svg, LATENCY.y(overload.p99_limit_ms()), "2 × p99 at the peak");
    level(&mut svg, LATENCY.y(REFUSAL_MS_AT_MOST), "5 ms");
    legend(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

fn bands(overload: &Overload) -> (Vec<Band<'_>>, f64) {
    let mut bands = Vec::new();
    let mut starts_s = 0.0;
    for load in overload.loads() {
        bands.push(Band { load, starts_s });
        starts_s += load.tally.length_s();
    }
    (bands, starts_s)
}

#[expect(clippy::cast_precision_loss, reason = "counts of a window are far below 2^52")]
fn per_second(count: u64) -> f64 {
    count as f64 / WINDOW.as_secs_f64()
}

fn axes(svg: &mut String, panel: &Panel, marks: &[f64]) {
    for mark in marks {
        let y = panel.y(*mark);
        let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"#cccccc\"/>");
        text(svg, LEFT - 8.0, y + 4.0, "end", &mark.to_string());
    }
}

fn level(svg: &mut String, y: f64, label: &str) {
    let _ = writeln!(svg, "<path d=\"M{LEFT} {y:.1}H{RIGHT}\" stroke=\"{LIMIT}\" stroke-dasharray=\"5 4\"/>");
    text(svg, RIGHT - 4.0, y - 4.0, "end", label);
}

fn line(
    svg: &mut String,
    band: &Band<'_>,
    x: &impl Fn(f64) -> f64,
    panel: &Panel,
    colour: &str,
    value: impl Fn(&Window) -> Option<f64>,
) {
    let mut at = Duration::ZERO;
    let mut path = String::new();
    // A window without a value leaves a gap.
    let mut pen = 'M';
    for window in &band.load.tally.windows {
        let middle_s = band.starts_s + (at + WINDOW / 2).as_secs_f64();
        if let Some(value) = value(window) {
            let _ = write!(path, "{pen}{:.1} {:.1}", x(middle_s), panel.y(value));
            pen = 'L';
        } else {
            pen = 'M';
        }
        at += WINDOW;
    }
    let _ = writeln!(svg, "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
}

fn legend(svg: &mut String) {
    for (at, colour, label) in [(LEFT, ACCEPTED, "answered 200"), (LEFT + 140.0, SHED, "shed, 503")] {
        let _ = writeln!(svg, "<path d=\"M{at} 540h24\" stroke=\"{colour}\" stroke-width=\"3\"/>");
        text(svg, at + 30.0, 544.0, "start", label);
    }
    text(svg, RIGHT, 544.0, "end", "above: what is offered; heeded: callers wait as Retry-After tells them");
}

fn text(svg: &mut String, x: f64, y: f64, anchor: &str, words: &str) {
    // A rim of the paper's colour keeps words apart from lines.
    let rim = "stroke=\"#ffffff\" stroke-width=\"3\" paint-order=\"stroke\"";
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" {rim}>{words}</text>");
}

#[cfg(test)]
mod tests {
    use super::super::tally::{Outcome, Tally};
    use super::*;

    #[test]
    fn a_panel_keeps_what_it_is_given_inside() {
        assert!((LATENCY.y(0.1) - LATENCY.bottom).abs() < 1e-9 && (LATENCY.y(1e9) - LATENCY.top).abs() < 1e-9);
        assert!((GOODPUT.y(0.625) - f64::midpoint(GOODPUT.top, GOODPUT.bottom)).abs() < 1e-9);
    }

    #[test]
    fn the_plot_shows_every_load_and_leaves_gaps_where_nothing_was_answered() {
        let mut tally = Tally::new(WINDOW * 3);
        for at in [WINDOW / 2, WINDOW * 2] {
            tally.offered(at);
            tally.answered(at, at + WINDOW, Outcome::Accepted);
        }
        let step = |multiple, manners, tally| Step { multiple, manners, tally };
        let overload = Overload {
            peak: tally.clone(),
            connections: 1,
            cores: String::new(),
            steps: vec![step(1.0, Manners::None, Tally::new(WINDOW)), step(10.0, Manners::None, Tally::new(WINDOW))],
            afterwards: step(0.5, Manners::None, Tally::new(WINDOW)),
            polite: step(10.0, Manners::Wait, tally),
            normal_after: None,
        };
        let svg = svg(&overload);
        for label in [">1 ×<", ">10 ×<", ">0.5 ×<", ">10 ×, heeded<"] {
            assert!(svg.contains(label), "{label} in {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let latency = svg.lines().rfind(|line| line.contains(ACCEPTED) && line.contains('M') && line.contains("none"));
        assert_eq!(latency.map(|line| line.matches('M').count()), Some(2), "{svg}");
    }
}
