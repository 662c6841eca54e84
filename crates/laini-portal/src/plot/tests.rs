use super::*;

fn plain(value: i64) -> String {
    value.to_string()
}

fn plot(form: Form, series: Vec<Series<'static>>, labels: usize) -> Plot<'static> {
    Plot {
        id: "calls",
        title: "Calls <a day>",
        about: "Each bar is a day.",
        form,
        along: "Day",
        labels: (1..=labels).map(|day| format!("{day:02}")).collect(),
        series,
        written: &plain,
        table: "The same as a table",
    }
}

fn series(name: &'static str, values: &[i64]) -> Series<'static> {
    Series { name, values: values.to_vec() }
}

#[test]
fn the_axis_ends_at_a_round_number_that_nothing_is_above() {
    for (highest, step, top) in [
        (0, 1, 1),
        (1, 1, 1),
        (5, 1, 5),
        (6, 2, 6),
        (10, 2, 10),
        (11, 5, 15),
        (99, 20, 100),
        (101, 50, 150),
        (1_000_000, 200_000, 1_000_000),
    ] {
        let axis = Axis::up_to(highest);
        assert_eq!((axis.step, axis.top), (step, top), "{highest}");
        assert!(axis.steps().count() <= 6 && axis.steps().last() == Some(top), "{highest}");
    }
    let axis = Axis::up_to(i64::MAX);
    assert!((ABOVE..=HEIGHT - BELOW).contains(&axis.y(i64::MAX)));
}

#[test]
fn series_stand_on_one_another_within_the_drawing() {
    let drawn = plot(Form::Bars, vec![series("imsi", &[3, 0, 5]), series("swap", &[2, 4, -9])], 3);
    let drawn = drawn.drawn();
    let marks: Vec<_> = drawn.bars.iter().map(|bar| (bar.series, bar.told.as_str())).collect();
    assert_eq!(marks, [(0, "01, imsi: 3"), (1, "01, swap: 2"), (1, "02, swap: 4"), (0, "03, imsi: 5")]);
    assert_eq!(drawn.bars[1].y + drawn.bars[1].height, drawn.bars[0].y);
    for bar in &drawn.bars {
        assert!(bar.x >= LEFT && bar.x + bar.width <= WIDTH - RIGHT && bar.y >= ABOVE);
        assert!(bar.y + bar.height <= HEIGHT - BELOW);
    }
}

#[test]
fn many_days_have_few_labels_and_every_day_has_a_row() {
    let drawn = plot(Form::Lines, vec![series("imsi", &(0..92).collect::<Vec<_>>())], 92);
    let drawn = drawn.drawn();
    assert!(drawn.labels.len() <= LABELS_MAX && drawn.rows.len() == 92 && drawn.bars.is_empty());
    assert_eq!(drawn.lines[0].points.len(), 92);
    assert_eq!(drawn.lines[0].points[1].told, "02, imsi: 1");
}

#[test]
fn a_chart_names_itself_and_has_its_figures_as_a_table() {
    let html = plot(Form::Bars, vec![series("imsi", &[7])], 1).html();
    let html = html.unwrap_or_default();
    for part in
        ["role=\"img\"", "aria-labelledby=\"calls-title calls-about\"", "Each bar is a day.", "<td class=\"number\">7"]
    {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(!html.contains("<a day>") && !html.contains("style="), "{html}");
}

#[test]
fn nothing_at_all_is_drawn_too() {
    let html = plot(Form::Bars, Vec::new(), 0).html().unwrap_or_default();
    assert!(html.contains("<svg") && !html.contains("bar-mark"));
}
