// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The few globals of a torch state dict and what calling them means; everything else is refused
/// by name. Nothing is ever imported or executed.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/detail/pickle.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1::detail {

/// Tensors a file may hold.
inline constexpr std::size_t torch_tensor_limit = 1'000'000;

/// A tensor as torch stores it: a strided window on a storage.
struct StridedTensor {
  DType dtype = DType::f32;
  std::span<const std::byte> storage;
  std::uint64_t offset = 0;  ///< [elements]
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> stride;  ///< [elements], >= 0
};

/// What a known global does.
enum class TorchRole : std::uint8_t {
  ordered_dict,
  rebuild_tensor,
  rebuild_parameter,
  size,
  device,
  dtype,
  storage
};
/// A global and what it stands for.
struct TorchGlobal {
  std::string_view module, name;
  TorchRole role;
  DType dtype = DType::u8;
};
inline constexpr TorchGlobal torch_globals[] = {
    {"collections", "OrderedDict", TorchRole::ordered_dict},
    {"torch._utils", "_rebuild_tensor_v2", TorchRole::rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", TorchRole::rebuild_parameter},
    {"torch", "Size", TorchRole::size},
    {"torch", "device", TorchRole::device},
    {"torch", "FloatStorage", TorchRole::storage, DType::f32},
    {"torch", "HalfStorage", TorchRole::storage, DType::f16},
    {"torch", "BFloat16Storage", TorchRole::storage, DType::bf16},
    {"torch", "DoubleStorage", TorchRole::storage, DType::f64},
    {"torch", "LongStorage", TorchRole::storage, DType::i64},
    {"torch", "IntStorage", TorchRole::storage, DType::i32},
    {"torch", "ShortStorage", TorchRole::storage, DType::i16},
    {"torch", "CharStorage", TorchRole::storage, DType::i8},
    {"torch", "ByteStorage", TorchRole::storage, DType::u8},
    {"torch", "BoolStorage", TorchRole::storage, DType::bool_},
    {"torch.storage", "UntypedStorage", TorchRole::storage, DType::u8},
    {"torch", "float32", TorchRole::dtype},
    {"torch", "float16", TorchRole::dtype},
    {"torch", "bfloat16", TorchRole::dtype},
    {"torch", "float64", TorchRole::dtype},
    {"torch", "int64", TorchRole::dtype},
    {"torch", "int32", TorchRole::dtype},
    {"torch", "int16", TorchRole::dtype},
    {"torch", "int8", TorchRole::dtype},
    {"torch", "uint8", TorchRole::dtype},
    {"torch", "bool", TorchRole::dtype}};

/// Host of a PickleMachine for torch.save's data.pkl.
class TorchPickleHost {
 public:
  using Machine = PickleMachine<TorchPickleHost>;

  /// @param storages bytes by storage key
  TorchPickleHost(std::unordered_map<std::string_view, std::span<const std::byte>> storages,
                  std::string name)
      : storages_(std::move(storages)), name_(std::move(name)) {}

  const StridedTensor& tensor(PickleValue value) const {
    return tensors_[static_cast<std::size_t>(value.data)];
  }

  PickleValue global(std::string_view module, std::string_view name) const {
    for (const auto& known : torch_globals) {
      if (known.module == module && known.name == name) {
        return {PickleKind::global, static_cast<std::int64_t>(known.role) << 8 |
                                        static_cast<std::int64_t>(known.dtype)};
      }
    }
    throw WeightsError(text(name_, ": refused global \"", printable_text(module), '.',
                            printable_text(name),
                            "\"; only tensors and plain containers are read"));
  }

  PickleValue call(Machine& machine, PickleValue callable,
                   const std::vector<PickleValue>& arguments) {
    switch (role(callable)) {
      case TorchRole::ordered_dict:
        if (!arguments.empty()) machine.fail("OrderedDict with arguments");
        return machine.make_dict();
      case TorchRole::rebuild_tensor:
        return rebuild_tensor(machine, arguments);
      case TorchRole::rebuild_parameter:
        if (arguments.size() != 3 || arguments[0].kind != PickleKind::tensor) {
          machine.fail("_rebuild_parameter needs a tensor and two more arguments");
        }
        return arguments[0];
      case TorchRole::size:
        if (arguments.size() != 1 || arguments[0].kind != PickleKind::tuple) {
          machine.fail("torch.Size needs a tuple");
        }
        return arguments[0];
      case TorchRole::device:
        return {PickleKind::opaque, 0};
      case TorchRole::dtype:
      case TorchRole::storage:
        break;
    }
    machine.fail("REDUCE on a type that is not called in a state dict");
  }

  /// ('storage', type, key, location, number of elements) -> a storage.
  PickleValue persistent(Machine& machine, PickleValue id) {
    if (id.kind != PickleKind::tuple || machine.items(id).size() != 5) {
      machine.fail("a persistent id that is no tuple of 5");
    }
    const auto& part = machine.items(id);
    if (part[0].kind != PickleKind::string || machine.string(part[0]) != "storage" ||
        part[1].kind != PickleKind::global || role(part[1]) != TorchRole::storage ||
        part[2].kind != PickleKind::string || part[3].kind != PickleKind::string ||
        part[4].kind != PickleKind::integer || part[4].data < 0) {
      machine.fail("a persistent id that is no ('storage', type, key, location, elements)");
    }
    const DType dtype = static_cast<DType>(part[1].data & 0xFF);
    const std::string_view key = machine.string(part[2]);
    const auto found = storages_.find(key);
    if (found == storages_.end()) {
      machine.fail("no entry data/", printable_text(key), " in the archive");
    }
    const auto size = checked_product(static_cast<std::uint64_t>(part[4].data), item_size(dtype));
    if (!size || *size != found->second.size()) {
      machine.fail("storage ", printable_text(key), ": ", part[4].data, " elements of ",
                   dtype_name(dtype), " do not fit an entry of ", found->second.size(), " bytes");
    }
    opened_.push_back({dtype, found->second});
    return {PickleKind::storage, static_cast<std::int64_t>(opened_.size() - 1)};
  }

 private:
  struct OpenedStorage {
    DType dtype;
    std::span<const std::byte> bytes;
  };

  static TorchRole role(PickleValue global) { return static_cast<TorchRole>(global.data >> 8); }

  static std::vector<std::int64_t> sizes(Machine& machine, PickleValue tuple, const char* what) {
    if (tuple.kind != PickleKind::tuple) machine.fail("a tensor's ", what, " is no tuple");
    const auto& items = machine.items(tuple);
    if (items.size() > 64) machine.fail("a tensor of ", items.size(), " dimensions");
    std::vector<std::int64_t> result;
    for (const auto& item : items) {
      if (item.kind != PickleKind::integer || item.data < 0) {
        machine.fail("a tensor's ", what, " holds ",
                     item.kind == PickleKind::integer ? std::to_string(item.data)
                                                      : std::string(pickle_kind_name(item.kind)));
      }
      result.push_back(item.data);
    }
    return result;
  }

  /// (storage, offset, shape, stride, requires_grad, hooks[, metadata]) -> a tensor.
  PickleValue rebuild_tensor(Machine& machine, const std::vector<PickleValue>& part) {
    if (part.size() < 6 || part.size() > 7 || part[0].kind != PickleKind::storage ||
        part[1].kind != PickleKind::integer || part[1].data < 0) {
      machine.fail("_rebuild_tensor_v2 needs a storage, an offset >= 0 and 4 or 5 more arguments");
    }
    // Metadata carries the conjugate and negative bits, which would change the values.
    if (part.size() == 7 && part[6].kind != PickleKind::none &&
        (part[6].kind != PickleKind::dict || !machine.items(part[6]).empty())) {
      machine.fail("a tensor with metadata (conjugate or negative bit)");
    }
    if (tensors_.size() >= torch_tensor_limit) {
      machine.fail("more than ", torch_tensor_limit, " tensors");
    }
    const auto& storage = opened_[static_cast<std::size_t>(part[0].data)];
    StridedTensor tensor{storage.dtype, storage.bytes, static_cast<std::uint64_t>(part[1].data),
                         sizes(machine, part[2], "shape"), sizes(machine, part[3], "stride")};
    if (tensor.shape.size() != tensor.stride.size()) {
      machine.fail("a tensor of ", tensor.shape.size(), " dimensions with ", tensor.stride.size(),
                   " strides");
    }
    const std::uint64_t available = storage.bytes.size() / item_size(storage.dtype);
    std::uint64_t last = tensor.offset;
    bool empty = false, fits = checked_elements(tensor.shape).has_value();
    for (std::size_t i = 0; i < tensor.shape.size(); ++i) {
      if (tensor.shape[i] == 0) {
        empty = true;
        continue;
      }
      const auto reach = checked_product(static_cast<std::uint64_t>(tensor.shape[i] - 1),
                                         static_cast<std::uint64_t>(tensor.stride[i]));
      fits = fits && reach && !__builtin_add_overflow(last, *reach, &last);
    }
    fits = fits && (empty ? tensor.offset <= available : last < available);
    if (!fits) {
      machine.fail("a view of shape ", shape_text(tensor.shape), ", stride ",
                   shape_text(tensor.stride), " and offset ", tensor.offset,
                   " lies outside its storage of ", available, " elements");
    }
    tensors_.push_back(std::move(tensor));
    return {PickleKind::tensor, static_cast<std::int64_t>(tensors_.size() - 1)};
  }

  std::unordered_map<std::string_view, std::span<const std::byte>> storages_;
  std::string name_;
  std::vector<OpenedStorage> opened_;
  std::vector<StridedTensor> tensors_;
};

}  // namespace homolog::inline v0_1::detail
