// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The bodies of weights/pth.hpp.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "homolog/core/detail/compiled_once.hpp"
#include "homolog/core/errors.hpp"
#include "homolog/core/printable_text.hpp"
#include "homolog/weights/detail/mapped_file.hpp"
#include "homolog/weights/detail/pickle.hpp"
#include "homolog/weights/detail/safetensors_header.hpp"
#include "homolog/weights/detail/torch_pickle.hpp"
#include "homolog/weights/detail/zip_directory.hpp"
#include "homolog/weights/pth.hpp"
#include "homolog/weights/tensor_file.hpp"

namespace homolog::inline v0_1 {

namespace detail {

/// Keys under which training codes keep the state dict inside a larger one.
inline constexpr std::array<std::string_view, 3> state_dict_wrappers{"model", "state_dict",
                                                                     "teacher"};

/// Whether a tensor's elements lie row-major without gaps; strides of sizes 0 and 1 do not matter.
inline bool is_contiguous(const StridedTensor& tensor) {
  std::int64_t expected = 1;
  for (std::size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] == 0) return true;
    if (tensor.shape[i] != 1 && tensor.stride[i] != expected) return false;
    expected *= tensor.shape[i];  // bounded: the shape's product was checked
  }
  return true;
}

/// Copies a strided tensor's elements row-major.
template <std::size_t item>
void gather_elements(const StridedTensor& tensor, std::byte* out, std::size_t count) {
  const std::size_t rank = tensor.shape.size();
  std::vector<std::int64_t> index(rank, 0);
  std::uint64_t at = tensor.offset;
  for (std::size_t k = 0; k < count; ++k) {
    std::memcpy(out + k * item, tensor.storage.data() + at * item, item);
    for (std::size_t i = rank; i-- > 0;) {
      if (++index[i] < tensor.shape[i]) {
        at += static_cast<std::uint64_t>(tensor.stride[i]);
        break;
      }
      at -= static_cast<std::uint64_t>(tensor.shape[i] - 1) *
            static_cast<std::uint64_t>(tensor.stride[i]);
      index[i] = 0;
    }
  }
}

/// Adds a tensor: a view of the archive when it is contiguous, else a copy.
///
/// @param copy_budget [bytes] that copies may still take; with a stride of 0 a small file can
/// describe a huge tensor
inline void add_strided(TensorFile& file, const std::string& key, const StridedTensor& tensor,
                        std::uint64_t& copy_budget) {
  const std::size_t item = item_size(tensor.dtype);
  const auto size = checked_product(checked_elements(tensor.shape).value_or(0), item);
  if (size && is_contiguous(tensor)) {
    file.tensors[key] = {tensor.dtype, tensor.shape,
                         tensor.storage.subspan(tensor.offset * item, *size)};
    return;
  }
  if (!size || *size > copy_budget) {
    throw WeightsError(text(file.name, ": tensor '", key, "' of shape ", shape_text(tensor.shape),
                            " and stride ", shape_text(tensor.stride),
                            " would take more memory than a file of this size may"));
  }
  copy_budget -= *size;
  std::byte* out = add_owned_tensor(file, key, tensor.dtype, tensor.shape).data();
  switch (item) {
    case 1:
      return gather_elements<1>(tensor, out, *size);
    case 2:
      return gather_elements<2>(tensor, out, *size / 2);
    case 4:
      return gather_elements<4>(tensor, out, *size / 4);
    default:
      return gather_elements<8>(tensor, out, *size / 8);
  }
}

/// Finds the state dict inside known wrappers; the metadata lists the keys beside it.
template <class Machine>
PickleValue unwrap_state_dict(const Machine& machine, PickleValue value, TensorFile& file) {
  while (true) {
    if (value.kind != PickleKind::dict) {
      throw WeightsError(
          text(file.name, ": holds ", pickle_kind_name(value.kind), ", expected a state dict"));
    }
    PickleValue inner;
    std::string found, beside;
    const auto& items = machine.items(value);
    for (std::size_t i = 0; i < items.size(); i += 2) {
      const std::string key =
          items[i].kind == PickleKind::string ? std::string(machine.string(items[i])) : "?";
      const bool wrapper = items[i + 1].kind == PickleKind::dict &&
                           std::find(state_dict_wrappers.begin(), state_dict_wrappers.end(), key) !=
                               state_dict_wrappers.end();
      if (wrapper && !found.empty()) {
        throw WeightsError(text(file.name, ": holds two state dicts, '", found, "' and '", key,
                                "'; save the wanted one alone"));
      }
      if (wrapper) {
        found = key;
        inner = items[i + 1];
      } else if (beside.size() < 1000) {
        beside += (beside.empty() ? "" : ", ") + printable_text(key);
      }
    }
    if (found.empty()) return value;
    auto& wrapper = file.metadata["homolog.wrapper"];
    wrapper += (wrapper.empty() ? "" : ".") + found;
    if (!beside.empty()) file.metadata["homolog.beside_wrapper"] = beside;
    value = inner;
  }
}

/// The parts of a torch.save archive that are read.
struct TorchArchive {
  std::string_view pickle;
  std::unordered_map<std::string_view, std::span<const std::byte>> storages;  ///< by their names
};

/// @throws WeightsError for an archive that is damaged, has no pickle or another byte order
inline TorchArchive open_torch_archive(const std::vector<ZipEntry>& entries,
                                       const std::string& name) {
  constexpr std::string_view pickle_suffix = "/data.pkl";
  const ZipEntry* pickle = nullptr;
  for (const auto& entry : entries) {
    if (!entry.name.ends_with(pickle_suffix)) continue;
    if (pickle != nullptr) throw WeightsError(name + ": two entries named data.pkl");
    pickle = &entry;
  }
  if (pickle == nullptr) throw WeightsError(name + ": no entry data.pkl in the archive");
  const std::string root(pickle->name.substr(0, pickle->name.size() - pickle_suffix.size()));
  const std::string storage_prefix = root + "/data/";
  const auto characters = [](const ZipEntry& entry) {
    return std::string_view(reinterpret_cast<const char*>(entry.bytes.data()), entry.bytes.size());
  };
  TorchArchive archive{characters(*pickle), {}};
  for (const auto& entry : entries) {
    if (entry.name.starts_with(storage_prefix)) {
      archive.storages.emplace(entry.name.substr(storage_prefix.size()), entry.bytes);
    } else if (entry.name == root + "/byteorder" && characters(entry) != "little") {
      throw WeightsError(name + ": byte order is '" + printable_text(characters(entry)) +
                         "', expected little");
    }
  }
  return archive;
}

}  // namespace detail

HOMOLOG_INLINE TensorFile parse_pth(std::span<const std::byte> bytes, const std::string& name,
                                    std::shared_ptr<const void> owner) {
  if (detail::starts_with(bytes, detail::legacy_torch_magic)) {
    throw WeightsError(name +
                       ": torch.save's format from before torch 1.6; convert it once in Python: "
                       "torch.save(torch.load(path, weights_only=True), new_path)");
  }
  if (!detail::starts_with(bytes, detail::zip_magic)) {
    throw WeightsError(name + ": not written by torch.save: expected a zip archive");
  }
  TensorFile file;
  file.name = name;
  if (owner) file.owners.push_back(std::move(owner));
  file.metadata["format"] = "pt";

  const auto entries = detail::read_zip_directory(bytes, name);
  detail::TorchArchive archive = detail::open_torch_archive(entries, name);
  detail::TorchPickleHost host(std::move(archive.storages), name);
  detail::TorchPickleHost::Machine machine(archive.pickle, name, host);
  const auto state = detail::unwrap_state_dict(machine, machine.run(), file);
  std::uint64_t copy_budget = (std::uint64_t{64} << 20) + 4 * std::uint64_t{bytes.size()};
  const auto& items = machine.items(state);
  for (std::size_t i = 0; i < items.size(); i += 2) {
    if (items[i].kind != detail::PickleKind::string) {
      throw WeightsError(detail::text(name, ": a key of the state dict is ",
                                      detail::pickle_kind_name(items[i].kind),
                                      ", expected a string"));
    }
    const std::string key(machine.string(items[i]));
    if (!detail::is_utf8(key)) {
      throw WeightsError(name + ": key '" + printable_text(key) + "' is not valid UTF-8");
    }
    if (items[i + 1].kind != detail::PickleKind::tensor) {
      throw WeightsError(detail::text(name, ": '", printable_text(key), "' is ",
                                      detail::pickle_kind_name(items[i + 1].kind),
                                      ", expected a tensor"));
    }
    if (file.tensors.contains(key)) {
      throw WeightsError(name + ": duplicate key '" + printable_text(key) + "'");
    }
    detail::add_strided(file, key, host.tensor(items[i + 1]), copy_budget);
  }
  return file;
}

HOMOLOG_INLINE TensorFile read_pth(const std::filesystem::path& path) {
  const detail::MappedFile mapped = detail::map_file(path);
  TensorFile file = parse_pth(mapped.bytes, path.string(), mapped.owner);
  detail::mark_mapped(file, mapped);
  return file;
}

}  // namespace homolog::inline v0_1
