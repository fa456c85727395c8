// Logical tensors and what files call them; and the check that a file holds exactly what a spec
// asks for.
#pragma once

#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "plugins/services/inference/spec/meta.hpp"

namespace aictl::inference {

/// As GGUF files spell it: "blk.3.attn_q.weight".
std::string tensor_name(TensorId id);

/// Rows and columns of a tensor; a vector is one row.
struct TensorShape {
  int64_t rows = 0, cols = 0;
  bool vector = false;
};
TensorShape tensor_shape(const ModelSpec& spec, Slot slot);

/// All tensors of a model, in the order a forward pass meets them. A tied head is not among them.
std::vector<TensorId> tensors_of(const ModelSpec& spec);

/// The tensors of an open file by their logical names: views into the file, nothing copied.
class TensorTable final : public TensorSource {
 public:
  explicit TensorTable(const ModelSpec& spec);
  TensorView get(TensorId id) const override;
  void set(TensorId id, TensorView view);
  /// Of all tensors, a tied head counted once.
  uint64_t bytes() const;
  uint64_t parameters() const;

 private:
  size_t place(TensorId id) const;

  int n_layers_;
  bool tied_head_;
  std::vector<TensorView> views_;
};

/// Finds every tensor of `spec` in `file`. Errors name the tensor: kDataRefused when one is
/// missing, misshapen or none of the architecture's, kUnsupported when its type cannot be decoded.
Result<TensorTable> bind_tensors(const Meta& file, const ModelSpec& spec);

}  // namespace aictl::inference
