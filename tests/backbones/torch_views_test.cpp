// SPDX-License-Identifier: Apache-2.0
#include "support/torch_doctest.hpp"
// The line above comes first: see there.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "homolog/interop/torch.hpp"
#include "support/skip.hpp"

using namespace homolog;

namespace {

template <class T>
concept HasTensorView = requires(T&& value) {
  tensor_view(std::forward<T>(value));
};
template <class T>
concept HasMatrixViews = requires(T&& value) {
  descriptor_view(std::forward<T>(value));
}
&&requires(T&& value) { similarity_map_view(std::forward<T>(value)); };
template <class T>
concept HasEitherMatrixView = requires(T&& value) {
  descriptor_view(std::forward<T>(value));
}
|| requires(T&& value) { similarity_map_view(std::forward<T>(value)); };

/// A map whose values all differ.
FeatureMap numbered(int rows, int cols, int dim) {
  FeatureMap map(rows, cols, dim);
  for (Eigen::Index i = 0; i < map.values.size(); ++i) map.values.data()[i] = float(i) / 7;
  return map;
}

std::vector<std::int64_t> shape(const torch::Tensor& tensor) { return tensor.sizes().vec(); }
using Shape = std::vector<std::int64_t>;

bool same(const FeatureMap& a, const FeatureMap& b) {
  return a.rows == b.rows && a.cols == b.cols && a.content == b.content &&
         a.values.rows() == b.values.rows() && a.values.cols() == b.values.cols() &&
         a.values == b.values;
}

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

}  // namespace

// at::Tensor cannot promise to leave a const object alone, and a temporary is gone before its view.
static_assert(HasTensorView<FeatureMap&> && !HasTensorView<const FeatureMap&>);
static_assert(HasTensorView<FloatMatrix&> && !HasTensorView<const FloatMatrix&>);
static_assert(HasTensorView<InputBatch&> && !HasTensorView<const InputBatch&>);
static_assert(HasTensorView<Points<GridFrame>&> && !HasTensorView<const Points<GridFrame>&>);
static_assert(!HasTensorView<FeatureMap> && !HasTensorView<Points<GridFrame>>);
static_assert(HasMatrixViews<torch::Tensor&> && HasMatrixViews<const torch::Tensor&>);
static_assert(!HasEitherMatrixView<torch::Tensor>);

TEST_CASE("A feature map and its tensor are the same memory") {
  FeatureMap map = numbered(3, 4, 5);
  const torch::Tensor tensor = tensor_view(map);
  CHECK(shape(tensor) == Shape{3, 4, 5});
  CHECK((tensor.scalar_type() == torch::kFloat32));
  CHECK(tensor.device().is_cpu());
  CHECK(tensor.data_ptr() == map.values.data());
  for (int row = 0; row < 3; ++row) {
    for (int col = 0; col < 4; ++col) {
      for (int k = 0; k < 5; ++k) {
        CHECK(tensor[row][col][k].item<float>() == map.cell(row, col)[k]);
      }
    }
  }
  tensor[2][1].fill_(8);
  CHECK(map.cell(2, 1).minCoeff() == 8);
  CHECK(map.cell(2, 1).maxCoeff() == 8);
  map.cell(0, 3)[4] = -6;
  CHECK(tensor[0][3][4].item<float>() == -6);
}

TEST_CASE("A matrix and its tensor are the same memory") {
  FloatMatrix matrix(6, 3);
  for (Eigen::Index i = 0; i < matrix.size(); ++i) matrix.data()[i] = float(i);
  const torch::Tensor tensor = tensor_view(matrix);
  CHECK(shape(tensor) == Shape{6, 3});
  CHECK(tensor.data_ptr() == matrix.data());
  CHECK(tensor[4][1].item<float>() == matrix(4, 1));
  tensor.mul_(2);
  CHECK(matrix(5, 2) == 34);
  matrix(0, 1) = -1;
  CHECK(tensor[0][1].item<float>() == -1);
}

TEST_CASE_TEMPLATE("Points and their tensor are the same memory", Frame, ImageFrame, InputFrame,
                   GridFrame) {
  const double third = 1.0 / 3;
  Points<Frame> points{{1, 2}, {third, std::numeric_limits<double>::quiet_NaN()}, {5, 6}};
  const torch::Tensor tensor = tensor_view(points);
  CHECK(shape(tensor) == Shape{3, 2});
  CHECK((tensor.scalar_type() == torch::kFloat64));
  CHECK(tensor.data_ptr() == points.list.data());
  CHECK(tensor[1][0].template item<double>() == third);
  CHECK(std::isnan(tensor[1][1].template item<double>()));
  CHECK(tensor[2][1].template item<double>() == 6);
  tensor.select(1, 0).add_(0.5);
  CHECK(points[2] == Point<Frame>{5.5, 6});
  points[0].y = 9;
  CHECK(tensor[0][1].template item<double>() == 9);
}

TEST_CASE("An input batch and its tensor are the same memory") {
  InputBatch batch(2, {5, 4});
  for (std::size_t i = 0; i < batch.values.size(); ++i) batch.values[i] = float(i);
  const torch::Tensor tensor = tensor_view(batch);
  CHECK(shape(tensor) == Shape{2, 3, 4, 5});
  CHECK(tensor.data_ptr() == batch.values.data());
  CHECK(tensor[1][2][3][1].item<float>() == batch.picture(1)[(2 * 4 + 3) * 5 + 1]);
  tensor[1].zero_();
  CHECK(batch.picture(0)[59] == 59);
  CHECK(batch.picture(1)[0] == 0);
  batch.picture(1)[7] = 3;
  CHECK(tensor[1][0][1][2].item<float>() == 3);
}

TEST_CASE("The dtype of a view does not follow LibTorch's default") {
  const auto before = torch::get_default_dtype();
  torch::set_default_dtype(caffe2::TypeMeta::Make<double>());
  FloatMatrix matrix(2, 2, 1);
  const auto dtype = tensor_view(matrix).scalar_type();
  torch::set_default_dtype(before);
  CHECK((dtype == torch::kFloat32));
}

TEST_CASE("Empty values have empty tensors, and back") {
  FeatureMap map;
  FloatMatrix matrix(0, 7);
  Points<ImageFrame> points;
  InputBatch batch;
  CHECK(shape(tensor_view(map)) == Shape{0, 0, 0});
  CHECK(shape(tensor_view(matrix)) == Shape{0, 7});
  CHECK(shape(tensor_view(points)) == Shape{0, 2});
  CHECK(shape(tensor_view(batch)) == Shape{0, 3, 0, 0});
  const torch::Tensor none = torch::empty({0, 7});
  CHECK(descriptor_view(none).rows() == 0);
  CHECK(descriptor_view(none).cols() == 7);
  CHECK(to_feature_map(torch::empty({0, 2, 3})).dim() == 3);
}

TEST_CASE("Values that do not fit their sizes have no tensor") {
  FeatureMap map(2, 3, 4);
  map.rows = 3;
  CHECK_THROWS_AS(tensor_view(map), ShapeError);
  map.rows = -2;
  map.cols = -3;
  CHECK_THROWS_AS(tensor_view(map), ShapeError);
  InputBatch batch(2, {4, 4});
  batch.values.pop_back();
  CHECK_THROWS_AS(tensor_view(batch), ShapeError);
  batch = InputBatch(1, {4, 4});
  batch.size = {-4, -4};
  CHECK_THROWS_AS(tensor_view(batch), ShapeError);
}

TEST_CASE("A tensor and its matrix views are the same memory, at an offset too") {
  const torch::Tensor whole = torch::arange(60, torch::kFloat32).view({12, 5});
  for (const torch::Tensor& tensor : {whole, whole.slice(0, 3, 9), whole.t().contiguous()}) {
    const MatrixView descriptors = descriptor_view(tensor);
    const SimilarityMap map = similarity_map_view(tensor);
    CHECK(descriptors.data() == tensor.const_data_ptr<float>());
    CHECK(map.data() == tensor.const_data_ptr<float>());
    REQUIRE(descriptors.rows() == tensor.size(0));
    REQUIRE(descriptors.cols() == tensor.size(1));
    REQUIRE(map.rows() == tensor.size(0));
    REQUIRE(map.cols() == tensor.size(1));
    for (Eigen::Index i = 0; i < map.rows(); ++i) {
      for (Eigen::Index j = 0; j < map.cols(); ++j) {
        CHECK(map(i, j) == tensor[i][j].item<float>());
        CHECK(descriptors(i, j) == map(i, j));
      }
    }
    tensor[1][2] = -4;
    CHECK(map(1, 2) == -4);
  }
}

TEST_CASE("A tensor that needs gradients can be seen") {
  const torch::Tensor tensor = torch::ones({2, 3}).requires_grad_();
  CHECK(similarity_map_view(tensor).sum() == 6);
  CHECK(descriptor_view(tensor)(1, 2) == 1);
  CHECK(tensor.requires_grad());
}

TEST_CASE("Tensors that are no contiguous float32 CPU matrix are refused with what was got") {
  const torch::Tensor matrix = torch::ones({4, 6});
  const torch::Tensor wrong_shapes[] = {torch::Tensor(),
                                        torch::ones({}),
                                        torch::ones({6}),
                                        torch::ones({1, 4, 6}),
                                        matrix.t(),
                                        matrix.slice(1, 0, 3),
                                        matrix.slice(0, 0, 4, 2),
                                        torch::ones({1, 6}).expand({4, 6})};
  for (const torch::Tensor& tensor : wrong_shapes) {
    CHECK_THROWS_AS(descriptor_view(tensor), ShapeError);
    CHECK_THROWS_AS(similarity_map_view(tensor), ShapeError);
  }
  const torch::Tensor wrong_kinds[] = {matrix.to(torch::kFloat64), matrix.to(torch::kHalf),
                                       matrix.to(torch::kInt),     matrix.to(torch::kMeta),
                                       matrix.to_sparse(),         torch::_neg_view(matrix)};
  for (const torch::Tensor& tensor : wrong_kinds) {
    CHECK_THROWS_AS(descriptor_view(tensor), DeviceError);
    CHECK_THROWS_AS(similarity_map_view(tensor), DeviceError);
  }
  const torch::Tensor turned = matrix.t(), half = matrix.to(torch::kHalf);
  CHECK(message_of([&] { descriptor_view(turned); }) ==
        "descriptor_view: Float [6, 4] on cpu, strides [1, 6]; expected a contiguous Float [N, D] "
        "on cpu");
  CHECK(message_of([&] { similarity_map_view(half); }) ==
        "similarity_map_view: Half [4, 6] on cpu, strides [6, 1]; expected a contiguous Float "
        "[rows, cols] on cpu");
  const torch::Tensor sparse = matrix.to_sparse(), negated = torch::_neg_view(matrix);
  CHECK(message_of([&] { descriptor_view(sparse); }).find("layout Sparse") != std::string::npos);
  CHECK(message_of([&] { descriptor_view(negated); }).find("negated") != std::string::npos);
  CHECK(message_of([&] { descriptor_view(matrix); }) == "no error");
}

TEST_CASE("A feature map comes back from its tensor as it went, in memory of its own") {
  FeatureMap map = numbered(3, 4, 5);
  const FeatureMap before = map;
  const FeatureMap copy = to_feature_map(tensor_view(map));
  CHECK(same(copy, map));
  map.values.fill(0);
  CHECK(same(copy, before));
}

TEST_CASE("Features of any floating dtype, strides and sign become float32 once") {
  torch::manual_seed(5);
  const torch::Tensor original = torch::randn({7, 6, 10});
  for (const auto dtype : {torch::kFloat64, torch::kFloat32, torch::kHalf, torch::kBFloat16}) {
    const torch::Tensor tensor = original.to(dtype);
    const torch::Tensor forms[] = {tensor,
                                   tensor.permute({2, 0, 1}),
                                   tensor.slice(1, 1, 5, 2).slice(2, 3, 8),
                                   torch::_neg_view(tensor),
                                   tensor.slice(2, 0, 1).expand({7, 6, 4}),
                                   tensor.detach().requires_grad_()};
    for (const torch::Tensor& form : forms) {
      FeatureMap map = to_feature_map(form);
      CHECK(map.rows == form.size(0));
      CHECK(map.cols == form.size(1));
      CHECK(map.dim() == form.size(2));
      CHECK(map.content == CellRange{0, 0, map.cols, map.rows});
      CHECK(torch::equal(tensor_view(map), form.to(torch::kFloat32)));
    }
  }
}

TEST_CASE("Not-finite features are copied as they are") {
  const float infinity = std::numeric_limits<float>::infinity();
  const FeatureMap map =
      to_feature_map(torch::tensor({std::nanf(""), infinity, -infinity}).view({1, 1, 3}));
  CHECK(std::isnan(map.values(0, 0)));
  CHECK(map.values(0, 1) == infinity);
  CHECK(map.values(0, 2) == -infinity);
}

TEST_CASE("Tensors that are no feature map are refused") {
  const torch::Tensor cell = torch::ones({1, 1, 1});
  const torch::Tensor wrong_shapes[] = {torch::Tensor(),
                                        torch::ones({3, 4}),
                                        torch::ones({1, 3, 4, 5}),
                                        cell.expand({std::int64_t{1} << 31, 1, 1}),
                                        cell.expand({1, 1, std::int64_t{1} << 32}),
                                        cell.expand({1 << 16, 1 << 16, 1})};
  for (const torch::Tensor& tensor : wrong_shapes) {
    CHECK_THROWS_AS(to_feature_map(tensor), ShapeError);
  }
  for (const auto dtype : {torch::kInt, torch::kByte, torch::kBool, torch::kComplexFloat}) {
    CHECK_THROWS_AS(to_feature_map(cell.to(dtype)), DeviceError);
  }
  CHECK_THROWS_AS(to_feature_map(cell.to(torch::kMeta)), DeviceError);
  CHECK(message_of([&] {
          to_feature_map(torch::ones({3, 4}));
        }) == "to_feature_map: Float [3, 4] on cpu, strides [4, 1]; expected [rows, cols, D]");
}

TEST_CASE("Features on a CUDA device are copied, and have no view") {
  if (!torch::cuda::is_available()) return homolog::test::skip("no CUDA device here");
  FeatureMap map = numbered(3, 4, 5);
  const torch::Tensor there = tensor_view(map).to(torch::kCUDA);
  CHECK(same(to_feature_map(there), map));
  CHECK(same(to_feature_map(there.to(torch::kFloat64)), map));
  const torch::Tensor matrix = there[0];
  CHECK_THROWS_AS(descriptor_view(matrix), DeviceError);
}
