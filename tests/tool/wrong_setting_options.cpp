// SPDX-License-Identifier: Apache-2.0
// Two policies of a list have a field of one name, but not of one type.
#include <string_view>
#include <tuple>
#include <variant>

#include "setting_options.hpp"

template <class Value>
struct Shifted {
  static constexpr std::string_view name = "shifted";
  struct Setting {
    Value shift = 0;
    static constexpr auto fields() {
      return std::tuple(homolog::Field{"shift", &Setting::shift, "a shift"});
    }
  };
  Setting setting;
};

int main() {
  CLI::App command;
  nlohmann::ordered_json settings;
  tool::add_setting_options<std::variant<Shifted<double>, Shifted<int>>>(command, "--", settings);
}
