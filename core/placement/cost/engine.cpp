#include "core/placement/cost/engine.hpp"

namespace aictl::placement {
namespace {

constexpr EngineFacts kFacts[] = {
    {"aictl", 64, 256, 4, 0.6e9, 0, 2, "f16"},
    {"vllm", 16, 2048, 2, 0.7e9, 0.5e9, 3, "f16 bf16 fp8", true},
    {"llama.cpp", 1, 512, 4, 0.6e9, 0.2e9, 4, "f32 f16 bf16 q8_0 q4_0"},
};
constexpr double kNodesALayer = 30;  // operations llama.cpp's graph has for a layer

}  // namespace

const EngineFacts& facts(Engine engine) { return kFacts[size_t(engine)]; }

double step_overhead(Engine engine, const ModelShape& shape, bool cpu) {
  if (engine == Engine::kLlamaCpp) return 0.1e-3 + 5e-6 * kNodesALayer * double(shape.layers) / 100;
  return cpu ? 0.1e-3 : 0.3e-3;
}

}  // namespace aictl::placement
