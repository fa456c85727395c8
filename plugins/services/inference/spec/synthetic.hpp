// Models of well-known shapes without a file, for measuring speed: `aictl bench model --synthetic
// L1`.
#pragma once

#include <memory>
#include <string_view>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/spec/tensors.hpp"

namespace aictl::inference {

/// A ModelSpec and tensors of random bytes with sane scales. All matrices share a few MiB of memory
/// mapped again and again, so that even an 8B model starts at once.
class SyntheticModel {
 public:
  /// `shape`: "L1" (Llama 3.2 1B), "L8" (Llama 3.1 8B) or "0.5b" (Qwen 2.5 0.5B), in any case.
  /// Matrices are of `type`. Errors: kNotFound for another shape; kUnsupported for a type whose
  /// block does not divide the rows; kIo when memory cannot be mapped.
  static Result<SyntheticModel> make(std::string_view shape, DType type);

  SyntheticModel(SyntheticModel&&) noexcept;
  SyntheticModel& operator=(SyntheticModel&&) noexcept;
  ~SyntheticModel();

  const ModelSpec& spec() const;
  /// Lives as long as the model, also when the model is moved.
  const TensorSource& tensors() const;
  uint64_t weight_bytes() const;

 private:
  struct State;
  explicit SyntheticModel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace aictl::inference
