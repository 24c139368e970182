// SPDX-License-Identifier: Apache-2.0
#include "report/render_report.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "homolog/images/encode.hpp"
#include "homolog/metrics/pck.hpp"
#include "homolog/selection/matchers.hpp"
#include "report/across.hpp"
#include "report/charts.hpp"
#include "report/depth.hpp"
#include "report/elements.hpp"
#include "report/paper_numbers.hpp"
#include "report/pictures.hpp"
#include "report/read_result.hpp"
#include "report/summary.hpp"
#include "report/tables.hpp"
#include "report/view.hpp"
#include "report_files.hpp"
#include "support/test_data.hpp"

using namespace homolog;
using namespace homolog::test;
using namespace tool::report;

namespace {

const std::vector<RelativeErrors> some_errors{{0.04, 0.08, 0.3}, {0.2, 1.4}};

std::size_t occurrences(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// What read_result says about a result file and its predictions; empty when it takes them.
std::string refusal(const std::string& result, const std::string& predictions = "") {
  const TemporaryFolder folder;
  write_file(folder.path / "r.json", result);
  if (!predictions.empty()) write_file(folder.path / "p.jsonl", predictions);
  try {
    read_result(folder.path / "r.json");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

Image halves(Size size) {  // black left, white right
  Image image(size.width, size.height);
  for (int y = 0; y < size.height; ++y) {
    for (int x = size.width / 2; x < size.width; ++x)
      std::fill_n(image.at(x, y), 3, std::uint8_t{255});
  }
  return image;
}

}  // namespace

TEST_CASE("A result file and its predictions are read back") {
  const TemporaryFolder folder;
  Json json = result_json(some_errors);
  json["predictions"] = "p.jsonl";
  json["tuning"] = tuning_json(2, 7);
  json["a key of a later version"] = {1, 2};
  write_file(folder.path / "r.json", json.dump());
  write_file(folder.path / "p.jsonl", prediction_lines(some_errors));
  const ReportResult result = read_result(folder.path / "r.json");
  CHECK(result.dataset == "jsonl");
  CHECK(result.threshold == "target-bbox");
  CHECK(result.image_size == 224);
  CHECK(result.layer == 11);
  CHECK(result.total.pairs == 2);
  CHECK(result.total.per_point.at(0.05) == doctest::Approx(20));
  CHECK(result.total.per_image.at(0.2) == doctest::Approx(100 * (2.0 / 3 + 0.5) / 2));
  CHECK(result.per_category.front().first == "car");
  REQUIRE(result.tuning);
  CHECK(result.tuning->unfreeze == 2);
  CHECK(result.tuning->seed == "7");
  REQUIRE(result.pairs.size() == 2);
  CHECK(result.pairs[0].queries.empty());
  CHECK(result.errors[1].distances[0] == doctest::Approx(20));
}

TEST_CASE("Optional keys may be absent or null") {
  Json json = result_json(some_errors);
  for (const char* key : {"backbone", "layer", "matcher", "final_norm", "query"}) {
    json[key] = nullptr;
    CHECK(refusal(json.dump()).empty());
    json.erase(key);
    CHECK(refusal(json.dump()).empty());
  }
  const ReportResult result = read_json(json);
  CHECK(contains(render_report({result}), "<h1>"));
}

TEST_CASE("Each missing key and each wrong type is named with its file") {
  const Json good = result_json(some_errors);
  const std::set<std::string> optional{"backbone", "layer", "matcher", "final_norm", "query"};
  std::size_t tried = 0;
  const auto try_below = [&](const auto& self, const Json::json_pointer& where) -> void {
    for (const auto& [key, value] : good.at(where).items()) {
      const auto here = where / key;
      Json missing = good, wrong = good;
      missing.at(where).erase(key);
      wrong.at(here) = Json::array({1});
      const bool alpha = key.starts_with("0.");
      if (!alpha && where != Json::json_pointer("/per_category") && !optional.contains(key)) {
        const std::string message = refusal(missing.dump());
        CHECK_MESSAGE(contains(message, "r.json: key"), key << ": " << message);
        CHECK_MESSAGE(contains(message, key), key << ": " << message);
      }
      const std::string message = refusal(wrong.dump());
      CHECK_MESSAGE(contains(message, "r.json: key"), key << ": " << message);
      CHECK_MESSAGE(contains(message, key), key << ": " << message);
      CHECK(!contains(message, "\n"));
      ++tried;
      if (value.is_object()) self(self, here);
    }
  };
  try_below(try_below, Json::json_pointer(""));
  CHECK(tried > 30);
}

TEST_CASE("What is no result is refused") {
  CHECK(contains(refusal("{\"dataset\": "), "not JSON"));
  CHECK(contains(refusal(""), "not JSON"));
  CHECK(contains(refusal("\x89PNG\r\n"), "not JSON"));
  CHECK(contains(refusal("[1, 2]"), "expected a JSON object"));
  CHECK(contains(refusal("{}"), "\"dataset\": missing"));
  const Json finetune{{"backbone", "dinov2_vits14"},
                      {"train_dataset", "jsonl"},
                      {"steps", 4},
                      {"tuned_elements", 1000},
                      {"epochs", Json::array()}};
  CHECK(refusal(finetune.dump())
            .ends_with("r.json: is a result of finetune; report takes results of evaluate --json"));
  CHECK(contains(refusal(std::string(100000, '[')), "not JSON"));
  Json json = result_json(some_errors);
  json["pck"]["per_point"]["0.1"] = 101;
  CHECK(contains(refusal(json.dump()), "from 0 to 100"));
  json = result_json(some_errors);
  json["pck"]["per_point"]["a tenth"] = 10;
  CHECK(contains(refusal(json.dump()), "a tenth"));
  json = result_json(some_errors);
  json["pck"]["per_image"].erase("0.1");
  CHECK(contains(refusal(json.dump()), "no alpha 0.1"));
  json = result_json(some_errors);
  json["pairs"] = -1;
  CHECK(contains(refusal(json.dump()), "pairs"));
  json["pairs"] = 18446744073709551615ULL;
  CHECK(contains(refusal(json.dump()), "pairs"));
  CHECK_THROWS_AS(read_result("/no/such/result.json"), FileError);
}

TEST_CASE("Bad predictions are refused with file, line and key") {
  Json json = result_json(some_errors);
  json["predictions"] = "p.jsonl";
  const std::string result = json.dump(), good = prediction_lines(some_errors);
  CHECK(refusal(result, good).empty());
  CHECK(contains(refusal(result), "\"predictions\": no such file: p.jsonl"));
  CHECK(contains(refusal(result, good.substr(0, good.size() - 30)), "p.jsonl line 2: not JSON"));
  CHECK(contains(refusal(result, prediction_lines({some_errors[0]})), "1 pairs"));
  CHECK(contains(refusal(result, prediction_lines({{0.04, 0.08, 0.3}, {0.2}})), "4 points"));
  CHECK(contains(refusal(result, prediction_lines({{0.06, 0.08, 0.3}, {0.2, 1.4}})), "PCK@0.05"));
  const auto with = [&](const char* key, const Json& value) {
    Json line = prediction_json(some_errors[0]);
    line[key] = value;
    return refusal(result, line.dump() + "\n" + prediction_json(some_errors[1]).dump() + "\n");
  };
  CHECK(contains(with("predicted", Json::array({{1, 2}})), "1 points, but 3"));
  CHECK(contains(with("predicted", Json::array({{1, 2, 3}})), "expected points [x, y]"));
  CHECK(contains(with("predicted", Json::array({{1e30, 2}})), "line 1: key \"predicted\""));
  CHECK(contains(with("truth", Json::array()), "at least one point"));
  CHECK(contains(with("threshold_scale", 0), "threshold_scale"));
  CHECK(contains(with("source", 3), "\"source\": expected a string"));
  CHECK(contains(with("source_keypoints", Json::array({{1, 2}})), "source_keypoints"));
  CHECK(contains(with("flip", "no"), "flip"));
}

TEST_CASE("Damaged files are refused or read, never worse") {
  const TemporaryFolder folder;
  Json json = result_json(some_errors);
  json["predictions"] = "p.jsonl";
  json["tuning"] = tuning_json(1, 2);
  const std::string result = json.dump(), predictions = prediction_lines(some_errors);
  std::mt19937 random(11);
  const std::string others = "0-9eE.,:{}[]\"\\nul \xff";
  const auto damaged = [&random, &others](std::string bytes) {
    for (auto left = 1 + random() % 3; left > 0; --left) {
      const std::size_t at = random() % bytes.size();
      const char other = others[random() % others.size()];
      if (random() % 3 == 0) {
        bytes.erase(at, 1 + random() % 8);
      } else {
        bytes[at] = other;
      }
    }
    return bytes;
  };
  int refused = 0;
  constexpr int rounds = 600;
  for (int round = 0; round < rounds; ++round) {
    const bool first = round % 2 == 0;
    write_file(folder.path / "r.json", first ? damaged(result) : result);
    write_file(folder.path / "p.jsonl", first ? predictions : damaged(predictions));
    try {
      render_report({read_result(folder.path / "r.json")}, {"t", 1, false});
    } catch (const Error&) {
      ++refused;
    }
  }
  CHECK(refused > rounds / 2);
  CHECK(refused < rounds);
}

TEST_CASE("Text of files cannot become markup") {
  const std::string hostile =
      "<script>alert(\"1\")</script>'\"><img src=x onerror=y>{{title}}{{{style}}}&amp;";
  const auto page_of = [](const std::string& name) {
    const TemporaryFolder folder;
    Json json = result_json(some_errors, name);
    for (const char* key : {"dataset", "split", "backbone", "query", "weights", "dtype"})
      json[key] = name;
    for (const char* key : {"name", "resize", "threshold", "comparison"})
      json["protocol"][key] = name;
    json["matcher"]["name"] = name;
    json["tuning"] = tuning_json(1, 0, name);
    json["tuning"]["train_dataset"] = name;
    json["predictions"] = "p.jsonl";
    write_file(folder.path / "r.json", json.dump());
    std::string lines;
    for (const auto& pair : some_errors) {
      Json line = prediction_json(pair, name);
      line["category"] = name;
      lines += line.dump() + "\n";
    }
    write_file(folder.path / "p.jsonl", lines);
    write_file(folder.path / "a.png", encode_png(halves({20, 10})));
    write_file(folder.path / "b.png", encode_png(halves({10, 20})));
    ReportResult result = read_result(folder.path / "r.json");
    ReportResult frozen = result;  // so that the depth section is there too
    frozen.tuning.reset();
    ReportResult elsewhere = result;  // and the one across data sets
    elsewhere.split += "2";
    const std::string page = render_report({result, frozen, elsewhere}, {name, 1, true});
    return page;
  };
  const std::string page = page_of(hostile), harmless = page_of("harmless");
  for (const char* section : {"id=\"depth\"", "id=\"across\"", "id=\"errors\"", "id=\"matches\""}) {
    CHECK(contains(page, section));
  }
  CHECK(contains(page, "&lt;script&gt;"));
  CHECK(contains(page, "{{title}}{{{style}}}&amp;amp;"));
  CHECK(!contains(page, "<script"));
  for (const char* mark : {"<", ">", "\"", "<img ", "<style"}) {
    CHECK_MESSAGE(occurrences(page, mark) == occurrences(harmless, mark), mark);
  }
}

TEST_CASE("A page needs nothing beside itself") {
  const std::string page = render_report({read_json(result_json(some_errors))});
  for (const char* sign : {"http:", "https:", "<script", "src=", "@import", "url("}) {
    CHECK_MESSAGE(!contains(page, sign), sign);
  }
  CHECK(contains(page, "default-src 'none'"));
  CHECK(page == render_report({read_json(result_json(some_errors))}));
  CHECK_THROWS_AS(render_report({}), ReportError);
}

TEST_CASE("Seeds are averaged, other recipes are not") {
  const auto tuned = [](int unfreeze, int seed, double score, double rate = 1e-5) {
    Json json = result_json(some_errors);
    json["tuning"] = tuning_json(unfreeze, seed);
    json["tuning"]["learning_rate"] = rate;
    json["pck"]["per_point"]["0.1"] = score;
    return read_json(json);
  };
  Json frozen = result_json(some_errors);
  frozen["pck"]["per_point"]["0.1"] = 50;
  const std::vector<ReportResult> results{tuned(1, 0, 70), read_json(frozen),
                                          tuned(1, 1, 73), tuned(1, 2, 67),
                                          tuned(2, 0, 60), tuned(2, 0, 90, 1e-3)};
  const auto view = make_view(results);
  const auto studies = depth_studies(view);
  REQUIRE(studies.size() == 2);
  const auto table = depth_table(view, studies[0]);
  REQUIRE(table.body.size() == 3);
  const auto& one = table.body[1].cells;
  CHECK(one[0].text == "last 1");
  CHECK(one[1].text == "3");
  CHECK(one[2].text == "70.00");
  CHECK(one[2].note == "67.00 to 73.00");
  CHECK(contains(one[2].kind, "best"));
  CHECK(one[4].text == "+20.00");
  CHECK(table.body[2].cells[2].text == "60.00");
  CHECK(table.body[2].cells[2].note.empty());
  CHECK(table.body[0].cells[4].text == "\u2013");
  CHECK(depth_table(view, studies[1]).body.back().cells[4].text == "+40.00");
}

TEST_CASE("Matchers with different settings have different labels") {
  const auto label = [](const Json& matcher) {
    Json json = result_json(some_errors);
    json["matcher"] = matcher;
    return matcher_label(read_json(json));
  };
  const auto window = [](const char* outside) {
    return Json{{"name", "window-soft-argmax"},
                {"temperature", 10.0},
                {"window_radius", 2},
                {"outside", outside}};
  };
  CHECK(label(window("excluded")) == "window soft-argmax (r 2, \u03c4 10)");
  CHECK(label(window("masked_zero")) == "window soft-argmax (r 2, \u03c4 10, outside masked_zero)");
  CHECK(label({{"name", "upsampled-argmax"}, {"factor", 14}}) == "upsampled-argmax");
  CHECK(label({{"name", "upsampled-argmax"}, {"factor", 2}}) == "upsampled-argmax (factor 2)");
  CHECK(label({{"name", "argmax"}, {"mutual", true}}) == "argmax (mutual true)");
  CHECK(label({{"name", "argmax"}, {"temperature", nullptr}}) == "argmax");
  // A matcher of the user's own: the report knows no defaults.
  CHECK(label({{"name", "mine"}, {"width", 1.5}, {"cells", 1234567}, {"sigma", 7}}) ==
        "mine (\u03c3 7, cells 1234567, width 1.5)");
  // Numbers are short where nothing is lost: 0.3 as float32 is 0.300000012.
  CHECK(label({{"name", "soft-argmax"}, {"temperature", static_cast<double>(0.3F)}}) ==
        "soft argmax (\u03c4 0.3)");
  CHECK(label({{"name", "soft-argmax"}, {"temperature", 50.0001}}) ==
        "soft argmax (\u03c4 50.0001)");
  CHECK(label({{"name", "soft-argmax"}, {"temperature", 50.00002}}) ==
        "soft argmax (\u03c4 50.00002)");

  std::vector<ReportResult> results;
  for (const char* outside : {"excluded", "masked_zero"}) {
    Json json = result_json(some_errors);
    json["matcher"] = window(outside);
    results.push_back(read_json(json));
  }
  const auto view = make_view(results);
  CHECK(view.labels[0] != view.labels[1]);
  CHECK(!contains(view.labels[1], "[result]"));  // the file's name tells equal labels apart
  CHECK(method_key(results[0]) != method_key(results[1]));
}

TEST_CASE("Each field of each matcher is in its label") {
  const auto label = [](const auto& matcher) {
    Json json = result_json(some_errors);
    json["matcher"] = policy_json(matcher);
    return matcher_label(read_json(json));
  };
  for_each_policy<AnyMatcher>([&label](const auto& matcher) {
    auto changed = matcher;
    for_each_field(changed.setting, [&](const auto& field, auto& value) {
      using Value = std::remove_cvref_t<decltype(value)>;
      const Value usual = value;
      value = static_cast<Value>(static_cast<int>(usual) + 1);
      CHECK_MESSAGE(label(changed) != label(matcher), matcher.name << ", " << field.name);
      value = usual;
      CHECK(label(changed) == label(matcher));
    });
  });
}

TEST_CASE("The best score of a column is bold within its split only") {
  Json other = result_json(some_errors), better = result_json(some_errors);
  better["pck"]["per_point"]["0.1"] = 99;
  other["dataset"] = "pf-willow";
  const std::vector<ReportResult> results{read_json(result_json(some_errors)), read_json(better),
                                          read_json(other)};
  const auto table = results_table(make_view(results));
  const auto bold = [&table](std::size_t row, std::size_t column) {
    return contains(table.body[row].cells[column].kind, "best");
  };
  CHECK(!bold(0, 2));
  CHECK(bold(1, 2));
  CHECK(bold(0, 1));  // a tie
  CHECK(bold(1, 1));
  CHECK(!bold(2, 2));  // alone on its data set
}

TEST_CASE("The paper stands beside results that were measured as it did, and no others") {
  Json json = result_json(some_errors, "aeroplane");
  json["dataset"] = "spair-71k";
  const auto place = [](const Json& result) {
    const auto scores = paper_scores(read_json(result));
    return scores ? std::string(scores->place) : "";
  };
  const auto with = [](Json result, const char* key, const Json& value) {
    result[key] = value;
    return result;
  };
  CHECK(place(json) == "Table 2, DINOv2");
  CHECK(place(with(json, "dataset", "synthetic")).empty());
  CHECK(place(with(json, "split", "val")).empty());
  CHECK(place(with(json, "backbone", "dinov2_vits14")).empty());
  CHECK(place(with(json, "layer", 10)).empty());
  CHECK(place(with(json, "matcher", {{"name", "soft-argmax"}})).empty());
  Json tuned = with(json, "tuning", tuning_json(1, 0));
  CHECK(place(tuned).empty());  // tuned elsewhere
  tuned["tuning"]["train_dataset"] = "spair-71k";
  CHECK(place(tuned) == "Table 4, last 1");
  tuned["tuning"]["unfreeze"] = 3;
  CHECK(place(tuned) == "Table 3, last 3");
  tuned["tuning"]["unfreeze"] = 4;
  CHECK(place(tuned).empty());
  tuned["tuning"]["unfreeze"] = 1;
  CHECK(place(with(tuned, "dataset", "pf-pascal")).empty());  // argmax: not in its table
  tuned["matcher"] = {{"name", "window-soft-argmax"}, {"temperature", 10}, {"window_radius", 2}};
  CHECK(place(tuned) == "Table 4, last 1 + WSA");
  CHECK(place(with(tuned, "dataset", "pf-pascal")) == "Table 5, PF-Pascal");
  CHECK(place(with(tuned, "dataset", "pf-willow")) == "Table 5, PF-Willow");
  tuned["matcher"]["window_radius"] = 3;
  CHECK(place(tuned).empty());
  tuned["matcher"]["window_radius"] = 2;
  tuned["matcher"]["outside"] = "masked_zero";
  CHECK(place(tuned).empty());
  tuned["matcher"]["outside"] = "excluded";
  CHECK(place(tuned) == "Table 4, last 1 + WSA");
  tuned["tuning"]["loss"] = "info-nce";
  CHECK(place(tuned).empty());

  const std::string page = render_report({read_json(json)});
  CHECK(contains(page, "53.42"));
  CHECK(contains(page, "70.05"));           // Table 1, aeroplane
  CHECK(contains(page, "not comparable"));  // two pairs against 12,234
  CHECK(!contains(render_report({read_json(with(json, "layer", 3))}), "53.42"));
}

TEST_CASE("The paper's tables agree with each other") {
  for (const auto& [column, mean] : {std::pair{0U, 36.18}, {1U, 53.77}, {2U, 69.99}}) {
    double sum = 0;
    for (const auto& row : paper_categories) sum += row.per_point[column];
    CHECK(sum / 18 == doctest::Approx(mean).epsilon(2e-4));
  }
  const auto improvement = [](int depth) {
    return paper_depth(depth)->per_point[1] - paper_dinov2.per_point[1];
  };
  CHECK(improvement(1) == doctest::Approx(20.32));
  CHECK(improvement(2) == doctest::Approx(17.63));
  CHECK(improvement(3) == doctest::Approx(15.09));
  CHECK(paper_willow.per_point == paper_willow.per_image);
}

TEST_CASE("One method on two data sets is set against the one it was tuned on") {
  Json home = result_json(some_errors), away = result_json(some_errors);
  home["tuning"] = away["tuning"] = tuning_json(1, 0);
  away["dataset"] = "pf-willow";
  home["pck"]["per_point"]["0.1"] = 60;
  away["pck"]["per_point"]["0.1"] = 45.5;
  const std::vector<ReportResult> results{read_json(away), read_json(home)};
  const auto view = make_view(results);
  const auto methods = across_methods(view);
  REQUIRE(methods.size() == 1);
  const auto table = across_table(view, methods[0]);
  CHECK(table.body[0].cells.back().text == "\u221214.50");
  CHECK(table.body[1].cells.back().text == "\u2013");
}

TEST_CASE("The cumulative curve meets PCK at every alpha, the histogram holds every point") {
  std::mt19937 random(3);
  std::exponential_distribution<double> draw(4);
  ReportResult result;
  std::vector<double> alphas{0.05, 0.1, 0.2, 0.5};
  for (int i = 0; i < 300; ++i) {
    PairErrors pair{{}, 50.0 + i};
    for (int n = 0; n < 1 + i % 9; ++n)
      pair.distances.push_back(draw(random) * pair.threshold_scale);
    pair.distances.push_back(alphas[static_cast<std::size_t>(i) % 4] * pair.threshold_scale);
    result.errors.push_back(pair);
  }
  const auto errors = relative_errors(result);
  const ChartFrame frame;
  const auto curve = cumulative_curve(errors, frame);
  for (const double alpha : alphas) {
    const auto& [x, y] = curve[static_cast<std::size_t>(std::lround(alpha * 200))];
    CHECK(x == doctest::Approx(frame.x(alpha)));
    CHECK(y == doctest::Approx(frame.y(100 * PckPerPoint{}(result.errors, alpha))));
  }
  for (std::size_t i = 1; i < curve.size(); ++i) CHECK(curve[i][1] <= curve[i - 1][1]);

  const auto chart = histogram_chart("r", errors, alphas);
  double percent = 0;
  for (const auto& shape : chart.shapes) {
    if (shape.type != ChartShape::Type::box) continue;
    percent += std::stod(shape.hint.substr(shape.hint.find(": ") + 2));
  }
  CHECK(percent == doctest::Approx(100).epsilon(1e-3));
}

TEST_CASE("Best and worst pairs are sorted and never the same") {
  std::mt19937 random(5);
  for (std::size_t size = 1; size < 12; ++size) {
    std::vector<PairOutcome> outcomes;
    for (std::size_t i = 0; i < size; ++i) {
      outcomes.push_back(
          {i, 25.0 * static_cast<double>(random() % 5), 1, static_cast<double>(random() % 100)});
    }
    const auto [best, worst] = best_and_worst(outcomes, 4);
    CHECK(best.size() + worst.size() == std::min<std::size_t>(size, 8));
    std::set<std::size_t> seen;
    for (const auto& list : {best, worst}) {
      for (const auto& outcome : list) CHECK(seen.insert(outcome.index).second);
    }
    for (const auto& good : best) {
      for (const auto& bad : worst) CHECK(good.pck >= bad.pck);
    }
    CHECK(std::ranges::is_sorted(best, std::greater{}, &PairOutcome::pck));
    CHECK(std::ranges::is_sorted(worst, std::less{}, &PairOutcome::pck));
  }
}

TEST_CASE("Pictures are found, mirrored where the pair was, and missed where they are not") {
  const TemporaryFolder folder;
  write_file(folder.path / "a.png", encode_png(halves({60, 30})));
  write_file(folder.path / "b.png", encode_png(halves({30, 60})));
  ReportResult result;
  result.file = folder.path / "r.json";
  result.pairs.push_back({"p", "c", "a.png", "b.png", false, {}, {{15, 30}}, {{16, 30}}});
  result.errors.push_back({{1}, 20});
  const auto corner = [&result] {
    const Image image = draw_pair(result, 0, 0.1);
    CHECK(image.height == 240);
    return std::pair{*image.at(2, 2), *image.at(470, 2)};
  };
  CHECK(corner() == std::pair<std::uint8_t, std::uint8_t>{0, 255});
  result.pairs[0].flip = true;
  CHECK(corner() == std::pair<std::uint8_t, std::uint8_t>{255, 0});
  const Image without = draw_pair(result, 0, 0.1);
  result.pairs[0].queries = {{10, 10}};
  CHECK(draw_pair(result, 0, 0.1).size() == without.size());
  CHECK(!(draw_pair(result, 0, 0.1) == without));  // now with a line from the source
  result.pairs[0].queries = {{2, 15}};  // mirrored with its picture: at the right end now
  const Image mirrored = draw_pair(result, 0, 0.1);
  CHECK(*mirrored.at(20, 124) == *without.at(20, 124));
  CHECK(*mirrored.at(460, 124) != *without.at(460, 124));
  result.pairs[0].target = "gone\n.png";
  CHECK_THROWS_WITH_AS(draw_pair(result, 0, 0.1), doctest::Contains("gone?.png"), ReportError);
  write_file(folder.path / "gone\n.png", "no picture");
  CHECK_THROWS_AS(draw_pair(result, 0, 0.1), ImageError);
}

TEST_CASE("Without pictures no picture is opened") {
  const TemporaryFolder folder;
  Json json = result_json(some_errors);
  json["predictions"] = "p.jsonl";
  write_file(folder.path / "r.json", json.dump());
  write_file(folder.path / "p.jsonl", prediction_lines(some_errors));
  const std::vector<ReportResult> results{read_result(folder.path / "r.json")};
  CHECK_THROWS_AS(render_report(results), ReportError);
  const std::string page = render_report(results, {"t", 4, false});
  CHECK(contains(page, "id=\"errors\""));
  CHECK(!contains(page, "<img"));
  CHECK(!contains(page, "id=\"matches\""));
}

TEST_CASE("Results with other alphas, and without 0.1, fit in one report") {
  Json json = result_json(some_errors);
  for (const char* aggregation : {"per_point", "per_image"}) {
    json["pck"][aggregation] = {{"0.01", 1.5}, {"0.15", 20.25}};
    json["per_category"]["car"][aggregation] = {{"0.01", 1.5}, {"0.15", 20.25}};
  }
  const auto alone = std::vector<ReportResult>{read_json(json)};
  CHECK(make_view(alone).main_alpha == 0.01);
  const auto both = std::vector<ReportResult>{read_json(json), read_json(result_json(some_errors))};
  const auto view = make_view(both);
  CHECK(view.alphas == std::vector<double>{0.01, 0.05, 0.1, 0.15, 0.2});
  CHECK(view.main_alpha == 0.1);
  CHECK(contains(render_report(both), "20.25"));
  const std::string summary = report_summary(both);
  CHECK(contains(summary, "p@0.15"));
  CHECK(occurrences(summary, "\n") == 5);
}

TEST_CASE("Numbers are written the same way everywhere") {
  CHECK(fixed(53.424, 2) == "53.42");
  CHECK(fixed(-3.24, 2) == "\u22123.24");
  CHECK(fixed(-0.001, 2) == "0.00");
  CHECK(fixed(std::nan(""), 2) == "\u2013");
  CHECK(signed_fixed(2, 2) == "+2.00");
  CHECK(grouped(0) == "0");
  CHECK(grouped(999) == "999");
  CHECK(grouped(1234567) == "1,234,567");
  CHECK(coordinate(-1.5) == "-1.5");
  CHECK(coordinate(100) == "100");
}

TEST_CASE("Base64 as RFC 4648 gives it") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe\xfd") == "//79");
}
