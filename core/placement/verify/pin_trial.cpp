#include "core/placement/verify/pin_trial.hpp"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "core/placement/verify/bench_run.hpp"

namespace aictl::placement {
namespace {

constexpr int kRounds = 5;
constexpr double kSignificant = 0.05;
constexpr int kMostSequences = 8;
constexpr int64_t kMostDepth = 256;
constexpr int kLeastTokens = 16, kMostTokens = 4096;
constexpr double kRoundSeconds = 0.5, kMargin = 1.2;  // the next round may be faster

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

int sequences_of(const Option& option) { return std::min(option.load.sequences, kMostSequences); }
int64_t depth_of(const Option& option) { return std::min(option.load.context / 2, kMostDepth); }

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The benchmark's shapes and element types, by ours.
constexpr std::pair<std::string_view, std::string_view> kShapes[] = {
    {"llama:1b", "L1"}, {"llama:8b", "L8"}, {"qwen2.5:0.5b", "0.5b"}};
constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
    {"Q8_0", "q8_0"},   {"Q4_0", "q4_0"}, {"Q4_K", "q4_k"},   {"Q4_K_M", "q4_k"},
    {"Q4_K_S", "q4_k"}, {"Q5_K", "q5_k"}, {"Q5_K_M", "q5_k"}, {"Q6_K", "q6_k"},
    {"BF16", "bf16"},   {"F16", "f16"},   {"F32", "f32"}};

Result<std::vector<std::string>> subject_of(const ModelShape& shape) {
  if (shape.source == "gguf") return std::vector<std::string>{shape.path};
  std::vector<std::string> words;
  for (const auto& [ours, theirs] : kShapes)
    if (shape.source == "table" && lower(shape.name).starts_with(ours))
      words = {"--synthetic", std::string(theirs)};
  for (const auto& [ours, theirs] : kTypes)
    if (!words.empty() && shape.quant == ours) {
      words.insert(words.end(), {"--dtype", std::string(theirs)});
      return words;
    }
  return Error{
      ErrorCode::kInvalidArgument,
      fmt::format("--verify cannot measure {} as {} without its weights", shape.name, shape.quant),
      "name a .gguf file, or llama:1b, llama:8b or qwen2.5:0.5b as q8_0, q4_k_m or bf16"};
}

// What the plan foresees of the middle step that is measured, in tokens a second.
double predicted(const ModelPlan& plan, const PlanRequest& request, int tokens) {
  const Option& option = *plan.chosen;
  const Ground ground{option.device, option.fabric, 12.5, Engine::kAictl};
  const DecodeStep step = decode_step(plan.shape, option.cut, ground, sequences_of(option),
                                      double(depth_of(option)) + tokens / 2.0, request.kv_element);
  return sequences_of(option) / step.seconds();
}

// The same words behind `aictl topo exec`, which binds CPUs and the memory beside them.
std::vector<std::string> bound(const Replica& replica, const std::string& program,
                               const std::vector<std::string>& words) {
  std::vector<std::string> all{"topo", "exec", "--cpus", replica.cpus.list(), "--", program};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Result<int> tokens_for(const ModelPlan& plan, const std::string& program) {
  return round_tokens(sequences_of(*plan.chosen), [&](int tokens) -> Result<double> {
    const auto words = bench_words(plan, tokens);
    if (!words) return words.error();
    auto speed = bench_decode(program, *words);
    if (!speed) return std::move(speed).error().within("--verify");
    return speed;
  });
}

Result<void> verify(ModelPlan& plan, const PlanRequest& request, const std::string& program,
                    const std::function<void(std::string_view)>& progress) {
  const auto tokens = tokens_for(plan, program);
  if (!tokens) return tokens.error();
  const auto words = bench_words(plan, *tokens);
  if (!words) return words.error();
  const std::vector<std::string> pinned_words = bound(plan.replicas.front(), program, *words);
  std::vector<double> pinned, left_alone;
  for (int round = 0; round < kRounds; ++round)
    for (const bool first : {true, false}) {
      const bool pin = first == (round % 2 == 0);  // neither always has the warmer machine
      auto speed = bench_decode(program, pin ? pinned_words : *words);
      if (!speed) return std::move(speed).error().within("--verify");
      (pin ? pinned : left_alone).push_back(*speed);
      if (progress)
        progress(fmt::format("{}: round {} of {}, {}: {:.1f} tokens/s", plan.shape.name, round + 1,
                             kRounds, pin ? "pinned" : "left alone", *speed));
    }
  const PinComparison found = compare_pins(pinned, left_alone);
  plan.verified =
      Verified{found.pinned, found.left_alone, found.chance, predicted(plan, request, *tokens),
               kRounds,      found.keep};
  for (Replica& replica : plan.replicas) replica.pin = found.keep;
  return {};
}

}  // namespace

PinComparison compare_pins(std::span<const double> pinned, std::span<const double> left_alone) {
  PinComparison result;
  if (pinned.empty() || left_alone.empty() || pinned.size() + left_alone.size() > 20) return result;
  result.pinned = mean(pinned);
  result.left_alone = mean(left_alone);
  std::vector<double> all(pinned.begin(), pinned.end());
  all.insert(all.end(), left_alone.begin(), left_alone.end());
  const double sum = std::accumulate(all.begin(), all.end(), 0.0);
  const double observed = std::accumulate(pinned.begin(), pinned.end(), 0.0);
  int as_good = 0, ways = 0;
  for (uint32_t chosen = 0; chosen < uint32_t{1} << all.size(); ++chosen) {
    if (std::popcount(chosen) != int(pinned.size())) continue;
    double part = 0;
    for (size_t i = 0; i < all.size(); ++i) part += chosen >> i & 1 ? all[i] : 0;
    ++ways;
    as_good += part >= observed - 1e-12 * sum ? 1 : 0;
  }
  result.chance = double(as_good) / ways;
  result.keep = result.chance < kSignificant;
  return result;
}

Result<int> round_tokens(int sequences, const std::function<Result<double>(int)>& bench) {
  int tokens = kLeastTokens;
  while (tokens < kMostTokens) {  // later steps read more cache: one look ahead may fall short
    const auto speed = bench(tokens);
    if (!speed) return speed.error();
    const double seconds = double(tokens) * sequences / std::max(*speed, 1e-9);
    if (seconds >= kRoundSeconds) break;
    const double wanted = std::ceil(tokens * kMargin * kRoundSeconds / seconds);
    tokens = int(std::min(wanted, double(kMostTokens)));
  }
  return tokens;
}

Result<std::vector<std::string>> bench_words(const ModelPlan& plan, int decode_tokens) {
  const Option& option = *plan.chosen;
  if (!option.cpu)
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("--verify measures aictl on CPUs, and {} is placed on GPUs", plan.shape.name),
        "--cpu leaves GPUs alone"};
  auto subject = subject_of(plan.shape);
  if (!subject) return subject;
  std::vector<std::string> words{"bench", "model"};
  words.insert(words.end(), subject->begin(), subject->end());
  const auto add = [&](const char* flag, int64_t value) {
    words.insert(words.end(), {flag, std::to_string(value)});
  };
  add("--prompt-tokens", 32);
  add("--decode-tokens", decode_tokens);
  add("--depth", depth_of(option));
  add("--batch", sequences_of(option));
  add("--repeat", 1);
  if (plan.replicas.front().cores > 0) add("--threads", plan.replicas.front().cores);
  words.insert(words.end(), {"-o", "json"});
  return words;
}

Result<void> verify_pins(Plan& plan, const PlanRequest& request, const std::string& program,
                         const std::function<void(std::string_view)>& progress) {
  for (HostPlan& host : plan.hosts)
    for (ModelPlan& model : host.models)
      if (model.chosen && !model.replicas.empty())
        if (auto done = verify(model, request, program, progress); !done) return done;
  return {};
}

}  // namespace aictl::placement
