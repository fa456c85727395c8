// Engines on the reference backend with a tiny random model, and a runner whose steps a test can
// watch, hold and break.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <string>

#include "plugins/backends/reference/reference.hpp"
#include "plugins/services/inference/engine.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/load/random_model.hpp"

namespace aictl::inference {

/// What a test wants to do inside of steps, on the engine's thread.
struct Hooks {
  std::function<void(const StepBatch&)> begin;
  std::function<void(Act logits)> logits;
};

class HookedStages final : public StageOps {
 public:
  HookedStages(StageOps& inner, const Hooks& hooks) : inner_(inner), hooks_(hooks) {}
  void begin(const StepBatch& b) override {
    if (hooks_.begin) hooks_.begin(b);
    inner_.begin(b);
  }
  void embed(const StepBatch& b, Act x) override { inner_.embed(b, x); }
  void qkv(int l, const StepBatch& b, Act x, Act q, Act k, Act v) override {
    inner_.qkv(l, b, x, q, k, v);
  }
  void attend(int l, const StepBatch& b, Act q, Act k, Act v, Act o) override {
    inner_.attend(l, b, q, k, v, o);
  }
  void attn_out(int l, const StepBatch& b, Act o, Act x) override { inner_.attn_out(l, b, o, x); }
  void ffn_in(int l, const StepBatch& b, Act x, Act h) override { inner_.ffn_in(l, b, x, h); }
  void ffn_out(int l, const StepBatch& b, Act h, Act x) override { inner_.ffn_out(l, b, h, x); }
  void head(const StepBatch& b, Act x, Act logits, Act hidden) override {
    inner_.head(b, x, logits, hidden);
    if (hooks_.logits) hooks_.logits(logits);
  }

 private:
  StageOps& inner_;
  const Hooks hooks_;
};

class HookedRunner final : public Runner {
 public:
  HookedRunner(std::unique_ptr<Runner> inner, const Hooks& hooks)
      : inner_(std::move(inner)), stages_(inner_->stages(), hooks) {}
  StageOps& stages() override { return stages_; }
  Workspace& workspace() override { return inner_->workspace(); }
  void copy_block(int from, int to, int tokens) override { inner_->copy_block(from, to, tokens); }
  std::string kv_layout() const override { return inner_->kv_layout(); }
  void read_block(int block, std::span<std::byte> out) const override {
    inner_->read_block(block, out);
  }
  void write_block(int block, std::span<const std::byte> in) override {
    inner_->write_block(block, in);
  }
  size_t weight_bytes() const override { return inner_->weight_bytes(); }
  size_t kv_bytes() const override { return inner_->kv_bytes(); }
  size_t workspace_bytes() const override { return inner_->workspace_bytes(); }

 private:
  std::unique_ptr<Runner> inner_;
  HookedStages stages_;
};

inline constexpr int kTinyVocab = 320;

/// Two layers of 32; made once.
inline const Model& tiny_model() {
  static const std::string bytes = *make_random_model({.layers = 2,
                                                       .hidden = 32,
                                                       .heads = 2,
                                                       .kv_heads = 1,
                                                       .head_dim = 16,
                                                       .ffn = 48,
                                                       .vocab = kTinyVocab});
  static const Model model = *Model::parse(std::as_bytes(std::span(bytes)));
  return model;
}

inline EngineOptions tiny_options() {
  EngineOptions options;
  options.runner = {.max_rows = 64, .max_logit_rows = 16, .kv_blocks = 64};
  return options;
}

inline std::unique_ptr<Engine> start_tiny(const EngineOptions& options, const Hooks& hooks = {}) {
  const Model& model = tiny_model();
  auto runner = make_reference_backend({})->load(model.spec(), model.tensors(), options.runner);
  REQUIRE(runner.ok());
  auto engine = Engine::start(options, model.spec(),
                              std::make_unique<HookedRunner>(std::move(*runner), hooks));
  REQUIRE_MESSAGE(engine.ok(), (engine.ok() ? "" : engine.error().message));
  return std::move(*engine);
}

inline GenerateRequest ask(std::vector<int32_t> prompt, int max_tokens, float temperature = 0) {
  GenerateRequest request;
  request.prompt = std::move(prompt);
  request.max_tokens = max_tokens;
  request.sampling.temperature = temperature;
  return request;
}

inline std::vector<int32_t> ids(const std::vector<TokenOut>& tokens, int choice = 0) {
  std::vector<int32_t> out;
  for (const TokenOut& t : tokens)
    if (t.choice == choice) out.push_back(t.id);
  return out;
}

/// A deadline no healthy test meets.
inline Time soon() { return std::chrono::steady_clock::now() + std::chrono::seconds(120); }

}  // namespace aictl::inference
