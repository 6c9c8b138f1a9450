// Documents as one HTML page.  No script, no font, no picture from elsewhere: the page says so to the browser, too.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "base/text.hpp"
#include "report/document.hpp"
#include "report/svg_chart.hpp"

namespace reckon {
namespace {

// Colour-blind safe (Okabe and Ito 2008), lightened for the dark page.
constexpr const char* style = R"(
:root{color-scheme:light dark;--page:#fff;--ink:#1b1f24;--dim:#57606a;--rule:#d0d7de;--soft:#f3f5f7;--c0:#0072b2;--c1:#d55e00;
--c2:#009e73;--c3:#cc79a7;--c4:#e69f00;--c5:#56b4e9;--c6:#8c6bb1;--c7:#7a7a7a;--c8:#b8a000;--c9:#5f4b32;--c10:#a6cee3}
@media(prefers-color-scheme:dark){:root{--page:#14171a;--ink:#e6e9ec;--dim:#a0a9b2;--rule:#3a4149;--soft:#1f2429;--c0:#4aa8e0;
--c1:#ff8c42;--c2:#35c79a;--c3:#e5a3c8;--c4:#f2bd4a;--c5:#8fd0f5;--c6:#b59bd6;--c7:#a8a8a8;--c8:#d9c63c;--c9:#b39b7d;--c10:#c9e2f0}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;
overflow-wrap:anywhere}
main{max-width:1180px;margin:0 auto;padding:20px 16px 48px}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .6rem}
h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-top:.7rem;border-top:1px solid var(--rule)}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p{margin:.5rem 0;max-width:80ch}
.lead{font-size:1.15rem;font-weight:600}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:10px;margin:1rem 0;padding:0}
.facts div{background:var(--soft);border-radius:6px;padding:10px 12px}
.facts dt{color:var(--dim);font-size:.82rem}.facts dd{margin:0;font-size:1.05rem;font-weight:600;overflow-wrap:normal}
.facts dd+dd{font-size:.8rem;font-weight:400;color:var(--dim)}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));gap:20px;margin:1rem 0}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{font-weight:600;font-size:.95rem;margin-bottom:4px}
svg{display:block;width:100%;max-width:520px;height:auto;font-size:11px}
svg text{fill:var(--ink)}svg .unit{fill:var(--dim)}svg .strong{font-weight:600}
.grid{stroke:var(--rule);stroke-width:.7}.axis{stroke:var(--dim);stroke-width:1}.limit{stroke:var(--c1);stroke-width:1.3;
stroke-dasharray:5 3}
.curve{fill:none;stroke-width:2}.dashed{stroke-dasharray:6 4}.band{opacity:.22}
)";

constexpr const char* tail_style = R"(
.scroll{overflow-x:auto;margin:.6rem 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.86rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{padding:4px 8px;text-align:left;vertical-align:top;border-bottom:1px solid var(--rule);overflow-wrap:break-word}
th{color:var(--dim);font-weight:600}
td.r,th.r{text-align:right}td.r{white-space:nowrap}
td:not(.r){min-width:7ch}
tr.strong td{font-weight:700;border-top:2px solid var(--dim)}
footer{margin-top:2rem;color:var(--dim);font-size:.82rem}
@page{margin:14mm}
@media print{:root{--page:#fff;--ink:#000;--dim:#444;--rule:#bbb;--soft:#f3f3f3;--c0:#0072b2;--c1:#d55e00;--c2:#009e73}
body{font-size:10pt}main{max-width:none;padding:0}.scroll{overflow:visible}table{font-size:7.4pt}th,td{padding:2px 4px}
td.r{white-space:normal}th,td{overflow-wrap:anywhere}td:not(.r){min-width:0}
.charts{grid-template-columns:1fr 1fr}h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}}
@media(max-width:480px){body{font-size:15px}h1{font-size:1.25rem}.lead{font-size:1.05rem}table{font-size:.8rem}}
)";

std::string colours() {
  std::string out;
  for (int i = 0; i <= 10; ++i) out += fmt::format(".c{0}{{fill:var(--c{0})}}.s{0}{{stroke:var(--c{0})}}", i);
  return out;
}

struct HtmlWriter {
  std::string out;
  int charts = 0;
  bool in_charts = false;

  void leave_charts() {
    if (in_charts) out += "</div>\n";
    in_charts = false;
  }
  void operator()(const Heading& h) {
    leave_charts();
    out += fmt::format("<h{0}>{1}</h{0}>\n", std::clamp(h.level, 1, 4), xml_text(h.text));
  }
  void operator()(const Paragraph& p) {
    leave_charts();
    out += fmt::format("<p{}>{}</p>\n", p.lead ? " class=\"lead\"" : "", xml_text(p.text));
  }
  void operator()(const Facts& f) {
    leave_charts();
    out += "<dl class=\"facts\">\n";
    for (const auto& fact : f.facts)
      out += fmt::format("<div><dt>{}</dt><dd>{}</dd><dd>{}</dd></div>\n", xml_text(fact.label), xml_text(fact.value), xml_text(fact.note));
    out += "</dl>\n";
  }
  void operator()(const Grid& g) {
    leave_charts();
    const auto side = [&](std::size_t i) { return i < g.heads.size() && g.heads[i].align == Align::right ? " class=\"r\"" : ""; };
    // A box that scrolls must be reachable with the keyboard.
    out += fmt::format("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{}\"><table>\n",
                       xml_text(g.caption.empty() ? "table" : g.caption));
    if (!g.caption.empty()) out += "<caption>" + xml_text(g.caption) + "</caption>\n";
    out += "<thead><tr>";
    for (std::size_t i = 0; i < g.heads.size(); ++i) out += fmt::format("<th scope=\"col\"{}>{}</th>", side(i), xml_text(g.heads[i].title));
    out += "</tr></thead>\n<tbody>\n";
    for (std::size_t r = 0; r < g.rows.size(); ++r) {
      out += std::find(g.strong.begin(), g.strong.end(), r) != g.strong.end() ? "<tr class=\"strong\">" : "<tr>";
      for (std::size_t i = 0; i < g.heads.size(); ++i)
        out += fmt::format("<td{}>{}</td>", side(i), i < g.rows[r].size() ? xml_text(g.rows[r][i]) : "");
      out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
  }
  void operator()(const Chart& c) {
    if (!in_charts) out += "<div class=\"charts\">\n";
    in_charts = true;
    out += "<figure><figcaption>" + xml_text(c.title) + "</figcaption>\n" + svg_chart(c, ++charts) + "</figure>\n";
  }
};

}  // namespace

std::string xml_text(std::string_view text) {
  if (!is_utf8(text)) return xml_text(printable(text, 4000));
  std::string out;
  for (const char c : text) switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? std::string("\xEF\xBF\xBD") : std::string(1, c);
    }
  return out;
}

std::string to_html(const Document& document) {
  HtmlWriter writer;
  writer(Heading{1, document.title});
  for (const Block& block : document.blocks) std::visit(writer, block);
  writer.leave_charts();
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
      "data:\">\n<link rel=\"icon\" "
      "href=\"data:,\">\n<title>{}</title>\n<style>{}{}{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      xml_text(document.title), style, colours(), tail_style, writer.out);
}

}  // namespace reckon
