// SPDX-License-Identifier: Apache-2.0
#include "report/read_result.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "homolog/core/concepts.hpp"
#include "homolog/core/decimal_number.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/files.hpp"
#include "homolog/core/json_text.hpp"
#include "homolog/core/points.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/metrics/pck.hpp"

namespace tool::report {

using namespace homolog;

namespace {

ReportJson parse_report_json(std::string_view bytes, const std::string& name) {
  try {
    return ReportJson::parse(bytes);
  } catch (const ReportJson::exception& error) {
    throw ReportError(text(name, ": not JSON: ", printable_text(error.what(), 200)));
  }
}

// The keys of one JSON object, with what errors call it: its file, and the keys that lead to it.
struct ReportKeys {
  std::string file;
  std::string parents;  // "" or "pck.per_point."
  const ReportJson& json;

  [[noreturn]] void fail(std::string_view key, std::string_view problem) const {
    throw ReportError(
        text(file, ": key \"", printable_text(parents + std::string(key)), "\": ", problem));
  }
  const ReportJson* find(const std::string& key) const {
    if (!json.is_object()) {
      throw ReportError(text(file, ": expected a JSON object", parents.empty() ? "" : " at ",
                             printable_text(parents), ", got ", json.type_name()));
    }
    const auto found = json.find(key);
    return found == json.end() ? nullptr : &*found;
  }
  const ReportJson& value(const std::string& key) const {
    const ReportJson* found = find(key);
    if (found == nullptr) fail(key, "missing");
    return *found;
  }
  // The keys of the object below `key`.
  ReportKeys below(const std::string& key) const {
    const ReportJson& object = value(key);
    if (!object.is_object()) fail(key, text("expected an object, got ", object.type_name()));
    return {file, parents + key + ".", object};
  }
  std::string string(const std::string& key) const {
    const ReportJson& found = value(key);
    if (!found.is_string()) fail(key, text("expected a string, got ", found.type_name()));
    return found.get<std::string>();
  }
  double number(const std::string& key, double low, double high) const {
    const ReportJson& found = value(key);
    if (!found.is_number()) fail(key, text("expected a number, got ", found.type_name()));
    const double number = found.get<double>();
    if (!(number >= low && number <= high)) {
      fail(key, text("expected a number from ", low, " to ", high, ", got ", number));
    }
    return number;
  }
  std::int64_t integer(const std::string& key, std::int64_t low, std::int64_t high) const {
    const ReportJson& found = value(key);
    if (!found.is_number_integer()) fail(key, text("expected an integer, got ", found.type_name()));
    // An unsigned value above the signed range must not wrap into it.
    const bool huge = found.is_number_unsigned() &&
                      found.get<std::uint64_t>() >
                          static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)());
    const std::int64_t integer = huge ? 0 : found.get<std::int64_t>();
    if (huge || integer < low || integer > high) {
      fail(key, text("expected an integer from ", low, " to ", high, ", got ", found.dump()));
    }
    return integer;
  }
  std::size_t count(const std::string& key) const {
    return static_cast<std::size_t>(integer(key, 0, std::int64_t{1} << 40));
  }
  bool has(const std::string& key) const {
    const ReportJson* found = find(key);
    return found != nullptr && !found->is_null();
  }
  std::optional<std::string> optional_text(const std::string& key) const {
    if (!has(key)) return std::nullopt;
    return string(key);
  }
  std::optional<std::int64_t> optional_integer(const std::string& key, std::int64_t low) const {
    if (!has(key)) return std::nullopt;
    return integer(key, low, (std::numeric_limits<std::int64_t>::max)());
  }
};

// Scores in percent by alpha, whose keys are alphas as text: {"0.05": 36.04, ...}.
std::map<double, double> parse_percents(const ReportKeys& keys) {
  std::map<double, double> percents;
  for (const auto& [key, ignored] : keys.json.items()) {
    const double alpha = decimal_number(key).value_or(0);
    if (!(alpha > 0 && alpha < 1e6)) {
      keys.fail(key, "expected a positive number as the key, an alpha");
    }
    percents[alpha] = keys.number(key, 0, 100);
  }
  return percents;
}

ReportScores parse_scores(const ReportKeys& counts, const ReportKeys& pck) {
  ReportScores scores;
  scores.pairs = counts.count("pairs");
  scores.points = counts.count("points");
  scores.per_point = parse_percents(pck.below("per_point"));
  scores.per_image = parse_percents(pck.below("per_image"));
  if (scores.per_point.empty()) pck.fail("per_point", "expected at least one alpha");
  for (const auto& [alpha, percent] : scores.per_point) {
    if (!scores.per_image.contains(alpha)) pck.fail("per_image", text("no alpha ", alpha));
  }
  if (scores.per_image.size() != scores.per_point.size()) {
    pck.fail("per_image", "expected the alphas of per_point");
  }
  return scores;
}

ReportTuning parse_tuning(const ReportKeys& keys) {
  constexpr std::int64_t most = 1 << 20;
  ReportTuning tuning;
  tuning.unfreeze = static_cast<int>(keys.integer("unfreeze", 0, most));
  if (keys.has("lora_rank")) {
    tuning.lora_rank = static_cast<int>(keys.integer("lora_rank", 0, most));
  }
  tuning.loss = keys.string("loss");
  tuning.train_dataset = keys.optional_text("train_dataset").value_or("");
  tuning.train_split = keys.optional_text("train_split").value_or("");
  if (keys.has("seed")) {
    const ReportJson& seed = keys.value("seed");
    if (!seed.is_number_integer())
      keys.fail("seed", text("expected an integer, got ", seed.type_name()));
    tuning.seed = seed.dump();
  }
  tuning.epoch = keys.optional_integer("epoch", 0);
  tuning.step = keys.optional_integer("step", 0);
  tuning.batch_size = keys.optional_integer("batch_size", 1);
  if (keys.has("learning_rate")) tuning.learning_rate = keys.number("learning_rate", 0, 1e6);
  return tuning;
}

void parse_settings(const ReportKeys& keys, ReportResult& result) {
  const ReportKeys protocol = keys.below("protocol");
  result.protocol = protocol.string("name");
  result.resize = protocol.string("resize");
  result.image_size = static_cast<int>(protocol.integer("image_size", 0, 1 << 20));
  result.threshold = protocol.string("threshold");
  result.comparison = protocol.string("comparison");
  result.backbone = keys.optional_text("backbone").value_or("");
  if (keys.has("layer")) result.layer = static_cast<int>(keys.integer("layer", -1, 1 << 20));
  for (const char* key : {"weights", "resize_filter", "facet", "normalization",
                          "position_interpolation", "dtype", "query"}) {
    if (auto value = keys.optional_text(key)) result.details[key] = std::move(*value);
  }
  if (keys.has("final_norm")) {
    const ReportJson& norm = keys.value("final_norm");
    if (!norm.is_boolean()) keys.fail("final_norm", "expected true or false");
    result.details["final_norm"] = norm.get<bool>() ? "yes" : "no";
  }
  if (!keys.has("matcher")) return;
  const ReportKeys matcher = keys.below("matcher");
  result.matcher = matcher.string("name");
  for (const auto& [key, value] : matcher.json.items()) {
    if (key != "name" && !value.is_null()) result.matcher_setting[key] = setting_text(value);
  }
}

Points<ImageFrame> parse_points(const ReportKeys& keys, const std::string& key) {
  const ReportJson& list = keys.value(key);
  if (!list.is_array()) keys.fail(key, text("expected a list of points, got ", list.type_name()));
  Points<ImageFrame> points;
  for (const ReportJson& point : list) {
    if (!point.is_array() || point.size() != 2 || !point[0].is_number() || !point[1].is_number()) {
      keys.fail(key, text("expected points [x, y], got ", printable_text(point.dump())));
    }
    const Point<ImageFrame> read{point[0].get<double>(), point[1].get<double>()};
    if (!(std::abs(read.x) < 1e6 && std::abs(read.y) < 1e6)) {
      keys.fail(key, text("expected pixels below 1e6, got ", printable_text(point.dump())));
    }
    points.push_back(read);
  }
  return points;
}

// One line of a prediction file; `line` numbers it for errors.
std::pair<ReportPair, PairErrors> parse_prediction(const ReportJson& json,
                                                   const std::string& line) {
  const ReportKeys keys{line, "", json};
  ReportPair pair;
  pair.name = keys.string("pair");
  pair.category = keys.string("category");
  pair.source = keys.string("source");
  pair.target = keys.string("target");
  pair.predicted = parse_points(keys, "predicted");
  pair.truth = parse_points(keys, "truth");
  if (pair.truth.empty()) keys.fail("truth", "expected at least one point");
  const auto require_size = [&](const char* key, const Points<ImageFrame>& points) {
    if (points.size() == pair.truth.size()) return;
    keys.fail(key, text(points.size(), " points, but ", pair.truth.size(), " in \"truth\""));
  };
  require_size("predicted", pair.predicted);
  if (keys.has("source_keypoints")) {
    pair.queries = parse_points(keys, "source_keypoints");
    require_size("source_keypoints", pair.queries);
  }
  if (keys.has("flip")) {
    if (!keys.value("flip").is_boolean()) keys.fail("flip", "expected true or false");
    pair.flip = keys.value("flip").get<bool>();
  }
  PairErrors errors;
  errors.threshold_scale = keys.number("threshold_scale", 0, 1e12);
  if (!(errors.threshold_scale > 0)) keys.fail("threshold_scale", "expected a positive number");
  for (std::size_t n = 0; n < pair.truth.size(); ++n) {
    errors.distances.push_back(distance(pair.predicted[n], pair.truth[n]));
  }
  return {std::move(pair), std::move(errors)};
}

// A prediction file left from another run must not stand for this result.
void require_same_run(const std::string& file, const ReportResult& result) {
  std::size_t points = 0;
  for (const PairErrors& pair : result.errors) points += pair.distances.size();
  const auto require_equal = [&](const char* what, std::size_t here, std::size_t expected) {
    if (here == expected) return;
    throw ReportError(text(file, ": ", here, " ", what, ", but ", result.file.string(), " key \"",
                           what, "\" says ", expected));
  };
  require_equal("pairs", result.pairs.size(), result.total.pairs);
  require_equal("points", points, result.total.points);
  if (result.errors.empty()) return;
  for (const auto& [alpha, percent] : result.total.per_point) {
    const double again = 100 * PckPerPoint{}(result.errors, alpha);
    if (std::abs(again - percent) < 1e-3) continue;
    throw ReportError(text(file, ": gives PCK@", alpha, " ", again, " per point, but ",
                           result.file.string(), " key \"pck.per_point.", alpha, "\" says ",
                           percent));
  }
}

void read_predictions(const std::filesystem::path& path, ReportResult& result) {
  constexpr std::uintmax_t limit = std::uintmax_t{1} << 30;
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error) throw FileError(text(path.string(), ": ", error.message()));
  if (size > limit)
    throw FileError(text(path.string(), ": ", size, " bytes, the limit is ", limit));
  std::ifstream stream(path);
  if (!stream) throw FileError(text(path.string(), ": cannot be read"));
  std::string line;
  for (std::size_t number = 1; std::getline(stream, line); ++number) {
    const std::string name = text(path.string(), " line ", number);
    auto [pair, errors] = parse_prediction(parse_report_json(line, name), name);
    result.pairs.push_back(std::move(pair));
    result.errors.push_back(std::move(errors));
  }
  if (stream.bad()) throw FileError(text(path.string(), ": cannot be read"));
  require_same_run(path.string(), result);
}

}  // namespace

std::string setting_text(const ReportJson& value) {
  // A float32 of 0.3 stands in a file as 0.30000001192092896, and 6 digits give it back.
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return json_text(value);
  const double number = value.get<double>();
  std::string rounded = text(number);
  const double again = decimal_number(rounded).value_or(0);
  const bool same = static_cast<float>(again) == static_cast<float>(number);
  return same ? rounded : decimal_text(number);
}

ReportResult parse_result(const ReportJson& json, const std::filesystem::path& path) {
  const ReportKeys keys{path.string(), "", json};
  ReportResult result;
  result.file = path;
  if (!keys.has("dataset") && keys.has("tuned_elements")) {
    throw ReportError(path.string() +
                      ": is a result of finetune; report takes results of evaluate --json");
  }
  result.dataset = keys.string("dataset");
  result.split = keys.string("split");
  parse_settings(keys, result);
  result.total = parse_scores(keys, keys.below("pck"));
  const ReportKeys categories = keys.below("per_category");
  for (const auto& [category, ignored] : categories.json.items()) {
    const ReportKeys scores = categories.below(category);
    result.per_category.emplace_back(category, parse_scores(scores, scores));
  }
  result.distinct_images = keys.count("distinct_images");
  result.backbone_forwards = keys.count("backbone_forwards");
  const ReportKeys seconds = keys.below("seconds");
  const auto spent = [&seconds](const char* key) { return seconds.number(key, 0, 1e12); };
  result.seconds = {spent("decode"), spent("backbone"), spent("match"), spent("total")};
  if (keys.has("tuning")) result.tuning = parse_tuning(keys.below("tuning"));
  return result;
}

std::optional<std::filesystem::path> find_beside(const std::filesystem::path& named,
                                                 const std::filesystem::path& result_file) {
  std::error_code ignored;
  for (const auto& path : {named, result_file.parent_path() / named}) {
    if (std::filesystem::is_regular_file(path, ignored)) return path;
  }
  return std::nullopt;
}

ReportResult read_result(const std::filesystem::path& path) {
  const auto json = parse_report_json(read_file(path, std::uintmax_t{64} << 20), path.string());
  ReportResult result = parse_result(json, path);
  const ReportKeys keys{path.string(), "", json};
  if (const auto named = keys.optional_text("predictions")) {
    const auto predictions = find_beside(*named, path);
    if (!predictions) keys.fail("predictions", "no such file: " + printable_text(*named, 200));
    read_predictions(*predictions, result);
    result.predictions = *predictions;
  }
  return result;
}

}  // namespace tool::report
