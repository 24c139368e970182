// SPDX-License-Identifier: Apache-2.0
// A program on two libraries that each use a version of homolog of their own.
#include <cstdio>

double ours();
double theirs();

int main() {
  const double first = ours(), second = theirs(), third = ours();
  std::printf("%.9g %.9g %.9g\n", first, second, third);
  return first == second && first == third ? 0 : 1;
}
