// Memory fit and roofline against numbers worked out by hand from sections 6 and 7.
#include <doctest/doctest.h>

#include "core/placement/cost/roofline.hpp"
#include "core/placement/model/families.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

Device gpu(const char* model, double memory, double gbs, double tflops, bool consumer) {
  Device device;
  device.gpu = 0;
  device.name = "gpu0";
  device.model = model;
  device.memory = memory;
  device.gbs = gbs;
  device.tflops = tflops;
  device.consumer = consumer;
  return device;
}

const Device kRtx4090 = gpu("RTX 4090", 24e9, 1008, 165, true);
const Device kH100 = gpu("H100", 80e9, 3352, 989, false);

// A fabric of PCI Express 4 boards that cannot read each other's memory.
Fabric through_host() {
  return {effective_gbs(31.5, false, false), effective_gbs(31.5, false, false), false, false,
          topology::Level::kNode};
}

// Llama 70B with exactly 40 GB of weights, as the reference's example has it.
ModelShape example() {
  ModelShape shape = *known_shape("llama:70b:q4_k_m", "");
  shape.weight_bytes = 40'000'000'000;
  shape.lookup_bytes = 0;
  return shape;
}

}  // namespace

TEST_CASE("roofline: section 7's example of 70B on RTX 4090s comes out") {
  const Ground ground{kRtx4090, through_host(), 12.5, Engine::kVllm};
  const DecodeStep four = decode_step(example(), {4, 1}, ground, 1, 0, 2);
  const DecodeStep eight = decode_step(example(), {8, 1}, ground, 1, 0, 2);
  CHECK_EQ(four.read * 1e3, doctest::Approx(15.3).epsilon(0.005));
  CHECK_EQ(eight.read * 1e3, doctest::Approx(7.6).epsilon(0.005));
  CHECK_EQ(four.communication * 1e3, doctest::Approx(160 * 0.025).epsilon(0.05));
  CHECK_EQ(eight.communication * 1e3, doctest::Approx(160 * 0.045).epsilon(0.05));
  CHECK_EQ((four.read + four.communication) * 1e3, doctest::Approx(19.3).epsilon(0.02));
  CHECK_EQ((eight.read + eight.communication) * 1e3, doctest::Approx(14.8).epsilon(0.03));
  CHECK_EQ(four.bound, "memory");
}

TEST_CASE("roofline: across sockets is worth it when the gain is a quarter over the loss") {
  const Ground near{kRtx4090, through_host(), 12.5, Engine::kVllm};
  const AcrossSockets rule = across_sockets(example(), near, 4, near, 8, 1, 0, 2);
  CHECK_EQ(rule.gain * 1e3, doctest::Approx(7.63).epsilon(0.01));
  CHECK_EQ(rule.loss * 1e3, doctest::Approx(3.4).epsilon(0.05));
  CHECK(rule.worth());
}

TEST_CASE("roofline: decode is max of reading and arithmetic, by the formula") {
  const ModelShape llama = *known_shape("llama:8b:bf16", "");
  const Ground ground{kH100, {}, 12.5, Engine::kVllm};
  const double kv = 16 * 131072.0 * 4096;
  const DecodeStep step = decode_step(llama, {1, 1}, ground, 16, 4096, 2);
  const double weights = double(llama.weight_bytes - llama.lookup_bytes);
  CHECK_EQ(step.read, doctest::Approx((weights + kv) / (3352e9 * 0.75)));
  CHECK_EQ(step.compute, doctest::Approx(2.0 * double(llama.parameters) * 16 / (989e12 * 0.25)));
  CHECK_EQ(step.communication, 0);
  CHECK_EQ(step.seconds(), doctest::Approx(step.read + 0.3e-3));
  CHECK_EQ(decode_step(llama, {1, 1}, ground, 4096, 1, 2).bound, "compute");
}

TEST_CASE("roofline: prefill counts the square of the prompt, chunks read weights again") {
  const ModelShape llama = *known_shape("llama:8b:bf16", "");
  const Ground ground{kH100, {}, 12.5, Engine::kVllm};
  const Prefill p = prefill(llama, {1, 1}, ground, 8192);
  const double work = 2.0 * double(llama.parameters) * 8192 + 2.0 * 32 * 32 * 128 * 8192.0 * 8192;
  CHECK_EQ(p.compute, doctest::Approx(work / (989e12 * 0.5)));
  CHECK_EQ(p.read,
           doctest::Approx(4 * double(llama.weight_bytes - llama.lookup_bytes) / (3352e9 * 0.75)));
  CHECK_GT(prefill(llama, {1, 1}, ground, 256).compute * 2,
           prefill(llama, {1, 1}, ground, 512).compute);  // short prompts use less of the peak
}

TEST_CASE("roofline: a mixture reads the experts its tokens want") {
  const ModelShape mixtral = *known_shape("mixtral:8x7b:bf16", "");
  const Ground ground{kH100, {}, 12.5, Engine::kVllm};
  const double dense = double(mixtral.weight_bytes - mixtral.expert_bytes - mixtral.lookup_bytes);
  const auto read = [&](int batch) {
    return decode_step(mixtral, {1, 1}, ground, batch, 0, 2).read_bytes;
  };
  CHECK_EQ(read(1), doctest::Approx(dense + double(mixtral.expert_bytes) * 0.25));
  CHECK_EQ(read(2), doctest::Approx(dense + double(mixtral.expert_bytes) * (1 - 0.75 * 0.75)));
  CHECK_GT(read(64), dense + double(mixtral.expert_bytes) * 0.999);
}

TEST_CASE("collective: ring and one shot by the formulas, the better one counts") {
  Fabric nvlink{200, 200, true, true, topology::Level::kNv};
  CHECK_EQ(all_reduce_seconds(1e6, 1, nvlink), 0);
  const double ring = 6.6e-6 + 14 * 0.6e-6 + 14.0 / 8 * 1e9 / 200e9;
  CHECK_EQ(all_reduce_seconds(1e9, 8, nvlink), doctest::Approx(ring));
  const double one_shot = 4.5e-6 + 3 * 16384 / 200e9;
  CHECK_EQ(all_reduce_seconds(16384, 4, nvlink), doctest::Approx(one_shot));
  Fabric memory = through_host();
  CHECK_GT(all_reduce_seconds(16384, 4, memory), all_reduce_seconds(16384, 4, nvlink));
}

TEST_CASE("fit: each term by hand for 70B over four RTX 4090s") {
  const ModelShape shape = example();
  const Load load{4096, 4, 2};
  const Fit fit = fit_memory(shape, {4, 1}, load, Engine::kVllm, kRtx4090, 0.9);
  const double replicated = double(shape.replicated_bytes);
  const double weights = (40e9 - replicated) / 4 + replicated;
  const double kv = 4.0 * 4096 * 327680 / 4;
  const double activations = 2048.0 * (8 * 8192 + 4 * 28672 / 4) * 2 + 4.0 * 128256 * 4 / 4;
  CHECK_EQ(fit.weights, doctest::Approx(weights));
  CHECK_EQ(fit.kv, doctest::Approx(kv));
  CHECK_EQ(fit.activations, doctest::Approx(activations));
  CHECK_EQ(fit.fixed,
           doctest::Approx(0.7e9 + 0.5e9 + 0.35e9 + 0.025 * (weights + kv + activations)));
  CHECK_EQ(fit.usable, doctest::Approx(24e9 * 0.9 - 0.6e9));
  CHECK(fit.fits);
  CHECK_EQ(fit.arithmetic.size(), 5);
}

TEST_CASE("fit: the largest context and batch are the last that fit") {
  const ModelShape shape = example();
  for (const Load& load : {Load{4096, 4, 2}, Load{65536, 2, 2}}) {
    const Fit fit = fit_memory(shape, {4, 1}, load, Engine::kVllm, kRtx4090, 0.9);
    const auto with = [&](int64_t context, int sequences) {
      return fit_memory(shape, {4, 1}, {context, sequences, 2}, Engine::kVllm, kRtx4090, 0.9).fits;
    };
    REQUIRE_GT(fit.max_context, 0);
    CHECK(with(fit.max_context, load.sequences));
    CHECK_FALSE(with(fit.max_context + 16, load.sequences));
    if (fit.max_sequences > 0) {
      CHECK(with(load.context, fit.max_sequences));
      CHECK_FALSE(with(load.context, fit.max_sequences + 1));
    }
  }
}

TEST_CASE("fit: the verdict names the smallest change that helps") {
  const auto say = [](const char* model, const Cut& cut, const Load& load) {
    return verdict(*known_shape(model, "BF16"), cut, load, Engine::kVllm, kRtx4090, 0.9);
  };
  CHECK(say("llama:8b:q4_k_m", {1, 1}, {8192, 1, 2}).starts_with("fits: "));
  CHECK(say("llama:8b", {1, 1}, {65536, 4, 2}).starts_with("fits with ctx <= "));
  CHECK(say("llama:8b:q8_0", {1, 1}, {1000, 900, 2}).starts_with("fits with "));
  CHECK(say("llama:8b:f32", {1, 1}, {2048, 1, 2}).starts_with("fits with quant BF16"));
  CHECK(say("llama:405b", {1, 1}, {2048, 1, 2}).starts_with("needs "));
}

TEST_CASE("fit: stages take the larger share, latent caches do not shrink with ranks") {
  const ModelShape deepseek = *known_shape("deepseek-v3:671b:fp8", "");
  const auto kv = [&](const Cut& cut) {
    return fit_memory(deepseek, cut, {4096, 1, 2}, Engine::kVllm, kH100, 0.9).kv;
  };
  CHECK_EQ(kv({8, 1}), kv({1, 1}));
  CHECK_EQ(kv({1, 2}), doctest::Approx(kv({1, 1}) * 31 / 61));
}
