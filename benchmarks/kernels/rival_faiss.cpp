// SPDX-License-Identifier: Apache-2.0
// faiss' exact index by inner product; filling the index is not timed.
#include <memory>

#include "axes.hpp"

#ifdef HOMOLOG_BENCHMARK_FAISS
#include <faiss/IndexFlat.h>
#include <omp.h>
#endif

namespace benchmarks {

#ifdef HOMOLOG_BENCHMARK_FAISS
using Id = decltype(faiss::IndexFlatIP::ntotal);
#endif

Rival faiss_rival() {
#ifdef HOMOLOG_BENCHMARK_FAISS
  return {"faiss", [](Operation operation, const Inputs& inputs, int threads) {
            std::function<void(Answers&)> none;
            if (operation != Operation::argmax) return none;
            auto index = std::make_shared<faiss::IndexFlatIP>(static_cast<Id>(inputs.shape.dim));
            index->add(static_cast<Id>(inputs.shape.cells()), inputs.cells.data());
            auto labels = std::make_shared<std::vector<Id>>(inputs.shape.queries);
            auto scores = std::make_shared<std::vector<float>>(inputs.shape.queries);
            return std::function<void(Answers&)>([=, &inputs](Answers& answers) {
              omp_set_num_threads(threads);
              index->search(static_cast<Id>(inputs.shape.queries), inputs.queries.data(), 1,
                            scores->data(), labels->data());
              answers.resize(2 * labels->size());
              for (std::size_t i = 0; i < labels->size(); ++i) {
                const auto place = static_cast<std::size_t>((*labels)[i]);
                answers[2 * i] = static_cast<float>(place % inputs.shape.side);
                answers[2 * i + 1] = static_cast<float>(place / inputs.shape.side);
              }
            });
          }};
#else
  return {"faiss", {}};
#endif
}

}  // namespace benchmarks
