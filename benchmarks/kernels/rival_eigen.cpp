// SPDX-License-Identifier: Apache-2.0
// Eigen's matrix product and maxCoeff, compiled for this very processor and with OpenMP. Under a
// name of its own, so that no function of it is mixed with those compiled for any processor.
#define Eigen EigenNative
#include <Eigen/Core>

#include <memory>

#include "axes.hpp"

namespace benchmarks {

namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using View = Eigen::Map<const Matrix>;

}  // namespace

Rival eigen_rival() {
  return {"Eigen", [](Operation operation, const Inputs& inputs, int threads) {
            std::function<void(Answers&)> none;
            if (operation != Operation::argmax) return none;
            auto similarity = std::make_shared<Matrix>();
            return std::function<void(Answers&)>([similarity, threads, &inputs](Answers& answers) {
              const auto [dim, side, queries] = inputs.shape;
              Eigen::setNbThreads(threads);
              const auto rows = static_cast<Eigen::Index>(queries);
              const auto wide = static_cast<Eigen::Index>(dim);
              const View q(inputs.queries.data(), rows, wide);
              const View c(inputs.cells.data(), static_cast<Eigen::Index>(side * side), wide);
              similarity->noalias() = q * c.transpose();
              answers.resize(2 * queries);
              for (Eigen::Index i = 0; i < rows; ++i) {
                Eigen::Index peak = 0;
                similarity->row(i).maxCoeff(&peak);
                const auto place = static_cast<std::size_t>(peak);
                answers[2 * static_cast<std::size_t>(i)] = static_cast<float>(place % side);
                answers[2 * static_cast<std::size_t>(i) + 1] = static_cast<float>(place / side);
              }
            });
          }};
}

}  // namespace benchmarks
