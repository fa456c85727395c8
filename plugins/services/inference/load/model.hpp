// Model: a model file opened, checked and understood: spec, tensors, vocabulary, chat templates.
// Weights stay mapped; a backend takes them from tensors().
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/result.hpp"
#include "core/tensor/model_spec.hpp"
#include "core/value/json.hpp"
#include "plugins/services/inference/load/gguf.hpp"
#include "plugins/services/inference/spec/tensors.hpp"
#include "plugins/services/inference/text/vocab.hpp"

namespace aictl::inference {

/// References it gives out live as long as the model, also when the model is moved.
class Model {
 public:
  /// Errors: kNotFound, kIo; kDataRefused and kUnsupported naming the file and the key or tensor.
  static Result<Model> open(const std::filesystem::path& path);
  /// The same over bytes that outlive the model.
  static Result<Model> parse(std::span<const std::byte> bytes, std::string_view place = "memory");

  const ModelSpec& spec() const { return state_->spec; }
  const TensorSource& tensors() const { return state_->table; }
  const Gguf& file() const { return state_->file; }
  uint64_t weight_bytes() const { return state_->table.bytes(); }
  uint64_t parameters() const { return state_->table.parameters(); }

  /// The raw arrays of the vocabulary; empty `tokens` when the file has none.
  const VocabSource& vocab() const { return state_->vocab; }

  /// Name and text of each chat template; the default one is called "" and comes first.
  const std::vector<std::pair<std::string, std::string>>& chat_templates() const {
    return state_->templates;
  }

  /// 32 hex digits. Hash (XXH3, 128 bits) of the spec, of name, type and shape of every tensor, and
  /// of a sample of each tensor's bytes: the first, middle and last 4 KiB. Two files that differ
  /// only outside the samples have one fingerprint.
  const std::string& fingerprint() const { return state_->fingerprint; }

  /// What `aictl model show` prints. Stable keys.
  Json describe() const;

  /// Reads every weight. Errors: kDataRefused naming the first tensor with a value that is not
  /// finite.
  Result<void> verify() const;

 private:
  struct State {
    explicit State(Gguf opened) : file(std::move(opened)), table(spec) {}
    Gguf file;
    ModelSpec spec;
    TensorTable table;
    VocabSource vocab;
    std::vector<std::pair<std::string, std::string>> templates;
    std::string fingerprint;
  };
  explicit Model(std::unique_ptr<State> state) : state_(std::move(state)) {}
  static Result<Model> understand(Gguf file);

  std::unique_ptr<State> state_;  // in one place, so that references survive moves
};

/// Name and text of each chat template of a file; the default one is called "" and comes first.
/// Errors: kDataRefused for one that is no string, kTooLarge.
Result<std::vector<std::pair<std::string, std::string>>> read_templates(const Gguf& file);

}  // namespace aictl::inference
