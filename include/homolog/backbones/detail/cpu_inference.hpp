// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The operators of a forward pass on the CPU without gradients: linear layers use weights that
/// oneDNN has packed, and attention uses this library's kernel. In all other cases LibTorch's own
/// operators run.

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <ATen/TensorIterator.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/grad_mode.h>
#include <ATen/core/ivalue.h>
#include <c10/core/CPUAllocator.h>
#include <torch/types.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "homolog/kernels/attention.hpp"
#include "homolog/weights/detail/mapped_file.hpp"

namespace homolog::inline v0_1::detail {

/// Calls task(i, slot) for each i < count on LibTorch's own threads, whose number is
/// at::get_num_threads(). at::parallel_for is compiled with its user and runs serially unless the
/// user compiles with OpenMP; the loop of a TensorIterator was compiled with LibTorch.
template <class Task>
void on_torch_threads(std::size_t count, const Task& task) {
  const auto threads =
      std::min<std::int64_t>(at::get_num_threads(), static_cast<std::int64_t>(count));
  if (threads <= 1) {
    for (std::size_t i = 0; i < count; ++i) task(i, std::size_t{0});
    return;
  }
  std::atomic<std::size_t> next{0};
  at::Tensor thread_numbers = at::arange(threads, at::kLong);
  at::TensorIterator iterator = at::TensorIterator::borrowing_nullary_op(thread_numbers);
  iterator.for_each(
      [&](char** data, const std::int64_t* strides, std::int64_t size, std::int64_t) {
        for (std::int64_t place = 0; place < size; ++place) {
          const auto slot = *reinterpret_cast<const std::int64_t*>(data[0] + place * strides[0]);
          for (std::size_t i = next++; i < count; i = next++) {
            task(i, static_cast<std::size_t>(slot));
          }
        }
      },
      /*grain_size=*/1);
}

/// What may follow a linear layer in the same pass.
enum class Activation { none, gelu };

/// oneDNN's operators, as LibTorch registers them.
class OneDnnLinear {
 public:
  /// @return a copy of `weight` in oneDNN's order for inputs of about `rows` rows
  static at::Tensor pack(const at::Tensor& weight, std::int64_t rows) {
    c10::Stack stack{weight, std::optional<std::int64_t>(rows)};
    reorder()->callBoxed(&stack);
    return stack.front().toTensor();
  }

  static at::Tensor run(const at::Tensor& x, const at::Tensor& packed, const at::Tensor& bias,
                        Activation activation) {
    c10::Stack stack{x,
                     packed,
                     bias.defined() ? c10::IValue(bias) : c10::IValue(),
                     std::string(activation == Activation::gelu ? "gelu" : "none"),
                     c10::List<std::optional<at::Scalar>>(),
                     std::string("none")};
    linear()->callBoxed(&stack);
    return stack.front().toTensor();
  }

  /// Whether both operators exist and give at::linear's numbers on this processor; tested once per
  /// process.
  static bool gives_the_same(at::ScalarType dtype) {
    static const bool float32 = try_out(at::kFloat, 1e-5);
    static const bool bfloat16 = try_out(at::kBFloat16, 2e-2);
    return dtype == at::kFloat ? float32 : dtype == at::kBFloat16 && bfloat16;
  }

 private:
  using Operator = std::optional<c10::OperatorHandle>;
  static const Operator& reorder() {
    static const Operator op =
        c10::Dispatcher::singleton().findSchema({"mkldnn::_reorder_linear_weight", ""});
    return op;
  }
  static const Operator& linear() {
    static const Operator op =
        c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
    return op;
  }
  static bool try_out(at::ScalarType dtype, double tolerance) {
    if (!reorder() || !linear()) return false;
    try {
      const at::NoGradGuard no_gradients;
      const auto wave = [](std::int64_t rows, std::int64_t cols) {
        return at::sin(at::arange(rows * cols, at::kFloat) * 0.7).reshape({rows, cols});
      };
      const auto x = wave(33, 80).to(dtype), weight = (wave(48, 80) * 0.2).to(dtype);
      const auto bias = wave(1, 48).flatten().to(dtype);
      const auto packed = pack(weight, 33);
      const auto is_close = [&](const at::Tensor& got, const at::Tensor& expected) {
        return got.sizes() == expected.sizes() &&
               at::allclose(got.to(at::kFloat), expected, tolerance, tolerance);
      };
      const auto product = at::linear(x.to(at::kFloat), weight.to(at::kFloat));
      const auto sum = product + bias.to(at::kFloat);
      return is_close(run(x, packed, {}, Activation::none), product) &&
             is_close(run(x, packed, bias, Activation::none), sum) &&
             is_close(run(x, packed, bias, Activation::gelu), at::gelu(sum));
    } catch (const c10::Error&) {
      return false;
    }
  }
};

/// Packs a weight, and gives its pages back where it is a view of a mapped file, so that it is not
/// resident twice.
inline at::Tensor pack_weight(const at::Tensor& weight, std::int64_t rows) {
  at::Tensor packed = OneDnnLinear::pack(weight, rows);
  const bool foreign =
      weight.storage().data_ptr().get_deleter() != c10::GetAllocator(c10::kCPU)->raw_deleter();
  if (foreign && weight.is_contiguous()) page_out(weight.const_data_ptr(), weight.nbytes());
  return packed;
}

/// The packed copies of one block's weights. A copy is made when a forward pass first needs it, and
/// again after the weight has changed; inference tensors do not record changes and are assumed to
/// stay as they are. A copy of a block starts without packed weights.
class PackedWeights {
 public:
  PackedWeights() = default;
  PackedWeights(const PackedWeights&) {}
  PackedWeights& operator=(const PackedWeights&) {
    const std::lock_guard<std::mutex> lock(mutex_);
    entries_.clear();
    return *this;
  }
  ~PackedWeights() = default;

  at::Tensor of(const at::Tensor& weight, std::int64_t rows) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const std::int64_t version = weight.is_inference() ? 0 : weight._version();
    for (Entry& entry : entries_) {
      if (!entry.weight.is_same(weight)) continue;
      if (entry.version != version) entry = {weight, version, pack_weight(weight, rows)};
      return entry.packed;
    }
    // A weight that only this list still holds was replaced in the model.
    std::erase_if(entries_, [](const Entry& entry) { return entry.weight.use_count() == 1; });
    entries_.push_back({weight, version, pack_weight(weight, rows)});
    return entries_.back().packed;
  }

 private:
  struct Entry {
    at::Tensor weight;
    std::int64_t version = 0;
    at::Tensor packed;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

inline bool is_cpu_inference(const at::Tensor& x) {
  return !at::GradMode::is_enabled() && x.device().is_cpu() &&
         !at::autocast::is_autocast_enabled(at::kCPU) &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

/// activation(x W^T + b), on packed weights where that gives the same numbers.
inline at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                         PackedWeights& packed, Activation activation = Activation::none) {
  if (is_cpu_inference(x) && x.scalar_type() == weight.scalar_type() &&
      OneDnnLinear::gives_the_same(x.scalar_type())) {
    return OneDnnLinear::run(x, packed.of(weight, x.numel() / x.size(-1)), bias, activation);
  }
  at::Tensor result = at::linear(x, weight, bias);
  if (activation == Activation::none) return result;
  // In place when no gradients are recorded, because the hidden tensors are the largest ones.
  return at::GradMode::is_enabled() ? at::gelu(result) : at::gelu_(result);
}

template <class Value>
void attend_pictures(const at::Tensor& qkv, at::Tensor& out, InstructionSet set) {
  AttentionWorkspace& workspace = thread_object<AttentionWorkspace>();
  const auto tokens = qkv.size(1), heads = qkv.size(3), dim = qkv.size(4), width = heads * dim;
  const auto* data = static_cast<const Value*>(qkv.const_data_ptr());
  auto* result = static_cast<Value*>(out.data_ptr());
  const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(dim)));
  for (std::int64_t picture = 0; picture < qkv.size(0); ++picture) {
    const Value* const from = data + picture * qkv.stride(0);
    const AttentionInputs<Value> in{from,
                                    from + width,
                                    from + 2 * width,
                                    static_cast<std::size_t>(3 * width),
                                    static_cast<std::size_t>(tokens),
                                    static_cast<std::size_t>(heads),
                                    static_cast<std::size_t>(dim)};
    attend(in, scale, result + picture * tokens * width, static_cast<std::size_t>(width), set,
           at::get_num_threads(), workspace,
           [](std::size_t count, const auto& task) { on_torch_threads(count, task); });
  }
}

/// Scaled dot-product attention of all heads.
///
/// @param qkv [B,T,3,heads,dim] @return [B,T,heads*dim]
inline at::Tensor attend_heads(const at::Tensor& qkv) {
  const auto batch = qkv.size(0), tokens = qkv.size(1), width = qkv.size(3) * qkv.size(4);
  const InstructionSet set = active_instruction_set();
  if (is_cpu_inference(qkv) && qkv.size(4) % 16 == 0 && qkv.is_contiguous() &&
      set != InstructionSet::portable) {
    at::Tensor out = at::empty({batch, tokens, width}, qkv.options());
    if (qkv.scalar_type() == at::kFloat) {
      attend_pictures<float>(qkv, out, set);
      return out;
    }
    if (attends<std::uint16_t>(set)) {
      attend_pictures<std::uint16_t>(qkv, out, set);
      return out;
    }
  }
  return at::scaled_dot_product_attention(qkv.select(2, 0).transpose(1, 2),
                                          qkv.select(2, 1).transpose(1, 2),
                                          qkv.select(2, 2).transpose(1, 2))
      .transpose(1, 2)
      .reshape({batch, tokens, width});
}

}  // namespace homolog::inline v0_1::detail
