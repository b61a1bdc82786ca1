//! A bar chart as SVG: how many times faster each row is than with the shell plugin, on a logarithmic scale.

use super::results::{Row, three};

const LEFT: f64 = 290.0;
const WIDTH: f64 = 430.0;
const ROW: f64 = 30.0;
const TOP: f64 = 72.0;
const RIGHT: f64 = 110.0;

/// The end of the scale.
const MAX: f64 = 1000.0;

/// How many times better we are than the other side; above 1 is better for times and for rates.
fn factor(row: &Row) -> Option<f64> {
    let ratio = row.number("ratio_median").filter(|ratio| *ratio > 0.0)?;
    Some(if row.flag("more_is_better")? { ratio } else { 1.0 / ratio })
}

/// The chart of all rows that compare with the shell plugin. It follows the reader's light or dark setting.
pub(crate) fn svg(rows: &[Row]) -> String {
    let rows: Vec<(&Row, f64)> = rows
        .iter()
        .filter(|row| row.text("against") == "tauri-plugin-shell")
        // A budget in ms limits our own value; the other side is only context.
        .filter(|row| !row.text("budget").ends_with("ms"))
        .filter_map(|row| Some((row, factor(row)?)))
        .collect();
    let height = TOP + ROW * rows.len() as f64 + 40.0;
    let width = LEFT + WIDTH + RIGHT;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="How many times better than the shell plugin, row by row">
<style>
  .ink {{ fill: #1f2430; }} .soft {{ fill: #667085; }} .grid {{ stroke: #d9dee7; }} .one {{ stroke: #667085; }}
  .bar {{ fill: #6d4aff; }} .worse {{ fill: #e0853d; }} .paper {{ fill: #ffffff; }}
  @media (prefers-color-scheme: dark) {{
    .ink {{ fill: #e6e9f0; }} .soft {{ fill: #98a2b3; }} .grid {{ stroke: #343b49; }} .one {{ stroke: #98a2b3; }}
    .bar {{ fill: #9d83ff; }} .worse {{ fill: #f0a05c; }} .paper {{ fill: #161a22; }}
  }}
</style>
<rect class="paper" width="{width}" height="{height}" rx="8"/>
<text class="ink" x="20" y="30" font-size="17" font-weight="600">A component here, against a native sidecar in the shell plugin</text>
<text class="soft" x="20" y="50">times faster, or times less; logarithmic, both sides in one run</text>
"#
    );
    let bottom = TOP + ROW * rows.len() as f64;
    for tick in [1.0, 3.0, 10.0, 30.0, 100.0, 300.0, MAX] {
        let x = LEFT + offset(tick);
        let class = if tick == 1.0 { "one" } else { "grid" };
        svg.push_str(&format!(
            "<line class=\"{class}\" x1=\"{x:.1}\" y1=\"{TOP}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>\n<text class=\"soft\" x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{tick}×</text>\n",
            bottom + 20.0
        ));
    }
    for (at, (row, factor)) in rows.iter().enumerate() {
        let y = TOP + ROW * at as f64;
        let end = offset(*factor);
        let (start, length) = if end < 0.0 { (end, -end) } else { (0.0, end) };
        let class = if *factor < 1.0 { "worse" } else { "bar" };
        svg.push_str(&format!(
            "<text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"16\" rx=\"3\"/>\n<text class=\"ink\" x=\"{:.1}\" y=\"{:.1}\" font-weight=\"600\">{}×</text>\n",
            LEFT - 12.0,
            y + 19.0,
            row.name(),
            LEFT + start,
            y + 7.0,
            length.max(1.5),
            LEFT + end.max(0.0) + 8.0,
            y + 19.0,
            three(*factor),
        ));
    }
    svg.push_str("</svg>\n");
    svg
}

/// A factor's position on the scale.
fn offset(factor: f64) -> f64 {
    factor.clamp(0.5, MAX).log10() / MAX.log10() * WIDTH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(ratio: f64, more_is_better: bool) -> Row {
        let row = serde_json::json!({
            "name": "a row", "against": "tauri-plugin-shell", "ratio_median": ratio, "more_is_better": more_is_better,
        });
        Row(row.as_object().expect("an object").clone())
    }

    #[test]
    fn a_bar_shows_how_much_better_we_are() {
        assert_eq!(factor(&row(0.1, false)).map(f64::round), Some(10.0));
        assert_eq!(factor(&row(10.0, true)), Some(10.0));
        assert!(offset(10.0) > offset(3.0) && offset(1.0) == 0.0 && offset(0.7) < 0.0);
        let svg = svg(&[row(0.1, false), row(0.5, true)]);
        assert!(svg.contains("10.0×") && svg.contains("class=\"worse\""), "{svg}");
    }
}
