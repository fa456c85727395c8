#include "core/openai/request/generation.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace aictl::openai {
namespace {

constexpr int64_t kMaxInt = std::numeric_limits<int32_t>::max();
constexpr size_t kMaxStop = 4;
constexpr size_t kMaxStopIds = 1024;
constexpr size_t kMaxBadWords = 1024;
constexpr size_t kMaxBreakers = 64;
constexpr size_t kMaxBias = 1024;

void read_limits(Reader& reader, GenerationFields& out) {
  reader.text("model", out.model);
  reader.integer("max_tokens", out.max_tokens, 1, kMaxInt);
  reader.integer("max_completion_tokens", out.max_tokens, 1, kMaxInt);
  reader.integer("min_tokens", out.min_tokens, 0, kMaxInt);
  reader.integer("n", out.n, 1, kMaxChoices);
  reader.integer("priority", out.priority, -10, 10);
  reader.texts("stop", out.stop, kMaxStop);
  reader.ids("stop_token_ids", out.stop_token_ids, kMaxStopIds);
  reader.texts("bad_words", out.bad_words, kMaxBadWords, false);
  reader.boolean("include_stop_str_in_output", out.include_stop);
  reader.boolean("ignore_eos", out.ignore_eos);
  reader.boolean("skip_special_tokens", out.skip_special_tokens);
  reader.boolean("return_token_ids", out.return_token_ids);
  reader.text("cache_salt", out.cache_salt);
  reader.boolean("cache_prompt", out.cache_prompt);
  reader.integer("truncate_prompt_tokens", out.keep_prompt_tokens, -1, kMaxInt);
  if (out.keep_prompt_tokens == 0)
    reader.refuse("truncate_prompt_tokens", "truncate_prompt_tokens 0 leaves no prompt");
  if (out.max_tokens && out.min_tokens > *out.max_tokens)
    reader.refuse("min_tokens", fmt::format("min_tokens {} is above max_tokens {}", out.min_tokens,
                                            *out.max_tokens));
}

void read_streaming(Reader& reader, GenerationFields& out) {
  reader.boolean("stream", out.stream);
  const Json* options = reader.object("stream_options");
  if (options == nullptr) return;
  if (!out.stream) return reader.refuse("stream_options", "stream_options needs stream to be true");
  Reader inner(*options, "stream_options.");
  bool obfuscation = false;
  inner.boolean("include_usage", out.include_usage);
  inner.boolean("include_obfuscation", obfuscation);
  if (obfuscation)
    inner.fail(unsupported_value("stream_options.include_obfuscation",
                                 "include_obfuscation true is not supported"));
  if (auto error = inner.take_error()) reader.fail(std::move(*error));
}

void read_number(Reader& reader, std::string_view name, const SamplingRange& range,
                 SamplingParams& out) {
  if (const auto* real = std::get_if<float SamplingParams::*>(&range.field))
    reader.number(name, out.**real, range.least, range.most);
  else
    reader.integer(name, out.*std::get<int SamplingParams::*>(range.field),
                   static_cast<int64_t>(range.least), static_cast<int64_t>(range.most));
}

void read_sampling(Reader& reader, SamplingParams& out) {
  read_number(reader, "repeat_penalty", sampling_range("repetition_penalty"), out);  // another name
  for (const SamplingRange& range : sampling_ranges()) read_number(reader, range.name, range, out);
  reader.texts("dry_sequence_breakers", out.dry_sequence_breakers, kMaxBreakers, false);
}

// Keys are token ids as strings. A bias of -100 bans.
void read_bias(Reader& reader, SamplingParams& out) {
  const Json* map = reader.object("logit_bias");
  if (map == nullptr) return;
  if (map->size() > kMaxBias)
    return reader.refuse("logit_bias", fmt::format("logit_bias has {} tokens, but at most {} are "
                                                   "taken",
                                                   map->size(), kMaxBias));
  for (const auto& [key, value] : map->items()) {
    int32_t id = -1;
    const auto parsed = std::from_chars(key.data(), key.data() + key.size(), id);
    if (parsed.ec != std::errc() || parsed.ptr != key.data() + key.size() || id < 0 ||
        (key.size() > 1 && key.front() == '0'))
      return reader.refuse("logit_bias",
                           fmt::format("logit_bias key {} is not a token id", shown(Json(key))));
    const double bias = value.is_number() ? value.get<double>() : NAN;
    if (!(bias >= -100 && bias <= 100))
      return reader.refuse("logit_bias", fmt::format("logit_bias of token {} is {}, not a number "
                                                     "in -100..100",
                                                     id, shown(value)));
    out.logit_bias.emplace_back(id, static_cast<float>(bias));
  }
}

constexpr std::array<std::pair<std::string_view, SamplerKind>, 8> kSamplers{{
    {"temperature", SamplerKind::kTemperature},
    {"top_k", SamplerKind::kTopK},
    {"typ_p", SamplerKind::kTypical},
    {"typical_p", SamplerKind::kTypical},
    {"top_p", SamplerKind::kTopP},
    {"min_p", SamplerKind::kMinP},
    {"top_n_sigma", SamplerKind::kTopNSigma},
    {"xtc", SamplerKind::kXtc},
}};

// The order of the truncating samplers. Penalties and DRY always come first here, so they may only
// be named in front; those left out are off, as with every sampler the list leaves out.
void read_order(Reader& reader, SamplingParams& out) {
  std::vector<std::string> names;
  reader.texts("samplers", names, 32, false);
  if (names.empty()) return;
  bool penalties = false, dry = false;
  for (const std::string& name : names) {
    if (name == "penalties" || name == "dry") {
      if (!out.order.empty())
        return reader.fail(unsupported_value(
            "samplers", fmt::format("'{}' cannot come after a truncating sampler", name)));
      (name == "dry" ? dry : penalties) = true;
      continue;
    }
    const SamplerKind* kind = nullptr;
    for (const auto& [word, value] : kSamplers)
      if (word == name) kind = &value;
    if (kind == nullptr)
      return reader.refuse("samplers", fmt::format("no sampler is called {}", shown(Json(name))));
    for (const SamplerKind seen : out.order)
      if (seen == *kind)
        return reader.refuse("samplers", fmt::format("samplers names '{}' twice", name));
    out.order.push_back(*kind);
  }
  if (!dry) out.dry_multiplier = 0;
  if (!penalties) {
    out.repetition_penalty = 1;
    out.frequency_penalty = out.presence_penalty = 0;
  }
}

void read_seed(Reader& reader, GenerationFields& out) {
  int64_t seed = 0;
  reader.integer("seed", seed, std::numeric_limits<int64_t>::min(),
                 std::numeric_limits<int64_t>::max());
  out.seeded = reader.any("seed") != nullptr;
  out.sampling.seed = static_cast<uint64_t>(seed);
}

// Plain text is what we make; anything narrower cannot be promised yet.
void read_response_format(Reader& reader) {
  const Json* format = reader.object("response_format");
  if (format == nullptr) return;
  const Json* type = present(*format, "type");
  if (type == nullptr || !type->is_string())
    return reader.refuse("response_format", "response_format.type must be a string");
  if (*type != "text")
    reader.fail(unsupported_value(
        "response_format",
        fmt::format("response_format {} is not supported: output cannot be constrained; ask for "
                    "JSON in the prompt",
                    shown(*type))));
}

void read_modalities(Reader& reader) {
  std::vector<std::string> modalities;
  reader.texts("modalities", modalities, 8, false);
  for (const std::string& modality : modalities)
    if (modality != "text")
      reader.fail(unsupported_value("modalities", fmt::format("modality {} is not supported, only "
                                                              "\"text\"",
                                                              shown(modality))));
}

}  // namespace

void read_generation(Reader& reader, GenerationFields& out) {
  read_limits(reader, out);
  read_streaming(reader, out);
  read_sampling(reader, out.sampling);
  read_bias(reader, out.sampling);
  read_order(reader, out.sampling);
  read_seed(reader, out);
  read_response_format(reader);
  read_modalities(reader);
}

}  // namespace aictl::openai
