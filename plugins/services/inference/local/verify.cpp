// Each request is first computed alone, its prompt whole. Then all are asked again while one thing
// after another is different: neighbours, order, what the cache holds, the size of a prefill chunk,
// memory so short that sequences give theirs up, the number of threads, another process before on
// whose disk cache they go on. Ids and logprobs must not tell the difference.
#include "plugins/services/inference/local/verify.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

constexpr int kTopLogprobs = 4;
constexpr uint64_t kMostOnDisk = uint64_t{4} << 30;
constexpr int kBlocksWhenShort = 2;  // sequences that fit at once when memory is short

using Answers = std::vector<std::vector<TokenOut>>;  // of all requests

// One way to ask them all.
struct Circumstance {
  std::string name;
  EngineSettings settings;
  std::vector<size_t> order;  // in which they are submitted
  bool together = true;       // else each waits for the one before
  bool reuse_prefix = true;
  int rounds = 1;  // the last one counts: those before fill the cache
};

// Prompts of different lengths, of which every other begins as the first does; greedy and drawn.
std::vector<GenerateRequest> make_requests(const VerifyOptions& options, int vocab) {
  std::mt19937 random(20261);
  std::vector<GenerateRequest> requests;
  for (int i = 0; i < options.requests; ++i) {
    GenerateRequest request;
    const int length = std::max(1, options.prompt_tokens - 13 * (i % 5));
    for (int t = 0; t < length; ++t)
      request.prompt.push_back(static_cast<int32_t>(random() % static_cast<uint32_t>(vocab)));
    if (i % 2 == 0 && i > 0)
      std::copy_n(requests[0].prompt.begin(),
                  std::min(requests[0].prompt.size(), request.prompt.size() * 2 / 3),
                  request.prompt.begin());
    request.max_tokens = options.max_tokens;
    request.ignore_eos = true;
    request.sampling.temperature = i % 3 == 0 ? 0.0f : 1.0f;
    request.sampling.top_p = i % 3 == 2 ? 0.9f : 1.0f;
    request.sampling.seed = static_cast<uint64_t>(i) + 1;
    request.sampling.logprobs = kTopLogprobs;
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<size_t> in_order(size_t count) {
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), size_t{0});
  return order;
}

std::vector<size_t> shuffled(size_t count) {
  std::vector<size_t> order = in_order(count);
  std::shuffle(order.begin(), order.end(), std::mt19937(7));
  return order;
}

// Memory for a few of the requests at once: the others wait, or give up theirs and come back.
uint64_t short_memory(const Backend& backend, const ModelSpec& spec, const VerifyOptions& options) {
  const int tokens = options.prompt_tokens + options.max_tokens;
  const int blocks = (tokens + kKvBlockTokens - 1) / kKvBlockTokens;
  return backend.kv_block_bytes(spec) * static_cast<uint64_t>(kBlocksWhenShort * blocks);
}

std::vector<Circumstance> circumstances(const VerifyOptions& options,
                                        const EngineSettings& settings, const RunningModel& first,
                                        const ModelSpec& spec) {
  const size_t count = static_cast<size_t>(options.requests);
  const std::vector<size_t> forwards = in_order(count);
  const std::vector<size_t> backwards(forwards.rbegin(), forwards.rend());
  std::vector<Circumstance> all = {
      {"alone, from a warm cache", settings, forwards, false, true, 2},
      {"together", settings, forwards, true, false},
      {"together, the last first", settings, backwards, true, false},
      {"together, shuffled, from a warm cache", settings, shuffled(count), true, true, 2},
  };
  EngineSettings changed = settings;
  changed.step_tokens = kKvBlockTokens;
  all.push_back({fmt::format("together, prompts in chunks of {}", kKvBlockTokens), changed,
                 forwards, true, false});
  changed = settings;
  changed.speculate =
      settings.speculate == Speculation::kOff ? Speculation::kNgram : Speculation::kOff;
  const bool drafts = changed.speculate == Speculation::kNgram;
  all.push_back({drafts ? "together, guessing ahead" : "together, without guessing ahead", changed,
                 forwards, true, false});
  changed = settings;
  changed.kv_memory = short_memory(*first.backend, spec, options);
  all.push_back({"together, with memory for two", changed, shuffled(count), true, true, 1});
  const int threads = first.backend->info().threads;
  for (const int other : {1, 2, threads + 1}) {
    if (other == threads) continue;
    changed = settings;
    changed.threads = other;
    all.push_back({fmt::format("together, on {} thread{} instead of {}", other,
                               other == 1 ? "" : "s", threads),
                   changed, forwards, true, false});
  }
  return all;
}

Result<Answers> ask(Engine& engine, const std::vector<GenerateRequest>& requests,
                    const Circumstance& how) {
  Answers answers(requests.size());
  for (int round = 0; round < how.rounds; ++round) {
    std::vector<std::shared_ptr<Generation>> running(requests.size());
    for (const size_t i : how.order) {
      GenerateRequest request = requests[i];
      request.reuse_prefix = how.reuse_prefix;
      auto generation = engine.submit(std::move(request));
      if (!generation) return std::move(generation).error().within(how.name);
      running[i] = std::move(*generation);
      if (!how.together) running[i]->wait_done();
    }
    for (size_t i = 0; i < requests.size(); ++i) {
      running[i]->wait_done();
      const Finished end = *running[i]->finished();
      if (end.reason == FinishReason::kFailed) return Error(end.error).within(how.name);
      answers[i] = running[i]->take();
    }
  }
  return answers;
}

bool same_bits(float a, float b) {
  return std::bit_cast<uint32_t>(a) == std::bit_cast<uint32_t>(b);
}

// What differs first between two answers, in words; empty when nothing does.
std::string difference(const std::vector<TokenOut>& right, const std::vector<TokenOut>& ours) {
  for (size_t t = 0; t < std::min(right.size(), ours.size()); ++t) {
    const TokenOut &a = right[t], &b = ours[t];
    if (a.id != b.id) return fmt::format("token {} is {} instead of {}", t, b.id, a.id);
    if (!same_bits(a.logprob, b.logprob))
      return fmt::format("the logprob of token {} is {:.9g} instead of {:.9g}", t, b.logprob,
                         a.logprob);
    for (size_t i = 0; i < std::min(a.top.size(), b.top.size()); ++i)
      if (a.top[i].id != b.top[i].id || !same_bits(a.top[i].logprob, b.top[i].logprob))
        return fmt::format("alternative {} of token {} differs", i, t);
    if (a.top.size() != b.top.size())
      return fmt::format("token {} has {} alternatives instead of {}", t, b.top.size(),
                         a.top.size());
  }
  if (right.size() == ours.size()) return "";
  return fmt::format("{} tokens instead of {}", ours.size(), right.size());
}

Json compare(const Circumstance& how, const Answers& right, const Answers& ours) {
  Json differences = Json::array();
  for (size_t i = 0; i < right.size(); ++i)
    if (const std::string what = difference(right[i], ours[i]); !what.empty())
      differences.push_back(fmt::format("request {}: {}", i, what));
  return {{"name", how.name}, {"same", differences.empty()}, {"differences", differences}};
}

// An engine for these settings, loaded anew.
Result<RunningModel> start(const TextModel& model, const EngineSettings& settings,
                           const Plugins& plugins,
                           const std::optional<DiskCacheOptions>& disk = std::nullopt) {
  auto running = plan_model(model.model, settings, plugins, 0);
  if (!running) return running;
  if (auto ok = start_model(model.model, model.text.tokenizer.vocab(), *running, disk); !ok)
    return std::move(ok).error();
  return running;
}

// A folder that is gone at the end.
class ScratchFolder {
 public:
  ScratchFolder() {
    std::error_code none;
    std::string name =
        (std::filesystem::temp_directory_path(none) / "aictl-verify-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Two engines one after the other: the second finds on disk what the first has left there.
Result<bool> compare_restart(const TextModel& model, const std::vector<GenerateRequest>& requests,
                             const EngineSettings& settings, const Plugins& plugins,
                             const Answers& right, Json& checks,
                             const std::function<void(std::string_view)>& progress) {
  const ScratchFolder scratch;
  if (scratch.path().empty())
    return Error{ErrorCode::kIo, "there is no folder for temporary files", "set TMPDIR"};
  const DiskCacheOptions disk{scratch.path() / "kv", kMostOnDisk};
  bool same = true;
  for (const char* name : {"together, before a restart", "together, after it, from disk"}) {
    progress(name);
    const Circumstance how{name, settings, in_order(requests.size())};
    auto running = start(model, settings, plugins, disk);
    if (!running) return std::move(running).error().within(name);
    auto ours = ask(*running->engine, requests, how);
    if (!ours) return std::move(ours).error();
    checks.push_back(compare(how, right, *ours));
    checks.back()["reused_tokens"] = running->engine->stats().reused_tokens;
    checks.back()["parkings"] = running->engine->stats().parkings;
    checks.back()["accepted_tokens"] = running->engine->stats().accepted_tokens;
    checks.back()["disk_tokens"] = running->engine->stats().disk.promoted_tokens;
    same &= checks.back()["same"].get<bool>();
  }
  return same;
}

bool same_engine(const EngineSettings& a, const EngineSettings& b) {
  return a.step_tokens == b.step_tokens && a.kv_memory == b.kv_memory && a.threads == b.threads &&
         a.speculate == b.speculate;
}

}  // namespace

Result<Json> verify_determinism(const TextModel& model, const VerifyOptions& options,
                                const EngineSettings& wished, const Plugins& plugins,
                                const std::function<void(std::string_view)>& progress) {
  EngineSettings settings = wished;
  settings.concurrency = options.requests;
  settings.context = options.prompt_tokens + options.max_tokens;
  settings.max_queue = std::max(settings.max_queue, options.requests);
  const ModelSpec& spec = model.model.spec();
  if (settings.context > spec.max_positions)
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("prompts of {} tokens and {} more are over the {} tokens the model was "
                    "trained for",
                    options.prompt_tokens, options.max_tokens, spec.max_positions),
        "lower --prompt-tokens or --max-tokens"};
  const auto requests =
      make_requests(options, std::min(model.text.tokenizer.vocab().size(), spec.vocab));
  progress("each request alone");
  auto running = start(model, settings, plugins);
  if (!running) return std::move(running).error();
  const BackendInfo backend = running->backend->info();
  const Circumstance alone{"alone", settings, in_order(requests.size()), false, false};
  auto right = ask(*running->engine, requests, alone);
  if (!right) return std::move(right).error();

  Json checks = Json::array();
  bool same = true;
  EngineSettings loaded = settings;
  for (const Circumstance& how : circumstances(options, settings, *running, spec)) {
    progress(how.name);
    if (!same_engine(how.settings, loaded)) {
      running->engine.reset();  // its memory first
      running = start(model, how.settings, plugins);
      if (!running) return std::move(running).error().within(how.name);
      loaded = how.settings;
    }
    auto ours = ask(*running->engine, requests, how);
    if (!ours) return std::move(ours).error();
    checks.push_back(compare(how, *right, *ours));
    checks.back()["reused_tokens"] = running->engine->stats().reused_tokens;
    checks.back()["parkings"] = running->engine->stats().parkings;
    checks.back()["accepted_tokens"] = running->engine->stats().accepted_tokens;
    same &= checks.back()["same"].get<bool>();
  }
  running->engine.reset();
  auto restarted = compare_restart(model, requests, settings, plugins, *right, checks, progress);
  if (!restarted) return std::move(restarted).error();
  same &= *restarted;
  size_t tokens = 0;
  for (const auto& answer : *right) tokens += answer.size();
  return Json{
      {"deterministic", same},
      {"requests", options.requests},
      {"tokens", tokens},
      {"backend", {{"name", backend.name}, {"isa", backend.isa}, {"threads", backend.threads}}},
      {"checks", checks}};
}

}  // namespace aictl::inference
