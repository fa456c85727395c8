// Shapes of models: the worked numbers of the reference, the table of formats, config.json.
#include <doctest/doctest.h>

#include "core/placement/model/families.hpp"
#include "core/placement/model/formats.hpp"
#include "core/placement/model/gguf.hpp"
#include "core/placement/model/hf_config.hpp"

using namespace aictl;
using namespace aictl::placement;

namespace {

ModelShape known(const char* text) {
  auto shape = known_shape(text, "BF16");
  REQUIRE_MESSAGE(shape.ok(), text);
  return *shape;
}

ModelShape configured(const char* json) {
  auto shape = shape_from_config(*parse_json(json), "config.json", "");
  REQUIRE_MESSAGE(shape.ok(), (shape.ok() ? "" : shape.error().message));
  return *shape;
}

}  // namespace

TEST_CASE("model: bytes a token leaves in the cache are the reference's worked numbers") {
  CHECK_EQ(kv_bytes_per_token(known("llama:8b"), 2), 131072);
  CHECK_EQ(kv_bytes_per_token(known("llama:70b"), 2), 327680);
  CHECK_EQ(kv_bytes_per_token(known("qwen2.5:7b"), 2), 57344);
  CHECK_EQ(kv_bytes_per_token(known("deepseek-v3:671b"), 2), 70272);
  const ModelShape gemma = known("gemma3:27b");
  for (const int64_t context : {1, 1000, 1024, 1025, 8192, 131072})
    CHECK_EQ(kv_bytes(gemma, context, 2),
             8192.0 * double(10 * context + 52 * std::min<int64_t>(context, 1024)));
  CHECK_EQ(kv_formula(gemma, 2), "8192*(10*ctx + 52*min(ctx,1024)) B");
}

TEST_CASE("model: a rank holds its heads, repeated past their number; latent caches are whole") {
  const ModelShape llama = known("llama:8b"), deepseek = known("deepseek-v3:671b");
  CHECK_EQ(kv_rank_bytes(llama, 10, 2, 1), 1310720);
  CHECK_EQ(kv_rank_bytes(llama, 10, 2, 4), 1310720 / 4);
  CHECK_EQ(kv_rank_bytes(llama, 10, 2, 16), 1310720 / 8);
  CHECK_EQ(kv_rank_bytes(deepseek, 10, 2, 8), 702720);
}

TEST_CASE("model: bits a weight are the reference's table") {
  const std::pair<const char*, double> rows[] = {
      {"F32", 32},        {"bf16", 16},        {"FP8", 8},          {"Q8_0", 8.5},
      {"Q5_1", 6},        {"Q5_0", 5.5},       {"Q4_1", 5},         {"Q4_0", 4.5},
      {"IQ4_NL", 4.5},    {"IQ4_XS", 4.25},    {"MXFP4", 4.25},     {"NVFP4", 4.5},
      {"Q2_K", 2.625},    {"Q3_K", 3.4375},    {"Q4_K", 4.5},       {"Q5_K", 5.5},
      {"Q6_K", 6.5625},   {"IQ3_S", 3.4375},   {"IQ3_XXS", 3.0625}, {"IQ2_S", 2.5625},
      {"IQ2_XS", 2.3125}, {"IQ2_XXS", 2.0625}, {"IQ1_M", 1.75},     {"IQ1_S", 1.5625},
      {"TQ2_0", 2.0625},  {"TQ1_0", 1.6875},   {"q4_k_m", 4.85},    {"AWQ", 4.16}};
  for (const auto& row : rows) CHECK_MESSAGE(bits_per_weight(row.first) == row.second, row.first);
  CHECK_FALSE(bits_per_weight("Q9_9").has_value());
  CHECK_EQ(canonical_quant("q4_k_m"), "Q4_K_M");
}

TEST_CASE("model: known families have their published sizes") {
  const std::pair<const char*, double> sizes[] = {
      {"llama:8b", 8.03e9},    {"llama:70b", 70.6e9},       {"llama:1b", 1.24e9},
      {"qwen2.5:7b", 7.62e9},  {"mistral:7b", 7.25e9},      {"mixtral:8x7b", 46.7e9},
      {"gemma3:27b", 27.0e9},  {"deepseek-v3:671b", 671e9}, {"qwen3:30b-a3b", 30.5e9},
      {"gpt-oss:120b", 117e9}, {"llama:405b", 405.9e9}};
  for (const auto& row : sizes)
    CHECK_MESSAGE(double(known(row.first).parameters) == doctest::Approx(row.second).epsilon(0.02),
                  row.first << " has " << known(row.first).parameters);
  CHECK_EQ(
      known("deepseek-v3:671b").active_parameters() / 1e9 == doctest::Approx(37.5).epsilon(0.03),
      true);
}

TEST_CASE("model: an unknown family or size names what is known") {
  const auto family = known_shape("lama:8b", "BF16");
  REQUIRE_FALSE(family.ok());
  CHECK_EQ(family.error().code, ErrorCode::kNotFound);
  CHECK_EQ(family.error().hint, "did you mean 'llama'?");
  const auto size = known_shape("llama:9b", "BF16");
  REQUIRE_FALSE(size.ok());
  CHECK(size.error().hint.find("8b") != std::string::npos);
  CHECK_EQ(known_shape("llama:8b:q9", "BF16").error().code, ErrorCode::kInvalidArgument);
  CHECK(looks_like_shape("llama:8b"));
  CHECK_FALSE(looks_like_shape("/models/a:b"));
  CHECK_FALSE(looks_like_shape("model.gguf"));
  CHECK_FALSE(looks_like_shape("llama::x"));
}

TEST_CASE("model: config.json tells grouped, latent and windowed attention and mixtures") {
  const ModelShape llama = configured(R"({"model_type":"llama","num_hidden_layers":32,
    "hidden_size":4096,"num_attention_heads":32,"num_key_value_heads":8,"intermediate_size":14336,
    "vocab_size":128256,"max_position_embeddings":131072,"torch_dtype":"bfloat16"})");
  CHECK_EQ(kv_bytes_per_token(llama, 2), 131072);
  CHECK_EQ(llama.parameters, known("llama:8b").parameters);
  CHECK_EQ(llama.weight_bytes, known("llama:8b").weight_bytes);

  const ModelShape deepseek = configured(R"({"model_type":"deepseek_v3","num_hidden_layers":61,
    "hidden_size":7168,"num_attention_heads":128,"num_key_value_heads":128,
    "intermediate_size":18432,"vocab_size":129280,"kv_lora_rank":512,"qk_rope_head_dim":64,
    "qk_nope_head_dim":128,"v_head_dim":128,"q_lora_rank":1536,"n_routed_experts":256,
    "num_experts_per_tok":8,"n_shared_experts":1,"moe_intermediate_size":2048,
    "first_k_dense_replace":3,"quantization_config":{"quant_method":"fp8"}})");
  CHECK_EQ(kv_bytes_per_token(deepseek, 2), 70272);
  CHECK_EQ(deepseek.quant, "FP8");
  CHECK_EQ(deepseek.parameters, known("deepseek-v3:671b").parameters);

  const ModelShape gemma = configured(R"({"model_type":"gemma3","text_config":{
    "model_type":"gemma3_text","num_hidden_layers":62,"hidden_size":5376,"num_attention_heads":32,
    "num_key_value_heads":16,"head_dim":128,"intermediate_size":21504,"sliding_window":1024}})");
  CHECK_EQ(gemma.cache, known("gemma3:27b").cache);

  const ModelShape listed = configured(R"({"num_hidden_layers":4,"hidden_size":64,
    "num_attention_heads":4,"sliding_window":16,"layer_types":["sliding_attention",
    "full_attention","sliding_attention","linear_attention"],"linear_num_value_heads":2,
    "linear_key_head_dim":8,"linear_value_head_dim":8})");
  CHECK_EQ(listed.cache, std::vector<CacheLayers>{{1, 128, 0, false}, {2, 128, 16, false}});
  CHECK_EQ(listed.state_values, 2 * 8 * 8 + 4 * (2 * 16 + 16));

  const ModelShape qwen = configured(R"({"model_type":"qwen2","num_hidden_layers":28,
    "hidden_size":3584,"num_attention_heads":28,"num_key_value_heads":4,"sliding_window":131072,
    "use_sliding_window":false,"max_window_layers":28})");
  CHECK_EQ(kv_bytes_per_token(qwen, 2), 57344);
  CHECK_EQ(qwen.cache.size(), 1);
}

TEST_CASE("model: a config that is none is refused with the key, what was found and expected") {
  const char* bad[] = {"[]",
                       "{}",
                       R"({"num_hidden_layers":-1,"hidden_size":8})",
                       R"({"num_hidden_layers":"many","hidden_size":8})",
                       R"({"num_hidden_layers":99999,"hidden_size":8,"num_attention_heads":1})",
                       R"({"num_hidden_layers":2,"hidden_size":8,"num_attention_heads":1e99})"};
  for (const char* text : bad) {
    const auto shape = shape_from_config(*parse_json(text), "config.json", "");
    REQUIRE_MESSAGE(!shape.ok(), text);
    CHECK_EQ(shape.error().code, ErrorCode::kDataRefused);
    CHECK(shape.error().message.starts_with("config.json: "));
  }
}

TEST_CASE("model: the largest numbers a config may have do not overflow") {
  const ModelShape huge = configured(R"({"num_hidden_layers":4096,"hidden_size":1048576,
    "num_attention_heads":65536,"num_key_value_heads":16777216,"head_dim":16777216,
    "intermediate_size":16777216,"vocab_size":16777216,"num_experts":16777216,
    "model_type":"mamba2","state_size":16777216,"n_groups":16777216})");
  CHECK_GT(huge.parameters, 0);
  CHECK_GT(huge.state_values, 0);
  CHECK_GT(kv_bytes(huge, int64_t{1} << 30, 2), 0);
}

TEST_CASE("model: a GGUF header gives exact bytes, per-layer heads and windows") {
  const auto inspected = parse_json(R"({"file":"m.gguf","architecture":"x","metadata":{
    "x.block_count":3,"x.embedding_length":8,"x.attention.head_count":[2,2,2],
    "x.attention.head_count_kv":[1,2,0],"x.attention.key_length":4,"x.attention.value_length":4,
    "x.attention.sliding_window":16,"x.attention.sliding_window_pattern":[true,false,false],
    "x.ssm.inner_size":16,"x.ssm.state_size":4,"x.ssm.conv_kernel":4},
    "tensors":[{"name":"token_embd.weight","type":"Q8_0","dims":[8,32],"elements":256,"bytes":272},
    {"name":"output.weight","type":"Q8_0","dims":[8,32],"elements":256,"bytes":272},
    {"name":"blk.0.ffn_gate_exps.weight","type":"Q4_K","dims":[8,8,4],"elements":256,"bytes":144},
    {"name":"output_norm.weight","type":"F32","dims":[8],"elements":8,"bytes":32}]})");
  REQUIRE(inspected.ok());
  const auto shape = shape_from_gguf(*inspected);
  REQUIRE_MESSAGE(shape.ok(), (shape.ok() ? "" : shape.error().message));
  CHECK_EQ(shape->weight_bytes, 720);
  CHECK_EQ(shape->parameters, 776);
  CHECK_EQ(shape->expert_bytes, 144);
  CHECK_EQ(shape->replicated_bytes, 32);
  CHECK_EQ(shape->lookup_bytes, 272);
  CHECK_EQ(shape->vocab, 32);
  CHECK_EQ(shape->cache, std::vector<CacheLayers>{{1, 8, 16, false}, {1, 16, 0, false}});
  CHECK_EQ(shape->state_values, 16 * 4 + 4 * (16 + 2 * 4));
  const auto empty = shape_from_gguf(*parse_json(
      R"({"file":"m.gguf","architecture":"x","metadata":{"x.block_count":3,
      "x.embedding_length":8},"tensors":[]})"));
  REQUIRE_FALSE(empty.ok());
  CHECK_EQ(empty.error().message, "m.gguf: has no tensors");
}
