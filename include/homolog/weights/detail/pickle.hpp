// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A pickle stack machine restricted to what a state dict needs. It builds plain values; names of
/// globals, calls and persistent ids go to a host that knows a fixed list and executes nothing.
/// Opcodes: CPython, Lib/pickletools.py.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/detail/pickle_opcodes.hpp"

namespace homolog::inline v0_1::detail {

/// What a pickle may cost. The defaults bound memory by about 20 times the longest pickle.
struct PickleLimits {
  std::uint64_t bytes = 64u << 20;
  std::size_t open_marks = 1'000;      ///< containers under construction at once
  std::size_t stack = 100'000;         ///< values; writers batch 1000 dict items on the stack
  std::size_t memo = 10'000'000;       ///< entries
  std::size_t containers = 8'000'000;  ///< tuples, lists and dicts
  std::size_t contained = 32'000'000;  ///< values inside them
  std::size_t nesting = 64;            ///< containers within containers
  std::size_t key_length = 4'096;      ///< [bytes] of a dict's key
};

enum class PickleKind : std::uint8_t {
  none,
  boolean,
  integer,
  real,
  string,   ///< data: offset and length in the pickle
  tuple,    ///< data: node
  list,     ///< data: node
  dict,     ///< data: node; items alternate key, value
  global,   ///< data: the host's number
  storage,  ///< data: the host's number
  tensor,   ///< data: the host's number
  opaque    ///< something that is read over, such as a device
};

constexpr std::string_view pickle_kind_name(PickleKind kind) {
  constexpr std::array<std::string_view, 12> names{
      "None",   "a bool", "an integer", "a real number", "a string", "a tuple",
      "a list", "a dict", "a global",   "a storage",     "a tensor", "an object"};
  return names[static_cast<std::size_t>(kind)];
}

/// One value, trivially copied; containers live in the machine, so cycles cost nothing.
struct PickleValue {
  PickleKind kind = PickleKind::none;
  std::int64_t data = 0;
};

/// Runs one pickle. `Host` gives
/// `PickleValue global(std::string_view module, std::string_view name)`,
/// `PickleValue call(Machine&, PickleValue callable, const std::vector<PickleValue>& arguments)`
/// and `PickleValue persistent(Machine&, PickleValue id)`; each throws what it refuses.
template <class Host>
class PickleMachine {
 public:
  using Items = std::vector<PickleValue>;

  PickleMachine(std::string_view pickle, std::string name, Host& host, PickleLimits limits = {})
      : pickle_(pickle), name_(std::move(name)), host_(host), limits_(limits) {}

  /// The pickled value; its containers hold no cycle and nest no deeper than the limit.
  ///
  /// @throws WeightsError with the offset of the opcode at fault
  PickleValue run() {
    if (pickle_.size() > limits_.bytes) {
      throw WeightsError(text(name_, ": ", pickle_.size(), " bytes, the limit is ", limits_.bytes));
    }
    while (true) {
      opcode_at_ = at_;
      const auto code = static_cast<PickleOpcode>(take_number<std::uint8_t>());
      if (code == PickleOpcode::stop) break;
      step(code);
    }
    if (stack_.size() != 1 || !marks_.empty()) {
      fail(stack_.size(), " values and ", marks_.size(),
           " marks are left at STOP, expected 1 and 0");
    }
    if (at_ != pickle_.size()) fail(pickle_.size() - at_, " bytes follow STOP");
    check_nesting(stack_.front());
    return stack_.front();
  }

  /// Values of a tuple, list or dict.
  const Items& items(PickleValue container) const {
    return nodes_[static_cast<std::size_t>(container.data)].items;
  }
  std::string_view string(PickleValue value) const {
    const auto packed = static_cast<std::uint64_t>(value.data);
    return pickle_.substr(packed >> 32, packed & 0xFFFFFFFF);
  }
  PickleValue make_dict() { return make_node(PickleKind::dict, {}); }

  template <class... Reason>
  [[noreturn]] void fail(const Reason&... reason) const {
    throw WeightsError(text(name_, ": pickle at byte ", opcode_at_, ": ", reason...));
  }

 private:
  struct Node {
    PickleKind kind;
    std::uint8_t colour = 0;  ///< of check_nesting(): 0 new, 1 on the path, 2 done
    std::uint16_t depth = 1;  ///< containers on the longest way down
    Items items;
  };

  std::string_view take(std::uint64_t size) {
    if (size > pickle_.size() - at_) {
      fail("truncated: ", size, " bytes needed, ", pickle_.size() - at_, " left");
    }
    at_ += size;
    return pickle_.substr(at_ - size, size);
  }
  template <class Number>
  Number take_number() {
    Number number{};
    std::memcpy(&number, take(sizeof(Number)).data(), sizeof(Number));
    return number;
  }
  std::string_view take_line() {
    const auto end = pickle_.substr(at_, 1024).find('\n');
    if (end == std::string_view::npos) fail("a name without an end");
    const auto line = take(end);
    take(1);
    return line;
  }

  void push(PickleValue value) {
    if (stack_.size() >= limits_.stack) fail("more than ", limits_.stack, " values on the stack");
    stack_.push_back(value);
  }
  void push_string(std::uint64_t size) {
    const auto string = take(size);
    push({PickleKind::string,
          static_cast<std::int64_t>((at_ - string.size()) << 32 | string.size())});
  }
  PickleValue pop() {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("stack underflow");
    const PickleValue value = stack_.back();
    stack_.pop_back();
    return value;
  }
  PickleValue& top(PickleKind kind, std::string_view action) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("stack underflow");
    if (stack_.back().kind != kind) {
      fail(action, " on ", pickle_kind_name(stack_.back().kind), ", expected ",
           pickle_kind_name(kind));
    }
    return stack_.back();
  }
  Items pop_to_mark() {
    if (marks_.empty()) fail("no mark on the stack");
    const auto mark = static_cast<std::ptrdiff_t>(marks_.back());
    marks_.pop_back();
    Items values(stack_.begin() + mark, stack_.end());
    stack_.erase(stack_.begin() + mark, stack_.end());
    return values;
  }
  Items pop_last(std::size_t count) {
    Items values(count);
    for (std::size_t i = count; i-- > 0;) values[i] = pop();
    return values;
  }

  PickleValue make_node(PickleKind kind, Items values) {
    if (nodes_.size() >= limits_.containers) fail("more than ", limits_.containers, " containers");
    count_contained(values.size());
    nodes_.push_back({kind, 0, 1, std::move(values)});
    return {kind, static_cast<std::int64_t>(nodes_.size() - 1)};
  }
  void count_contained(std::size_t count) {
    contained_ += count;
    if (contained_ > limits_.contained) fail("more than ", limits_.contained, " contained values");
  }
  void extend(PickleValue container, const Items& values) {
    count_contained(values.size());
    if (container.kind == PickleKind::dict) {
      if (values.size() % 2 != 0) fail("a key without a value");
      for (std::size_t i = 0; i < values.size(); i += 2) {
        const auto key = values[i];
        if (key.kind == PickleKind::string && string(key).size() > limits_.key_length) {
          fail("a key of ", string(key).size(), " bytes, the limit is ", limits_.key_length);
        }
      }
    }
    Items& items = nodes_[static_cast<std::size_t>(container.data)].items;
    items.insert(items.end(), values.begin(), values.end());
  }

  void put(std::uint64_t index) {
    if (stack_.size() <= (marks_.empty() ? 0 : marks_.back())) fail("stack underflow");
    // Each earlier entry took at least a byte, so a larger index only serves to take memory.
    if (index >= limits_.memo || index > at_) fail("memo index ", index, " is out of range");
    if (index >= memo_.size()) memo_.resize(index + 1, {PickleKind::none, not_in_memo});
    memo_[index] = stack_.back();
  }
  void get(std::uint64_t index) {
    if (index >= memo_.size() ||
        (memo_[index].kind == PickleKind::none && memo_[index].data == not_in_memo)) {
      fail("memo entry ", index, " does not exist");
    }
    push(memo_[index]);
  }

  void push_global(std::string_view module, std::string_view name) {
    push(host_.global(module, name));
  }

  void push_long(std::size_t size) {
    if (size > 8) fail("an integer of ", size, " bytes, the limit is 8");
    const auto bytes = take(size);
    const bool negative = size > 0 && (static_cast<unsigned char>(bytes.back()) & 0x80) != 0;
    std::int64_t value = negative ? -1 : 0;
    std::memcpy(&value, bytes.data(), size);
    push({PickleKind::integer, value});
  }

  void take_attributes() {
    const PickleValue state = pop();
    top(PickleKind::dict, "BUILD");
    if (state.kind != PickleKind::dict) {
      fail("BUILD with ", pickle_kind_name(state.kind), ", expected a dict");
    }
    for (std::size_t i = 0; i < items(state).size(); i += 2) {
      const PickleValue key = items(state)[i];
      if (key.kind != PickleKind::string || string(key) != "_metadata") {
        fail("BUILD sets the attribute '",
             key.kind == PickleKind::string ? printable_text(string(key)) : "?",
             "', only _metadata is known");
      }
    }
  }

  void step(PickleOpcode code) {
    using enum PickleOpcode;
    switch (code) {
      case proto: {
        const int version = take_number<std::uint8_t>();
        if (version < 2 || version > 5) fail("pickle protocol ", version, ", expected 2 to 5");
        return;
      }
      case frame: {
        const auto size = take_number<std::uint64_t>();
        if (size > pickle_.size() - at_) fail("a frame of ", size, " bytes exceeds the pickle");
        return;
      }
      case mark:
        if (marks_.size() >= limits_.open_marks) fail("more than ", limits_.open_marks, " marks");
        return marks_.push_back(stack_.size());
      case none:
        return push({PickleKind::none, 0});
      case new_true:
        return push({PickleKind::boolean, 1});
      case new_false:
        return push({PickleKind::boolean, 0});
      case bin_int:
        return push({PickleKind::integer, take_number<std::int32_t>()});
      case bin_int1:
        return push({PickleKind::integer, take_number<std::uint8_t>()});
      case bin_int2:
        return push({PickleKind::integer, take_number<std::uint16_t>()});
      case long1:
        return push_long(take_number<std::uint8_t>());
      case bin_float:
        take(8);  // no tensor depends on a real number
        return push({PickleKind::real, 0});
      case bin_unicode:
      case bin_string:
        return push_string(take_number<std::uint32_t>());
      case short_bin_unicode:
      case short_bin_string:
        return push_string(take_number<std::uint8_t>());
      case bin_unicode8:
        return push_string(take_number<std::uint64_t>());
      case empty_tuple:
        return push(make_node(PickleKind::tuple, {}));
      case tuple1:
        return push(make_node(PickleKind::tuple, pop_last(1)));
      case tuple2:
        return push(make_node(PickleKind::tuple, pop_last(2)));
      case tuple3:
        return push(make_node(PickleKind::tuple, pop_last(3)));
      case tuple:
        return push(make_node(PickleKind::tuple, pop_to_mark()));
      case empty_list:
        return push(make_node(PickleKind::list, {}));
      case empty_dict:
        return push(make_node(PickleKind::dict, {}));
      case append: {
        const Items value = pop_last(1);
        return extend(top(PickleKind::list, "APPEND"), value);
      }
      case appends: {
        const Items values = pop_to_mark();
        return extend(top(PickleKind::list, "APPENDS"), values);
      }
      case set_item: {
        const Items pair = pop_last(2);
        return extend(top(PickleKind::dict, "SETITEM"), pair);
      }
      case set_items: {
        const Items pairs = pop_to_mark();
        return extend(top(PickleKind::dict, "SETITEMS"), pairs);
      }
      case bin_put:
        return put(take_number<std::uint8_t>());
      case long_bin_put:
        return put(take_number<std::uint32_t>());
      case memoize:
        return put(memo_.size());
      case bin_get:
        return get(take_number<std::uint8_t>());
      case long_bin_get:
        return get(take_number<std::uint32_t>());
      case global: {
        const auto module = take_line();
        return push_global(module, take_line());
      }
      case stack_global: {
        const PickleValue name = pop(), module = pop();
        if (name.kind != PickleKind::string || module.kind != PickleKind::string) {
          fail("STACK_GLOBAL needs two strings");
        }
        return push_global(string(module), string(name));
      }
      case bin_pers_id:
        return push(host_.persistent(*this, pop()));
      case reduce: {
        const PickleValue arguments = pop(), callable = pop();
        if (callable.kind != PickleKind::global || arguments.kind != PickleKind::tuple) {
          fail("REDUCE of ", pickle_kind_name(callable.kind), " with ",
               pickle_kind_name(arguments.kind), ", expected a global with a tuple");
        }
        const Items values = items(arguments);
        return push(host_.call(*this, callable, values));
      }
      case PickleOpcode::build:
        return take_attributes();
      case stop:
        return;
    }
    const auto number = static_cast<std::uint8_t>(code);
    const auto name = pickle_opcode_name(number);
    fail("opcode ", name.empty() ? "unknown" : name, " (", int{number}, ") is refused");
  }

  /// Walks all that hangs on the result without recursion; a container met on the way down from
  /// itself is a loop.
  void check_nesting(PickleValue root) {
    const auto node_of = [this](PickleValue value) -> Node* {
      const bool container = value.kind == PickleKind::tuple || value.kind == PickleKind::list ||
                             value.kind == PickleKind::dict;
      return container ? &nodes_[static_cast<std::size_t>(value.data)] : nullptr;
    };
    struct Step {
      Node* node;
      std::size_t next;
    };
    std::vector<Step> path;
    if (Node* node = node_of(root)) path.push_back({node, 0});
    while (!path.empty()) {
      auto& [node, next] = path.back();
      node->colour = 1;
      if (path.size() > limits_.nesting) fail("more than ", limits_.nesting, " nested containers");
      if (next < node->items.size()) {
        Node* child = node_of(node->items[next++]);
        if (child == nullptr) continue;
        if (child->colour == 1) fail("a container contains itself");
        if (child->colour == 0) {
          path.push_back({child, 0});
          continue;
        }
        deepen(*node, *child);
        continue;
      }
      node->colour = 2;
      Node* done = node;
      path.pop_back();
      if (!path.empty()) deepen(*path.back().node, *done);
    }
  }
  void deepen(Node& parent, const Node& child) const {
    parent.depth =
        std::max<std::uint16_t>(parent.depth, static_cast<std::uint16_t>(child.depth + 1));
    if (parent.depth > limits_.nesting) fail("more than ", limits_.nesting, " nested containers");
  }

  static constexpr std::int64_t not_in_memo = -1;

  std::string_view pickle_;
  std::string name_;
  Host& host_;
  PickleLimits limits_;
  std::uint64_t at_ = 0, opcode_at_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue> memo_;
  std::vector<Node> nodes_;
  std::size_t contained_ = 0;
};

}  // namespace homolog::inline v0_1::detail
