// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A pickle stack machine restricted to what a state dict needs. It builds plain values; names of
/// globals, calls and persistent ids go to a host that knows a fixed list and executes nothing.
/// Opcodes: CPython, Lib/pickletools.py.

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
#include "homolog/weights/detail/pickle_value.hpp"

namespace homolog::inline v0_1::detail {

/// Runs one pickle. `Host` gives
/// `PickleValue global(std::string_view module, std::string_view name)`,
/// `PickleValue call(Machine&, PickleValue callable, const std::vector<PickleValue>& arguments)`
/// and `PickleValue persistent(Machine&, PickleValue id)`; each throws what it refuses.
template <class Host>
class PickleMachine {
 public:
  using Items = PickleItems;

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
    check_nesting(nodes_, stack_.front(), limits_.nesting,
                  [this](const auto&... reason) { this->fail(reason...); });
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

  // NOLINTNEXTLINE(readability-function-size): one case an opcode reads best in one place
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
        take(8);  // skipped: no tensor depends on a real number
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

  static constexpr std::int64_t not_in_memo = -1;

  std::string_view pickle_;
  std::string name_;
  Host& host_;
  PickleLimits limits_;
  std::uint64_t at_ = 0, opcode_at_ = 0;
  std::vector<PickleValue> stack_;
  std::vector<std::size_t> marks_;
  std::vector<PickleValue> memo_;
  std::vector<PickleNode> nodes_;
  std::size_t contained_ = 0;
};

}  // namespace homolog::inline v0_1::detail
