// SPDX-License-Identifier: Apache-2.0
#pragma once

// The page of a report, as Mustache templates: {{name}} is escaped, {{{name}}} is not and stands
// only for what the tool makes itself.

#include <string>

namespace tool::report {

inline const std::string report_table_template = R"html(
<div class="scroll" tabindex="0" role="region" aria-label="{{label}}">
<table>
{{#parts}}
<{{part}}>
{{#rows}}
<tr class="{{row_kind}}">
{{#cells}}
<{{tag}}{{#scope}} scope="{{scope}}"{{/scope}}{{#group}} colspan="{{span}}"{{/group}}
 class="{{kind}}">
{{text}}{{#note}}<small>{{note}}</small>{{/note}}</{{tag}}>
{{/cells}}
</tr>
{{/rows}}
</{{part}}>
{{/parts}}
</table>
</div>
)html";

inline const std::string report_chart_template = R"html(
<svg viewBox="0 0 {{width}} {{height}}" role="img" aria-label="{{label}}">
{{#shapes}}
{{#is_line}}
<line x1="{{a}}" y1="{{b}}" x2="{{c}}" y2="{{d}}" class="{{kind}}"/>
{{/is_line}}
{{#is_box}}
<rect x="{{a}}" y="{{b}}" width="{{c}}" height="{{d}}" class="{{kind}}">
<title>{{hint}}</title></rect>
{{/is_box}}
{{#is_path}}
<path d="{{words}}" class="{{kind}}"/>
{{/is_path}}
{{#is_disc}}
<circle cx="{{a}}" cy="{{b}}" r="{{c}}" class="{{kind}}"><title>{{hint}}</title></circle>
{{/is_disc}}
{{#is_text}}
<text x="{{a}}" y="{{b}}" class="{{kind}}">{{words}}</text>
{{/is_text}}
{{/shapes}}
</svg>
)html";

// Nothing is loaded from anywhere and no script may run, whatever a result file holds.
inline const std::string report_page_template = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{{title}}</title>
<style>{{{style}}}</style>
</head>
<body>
<main>
<header>
<h1>{{title}}</h1>
<p class="lead">{{summary}}</p>
<nav aria-label="Sections">
{{#sections}}
<a href="#{{anchor}}">{{heading}}</a>
{{/sections}}
</nav>
</header>

<section id="reading">
<h2>How to read this</h2>
<p>All scores are percentages of correct keypoints (PCK). A predicted point is correct when its
distance to the annotated one is at most &alpha; &middot; <i>s</i>, where <i>s</i> is a length of
the target picture; the smaller &alpha;, the stricter. <b>Per point</b> pools the keypoints of all
pairs, <b>per image</b> averages within each pair first. Never compare one with the other, nor
scores whose <i>s</i> differ.</p>
<ul>
{{#notes}}
<li>{{note_text}}</li>
{{/notes}}
</ul>
<details{{#few}} open{{/few}}><summary>Settings of each result</summary>
{{#settings}}{{>table}}{{/settings}}
</details>
</section>

<section id="results">
<h2>All results</h2>
{{#several}}<p class="under">Bold: the best of each column within a split.</p>{{/several}}
{{#results}}{{>table}}{{/results}}
</section>

<section id="categories">
<h2>Categories</h2>
{{#category_groups}}
{{#group_name}}
<h3>{{group_name}}{{#folded}}, PCK@{{main_alpha}}{{/folded}}</h3>
{{/group_name}}
{{#compared}}{{>table}}{{/compared}}
{{#each}}
{{#folded}}<details><summary>{{name}}: every &alpha;</summary>{{/folded}}
{{#categories_of}}{{>table}}{{/categories_of}}
{{#folded}}</details>{{/folded}}
{{/each}}
{{/category_groups}}
</section>

{{#has_depth}}
<section id="depth">
<h2>Depth of tuning</h2>
<p class="under">Means over seeds; below them the least and the greatest, which the bars in the
charts show too.{{#depth_paper}} Dashed, hollow: the paper.{{/depth_paper}}</p>
{{#studies}}
<h3>{{study_title}}</h3>
<p class="under">{{study_recipe}}</p>
{{#depth_table}}{{>table}}{{/depth_table}}
{{/studies}}
<div class="panels">
{{#studies}}
<figure>{{#depth_chart}}{{>chart}}{{/depth_chart}}
<figcaption>{{study_title}}; {{study_recipe}}</figcaption></figure>
{{/studies}}
</div>
</section>
{{/has_depth}}

{{#has_across}}
<section id="across">
<h2>Across data sets</h2>
{{#methods}}
<h3>{{method_name}}</h3>
{{#across_table}}{{>table}}{{/across_table}}
{{/methods}}
{{^methods}}
<p class="under">No method was evaluated on more than one of these data sets.</p>
{{/methods}}
</section>
{{/has_across}}

{{#has_errors}}
<section id="errors">
<h2>Errors</h2>
<p class="under">Distance of each predicted point to the truth, divided by <i>s</i>. The height of a
curve at &alpha; is PCK@&alpha; per point. Dashed: the &alpha; of the tables.</p>
{{#comparisons}}
<h3>{{group_name}}</h3>
<div class="panels">
<figure class="wide">{{#compared_chart}}{{>chart}}{{/compared_chart}}</figure>
<ul class="legend">
{{#entries}}
<li><svg viewBox="0 0 28 10" aria-hidden="true">
<path d="M0 5H28" class="curve {{entry_kind}}"/></svg>
<span>{{entry}}</span></li>
{{/entries}}
</ul>
</div>
{{/comparisons}}
{{#histograms}}
<h3>{{name}}</h3>
<div class="panels">
<figure>{{#histogram}}{{>chart}}{{/histogram}}</figure>
<figure>{{#cumulative}}{{>chart}}{{/cumulative}}</figure>
</div>
{{/histograms}}
</section>
{{/has_errors}}

{{#has_pictures}}
<section id="matches">
<h2>Best and worst matches</h2>
<p class="under">By PCK@{{main_alpha}} of the pair, then by mean error over <i>s</i>. Left the
source, right the target; rings mark the truth, discs the prediction. {{line_meaning}}</p>
{{#drawn}}
<details{{#open}} open{{/open}}><summary>{{name}}</summary>
{{#lists}}
<h3>{{list_name}}</h3>
<div class="pictures">
{{#pictures}}
<figure>
<img src="{{{address}}}" width="{{picture_width}}" height="{{picture_height}}"
 alt="Matches of {{pair}}">
<figcaption><b>PCK {{pair_pck}}</b>, mean error {{pair_error}} px = {{pair_relative}} <i>s</i>,
{{pair_points}}<br>{{pair}}</figcaption>
</figure>
{{/pictures}}
</div>
{{/lists}}
</details>
{{/drawn}}
</section>
{{/has_pictures}}

<section id="seconds">
<h2>Seconds</h2>
<p class="under">Each distinct picture goes through the backbone once. Times hold for the machine
that ran them.</p>
{{#seconds}}{{>table}}{{/seconds}}
</section>

<footer>Made by homolog {{version}} from results of homolog evaluate.{{#any_paper}} <i>Paper</i>:
Semantic Correspondence with Visual Foundation Models, tables 1 to 6.{{/any_paper}}</footer>
</main>
</body>
</html>
)html";

}  // namespace tool::report
