// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Every error homolog throws. Each says what was expected and what was got, and names the file,
/// key or shape at fault. The library never prints and never skips bad input in silence.

#include <initializer_list>
#include <sstream>  // std::locale too; <locale> would add its facets to every source
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "homolog/core/detail/requirements.hpp"

namespace homolog::inline v0_1 {

/// Base of all errors; catch this one to catch every failure of the library.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A setting outside its range, or two settings that contradict each other.
struct SettingError : Error {
  using Error::Error;
};
/// An array or map whose shape is not the one the function needs.
struct ShapeError : Error {
  using Error::Error;
};
/// A keypoint that is not finite or lies outside its image.
struct PointError : Error {
  using Error::Error;
};
/// Feature or similarity values that admit no answer (a map without any finite value).
struct ValueError : Error {
  using Error::Error;
};
/// A device or dtype that is absent or unusable.
struct DeviceError : Error {
  using Error::Error;
};
/// A file that cannot be opened, read, written or replaced.
struct FileError : Error {
  using Error::Error;
};
/// A picture that cannot be decoded or exceeds a size limit.
struct ImageError : Error {
  using Error::Error;
};
/// A weights file that is malformed, or does not fit the model it was given to.
struct WeightsError : Error {
  using Error::Error;
};
/// An annotation, pair list or data set folder that is malformed or incomplete.
struct DatasetError : Error {
  using Error::Error;
};
/// Another process of the run that died, hangs or cannot be reached.
struct DistributedError : Error {
  using Error::Error;
};

namespace detail {

/// A value that text() joins. The compiler looks for its `<<` once a type, not once a call, which
/// saves a tenth of what the library adds to a source.
class TextPart {
 public:
  TextPart(const char* words)  // NOLINT(google-explicit-constructor)
      : value_(words), write_([](std::ostream& stream, const void* value) {
          stream << static_cast<const char*>(value);
        }) {}
  template <class T>
  TextPart(const T& value)  // NOLINT(google-explicit-constructor)
      : value_(&value),
        write_([](std::ostream& stream, const void* it) { stream << *static_cast<const T*>(it); }) {
  }

  /// Writes it; the value must still live.
  void to(std::ostream& stream) const { write_(stream, value_); }

 private:
  const void* value_;
  void (*write_)(std::ostream&, const void*);
};

inline std::string join(std::initializer_list<TextPart> parts) {
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  for (const TextPart& part : parts) part.to(stream);
  return stream.str();
}

}  // namespace detail

/// Joins values into one string, such as an error message, independent of the process's locale.
template <class... Parts>
std::string text(const Parts&... parts) {
  return detail::join({parts...});
}

namespace detail {

using homolog::text;

/// The system's message for an errno value; std::strerror is not thread-safe.
inline std::string system_error_text(int code) { return std::generic_category().message(code); }

}  // namespace detail

/// A shape in words, `[2, 3]`, independent of the process's locale.
///
/// @param shape a range of numbers
template <class Range>
std::string shape_text(const Range& shape) {
  std::ostringstream stream;
  stream.imbue(std::locale::classic());
  stream << '[';
  const char* separator = "";
  for (const auto& size : shape) {
    stream << separator << size;
    separator = ", ";
  }
  stream << ']';
  return stream.str();
}

}  // namespace homolog::inline v0_1
