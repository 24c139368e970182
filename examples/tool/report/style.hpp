// SPDX-License-Identifier: Apache-2.0
#pragma once

// The style sheet of a report: light, dark, narrow screens and paper.

namespace tool::report {

// Colours of series: blue, vermilion, green, purple, amber, sky (told apart by colour-blind readers
// too); lines also differ in their dashes, and each has its label or a place in the legend.
inline constexpr const char* report_style = R"css(
:root {
  color-scheme: light dark;
  --page: #fdfdfc; --ink: #1d2125; --muted: #59616b; --line: #d7dbe0; --faint: #eceef1;
  --band: #f4f6f8; --link: #0a5a94; --paper: #6a4a12;
  --s0: #0068b0; --s1: #c24a00; --s2: #007a5a; --s3: #a2478a; --s4: #8f6a00; --s5: #2f86b8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181b; --ink: #e4e7ea; --muted: #a0a9b3; --line: #343b42; --faint: #262b31;
    --band: #1c2024; --link: #7cc0f0; --paper: #dcb878;
    --s0: #5fb4ee; --s1: #f0905a; --s2: #4cc9a0; --s3: #dd94c6; --s4: #dcb440; --s5: #9ad2f2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  -webkit-text-size-adjust: 100%; text-size-adjust: 100%;
}
main { max-width: 74rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 {
  font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; letter-spacing: -.01em;
  overflow-wrap: anywhere;
}
h2 {
  font-size: 1.3rem; line-height: 1.3; margin: 3rem 0 .6rem; padding-top: .9rem;
  border-top: 1px solid var(--line);
}
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; overflow-wrap: anywhere; }
p, ul { max-width: 46rem; margin: .5rem 0 .9rem; }
ul { padding-left: 1.3rem; }
li { margin: .2rem 0; }
a { color: var(--link); }
.lead, .under { color: var(--muted); }
.lead { margin-top: 0; }
nav { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; margin: 1.1rem 0 0; font-size: .93rem; }
.scroll {
  overflow-x: auto; margin: .8rem 0 1rem; border: 1px solid var(--line); border-radius: 6px;
}
.scroll:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
table {
  border-collapse: separate; border-spacing: 0; width: 100%; font-size: .88rem; line-height: 1.4;
}
th, td {
  padding: .34rem .7rem; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--faint);
}
tbody tr:last-child > * { border-bottom: 0; }
thead th { font-weight: 600; color: var(--muted); vertical-align: bottom; background: var(--band); }
thead tr:last-child th { border-bottom: 1px solid var(--line); }
tbody th { font-weight: 500; }
th:first-child { position: sticky; left: 0; z-index: 1; background: var(--page); }
thead th:first-child { background: var(--band); }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead .n { white-space: normal; }
thead .n[colspan] { text-align: center; }
.edge { border-left: 1px solid var(--line); padding-left: .9rem; }
.name { min-width: 12rem; overflow-wrap: anywhere; }
.tight > :not(.name):not(.long) { white-space: nowrap; }
.tight > .name { min-width: 16rem; }
.long { min-width: 15rem; overflow-wrap: anywhere; }
.label {
  max-width: 12rem; min-width: 9rem; font-weight: 500; font-size: .8rem; white-space: normal;
}
.best { font-weight: 700; }
.ours > * { border-bottom-color: transparent; }
.ours + .ours > *, .paper + .ours > * { border-top: 1px solid var(--faint); }
tr.paper > *, td.paper, th.paper { color: var(--paper); font-style: italic; }
tr.paper > * { padding-top: 0; }
tr.paper > th:first-child { padding-left: 1.6rem; }
tr.sum > * { background: var(--band); font-weight: 600; }
tr.sum.first > * { border-top: 1px solid var(--line); }
small {
  display: block; color: var(--muted); font-size: .8em; font-weight: 400;
  overflow-wrap: anywhere;
}
.n small { white-space: nowrap; }
.panels {
  display: flex; flex-wrap: wrap; gap: 1rem 1.5rem; align-items: flex-start;
  margin: .6rem 0 1rem;
}
figure { margin: 0; }
.panels > figure { flex: 1 1 340px; min-width: min(100%, 280px); max-width: 440px; }
.panels > figure.wide { flex-basis: 460px; max-width: 560px; }
figcaption { font-size: .82rem; line-height: 1.4; color: var(--muted); overflow-wrap: anywhere; }
figcaption b { color: var(--ink); font-weight: 600; }
svg {
  display: block; width: 100%; height: auto; font-size: 10.5px;
  font-variant-numeric: tabular-nums;
}
svg text { fill: var(--ink); }
svg .muted { fill: var(--muted); }
svg .end { text-anchor: end; fill: var(--muted); }
svg .middle { text-anchor: middle; fill: var(--muted); }
svg .strong { font-weight: 600; }
svg .halo { paint-order: stroke; stroke: var(--page); stroke-width: 3px; }
svg line { stroke: var(--line); }
svg .grid { stroke: var(--faint); }
svg .axis { stroke: var(--muted); }
svg line.alpha { stroke: var(--muted); stroke-dasharray: 2 3; }
svg text.alpha { fill: var(--muted); }
svg .bar { fill: var(--s0); }
svg .bar.beyond { fill: var(--muted); }
svg .curve { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .thin { stroke-width: 1.3; }
svg .mark { stroke: var(--page); stroke-width: 1; }
svg .hollow { fill: var(--page); stroke-width: 1.3; }
svg line.whisker { stroke-width: 1.4; }
.s0 { --series: var(--s0); } .s1 { --series: var(--s1); } .s2 { --series: var(--s2); }
.s3 { --series: var(--s3); } .s4 { --series: var(--s4); } .s5 { --series: var(--s5); }
svg .curve, svg .hollow, svg line.whisker { stroke: var(--series); }
svg .mark, svg text.strong { fill: var(--series); }
svg .d1 { stroke-dasharray: 5 3; }
svg .d2 { stroke-dasharray: 1.5 3; }
.legend { list-style: none; padding: 0; margin: 1.4rem 0 0; font-size: .86rem; flex: 1 1 18rem; }
.legend li { display: flex; gap: .6rem; align-items: baseline; overflow-wrap: anywhere; }
.legend svg { flex: none; width: 28px; height: 10px; }
.pictures {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr));
  gap: 1.1rem 1.4rem; margin: .5rem 0 1.2rem; align-items: end;
}
.pictures img { display: block; width: 100%; height: auto; border-radius: 4px; background: #fff; }
.pictures figcaption { margin-top: .35rem; }
details { margin: .7rem 0; border: 1px solid var(--line); border-radius: 6px; padding: 0 .9rem; }
details + details { margin-top: calc(-.7rem - 1px); }
details:has(+ details) { border-bottom-left-radius: 0; border-bottom-right-radius: 0; }
details + details { border-top-left-radius: 0; border-top-right-radius: 0; }
details .scroll { border: 0; border-radius: 0; }
details[open] { padding-bottom: .4rem; }
summary { cursor: pointer; padding: .5rem 0; font-weight: 500; overflow-wrap: anywhere; }
footer {
  margin-top: 3rem; padding-top: .9rem; border-top: 1px solid var(--line); color: var(--muted);
  font-size: .85rem;
}
@media (max-width: 40rem) {
  main { padding: 1.4rem 1rem 3rem; }
  h1 { font-size: 1.5rem; }
  th, td { padding: .3rem .5rem; }
  .name, .tight > .name { min-width: 8.5rem; max-width: 10rem; font-size: .82rem; }
}
@media print {
  :root {
    color-scheme: light;
    --page: #fff; --ink: #000; --muted: #444; --line: #bbb; --faint: #ddd; --band: #f2f2f2;
    --link: #000; --paper: #5a3d0c;
    --s0: #0068b0; --s1: #c24a00; --s2: #007a5a; --s3: #a2478a; --s4: #8f6a00; --s5: #2f86b8;
  }
  @page { margin: 14mm; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  nav { display: none; }
  .scroll { overflow: visible; border: 0; }
  table { font-size: 7.5pt; }
  th, td { padding: .15rem .3rem; }
  th:first-child { position: static; }
  .name, .tight > .name, .label, .long { min-width: 0; max-width: none; }
  .tight > :not(.name):not(.long) { white-space: normal; }
  .label { font-size: inherit; }
  .panels > figure { min-width: 0; }
  tr, figure { break-inside: avoid; }
  h2, h3, summary { break-after: avoid; }
  details, details + details { border: 0; padding: 0; margin: .5rem 0; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
  .pictures { grid-template-columns: 1fr 1fr; }
}
)css";

}  // namespace tool::report
