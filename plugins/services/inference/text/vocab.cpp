#include "plugins/services/inference/text/vocab.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/base/utf8.hpp"
#include "plugins/services/inference/text/encode/pre_rows.hpp"
#include "plugins/services/inference/text/encode/spm.hpp"

namespace aictl {
namespace {

constexpr size_t kMaxTokens = size_t{1} << 28, kMaxBytes = size_t{1} << 30;
constexpr uint64_t kAbsentId = 0xFFFFFFFF;  // how converters write -1

// Tokens that end a generation whatever the file says of them.
constexpr std::string_view kEndTexts[] = {"<|eot_id|>",
                                          "<|im_end|>",
                                          "<|end|>",
                                          "<|return|>",
                                          "<|call|>",
                                          "<|flush|>",
                                          "<|calls|>",
                                          "<end_of_turn>",
                                          "<|endoftext|>",
                                          "</s>",
                                          "<|eom_id|>",
                                          "<EOT>",
                                          "_<EOT>",
                                          "[EOT]",
                                          "[EOS]",
                                          "<|end_of_text|>",
                                          "<end_of_utterance>",
                                          "<eos>",
                                          "<turn|>",
                                          "<|tool_response>",
                                          "<｜end▁of▁sentence｜>"};

// Infill tokens by their text, for files that do not name them.
struct FimTexts {
  int32_t Vocab::*id;
  std::vector<std::string_view> texts;
};

const std::vector<FimTexts>& fim_texts() {
  static const std::vector<FimTexts> kTexts = {
      {&Vocab::fim_prefix,
       {"<|fim_prefix|>", "<fim-prefix>", "<fim_prefix>", "<｜fim▁begin｜>", "<PRE>", "▁<PRE>",
        "<|code_prefix|>", "<|prefix|>"}},
      {&Vocab::fim_suffix,
       {"<|fim_suffix|>", "<fim-suffix>", "<fim_suffix>", "<｜fim▁hole｜>", "<SUF>", "▁<SUF>",
        "<|code_suffix|>", "<|suffix|>"}},
      {&Vocab::fim_middle,
       {"<|fim_middle|>", "<fim-middle>", "<fim_middle>", "<｜fim▁end｜>", "<MID>", "▁<MID>",
        "<|code_middle|>", "<|middle|>"}},
      {&Vocab::fim_repo, {"<|fim_repo|>", "<|repo_name|>", "<fim-repo>", "<REPO>", "<reponame>"}},
      {&Vocab::fim_separator, {"<|file_sep|>"}},
      {&Vocab::fim_pad, {"<|fim_pad|>", "<PAD>", "[PAD]"}}};
  return kTexts;
}

Error refused(std::string message) {
  return Error{ErrorCode::kDataRefused, std::move(message), "the model file is damaged"};
}

Result<void> check_lengths(const VocabSource& source, VocabKind kind) {
  const size_t count = source.tokens.size();
  if (count == 0 || count > kMaxTokens)
    return refused(fmt::format("the vocabulary has {} tokens, not 1..{}", count, kMaxTokens));
  const auto same = [&](std::string_view key, size_t length) -> Result<void> {
    if (length == count) return {};
    return refused(fmt::format("{} has {} entries for {} tokens", key, length, count));
  };
  if (kind == VocabKind::kSpm || !source.scores.empty())
    if (auto ok = same("tokenizer.ggml.scores", source.scores.size()); !ok) return ok;
  if (!source.token_types.empty())
    if (auto ok = same("tokenizer.ggml.token_type", source.token_types.size()); !ok) return ok;
  size_t bytes = 0;
  for (const auto& list : {&source.tokens, &source.merges})
    for (const std::string_view text : *list)
      if (text.size() > kMaxBytes || (bytes += text.size()) > kMaxBytes)
        return refused(fmt::format("the vocabulary's texts are longer than {} bytes", kMaxBytes));
  return {};
}

Result<void> add_tokens(const VocabSource& source, Vocab& vocab) {
  size_t bytes = 0, empty = 0, doubles = 0, broken = 0;
  for (const std::string_view token : source.tokens) bytes += token.size();
  const size_t count = source.tokens.size();
  vocab.pieces.reserve(count, bytes);
  vocab.types.resize(count, TokenType::kNormal);
  for (size_t id = 0; id < count; ++id) {
    const std::string_view token = source.tokens[id];
    if (token.empty())
      ++empty;
    else if (!utf8::is_valid(token))
      ++broken;
    if (!vocab.pieces.append(token) && !token.empty()) ++doubles;
    if (!source.token_types.empty()) {
      const int32_t type = source.token_types[id];
      if (type < 0 || type > static_cast<int32_t>(TokenType::kByte))
        return refused(
            fmt::format("tokenizer.ggml.token_type of token {} is {}, not 0..6", id, type));
      vocab.types[id] = static_cast<TokenType>(type);
    } else if (vocab.kind == VocabKind::kSpm && byte_of_piece(token) >= 0) {
      vocab.types[id] = TokenType::kByte;
    }
  }
  if (!vocab.pieces.well_spread())
    return Error{ErrorCode::kDataRefused, "the vocabulary's tokens collide too often",
                 "the file looks made to slow its reader down"};
  const auto warn = [&](size_t number, std::string_view what) {
    if (number != 0) vocab.warnings.push_back(fmt::format("{} tokens {}", number, what));
  };
  warn(empty, "are empty; they are never produced from text");
  warn(doubles, "repeat an earlier one; they are never produced from text");
  warn(broken, "are no valid UTF-8");
  if (source.token_types.empty()) vocab.warnings.push_back("token types are missing");
  return {};
}

Result<void> add_scores(const VocabSource& source, Vocab& vocab) {
  if (vocab.kind != VocabKind::kSpm) return {};
  for (size_t id = 0; id < source.scores.size(); ++id)
    if (!std::isfinite(source.scores[id]))
      return refused(fmt::format("tokenizer.ggml.scores of token {} is {}", id, source.scores[id]));
  vocab.scores = source.scores;
  return {};
}

struct Halves {
  std::string_view left, right;  // empty: malformed
};

// At the first space after the first character, which may itself be a space.
Halves split_merge(std::string_view merge) {
  const size_t space = merge.empty() ? merge.npos : merge.find(' ', 1);
  if (space == merge.npos || space + 1 == merge.size()) return {};
  return {merge.substr(0, space), merge.substr(space + 1)};
}

Result<void> add_merges(const VocabSource& source, Vocab& vocab) {
  if (vocab.kind != VocabKind::kBpe) return {};
  const size_t count = source.merges.size();
  if (count > kMaxTokens) return refused(fmt::format("{} merges, more than {}", count, kMaxTokens));
  vocab.merges.reserve(count);
  PieceTable& pieces = vocab.pieces;
  constexpr size_t kAhead = 8;
  std::string joined;
  const bool may_guess = pieces.all_distinct();
  uint32_t guess = 0;  // most vocabularies list the results of merges in order
  for (size_t rank = 0; rank < count; ++rank) {
    if (rank + kAhead < count) {
      const Halves soon = split_merge(source.merges[rank + kAhead]);
      pieces.prefetch(soon.left);
      pieces.prefetch(soon.right);
    }
    const Halves merge = split_merge(source.merges[rank]);
    if (merge.left.empty())
      return refused(fmt::format(
          "tokenizer.ggml.merges entry {} is '{}', not two symbols with a space between", rank,
          utf8::sanitize(source.merges[rank].substr(0, 80))));
    joined.assign(merge.left).append(merge.right);
    const uint32_t left = pieces.intern(merge.left), right = pieces.intern(merge.right);
    const bool guessed = may_guess && guess < pieces.size() && pieces[guess] == joined;
    const uint32_t result = guessed ? guess : pieces.intern(joined);
    vocab.merges.push_back({left, right, result});
    guess = result + 1;
  }
  if (!pieces.well_spread())
    return Error{ErrorCode::kDataRefused, "the vocabulary's merges collide too often",
                 "the file looks made to slow its reader down"};
  return {};
}

Result<void> add_ids(const VocabSource& source, Vocab& vocab) {
  struct Row {
    std::string_view key;
    const std::optional<uint64_t>& from;
    int32_t& to;
    int32_t missing;
  };
  const int32_t none = Vocab::kNoToken;
  const bool spm = vocab.kind == VocabKind::kSpm;
  const Row rows[] = {{"bos", source.bos_id, vocab.bos, spm ? 1 : 11},
                      {"eos", source.eos_id, vocab.eos, spm ? 2 : 11},
                      {"eot", source.eot_id, vocab.eot, none},
                      {"eom", source.eom_id, vocab.eom, none},
                      {"unknown", source.unknown_id, vocab.unknown, spm ? 0 : none},
                      {"seperator", source.separator_id, vocab.separator, none},
                      {"padding", source.padding_id, vocab.padding, none},
                      {"fim_pre", source.fim_prefix_id, vocab.fim_prefix, none},
                      {"fim_suf", source.fim_suffix_id, vocab.fim_suffix, none},
                      {"fim_mid", source.fim_middle_id, vocab.fim_middle, none},
                      {"fim_pad", source.fim_pad_id, vocab.fim_pad, none},
                      {"fim_rep", source.fim_repo_id, vocab.fim_repo, none},
                      {"fim_sep", source.fim_separator_id, vocab.fim_separator, none}};
  const auto size = static_cast<uint64_t>(vocab.size());
  for (const Row& row : rows) {
    // 11 is right where it is a control token, and a comma elsewhere.
    const bool usable = vocab.has(row.missing) && (spm || vocab.is_control(row.missing));
    row.to = !row.from && usable ? row.missing : none;
    if (!row.from || *row.from == kAbsentId) continue;
    if (*row.from >= size)
      return refused(fmt::format("tokenizer.ggml.{}_token_id is {}, but there are {} tokens",
                                 row.key, *row.from, size));
    row.to = static_cast<int32_t>(*row.from);
  }
  for (const uint64_t id : source.end_ids) {
    if (id >= size)
      return refused(fmt::format("end-of-text token {} given, but there are {} tokens", id, size));
    vocab.end_ids.push_back(static_cast<int32_t>(id));
  }
  return {};
}

// Text must not spell this one; some files forget to say so.
void make_control(int32_t id, Vocab& vocab) {
  if (id == Vocab::kNoToken || vocab.is_control(id)) return;
  vocab.warnings.push_back(
      fmt::format("token {} '{}' begins or ends the text, but is no control "
                  "token; it is taken for one",
                  id, utf8::sanitize(vocab.text(id))));
  vocab.types[static_cast<size_t>(id)] = TokenType::kControl;
}

// Infill tokens by their text, and all that end a generation.
void find_special_tokens(Vocab& vocab) {
  for (const FimTexts& row : fim_texts())
    for (const std::string_view text : row.texts)
      if (vocab.*row.id == Vocab::kNoToken) vocab.*row.id = vocab.find(text);

  std::vector<int32_t>& ends = vocab.end_ids;
  for (const int32_t id :
       {vocab.eos, vocab.eot, vocab.eom, vocab.fim_pad, vocab.fim_repo, vocab.fim_separator})
    if (id != Vocab::kNoToken) ends.push_back(id);
  const auto has = [&](std::string_view text) { return vocab.find(text) != Vocab::kNoToken; };
  const bool channels =  // "<|end|>" closes a message there, not the answer
      (has("<|return|>") && has("<|call|>")) || (has("<|calls|>") && has("<|flush|>"));
  const bool tool_response = has("<|tool_response>");
  for (const std::string_view text : kEndTexts) {
    if (text == "<|end|>" && channels) continue;
    if (text == "</s>" && tool_response) continue;
    if (const int32_t id = vocab.find(text); id != Vocab::kNoToken) ends.push_back(id);
  }
  std::ranges::sort(ends);
  ends.erase(std::unique(ends.begin(), ends.end()), ends.end());
  for (const int32_t id : ends) make_control(id, vocab);
  make_control(vocab.bos, vocab);
}

void set_flags(const VocabSource& source, const PreRow* row, Vocab& vocab) {
  const bool spm = vocab.kind == VocabKind::kSpm;
  vocab.add_bos = source.add_bos.value_or(spm || (row != nullptr && row->add_bos));
  vocab.add_eos = source.add_eos.value_or(false);
  vocab.add_separator = source.add_separator.value_or(row != nullptr && row->add_separator);
  vocab.add_space_prefix = source.add_space_prefix.value_or(spm);
  vocab.special_strips_right = source.special_strips_right;
}

}  // namespace

Result<Vocab> Vocab::build(const VocabSource& source) {
  Vocab vocab;
  const PreRow* row = nullptr;
  if (source.model == "llama") {
    vocab.kind = VocabKind::kSpm;
  } else if (source.model == "gpt2") {
    vocab.kind = VocabKind::kBpe;
    vocab.pre = source.pre.value_or("default");
    row = find_pre_row(vocab.pre);
    if (row == nullptr)
      return Error{ErrorCode::kUnsupported,
                   fmt::format("tokenizer.ggml.pre is '{}', which this version does not know",
                               utf8::sanitize(std::string_view(vocab.pre).substr(0, 80))),
                   "a newer aictl may know it"};
    if (vocab.pre == "default")
      vocab.warnings.push_back(
          "the pre-tokenizer is not named; the default one may cut text in the wrong places");
  } else {
    return Error{ErrorCode::kUnsupported,
                 fmt::format("tokenizer.ggml.model is '{}'; supported are 'llama' and 'gpt2'",
                             utf8::sanitize(std::string_view(source.model).substr(0, 80))),
                 "convert a model with a SentencePiece or byte-level BPE vocabulary"};
  }
  if (auto ok = check_lengths(source, vocab.kind); !ok) return std::move(ok).error();
  if (auto ok = add_tokens(source, vocab); !ok) return std::move(ok).error();
  if (auto ok = add_scores(source, vocab); !ok) return std::move(ok).error();
  if (auto ok = add_merges(source, vocab); !ok) return std::move(ok).error();
  if (auto ok = add_ids(source, vocab); !ok) return std::move(ok).error();
  find_special_tokens(vocab);
  set_flags(source, row, vocab);
  return vocab;
}

int32_t Vocab::find(std::string_view text) const {
  const uint32_t index = pieces.find(text);
  return index < types.size() ? static_cast<int32_t>(index) : kNoToken;
}

bool Vocab::is_end(int32_t id) const { return std::ranges::binary_search(end_ids, id); }

}  // namespace aictl
