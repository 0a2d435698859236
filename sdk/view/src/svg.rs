//! Drawings as SVG: positioned cards, pills, and edges, and the frame around them.

use crate::card::Card;
use crate::escape::{visible, xml};
use crate::layout::{Layout, Place, Route};
use crate::measure::{Font, fit, width, wrapped};
use crate::theme;

/// The context of the drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// A separate file, which needs a heading and a background.
    Alone,
    /// Part of a page that provides both.
    InPage,
}

/// The contents of a drawing.
pub(crate) struct Drawing<'a> {
    pub(crate) title: &'a str,
    /// Short lines under the title.
    pub(crate) facts: &'a [String],
    /// A description of the drawing for screen readers.
    pub(crate) description: &'a str,
    /// The classes of edges and boxes with their meanings.
    pub(crate) legend: &'a [(Swatch, &'static str)],
    pub(crate) layout: &'a Layout,
    /// The elements, in the coordinates of the layout.
    pub(crate) elements: &'a str,
}

/// A sample for the legend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swatch {
    /// An edge of this class.
    Edge(&'static str),
    /// A box inside a group of this class.
    Box(&'static str),
}

const MARGIN: f64 = 32.0;
/// The length of an arrow's tip.
const TIP: f64 = 8.0;
/// The offsets of an edge from a box to itself, from the top of the box.
const LOOP: (f64, f64) = (14.0, 32.0);

impl Drawing<'_> {
    /// Returns the drawing as an `<svg>` element, followed by a line feed.
    pub(crate) fn svg(&self, setting: Setting) -> String {
        let alone = setting == Setting::Alone;
        let heading = if alone { self.heading() } else { Vec::new() };
        let legend_width: f64 = self.legend.iter().map(|(_, label)| swatch_width(label)).sum();
        let widest = heading.iter().map(|(_, width, _)| *width).fold(self.layout.width.max(legend_width), f64::max);
        let mut y = MARGIN;
        let mut body = String::new();
        for (class, _, text) in &heading {
            y += if *class == "heading" { 16.0 } else { 22.0 };
            body += &text_element(class, MARGIN, y, text);
        }
        if !self.legend.is_empty() {
            y += if alone { 28.0 } else { 4.0 };
            body += &self.legend_at(y);
        }
        if !body.is_empty() {
            y += 28.0;
        }
        let (width, height) = ((widest + 2.0 * MARGIN).ceil(), (y + self.layout.height + MARGIN).ceil());
        let ground = if alone { "<rect class=\"canvas\" width=\"100%\" height=\"100%\"/>\n" } else { "" };
        let inset = if alone { MARGIN } else { (width - self.layout.width) / 2.0 };
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"picture-title picture-description\">\n\
             <title id=\"picture-title\">{}</title>\n<desc id=\"picture-description\">{}</desc>\n\
             <style>{}</style>\n{ground}{body}<g transform=\"translate({} {})\">\n{}</g>\n</svg>\n",
            xml(if self.title.trim().is_empty() { "Integration" } else { self.title }),
            xml(self.description),
            theme::drawing(),
            number(inset),
            number(y),
            self.elements,
        )
    }

    /// Returns the class, width, and text of the lines at the top.
    fn heading(&self) -> Vec<(&'static str, f64, String)> {
        let room = self.layout.width.max(640.0);
        let line = |class, text: &str, font, size| {
            let text = fit(&visible(text), font, size, room);
            (class, width(&text, font, size), text)
        };
        let title = (!self.title.trim().is_empty()).then(|| line("heading", self.title, Font::Bold, 20.0));
        let fits = |text: &str| width(text, Font::Sans, 12.0) <= room;
        let notes = self.facts.iter().flat_map(|fact| wrapped(&visible(fact), fits));
        title.into_iter().chain(notes.map(|note| line("note", &note, Font::Sans, 12.0))).collect()
    }

    fn legend_at(&self, y: f64) -> String {
        let mut x = MARGIN;
        let mut out = String::new();
        for (swatch, label) in self.legend {
            let sample = number(x);
            out += &match swatch {
                Swatch::Edge(class) => {
                    format!("<path class=\"edge {class}\" d=\"M{sample} {}h26\"/>", number(y - 4.0))
                }
                Swatch::Box(class) => format!(
                    "<g class=\"{class}\"><rect class=\"box\" x=\"{sample}\" y=\"{}\" width=\"26\" height=\"13\" \
                     rx=\"4\"/></g>",
                    number(y - 10.5)
                ),
            };
            out += &text_element("note", x + 34.0, y, label);
            x += swatch_width(label);
        }
        out
    }
}

fn swatch_width(label: &str) -> f64 {
    34.0 + width(label, Font::Sans, 12.0) + 22.0
}

/// Draws a card at its position.
///
/// `classes` select its style, and `hint` is its tooltip, line by line.
pub(crate) fn card(card: &Card, place: &Place, classes: &str, bar: bool, hint: &[String]) -> String {
    let mut out = group(place, classes, hint, 8.0);
    if bar {
        // The bar stays inside the round corners.
        out += &format!(
            "<rect class=\"bar\" x=\"4\" y=\"8\" width=\"4\" height=\"{}\" rx=\"2\"/>",
            number(place.height - 16.0)
        );
    }
    for &y in &card.rules {
        out += &format!("<path class=\"rule\" d=\"M12 {}H{}\"/>", number(y), number(place.width - 12.0));
    }
    for row in &card.rows {
        out += &text_element(row.look.class(), row.x, row.baseline, &row.text);
    }
    out + "</g>\n"
}

/// Draws a box with round ends and a short text in its middle.
pub(crate) fn pill(text: &str, place: &Place, classes: &str, hint: &[String]) -> String {
    let mut out = group(place, classes, hint, place.height / 2.0);
    out += &text_element("", place.width / 2.0, place.height / 2.0 + 4.2, text);
    out + "</g>\n"
}

fn group(place: &Place, classes: &str, hint: &[String], radius: f64) -> String {
    format!(
        "<g class=\"{classes}\" transform=\"translate({} {})\"><title>{}</title>\
         <rect class=\"box\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
        number(place.x),
        number(place.y),
        hint.iter().map(|line| xml(line)).collect::<Vec<_>>().join("\n"),
        number(place.width),
        number(place.height),
        number(radius),
    )
}

/// Draws an edge along its route.
///
/// An edge from a box to itself is drawn around the corner of `place`.
pub(crate) fn edge(route: &Route, place: &Place, classes: &str, tip: bool, hint: &str) -> String {
    let (course, head) = if route.points.is_empty() { round(place) } else { along(route, tip) };
    let classes = if classes.is_empty() { String::new() } else { format!(" {classes}") };
    let hint = if hint.is_empty() { String::new() } else { format!("<title>{}</title>", xml(hint)) };
    let mut out = format!("<path class=\"edge{classes}\" d=\"{course}\">{hint}</path>");
    if tip {
        out += &format!("<path class=\"tip{classes}\" d=\"{head}\"/>");
    }
    out + "\n"
}

fn along(route: &Route, tip: bool) -> (String, String) {
    let mut points = route.points.clone();
    let last = points.len() - 1;
    let target = points[if route.backward { 0 } else { last }];
    match (tip, route.backward) {
        (true, false) => points[last].0 -= TIP - 1.0,
        (true, true) => points[0].0 += TIP - 1.0,
        (false, _) => {}
    }
    let mut course = format!("M{} {}", number(points[0].0), number(points[0].1));
    for pair in points.windows(2) {
        let [(x1, y1), (x2, y2)] = [pair[0], pair[1]];
        if (y1 - y2).abs() < 0.05 {
            course += &format!("H{}", number(x2));
        } else {
            let middle = number((x1 + x2) / 2.0);
            course += &format!("C{middle} {} {middle} {} {} {}", number(y1), number(y2), number(x2), number(y2));
        }
    }
    (course, tip_at(target, if route.backward { TIP } else { -TIP }))
}

fn round(place: &Place) -> (String, String) {
    let (x, out, back) = (place.x + place.width, place.y + LOOP.0, place.y + LOOP.1);
    let course = format!(
        "M{} {}c28 -6 28 {} {} {}",
        number(x),
        number(out),
        number(back - out + 6.0),
        number(TIP - 1.0),
        number(back - out)
    );
    (course, tip_at((x, back), TIP))
}

/// Draws a tip that ends at a point. `length` is negative if it points to the right.
fn tip_at((x, y): (f64, f64), length: f64) -> String {
    format!("M{} {}l{} -4.5v9z", number(x), number(y), number(length))
}

fn text_element(class: &str, x: f64, y: f64, text: &str) -> String {
    let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
    format!("<text{class} x=\"{}\" y=\"{}\">{}</text>\n", number(x), number(y), xml(text))
}

/// Formats a coordinate to a tenth of a pixel.
fn number(value: f64) -> String {
    // Adding zero turns a negative zero into a positive one.
    format!("{}", (value * 10.0).round() / 10.0 + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short() {
        assert_eq!([1.0, 2.25, -0.01, 1e3].map(number), ["1", "2.3", "0", "1000"]);
    }

    #[test]
    fn an_arrow_ends_at_its_box() {
        let route = Route { points: vec![(10.0, 5.0), (50.0, 25.0)], backward: false };
        let (course, head) = along(&route, true);
        assert_eq!(course, "M10 5C26.5 5 26.5 25 43 25");
        assert_eq!(head, "M50 25l-8 -4.5v9z");
        let (course, head) = along(&Route { backward: true, ..route }, true);
        assert_eq!(course, "M17 5C33.5 5 33.5 25 50 25");
        assert_eq!(head, "M10 5l8 -4.5v9z");
    }
}
