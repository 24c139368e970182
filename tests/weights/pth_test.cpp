// SPDX-License-Identifier: Apache-2.0
#include "homolog/weights/pth.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "support/skip.hpp"
#include "support/test_data.hpp"
#include "weights/mutations.hpp"
#include "weights/torch_archive.hpp"

using namespace homolog;
using test::bytes_of;
using test::Pickle;
using test::torch_archive;
using test::zip;
using test::ZipPart;

namespace {

std::string pth_verdict(const std::string& bytes) {
  try {
    parse_pth(bytes, "file");
    return "accepted";
  } catch (const WeightsError& error) {
    return error.what();
  }
}

bool refused_pth(const std::string& bytes, const std::string& reason) {
  const std::string got = pth_verdict(bytes);
  INFO("got: ", got, "; expected: ", reason);
  const bool right = got.starts_with("file: ") && got.find(reason) != std::string::npos;
  CHECK(right);
  return right;
}

/// A verdict on a pickle inside a sound archive with one storage of 24 bytes.
bool refused_pickle(const std::string& pickle, const std::string& reason) {
  return refused_pth(torch_archive(pickle, {std::string(24, '\1')}), reason);
}

template <class Number>
std::vector<Number> values(const TensorView& view) {
  std::vector<Number> result(view.bytes.size() / sizeof(Number));
  if (!result.empty()) std::memcpy(result.data(), view.bytes.data(), view.bytes.size());
  return result;
}

const std::vector<float> six{0, 1, 2, 3, 4, 5};

/// {'a': six as [2, 3]} by protocol 2, as torch.save writes it.
Pickle one_tensor(std::int64_t offset = 0, const std::vector<std::int64_t>& shape = {2, 3},
                  const std::vector<std::int64_t>& stride = {3, 1}, std::int64_t elements = 6) {
  Pickle pickle;
  pickle.raw("}(")
      .string("a")
      .tensor("FloatStorage", "0", elements, offset, shape, stride)
      .raw("u");
  return pickle;
}

std::string good_archive() { return torch_archive(one_tensor().stop(), {bytes_of(six)}); }

}  // namespace

TEST_CASE("a state dict of one tensor, and contiguous tensors are views of the archive") {
  const std::string archive = good_archive();
  const TensorFile file = parse_pth(archive, "file");
  REQUIRE(file.tensors.size() == 1);
  const TensorView& view = file.tensors.at("a");
  CHECK(view.dtype == DType::f32);
  CHECK(view.shape == std::vector<std::int64_t>{2, 3});
  CHECK(values<float>(view) == six);
  const auto* data = reinterpret_cast<const char*>(view.bytes.data());
  CHECK((data > archive.data() && data < archive.data() + archive.size()));
  CHECK(file.metadata.at("format") == "pt");
}

TEST_CASE("views are honoured: offset, transposition, steps, expansion, empty") {
  const auto read = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& stride) {
    const std::string archive =
        torch_archive(one_tensor(offset, shape, stride).stop(), {bytes_of(six)});
    return values<float>(parse_pth(archive, "file").tensors.at("a"));
  };
  using Floats = std::vector<float>;
  CHECK(read(0, {3, 2}, {1, 3}) == Floats{0, 3, 1, 4, 2, 5});
  CHECK(read(1, {2, 2}, {3, 1}) == Floats{1, 2, 4, 5});
  CHECK(read(1, {2}, {3}) == Floats{1, 4});
  CHECK(read(4, {2, 3}, {1, 0}) == Floats{4, 4, 4, 5, 5, 5});
  CHECK(read(5, {}, {}) == Floats{5});
  CHECK(read(0, {2, 0, 3}, {0, 3, 1}) == Floats{});
  CHECK(read(6, {0}, {1}) == Floats{});
  CHECK(read(2, {1, 4}, {99, 1}) == Floats{2, 3, 4, 5});  // the stride of a size 1 is never taken
  CHECK(read(0, {2, 1, 3}, {1, 7, 2}) == Floats{0, 2, 4, 1, 3, 5});
}

TEST_CASE("every storage type, shared storages, and copies of each item size") {
  const std::string storage(64, '\0');
  const auto filled = [&] {
    std::string bytes = storage;
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 7);
    return bytes;
  }();
  const std::pair<const char*, DType> types[] = {
      {"FloatStorage", DType::f32},  {"HalfStorage", DType::f16}, {"BFloat16Storage", DType::bf16},
      {"DoubleStorage", DType::f64}, {"LongStorage", DType::i64}, {"IntStorage", DType::i32},
      {"ShortStorage", DType::i16},  {"CharStorage", DType::i8},  {"ByteStorage", DType::u8},
      {"BoolStorage", DType::bool_}};
  for (const auto& [type, dtype] : types) {
    const auto item = static_cast<std::int64_t>(item_size(dtype));
    const std::int64_t count = 64 / item;
    Pickle pickle;
    pickle.raw("}(");
    pickle.string("whole").tensor(type, "0", count, 0, {count}, {1});
    pickle.string("swapped").tensor(type, "0", count, 0, {2, count / 2}, {1, 2}).raw("u");
    const std::string archive = torch_archive(pickle.stop(), {filled});
    const TensorFile file = parse_pth(archive, "file");
    CHECK(file.tensors.at("whole").dtype == dtype);
    CHECK(values<char>(file.tensors.at("whole")) ==
          std::vector<char>(filled.begin(), filled.end()));
    std::string expected;
    for (std::int64_t i = 0; i < 2; ++i) {
      for (std::int64_t j = 0; j < count / 2; ++j) {
        expected += filled.substr(static_cast<std::size_t>((i + 2 * j) * item),
                                  static_cast<std::size_t>(item));
      }
    }
    CHECK(values<char>(file.tensors.at("swapped")) ==
          std::vector<char>(expected.begin(), expected.end()));
  }
}

TEST_CASE("OrderedDict with _metadata by BUILD, Parameters, wrappers") {
  Pickle pickle;
  pickle.raw("}(").string("epoch").integer(3).string("model").ordered_dict().raw("(");
  pickle.string("w").global("torch._utils", "_rebuild_parameter").raw("(");
  pickle.tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("\x88").ordered_dict().raw("tRu");
  pickle.raw("}").string("_metadata").ordered_dict().raw("sb").raw("u");
  const std::string archive = torch_archive(pickle.stop(), {bytes_of(six)});
  const TensorFile file = parse_pth(archive, "file");
  REQUIRE(file.tensors.size() == 1);
  CHECK(values<float>(file.tensors.at("w")) == six);
  CHECK(file.metadata.at("homolog.wrapper") == "model");
  CHECK(file.metadata.at("homolog.beside_wrapper") == "epoch");

  for (const char* wrapper : {"model", "state_dict", "teacher"}) {
    const std::string inner = one_tensor().bytes.substr(2);
    const std::string wrapped =
        Pickle{}.raw("}").string("teacher").raw("}").string(wrapper).raw(inner).raw("ss").stop();
    const std::string bytes = torch_archive(wrapped, {bytes_of(six)});
    const TensorFile nested = parse_pth(bytes, "file");
    CHECK(nested.tensors.contains("a"));
    CHECK(nested.metadata.at("homolog.wrapper") == std::string("teacher.") + wrapper);
  }
  // A tensor that is named like a wrapper is a tensor.
  const std::string named = torch_archive(
      Pickle{}.raw("}").string("model").tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("s").stop(),
      {bytes_of(six)});
  CHECK(parse_pth(named, "file").tensors.contains("model"));
}

TEST_CASE("a foreign global is refused by name and nothing is called") {
  const auto call = [](const char* module, const char* name) {
    return Pickle{}
        .raw("}")
        .string("a")
        .global(module, name)
        .raw("(")
        .string("x")
        .raw("tRs")
        .stop();
  };
  refused_pickle(call("os", "system"), R"(refused global "os.system")");
  refused_pickle(call("posix", "system"), R"(refused global "posix.system")");
  refused_pickle(call("builtins", "eval"), R"(refused global "builtins.eval")");
  refused_pickle(call("numpy.core.multiarray", "_reconstruct"),
                 R"(refused global "numpy.core.multiarray._reconstruct")");
  refused_pickle(call("torch", "load"), R"(refused global "torch.load")");
  refused_pickle(call("torch.storage", "_load_from_bytes"), "refused global");
  refused_pickle(call("torch._utils", "_rebuild_tensor_v2 "), "refused global");
  refused_pickle(call("collections", "OrderedDict.fromkeys"), "refused global");
  refused_pickle(call("", ""), R"(refused global ".")");
  refused_pickle(call("\x01\xff", "a"), R"(refused global "??.a")");
  // Protocol 4 names globals on the stack.
  refused_pickle("\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", R"(refused global "os.system")");
  refused_pickle(Pickle{}.integer(1).integer(2).raw("\x93").stop(), "STACK_GLOBAL");
  refused_pickle("\x80\x02" + std::string("c") + std::string(5000, 'x') + "\n\n.",
                 "without an end");
}

TEST_CASE("REDUCE needs a known global and a tuple that fits it") {
  refused_pickle(Pickle{}.integer(1).raw(")R").stop(), "REDUCE of an integer");
  refused_pickle(Pickle{}.string("os.system").raw(")R").stop(), "REDUCE of a string");
  refused_pickle(Pickle{}.global("collections", "OrderedDict").raw("]R").stop(), "with a list");
  refused_pickle(Pickle{}.global("collections", "OrderedDict").raw("]\x85R").stop(), "OrderedDict");
  refused_pickle(Pickle{}.global("torch", "FloatStorage").raw(")R").stop(), "is not called");
  refused_pickle(Pickle{}.global("torch", "float32").raw(")R").stop(), "is not called");
  refused_pickle(Pickle{}.global("torch", "Size").raw(")R").stop(), "torch.Size");
  refused_pickle(Pickle{}.global("torch._utils", "_rebuild_parameter").raw(")R").stop(),
                 "_rebuild_parameter");
  refused_pickle(Pickle{}.global("torch._utils", "_rebuild_tensor_v2").raw(")R").stop(),
                 "_rebuild_tensor_v2");
  refused_pickle(Pickle{}.raw("}]b").stop(), "BUILD with a list");
  refused_pickle(Pickle{}.raw("]}b").stop(), "BUILD on a list");
  refused_pickle(Pickle{}.raw("}}").string("__class__").raw("}sb").stop(),
                 "sets the attribute '__class__'");
}

TEST_CASE("a persistent id is ('storage', type, key, location, elements)") {
  const auto id = [](const std::string& code) { return Pickle{}.raw(code).raw("Q").stop(); };
  const std::string type = Pickle{}.global("torch", "FloatStorage").bytes.substr(2);
  const auto text = [](const char* value) { return Pickle{}.string(value).bytes.substr(2); };
  const auto number = [](std::int64_t value) { return Pickle{}.integer(value).bytes.substr(2); };
  refused_pickle(id(text("0")), "no tuple of 5");
  refused_pickle(id("(" + text("storage") + type + text("0") + text("cpu") + "t"), "no tuple of 5");
  refused_pickle(id("(" + text("module") + type + text("0") + text("cpu") + number(6) + "t"),
                 "no ('storage'");
  refused_pickle(
      id("(" + text("storage") + text("FloatStorage") + text("0") + text("cpu") + number(6) + "t"),
      "no ('storage'");
  refused_pickle(id("(" + text("storage") + Pickle{}.global("torch", "Size").bytes.substr(2) +
                    text("0") + text("cpu") + number(6) + "t"),
                 "no ('storage'");
  refused_pickle(id("(" + text("storage") + type + number(0) + text("cpu") + number(6) + "t"),
                 "no ('storage'");
  refused_pickle(id("(" + text("storage") + type + text("0") + text("cpu") + number(-6) + "t"),
                 "no ('storage'");
  refused_pickle(id("(" + text("storage") + type + text("1") + text("cpu") + number(6) + "t"),
                 "no entry data/1");
  refused_pickle(id("(" + text("storage") + type + text("../0") + text("cpu") + number(6) + "t"),
                 "no entry data/../0");
  refused_pickle(id("(" + text("storage") + type + text("0") + text("cpu") + number(5) + "t"),
                 "5 elements of F32 do not fit an entry of 24 bytes");
  refused_pickle(id("(" + text("storage") + type + text("0") + text("cpu") +
                    number((std::int64_t{1} << 62) + 6) + "t"),
                 "do not fit an entry of 24 bytes");
}

TEST_CASE("a view that leaves its storage is refused, every product checked") {
  const auto view = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                       const std::vector<std::int64_t>& stride) {
    return one_tensor(offset, shape, stride).stop();
  };
  const std::int64_t large = std::int64_t{1} << 62;
  refused_pickle(view(1, {2, 3}, {3, 1}), "lies outside its storage of 6 elements");
  refused_pickle(view(0, {7}, {1}), "lies outside");
  refused_pickle(view(0, {2}, {6}), "lies outside");
  refused_pickle(view(6, {}, {}), "lies outside");
  refused_pickle(view(7, {0}, {1}), "lies outside");
  refused_pickle(view(0, {large, large}, {1, 1}), "lies outside");
  refused_pickle(view(0, {3, 3}, {large, large}), "lies outside");
  refused_pickle(view(0, {5}, {large}), "lies outside");
  refused_pickle(view(large, {2}, {large}), "lies outside");
  refused_pickle(view(5, {6}, {-1}), "stride holds -1");
  refused_pickle(view(0, {-1}, {1}), "shape holds -1");
  refused_pickle(view(-1, {1}, {1}), "an offset >= 0");
  refused_pickle(view(0, {2, 3}, {1}), "2 dimensions with 1 strides");
  refused_pickle(view(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)),
                 "65 dimensions");
  refused_pickle(view(0, {large}, {0}), "more memory");
  refused_pickle(view(0, {1 << 20, 1 << 20}, {0, 0}), "more memory");
}

TEST_CASE("tensor metadata, which carries the conjugate bit, is not dropped in silence") {
  const auto with = [](const std::string& metadata) {
    Pickle pickle;
    pickle.raw("}").string("a").global("torch._utils", "_rebuild_tensor_v2").raw("(");
    pickle.storage("FloatStorage", "0", 6).integer(0).integers({6}).integers({1}).raw("\x89");
    return pickle.ordered_dict().raw(metadata).raw("tRs").stop();
  };
  CHECK(pth_verdict(torch_archive(with("N"), {bytes_of(six)})) == "accepted");
  CHECK(pth_verdict(torch_archive(with("}"), {bytes_of(six)})) == "accepted");
  refused_pickle(with(Pickle{}.raw("}").string("neg").raw("\x88s").bytes.substr(2)), "metadata");
}

TEST_CASE("malformed pickles: underflow, missing STOP, leftovers, loops, bombs") {
  refused_pickle("", "truncated");
  refused_pickle("}", "truncated");
  refused_pickle("\x80\x02", "truncated");
  refused_pickle("\x80\x01}.", "protocol 1");
  refused_pickle("\x80\x06}.", "protocol 6");
  refused_pickle(".", "0 values");
  refused_pickle("}}.", "2 values");
  refused_pickle("(}.", "1 marks");
  refused_pickle("}.}", "bytes follow STOP");
  for (const char* code : {"s", "a", "R", "Q", "b", "\x85", "\x86", "\x87", "\x93", "}s", "}Ns"}) {
    refused_pickle(std::string(code) + ".", "stack underflow");
  }
  refused_pickle("}(N\x86.", "stack underflow");  // a mark is a floor
  refused_pickle(std::string("q\0.", 3), "stack underflow");
  for (const char* code : {"t", "u", "e"}) refused_pickle(std::string(code) + ".", "no mark");
  refused_pickle("}(Nu.", "a key without a value");
  refused_pickle("](NNu.", "SETITEMS on a list");
  refused_pickle("}Na.", "APPEND on a dict");
  refused_pickle(std::string("}h\0.", 4), "memo entry 0 does not exist");
  refused_pickle("}r\xff\xff\xff\x7f.", "memo index 2147483647 is out of range");
  refused_pickle("}j\xff\xff\xff\xff.", "memo entry 4294967295 does not exist");
  refused_pickle("\x8a\x09xxxxxxxxx.", "an integer of 9 bytes");
  refused_pickle("\x95\xff\xff\xff\xff\xff\xff\xff\xff}.", "a frame of");
  refused_pickle(
      "X\xff\xff\xff\xff"
      "abc",
      "truncated: 4294967295 bytes needed");
  refused_pickle(
      "\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
      "abc",
      "truncated");

  // Loops: a list in itself, a dict in itself, two lists in each other.
  refused_pickle(std::string("]q\0h\0a.", 7), "contains itself");
  refused_pickle(std::string("}q\0Nh\0s.", 8), "contains itself");
  refused_pickle(std::string("]q\0]q\1h\0aa.", 11), "contains itself");

  // Bombs: nested tuples, nested lists, tuples that double, marks, a long key, a wide stack.
  refused_pickle(")" + std::string(100'000, '\x85') + ".", "nested containers");
  CHECK(pth_verdict(torch_archive("}q\x01" + std::string(")") + std::string(62, '\x85') + "0."))
            .find("POP") != std::string::npos);
  std::string lists;
  for (int i = 0; i < 70; ++i) lists += "]";
  for (int i = 0; i < 69; ++i) lists += "a";
  refused_pickle(lists + ".", "nested containers");
  std::string doubling = ")";
  for (int i = 0; i < 70; ++i) doubling += std::string("q\0h\0\x86", 5);
  refused_pickle(doubling + ".", "nested containers");
  refused_pickle(std::string(2000, '('), "more than 1000 marks");
  refused_pickle(std::string(200'000, 'N'), "more than 100000 values");
  refused_pickle(Pickle{}.raw("}").string(std::string(5000, 'k')).raw("Ns").stop(),
                 "a key of 5000 bytes, the limit is 4096");
  refused_pth(torch_archive(std::string((64u << 20) + 1, 'N')), "the limit is 67108864");

  // Nesting within the limit passes: a dict around 63 tuples.
  const std::string deep = Pickle{}
                               .raw("}")
                               .string("model")
                               .raw("}")
                               .string("x")
                               .raw(")" + std::string(61, '\x85'))
                               .raw("ss")
                               .stop();
  refused_pth(torch_archive(deep), "'x' is a tuple, expected a tensor");
  const std::string deeper = Pickle{}
                                 .raw("}")
                                 .string("model")
                                 .raw("}")
                                 .string("x")
                                 .raw(")" + std::string(62, '\x85'))
                                 .raw("ss")
                                 .stop();
  refused_pth(torch_archive(deeper), "more than 64 nested containers");
}

TEST_CASE("each opcode outside the subset is refused by name and offset") {
  refused_pickle("\x80\x02}0.", "pickle at byte 3: opcode POP (48) is refused");
  refused_pickle("(i__builtin__\neval\n.", "opcode INST");
  refused_pickle("(o.", "opcode OBJ");
  refused_pickle(")\x81.", "opcode NEWOBJ");
  refused_pickle("\x92.", "opcode NEWOBJ_EX");
  refused_pickle("\x82\x01.", "opcode EXT1");
  refused_pickle("P0\n.", "opcode PERSID");
  refused_pickle("\xf0", "opcode unknown (240)");
  // Every byte value is either obeyed or refused: none crashes on an empty or a small stack.
  for (int code = 0; code < 256; ++code) {
    for (const char* before : {"", "N", "}", "](", "}NN", "))"}) {
      const std::string pickle = before + std::string(1, static_cast<char>(code));
      if (pickle == "}.") continue;  // an empty state dict
      CHECK(pth_verdict(torch_archive(pickle)) != "accepted");
    }
  }
}

TEST_CASE("what is no flat dict of tensors is refused by name") {
  refused_pickle(Pickle{}.raw("N").stop(), "holds None, expected a state dict");
  refused_pickle(Pickle{}.raw("]").stop(), "holds a list");
  refused_pickle(Pickle{}.raw("}").string("a").integer(1).raw("s").stop(),
                 "'a' is an integer, expected a tensor");
  refused_pickle(Pickle{}.raw("}").string("a").raw("}s").stop(), "'a' is a dict");
  refused_pickle(Pickle{}.raw("}").integer(1).integer(1).raw("s").stop(),
                 "a key of the state dict is an integer");
  const std::string tensor =
      Pickle{}.string("a").tensor("FloatStorage", "0", 6, 0, {6}, {1}).bytes.substr(2);
  refused_pickle(Pickle{}.raw("}(" + tensor + tensor + "u").stop(), "duplicate key 'a'");
  refused_pickle(Pickle{}.raw("}(").string("model").raw("}").string("teacher").raw("}u").stop(),
                 "two state dicts, 'model' and 'teacher'");
  const std::string bad_key =
      Pickle{}.raw("}").string("\xff").tensor("FloatStorage", "0", 6, 0, {6}, {1}).raw("s").stop();
  refused_pickle(bad_key, "not valid UTF-8");
}

TEST_CASE("truncated at each byte of data.pkl, and at each byte of the archive") {
  const std::string pickle = one_tensor().stop();
  for (std::size_t size = 0; size < pickle.size(); ++size) {
    CHECK(pth_verdict(torch_archive(pickle.substr(0, size), {bytes_of(six)})) != "accepted");
  }
  const std::string archive = good_archive();
  for (std::size_t size = 0; size < archive.size(); ++size) {
    CHECK(pth_verdict(archive.substr(0, size)) != "accepted");
  }
  refused_pth(archive + "x", "bytes were appended");
}

TEST_CASE("the legacy format is recognised and refused with the way out") {
  const std::string legacy("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", 15);
  refused_pth(legacy, "before torch 1.6; convert it once in Python: torch.save(torch.load(");
  refused_pth("", "not written by torch.save");
  refused_pth("<!DOCTYPE html>", "not written by torch.save");
}

TEST_CASE("zip rules: stored, whole, unique, in range, not overlapping") {
  const std::string pickle = Pickle{}.raw("}").stop();
  const ZipPart part{"archive/data.pkl", pickle};
  const auto changed = [&part](auto change) {
    ZipPart other = part;
    change(other);
    return zip({other});
  };
  CHECK(pth_verdict(zip({part})) == "accepted");
  CHECK(pth_verdict(changed([](ZipPart& p) { p.flags = 0x0808; })) == "accepted");
  CHECK(pth_verdict(changed([](ZipPart& p) { p.zip64 = true; })) == "accepted");
  CHECK(pth_verdict(zip({{"any/name/data.pkl", pickle}})) == "accepted");
  refused_pth(zip({}), "not written by torch.save");
  refused_pth(zip({{"archive/version", "3\n"}}), "no entry data.pkl");
  refused_pth(zip({part, {"other/data.pkl", pickle}}), "two entries named data.pkl");
  refused_pth(zip({part, part}), "duplicate entry 'archive/data.pkl'");
  refused_pth(zip({part, {"archive/byteorder", "big"}}), "byte order is 'big'");
  CHECK(pth_verdict(zip({part, {"archive/byteorder", "little"}})) == "accepted");
  refused_pth(changed([](ZipPart& p) { p.flags = 1; }), "encrypted");
  refused_pth(changed([](ZipPart& p) { p.flags = 0x40; }), "encrypted");
  refused_pth(changed([](ZipPart& p) { p.flags = 0x2000; }), "encrypted");
  refused_pth(changed([](ZipPart& p) { p.method = 8; }), "compressed (method 8)");
  refused_pth(changed([](ZipPart& p) { p.disk = 1; }), "another disk");
  refused_pth(changed([](ZipPart& p) { p.local_name = "archive/data.pkx"; }), "disagrees");
  refused_pth(changed([](ZipPart& p) { p.local_name = "a"; }), "disagrees");
  refused_pth(changed([](ZipPart& p) { p.local_size = 1; }), "disagrees");
  refused_pth(changed([](ZipPart& p) { p.central_size = 5000; }), "does not fit the file");
  refused_pth(changed([](ZipPart& p) { p.central_size = 3; }), "disagrees");
  refused_pth(changed([](ZipPart& p) { p.central_stored_size = 3; }), "is stored in 3 bytes");
  refused_pth(changed([](ZipPart& p) { p.central_offset = 4; }), "no local header at byte 4");
  refused_pth(changed([](ZipPart& p) { p.central_offset = 0x7FFFFFFF; }), "no local header");
  refused_pth(changed([](ZipPart& p) { p.central_offset = 0xFFFFFFFF; }), "are missing");
  refused_pth(changed([](ZipPart& p) { p.central_size = 0xFFFFFFFF; }), "are missing");
  refused_pth(changed([](ZipPart& p) {
                p.extra =
                    "\x01\x02\xff\xff"
                    "ab";
              }),
              "broken extra field");
  refused_pth(changed([](ZipPart& p) {
                p.zip64 = true;
                p.extra = bytes_of(std::uint16_t{1}) + bytes_of(std::uint16_t{0});
              }),
              "two ZIP64 fields");
  refused_pth(zip({{std::string(5000, 'x') + "/data.pkl", pickle}}), "the limit is 4096");

  // Two entries on the same bytes.
  const ZipPart second{"archive/data/0", pickle};
  ZipPart overlapping = second;
  overlapping.central_offset = 0;
  refused_pth(zip({part, overlapping}), "disagrees");
  std::string inner = test::local_header({"archive/data/0", ""}, 0);
  ZipPart outer{"archive/data.pkl", pickle + inner};
  ZipPart hidden{"archive/data/0", ""};
  hidden.central_offset = static_cast<std::uint32_t>(
      test::local_header(outer, outer.bytes.size()).size() + pickle.size());
  refused_pth(zip({outer, hidden}), "overlapping entries");

  // End records that lie.
  const std::string archive = zip({part});
  const auto end = archive.size() - 22;
  const auto patched = [&archive](std::size_t at, const std::string& bytes) {
    std::string other = archive;
    return other.replace(at, bytes.size(), bytes);
  };
  refused_pth(patched(end + 4, "\1"), "several disks");
  refused_pth(patched(end + 6, "\1"), "several disks");
  refused_pth(patched(end + 8, "\2"), "several disks");
  refused_pth(patched(end + 8, std::string("\2\0\2\0", 4)), "cannot hold 2 entries");
  refused_pth(patched(archive.rfind("PK\1\2"), "Q"), "broken directory at byte");
  refused_pth(patched(end + 8, std::string("\0\0\0\0", 4)), "after the last directory entry");
  refused_pth(patched(end + 8, "\xff\xff\xff\xff"), "cannot hold 65535 entries");
  refused_pth(patched(end + 12, "\xff"), "does not end at byte");
  refused_pth(patched(end + 16, "\xff"), "does not end at byte");
  refused_pth(patched(end, "Q"), "no end record");
  refused_pth(patched(end + 20, "\1"), "no end record");
  const std::string wide = [&] {
    ZipPart p = part;
    p.zip64 = true;
    return zip({p});
  }();
  const auto wide_end = wide.size() - 22;
  const auto wide_patched = [&wide](std::size_t at, const std::string& bytes) {
    std::string other = wide;
    return other.replace(at, bytes.size(), bytes);
  };
  REQUIRE(pth_verdict(wide) == "accepted");
  refused_pth(wide_patched(wide_end - 20 + 8, "\xff\xff\xff\xff\xff\xff\xff\xff"),
              "ZIP64 end record");
  refused_pth(wide_patched(wide_end - 20 + 16, "\2"), "several disks");
  refused_pth(wide_patched(wide_end - 20 - 56 + 4, "\xff"), "ZIP64 end record");
  refused_pth(wide_patched(wide_end - 20 - 56 + 16, "\1"), "several disks");
  refused_pth(wide_patched(wide_end - 20 - 56 + 24, "\7"), "several disks");
  refused_pth(wide_patched(wide_end + 8, std::string("\3\0\3\0", 4)), "disagree");
}

TEST_CASE("an archive above 4 GiB: offsets and sizes of 64 bits") {
  const test::TemporaryFolder folder;
  const auto path = (folder.path / "large.pth").string();
  const std::uint64_t count = (std::uint64_t{1} << 30) + 1000, size = count * 4;
  const ZipPart large{"archive/data/0", "", 0, 0, true};
  Pickle state;
  const auto elements = static_cast<std::int64_t>(count);
  state.raw("}(").string("all").tensor("FloatStorage", "0", elements, 0, {elements}, {1});
  state.string("last").tensor("FloatStorage", "0", elements, elements - 1, {1}, {1}).raw("u");
  const ZipPart pickle{"archive/data.pkl", state.stop(), 0, 0, true};
  const std::string first = test::local_header(large, size);
  const std::uint64_t second = first.size() + size;
  const std::string tail = test::local_header(pickle, pickle.bytes.size()) + pickle.bytes;
  const std::string directory = test::central_header(large, size, 0) +
                                test::central_header(pickle, pickle.bytes.size(), second);
  const std::string rest =
      tail + directory + test::end_records(2, second + tail.size(), directory.size(), true);

  const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
  REQUIRE(file >= 0);
  const float value = 42;
  const bool written =
      ::ftruncate(file, static_cast<off_t>(second)) == 0 &&
      ::pwrite(file, first.data(), first.size(), 0) == static_cast<ssize_t>(first.size()) &&
      ::pwrite(file, &value, 4, static_cast<off_t>(second - 4)) == 4 &&
      ::pwrite(file, rest.data(), rest.size(), static_cast<off_t>(second)) ==
          static_cast<ssize_t>(rest.size());
  ::close(file);
  if (!written) return test::skip("no sparse file above 4 GiB can be written here");
  const TensorFile read = read_pth(path);
  CHECK(element_count(read.tensors.at("all")) == count);
  CHECK(values<float>(read.tensors.at("last")) == std::vector<float>{42});
  const auto last = read.tensors.at("all").bytes.last(4);
  CHECK(std::memcmp(last.data(), &value, 4) == 0);
}

TEST_CASE("40,000 mutated archives and pickles: a typed error or tensors of the stated size") {
  Pickle pickle = one_tensor();
  pickle.raw("(").string("b").tensor("FloatStorage", "0", 6, 1, {2, 2}, {1, 2}).raw("u");
  const std::string state = pickle.stop(), archive = torch_archive(state, {bytes_of(six)});
  REQUIRE(pth_verdict(archive) == "accepted");
  std::mt19937_64 random(99);
  int accepted = 0, errors = 0;
  for (int i = 0; i < 40'000; ++i) {
    const std::string bytes = i % 2 == 0
                                  ? test::mutated(archive, random)
                                  : torch_archive(test::mutated(state, random), {bytes_of(six)});
    try {
      const TensorFile file = parse_pth(bytes, "file");
      ++accepted;
      unsigned sum = 0;
      for (const auto& [key, view] : file.tensors) {
        REQUIRE(view.bytes.size() == *detail::checked_elements(view.shape) * item_size(view.dtype));
        for (const auto byte : view.bytes) sum += std::to_integer<unsigned>(byte);
      }
      REQUIRE(sum < 1u << 30);
    } catch (const WeightsError&) {
      ++errors;
    }
  }
  CHECK(accepted + errors == 40'000);
  CHECK(accepted > 200);
  CHECK(errors > 20'000);
}
