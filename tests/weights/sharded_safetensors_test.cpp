// SPDX-License-Identifier: Apache-2.0
#include "homolog/weights/sharded_safetensors.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "backbones/families/small_files.hpp"
#include "homolog/weights/read_weights.hpp"
#include "support/test_data.hpp"
#include "weights/mutations.hpp"

using namespace homolog;
using namespace homolog::test;

namespace {

// Two shards with tensors a, b and c, and their index.
struct Shards {
  TemporaryFolder folder;
  TensorFile first, second;
  std::string index_text =
      R"({"metadata":{"total_size":36},"weight_map":{"a":"one.safetensors","b":"one.safetensors",)"
      R"("c":"two.safetensors"}})";

  Shards() {
    std::mt19937 random(3);
    add_random(first, "a", {2}, random);
    add_random(first, "b", {3}, random);
    add_random(second, "c", {4}, random);
    first.metadata["format"] = second.metadata["format"] = "pt";
    write();
  }
  std::filesystem::path index() const { return folder.path / "model.safetensors.index.json"; }
  void write() const {
    write_safetensors(folder.path / "one.safetensors", first);
    write_safetensors(folder.path / "two.safetensors", second);
    write_file(index(), index_text);
  }
  std::string verdict() const {
    write();
    try {
      read_weights(index());
      return "accepted";
    } catch (const Error& error) {
      return error.what();
    }
  }
  void replace(const std::string& old, const std::string& by) {
    index_text.replace(index_text.find(old), old.size(), by);
  }
};

}  // namespace

TEST_CASE("shards are read as one file") {
  const Shards shards;
  const TensorFile file = read_weights(shards.index());
  TensorFile all = shards.first;
  all.tensors.insert(shards.second.tensors.begin(), shards.second.tensors.end());
  CHECK(same_tensors(file, all));
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.name == shards.index().string());
}

TEST_CASE("an index that does not fit its shards is refused by name") {
  const auto said = [](auto change) {
    Shards shards;
    change(shards);
    return shards.verdict();
  };
  const auto contains = [](const std::string& text, const char* part) {
    INFO(text);
    CHECK(text.find(part) != std::string::npos);
  };
  contains(said([](Shards& s) { s.replace("two.safetensors", "three.safetensors"); }),
           "three.safetensors");
  contains(said([](Shards& s) { s.replace(R"("b":"one)", R"("b":"two)"); }),
           "'b' is not in its shard 'two.safetensors'");
  contains(said([](Shards& s) { s.replace(R"("a":"one.safetensors",)", ""); }),
           "shard 'one.safetensors' holds 'a'");
  contains(said([](Shards& s) { s.second.tensors["a"] = s.first.tensors.at("a"); }),
           "shard 'two.safetensors' holds 'a'");
  contains(said([](Shards& s) { s.replace("two.safetensors", "../two.safetensors"); }),
           "no safetensors file");
  contains(said([](Shards& s) { s.replace("two.safetensors", "/etc/passwd"); }),
           "no safetensors file");
  contains(said([](Shards& s) { s.replace(R"("two.safetensors")", "7"); }),
           "no safetensors file: 7");
  contains(said([](Shards& s) { s.index_text = "[]"; }), "weight_map");
  contains(said([](Shards& s) { s.index_text = R"({"weight_map":{}})"; }), "weight_map");
  contains(said([](Shards& s) { s.index_text = R"({"weight_map":["a"]})"; }), "weight_map");
  contains(said([](Shards& s) { s.replace(R"("b":)", R"("a":)"); }), "'a' twice");
  contains(said([](Shards& s) { s.index_text.resize(40); }), "not valid JSON");
  contains(said([](Shards& s) { s.index_text = ""; }), "not valid JSON");
  std::string deep = R"({"a":)";
  for (int i = 0; i < 12; ++i) deep += deep;
  contains(said([&deep](Shards& s) { s.index_text = deep; }), "deeper than 32");
}

TEST_CASE("mutated indices never do more than throw") {
  const Shards shards;
  std::mt19937_64 random(7);
  int accepted = 0;
  for (int i = 0; i < 3000; ++i) {
    write_file(shards.index(), mutated(shards.index_text, random));
    try {
      const TensorFile file = read_weights(shards.index());
      CHECK(file.tensors.size() == 3);
      ++accepted;
    } catch (const Error&) {
    }
  }
  CHECK(accepted < 3000);
}
