// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pickle opcodes: those that the restricted reader accepts, and the names of the others for its
/// error messages.

#include <cstdint>
#include <string_view>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1::detail {

/// Opcodes that are accepted.
enum class PickleOpcode : std::uint8_t {
  mark = '(',
  stop = '.',
  reduce = 'R',
  build = 'b',
  none = 'N',
  bin_int = 'J',
  bin_int1 = 'K',
  bin_int2 = 'M',
  bin_float = 'G',
  bin_unicode = 'X',
  bin_string = 'T',
  short_bin_string = 'U',
  global = 'c',
  bin_pers_id = 'Q',
  empty_tuple = ')',
  tuple = 't',
  empty_list = ']',
  append = 'a',
  appends = 'e',
  empty_dict = '}',
  set_item = 's',
  set_items = 'u',
  bin_get = 'h',
  long_bin_get = 'j',
  bin_put = 'q',
  long_bin_put = 'r',
  proto = 0x80,
  tuple1 = 0x85,
  tuple2 = 0x86,
  tuple3 = 0x87,
  new_true = 0x88,
  new_false = 0x89,
  long1 = 0x8a,
  short_bin_unicode = 0x8c,
  bin_unicode8 = 0x8d,
  stack_global = 0x93,
  memoize = 0x94,
  frame = 0x95
};

/// Name of an opcode that exists but is refused; empty when there is no such opcode.
constexpr std::string_view pickle_opcode_name(std::uint8_t code) {
  struct Entry {
    std::uint8_t code;
    std::string_view name;
  };
  constexpr Entry refused[] = {{'0', "POP"},
                               {'1', "POP_MARK"},
                               {'2', "DUP"},
                               {'F', "FLOAT"},
                               {'I', "INT"},
                               {'L', "LONG"},
                               {'P', "PERSID"},
                               {'S', "STRING"},
                               {'V', "UNICODE"},
                               {'d', "DICT"},
                               {'g', "GET"},
                               {'i', "INST"},
                               {'l', "LIST"},
                               {'o', "OBJ"},
                               {'p', "PUT"},
                               {'B', "BINBYTES"},
                               {'C', "SHORT_BINBYTES"},
                               {0x81, "NEWOBJ"},
                               {0x82, "EXT1"},
                               {0x83, "EXT2"},
                               {0x84, "EXT4"},
                               {0x8b, "LONG4"},
                               {0x8e, "BINBYTES8"},
                               {0x8f, "EMPTY_SET"},
                               {0x90, "ADDITEMS"},
                               {0x91, "FROZENSET"},
                               {0x92, "NEWOBJ_EX"},
                               {0x96, "BYTEARRAY8"},
                               {0x97, "NEXT_BUFFER"},
                               {0x98, "READONLY_BUFFER"}};
  for (const auto& entry : refused) {
    if (entry.code == code) return entry.name;
  }
  return {};
}

}  // namespace homolog::inline v0_1::detail
