// SPDX-License-Identifier: Apache-2.0
// What one side makes, the other changes, copies, moves and frees, and the sums are right.
#include <cmath>
#include <cstdio>
#include <utility>

#include "two_flags.hpp"

namespace {

int wrong = 0;

void expect(const char* what, double found, double expected) {
  // The sides may differ in the last bits: one of them may fuse a product with a sum.
  if (std::abs(found - expected) <= 1e-4 * std::abs(expected)) return;
  std::printf("%s: %.9g, expected %.9g\n", what, found, expected);
  ++wrong;
}

}  // namespace

int main() {
  auto alone = first::make();
  const double made = first::sum(*alone);
  first::change(*alone);
  const double changed = first::sum(*alone);
  first::change(*alone);
  const double twice = first::sum(*alone);
  first::destroy(std::move(alone));

  auto one = first::make(), other = second::make();
  expect("made by the first, summed by the second", second::sum(*one), made);
  expect("made by the second, summed by the first", first::sum(*other), made);
  second::change(*one);
  first::change(*other);
  expect("changed by the second", first::sum(*one), changed);
  expect("changed by the first", second::sum(*other), changed);
  {
    Everything moved = first::by_value(std::move(*one));
    expect("returned by the first", second::sum(moved), twice);
    *one = std::move(moved);
  }
  *other = second::by_value(std::move(*other));
  expect("returned by the second", first::sum(*other), twice);
  first::destroy(std::move(other));
  second::destroy(std::move(one));
  return wrong == 0 ? 0 : 1;
}
