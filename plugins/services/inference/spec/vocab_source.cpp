#include "plugins/services/inference/spec/vocab_source.hpp"

#include <algorithm>
#include <cctype>
#include <string>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

const std::string kPrefix = "tokenizer.ggml.";

Result<void> read_id(const Meta& file, std::string_view name, std::optional<uint64_t>& into) {
  const std::string key = fmt::format("{}{}_token_id", kPrefix, name);
  if (into || !file.has(key)) return {};
  auto id = file.integer(key, -1, UINT32_MAX);
  if (!id) return std::move(id).error();
  if (*id != -1 && *id != UINT32_MAX) into = static_cast<uint64_t>(*id);  // writers' "none"
  return {};
}

Result<void> read_flag(const Meta& file, std::string_view name, std::optional<bool>& into) {
  const std::string key = kPrefix + std::string(name);
  if (!file.has(key)) return {};
  auto flag = file.boolean(key);
  if (!flag) return std::move(flag).error();
  into = *flag;
  return {};
}

// Arrays beside the tokens are read once their length is known to be right.
Result<bool> beside_tokens(const Meta& file, const std::string& key, size_t tokens) {
  if (!file.has(key)) return false;
  if (file.count(key) == tokens) return true;
  return Error{ErrorCode::kDataRefused,
               fmt::format("{}: key '{}' has {} elements, expected {}, one for each token",
                           file.place(), key, file.count(key), tokens),
               ""};
}

Result<void> read_arrays(const Meta& file, VocabSource& vocab) {
  auto tokens = file.texts(kPrefix + "tokens");
  if (!tokens) return std::move(tokens).error();
  vocab.tokens = std::move(*tokens);
  auto scored = beside_tokens(file, kPrefix + "scores", vocab.tokens.size());
  if (!scored) return std::move(scored).error();
  if (*scored) {
    auto scores = file.numbers(kPrefix + "scores");
    if (!scores) return std::move(scores).error();
    vocab.scores = std::move(*scores);
  }
  auto typed = beside_tokens(file, kPrefix + "token_type", vocab.tokens.size());
  if (!typed) return std::move(typed).error();
  if (*typed) {
    auto types = file.integers(kPrefix + "token_type");
    if (!types) return std::move(types).error();
    for (int64_t type : *types)  // what is out of range stays out of range
      vocab.token_types.push_back(static_cast<int32_t>(std::clamp<int64_t>(type, -1, INT32_MAX)));
  }
  if (!file.has(kPrefix + "merges")) return {};
  auto merges = file.texts(kPrefix + "merges");
  if (!merges) return std::move(merges).error();
  vocab.merges = std::move(*merges);
  return {};
}

Result<void> read_ids(const Meta& file, VocabSource& vocab) {
  const struct {
    std::string_view name;
    std::optional<uint64_t>& into;
  } rows[] = {{"bos", vocab.bos_id},
              {"eos", vocab.eos_id},
              {"eot", vocab.eot_id},
              {"eom", vocab.eom_id},
              {"unknown", vocab.unknown_id},
              {"seperator", vocab.separator_id},  // as files spell it
              {"separator", vocab.separator_id},
              {"padding", vocab.padding_id},
              {"fim_pre", vocab.fim_prefix_id},
              {"prefix", vocab.fim_prefix_id},  // older names follow the newer ones
              {"fim_suf", vocab.fim_suffix_id},
              {"suffix", vocab.fim_suffix_id},
              {"fim_mid", vocab.fim_middle_id},
              {"middle", vocab.fim_middle_id},
              {"fim_pad", vocab.fim_pad_id},
              {"fim_rep", vocab.fim_repo_id},
              {"fim_sep", vocab.fim_separator_id}};
  for (const auto& row : rows)
    if (auto done = read_id(file, row.name, row.into); !done) return done;
  return {};
}

bool is_phi3(const Meta& file) {
  const auto arch = file.text_or("general.architecture", "");
  if (arch && *arch == "phi3") return true;
  const auto title = file.text_or("general.name", "");
  if (!title) return false;
  std::string name(title->substr(0, 256));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return name.find("phi-3") != name.npos || name.find("phi3") != name.npos;
}

}  // namespace

Result<VocabSource> read_vocab_source(const Meta& file) {
  VocabSource vocab;
  auto model = file.text(kPrefix + "model");
  if (!model) return std::move(model).error();
  vocab.model = *model;
  if (file.has(kPrefix + "pre")) {
    auto pre = file.text(kPrefix + "pre");
    if (!pre) return std::move(pre).error();
    vocab.pre = std::string(*pre);
  }
  if (auto done = read_arrays(file, vocab); !done) return std::move(done).error();
  if (auto done = read_ids(file, vocab); !done) return std::move(done).error();
  const struct {
    std::string_view name;
    std::optional<bool>& into;
  } flags[] = {{"add_bos_token", vocab.add_bos},
               {"add_eos_token", vocab.add_eos},
               {"add_sep_token", vocab.add_separator},
               {"add_space_prefix", vocab.add_space_prefix}};
  for (const auto& flag : flags)
    if (auto done = read_flag(file, flag.name, flag.into); !done) return std::move(done).error();
  vocab.special_strips_right = is_phi3(file);
  return vocab;
}

}  // namespace aictl::inference
