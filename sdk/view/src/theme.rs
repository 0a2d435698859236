//! Colours and fonts, light and dark, as style sheets.
//!
//! Values are written out instead of held in variables, because SVG programs other than browsers do not support
//! variables.

/// A colour in both themes: selector, property, light value, dark value.
type Rule = (&'static str, &'static str, &'static str, &'static str);

/// The fonts of all texts.
const SANS: &str = "ui-sans-serif,system-ui,-apple-system,'Segoe UI','Noto Sans','DejaVu Sans',Arial,sans-serif";
const MONO: &str = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace";

const DRAWING: &[Rule] = &[
    (".canvas", "fill", "#f6f8fa", "#0f141a"),
    (".box", "fill", "#ffffff", "#181f28"),
    (".box", "stroke", "#c4cdd6", "#3d4957"),
    (".rule", "stroke", "#e3e8ed", "#2b3541"),
    (".off .box,.missing .box", "fill", "#f6f8fa", "#12181f"),
    (".off .box", "stroke", "#8c96a1", "#66717e"),
    (".mapped .box", "stroke", "#8c96a1", "#66717e"),
    (".missing .box", "stroke", "#cf222e", "#ff7b72"),
    (".heading,.name", "fill", "#1b2430", "#e8eef4"),
    (".value", "fill", "#33404e", "#c3cdd8"),
    (".id,.note,.label,.off text", "fill", "#57626e", "#98a5b3"),
    (".success .status", "fill", "#1a7f37", "#4ac26b"),
    (".cached .status", "fill", "#0860ca", "#6cb6ff"),
    (".partial .status", "fill", "#8a5a00", "#dfa82e"),
    (".failure .status,.missing .status", "fill", "#c21c2a", "#ff8078"),
    (".pending .status,.plain .status", "fill", "#57626e", "#98a5b3"),
    (".success .bar", "fill", "#2da44e", "#3fb950"),
    (".cached .bar", "fill", "#218bff", "#58a6ff"),
    (".partial .bar", "fill", "#d4a72c", "#d29922"),
    (".failure .bar", "fill", "#cf222e", "#f85149"),
    (".pending .bar", "fill", "#afb8c1", "#57626e"),
    (".critical .box", "stroke", "#8250df", "#b083f0"),
    (".edge", "stroke", "#87919c", "#6f7c8a"),
    (".tip", "fill", "#87919c", "#6f7c8a"),
    (".edge.off", "stroke", "#bcc5ce", "#3d4957"),
    (".tip.off", "fill", "#bcc5ce", "#3d4957"),
    (".edge.critical", "stroke", "#8250df", "#b083f0"),
    (".tip.critical", "fill", "#8250df", "#b083f0"),
    (".pill .box", "fill", "#eaf2fd", "#16263a"),
    (".pill .box", "stroke", "#a9c7ee", "#2f568a"),
    (".pill text", "fill", "#124a91", "#9ccbff"),
];

const DRAWING_SHAPES: &str = "\
.heading{font-size:20px;font-weight:600}.name{font-size:14px;font-weight:600}.status{font-size:12px;font-weight:600}\
.note{font-size:12px}.label{font-size:11px}.pill text{font-size:12px;font-weight:600;text-anchor:middle}\
.box{stroke-width:1}.rule{stroke-width:1}.off .box,.missing .box,.mapped .box{stroke-dasharray:5 4}\
.critical .box{stroke-width:2}.edge{fill:none;stroke-width:1.4}.edge.explicit,.edge.mapped{stroke-dasharray:6 4}.edge.streams{stroke-dasharray:1 4;stroke-linecap:round;stroke-width:2}\
.edge.critical{stroke-width:2.6}";

const PAGE: &[Rule] = &[
    ("body", "background", "#f6f8fa", "#0f141a"),
    ("body", "color", "#1b2430", "#e8eef4"),
    (".lead,caption,thead th", "color", "#57626e", "#98a5b3"),
    ("figure,.sheet", "background", "#ffffff", "#141a22"),
    ("figure,.sheet,th,td", "border-color", "#dbe1e7", "#2b3541"),
    ("figure:focus-visible,.sheet:focus-visible", "outline-color", "#0860ca", "#6cb6ff"),
    ("td.success", "color", "#1a7f37", "#4ac26b"),
    ("td.cached", "color", "#0860ca", "#6cb6ff"),
    ("td.partial", "color", "#8a5a00", "#dfa82e"),
    ("td.failure,td.missing", "color", "#c21c2a", "#ff8078"),
    ("td.off,td.pending", "color", "#57626e", "#98a5b3"),
];

const PAGE_SHAPES: &str = "\
:root{color-scheme:light dark}body{margin:0;padding:28px 32px 48px;line-height:1.45;font-size:14px}\
h1{margin:0;font-size:22px}h2{margin:32px 0 10px;font-size:16px}.lead{margin:4px 0 0}\
figure,.sheet{margin:20px 0 0;border:1px solid;border-radius:10px;overflow-x:auto}.sheet{margin-top:0}\
figure:focus-visible,.sheet:focus-visible{outline:2px solid;outline-offset:2px}\
svg{display:block;margin:0 auto}table{border-collapse:collapse;width:100%}\
caption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}\
th,td{padding:8px 14px;text-align:left;vertical-align:top;border-bottom:1px solid}\
tbody tr:last-child>*{border-bottom:0}thead th{font-size:12px;font-weight:600;white-space:nowrap}\
tbody th{font-weight:600}.number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}\
tbody th,td.state{min-width:9em}td.state{font-weight:600}code{font-size:12.5px;font-weight:400;white-space:nowrap}\
@media print{body{padding:0}figure,.sheet{overflow:visible}}";

/// Returns the style of a drawing, for its `<style>` element.
pub(crate) fn drawing() -> String {
    format!(
        "text{{font-family:{SANS}}}.id,.value{{font-family:{MONO};font-size:11px}}{DRAWING_SHAPES}{}",
        both(DRAWING)
    )
}

/// Returns the style of the page around a drawing.
pub(crate) fn page() -> String {
    format!("body{{font-family:{SANS}}}code{{font-family:{MONO}}}{PAGE_SHAPES}{}", both(PAGE))
}

fn both(rules: &[Rule]) -> String {
    let light: String = rules.iter().map(|(at, property, light, _)| format!("{at}{{{property}:{light}}}")).collect();
    let dark: String = rules.iter().map(|(at, property, _, dark)| format!("{at}{{{property}:{dark}}}")).collect();
    format!("{light}@media (prefers-color-scheme:dark){{{dark}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the relative luminance of `#rrggbb`, as defined by WCAG.
    fn luminance(colour: &str) -> f64 {
        let part = |at: usize| {
            let value = u8::from_str_radix(&colour[at..at + 2], 16).map_or(0.0, f64::from) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
    }

    fn contrast(a: &str, b: &str) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn every_text_stands_out_from_what_is_behind_it() {
        let grounds = |rules: &[Rule], property: &str| -> Vec<Rule> {
            let is_ground = |rule: &&Rule| rule.1 == property && (rule.0.contains("box") || rule.0.contains("canvas"));
            rules.iter().filter(is_ground).copied().collect()
        };
        let is_text = |at: &str| ["heading", "value", "id,", "status", "text"].iter().any(|name| at.contains(name));
        for text in DRAWING.iter().filter(|rule| is_text(rule.0)) {
            for ground in grounds(DRAWING, "fill") {
                assert!(contrast(text.2, ground.2) >= 4.5, "light: {text:?} on {ground:?}");
                assert!(contrast(text.3, ground.3) >= 4.5, "dark: {text:?} on {ground:?}");
            }
        }
    }
}
