//! Charts as SVG, drawn on the server: bars and lines over days, with the same figures in a table below.
//!
//! Owns where marks and labels stand. Must never show a figure that the table has not, or a colour alone.

use askama::Template;
use laini_office::Problem;

/// The drawing's size, in its own units.
const WIDTH: i64 = 720;
const HEIGHT: i64 = 240;
/// The room for the labels of the axes.
const LEFT: i64 = 116;
const BELOW: i64 = 26;
const ABOVE: i64 = 12;
const RIGHT: i64 = 8;
/// The most labels along the days.
const LABELS_MAX: usize = 11;
/// The steps that the axis of values has at most.
const STEPS_MAX: i64 = 5;
/// Series are told apart by colour and form: there are so many of both.
const SERIES_MAX: usize = 4;

/// How values are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A bar for each day, the series on top of one another.
    Bars,
    /// A line for each series.
    Lines,
}

/// A chart and what it shows.
pub(crate) struct Plot<'a> {
    /// Its name among the ids of the page.
    pub(crate) id: &'a str,
    /// What it is called.
    pub(crate) title: &'a str,
    /// What it shows, in a sentence, for those who do not see it.
    pub(crate) about: &'a str,
    pub(crate) form: Form,
    /// What stands along the axis: days, or months.
    pub(crate) along: &'a str,
    pub(crate) labels: Vec<String>,
    /// At most four; each with a value, not below zero, for each label.
    pub(crate) series: Vec<Series<'a>>,
    /// How a value is written.
    pub(crate) written: &'a dyn Fn(i64) -> String,
    /// What the table is called.
    pub(crate) table: &'a str,
}

/// Values of one kind.
pub(crate) struct Series<'a> {
    pub(crate) name: &'a str,
    pub(crate) values: Vec<i64>,
}

#[derive(Template)]
#[template(path = "plot.html")]
struct Drawn<'a> {
    plot: &'a Plot<'a>,
    height: i64,
    width: i64,
    left: i64,
    right: i64,
    bottom: i64,
    steps: Vec<Step>,
    labels: Vec<Label<'a>>,
    bars: Vec<Bar>,
    lines: Vec<Line>,
    rows: Vec<(&'a str, Vec<String>)>,
}

/// A value of the axis.
struct Step {
    y: i64,
    text: String,
}

/// A day of the axis.
struct Label<'a> {
    x: i64,
    text: &'a str,
}

struct Bar {
    series: usize,
    x: i64,
    y: i64,
    width: i64,
    height: i64,
    /// What a pointer that rests on it is told.
    told: String,
}

struct Line {
    series: usize,
    points: Vec<Point>,
}

/// A value of a line.
struct Point {
    x: i64,
    y: i64,
    /// What a pointer that rests on it is told.
    told: String,
}

impl Plot<'_> {
    /// The chart, and its table, as HTML.
    pub(crate) fn html(&self) -> Result<String, Problem> {
        let drawn = self.drawn();
        drawn.render().map_err(|error| Problem::Store(format!("a chart failed: {error}")))
    }

    fn drawn(&self) -> Drawn<'_> {
        let axis = Axis::up_to(self.highest());
        let steps = axis.steps().map(|value| Step { y: axis.y(value), text: (self.written)(value) }).collect();
        let every = self.labels.len().div_ceil(LABELS_MAX).max(1);
        let labels = self.labels.iter().enumerate().step_by(every);
        let labels = labels.map(|(at, text)| Label { x: self.middle(at), text }).collect();
        let row = |at: usize| self.series.iter().map(|series| (self.written)(value(series, at))).collect();
        let rows = self.labels.iter().enumerate().map(|(at, label)| (label.as_str(), row(at))).collect();
        let (bars, lines) = match self.form {
            Form::Bars => (self.bars(&axis), Vec::new()),
            Form::Lines => (Vec::new(), self.lines(&axis)),
        };
        let (left, right, bottom) = (LEFT, WIDTH - RIGHT, HEIGHT - BELOW);
        Drawn { plot: self, height: HEIGHT, width: WIDTH, left, right, bottom, steps, labels, bars, lines, rows }
    }

    /// The highest value that is drawn.
    fn highest(&self) -> i64 {
        let at = |at: usize| {
            let values = self.series.iter().map(|series| value(series, at));
            match self.form {
                Form::Bars => values.fold(0, i64::saturating_add),
                Form::Lines => values.max().unwrap_or(0),
            }
        };
        (0..self.labels.len()).map(at).max().unwrap_or(0)
    }

    /// Where a label's room begins.
    fn begins(&self, at: usize) -> i64 {
        let count = i64::try_from(self.labels.len().max(1)).unwrap_or(i64::MAX);
        LEFT + (WIDTH - LEFT - RIGHT) * i64::try_from(at).unwrap_or(0) / count
    }

    fn middle(&self, at: usize) -> i64 {
        i64::midpoint(self.begins(at), self.begins(at + 1))
    }

    fn bars(&self, axis: &Axis) -> Vec<Bar> {
        let mut bars = Vec::new();
        for (at, label) in self.labels.iter().enumerate() {
            let (x, room) = (self.begins(at), self.begins(at + 1) - self.begins(at));
            let gap = (room / 5).min(6);
            let mut below = 0;
            for (place, series) in self.series.iter().enumerate().take(SERIES_MAX) {
                let value = value(series, at);
                let above = i64::saturating_add(below, value);
                let (y, height) = (axis.y(above), axis.y(below) - axis.y(above));
                below = above;
                if value > 0 {
                    let told = format!("{label}, {}: {}", series.name, (self.written)(value));
                    let (x, width) = (x + gap / 2, (room - gap).max(1));
                    bars.push(Bar { series: place, x, y, width, height: height.max(1), told });
                }
            }
        }
        bars
    }

    fn lines(&self, axis: &Axis) -> Vec<Line> {
        let point = |series: &Series<'_>, (at, label): (usize, &String)| {
            let value = value(series, at);
            let told = format!("{label}, {}: {}", series.name, (self.written)(value));
            Point { x: self.middle(at), y: axis.y(value), told }
        };
        let line = |(place, series): (usize, &Series<'_>)| Line {
            series: place,
            points: self.labels.iter().enumerate().map(|label| point(series, label)).collect(),
        };
        self.series.iter().enumerate().take(SERIES_MAX).map(line).collect()
    }
}

fn value(series: &Series<'_>, at: usize) -> i64 {
    series.values.get(at).copied().unwrap_or(0).max(0)
}

/// The axis of values: from nothing to a round number.
struct Axis {
    step: i64,
    top: i64,
}

impl Axis {
    fn up_to(highest: i64) -> Self {
        let least = (highest.max(1) - 1) / STEPS_MAX + 1;
        let mut tens = 1_i64;
        while tens.saturating_mul(10) <= least {
            tens = tens.saturating_mul(10);
        }
        let step = [1, 2, 5, 10].map(|many| tens.saturating_mul(many)).into_iter().find(|step| *step >= least);
        let step = step.unwrap_or(least);
        let steps = (highest.max(1) - 1) / step + 1;
        Self { step, top: step.saturating_mul(steps) }
    }

    fn steps(&self) -> impl Iterator<Item = i64> + '_ {
        (0..=self.top / self.step).map(|many| many * self.step)
    }

    fn y(&self, value: i64) -> i64 {
        let room = i128::from(HEIGHT - BELOW - ABOVE);
        let up = i128::from(value.min(self.top)) * room / i128::from(self.top);
        HEIGHT - BELOW - i64::try_from(up).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
