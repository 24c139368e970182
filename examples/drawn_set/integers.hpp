// SPDX-License-Identifier: Apache-2.0
#pragma once

// Integer trigonometry and vectors of the drawn set: the same on every machine.

#include <cstdint>

namespace drawn_set {

// sin in units of 1/4096, angle in tenths of a degree (Bhaskara's rational approximation, exact in
// integers, off by less than 0.002).
inline std::int64_t sine(std::int64_t tenths) {
  tenths %= 3600;
  if (tenths < 0) tenths += 3600;
  const std::int64_t half = tenths % 1800, product = half * (1800 - half);
  const std::int64_t value = 4 * 4096 * product / (4050000 - product);
  return tenths < 1800 ? value : -value;
}
inline std::int64_t cosine(std::int64_t tenths) { return sine(tenths + 900); }

// Largest integer whose square is at most `value`.
inline std::int64_t integer_root(std::int64_t value) {
  std::int64_t root = 0;
  for (std::int64_t bit = std::int64_t{1} << 30; bit > 0; bit >>= 1) {
    if ((root + bit) * (root + bit) <= value) root += bit;
  }
  return root;
}

// An integer vector; thing coordinates, or 1/64 pixel once placed.
struct Vec {
  std::int64_t x = 0;
  std::int64_t y = 0;
  friend Vec operator+(Vec a, Vec b) { return {a.x + b.x, a.y + b.y}; }
  friend Vec operator-(Vec a, Vec b) { return {a.x - b.x, a.y - b.y}; }
  friend bool operator==(const Vec&, const Vec&) = default;
};
inline std::int64_t dot(Vec a, Vec b) { return a.x * b.x + a.y * b.y; }
inline std::int64_t cross(Vec a, Vec b) { return a.x * b.y - a.y * b.x; }
inline std::int64_t length(Vec a) { return integer_root(dot(a, a)); }

// The point `distance` away from `from` in a direction (0 right, 900 down).
inline Vec away(Vec from, std::int64_t distance, std::int64_t tenths) {
  return {from.x + distance * cosine(tenths) / 4096, from.y + distance * sine(tenths) / 4096};
}

}  // namespace drawn_set
