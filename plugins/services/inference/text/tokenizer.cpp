#include "plugins/services/inference/text/tokenizer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "plugins/services/inference/text/encode/bpe.hpp"
#include "plugins/services/inference/text/encode/byte_map.hpp"
#include "plugins/services/inference/text/encode/special_matcher.hpp"
#include "plugins/services/inference/text/encode/spm.hpp"

namespace aictl {
namespace {

constexpr std::string_view kLineSpace = " \t\n\v\f\r";

// The bytes of each token, in one string.
struct Pieces {
  std::string bytes;
  std::vector<uint32_t> offsets = {0};

  explicit Pieces(const Vocab& vocab) {
    bytes.reserve(vocab.pieces.bytes().size());
    offsets.reserve(static_cast<size_t>(vocab.size()) + 1);
    for (int32_t id = 0; id < vocab.size(); ++id) {
      if (vocab.kind == VocabKind::kSpm)
        append_spm(vocab, id);
      else
        append_bpe(vocab, id);
      offsets.push_back(static_cast<uint32_t>(bytes.size()));
    }
  }

  void append_spm(const Vocab& vocab, int32_t id) {
    constexpr std::string_view kSpace = "\xE2\x96\x81";
    std::string_view text = vocab.text(id);
    const int byte = vocab.type(id) == TokenType::kByte ? byte_of_piece(text) : -1;
    if (byte >= 0) return bytes.push_back(static_cast<char>(byte));
    if (vocab.is_control(id)) {
      bytes += text;
      return;
    }
    for (size_t at; (at = text.find(kSpace)) != text.npos; text.remove_prefix(at + kSpace.size())) {
      bytes += text.substr(0, at);
      bytes.push_back(' ');
    }
    bytes += text;
  }

  // Special tokens are spelled as they are, the others byte by byte.
  void append_bpe(const Vocab& vocab, int32_t id) {
    if (vocab.is_control(id) || vocab.type(id) == TokenType::kUserDefined)
      bytes += vocab.text(id);
    else
      append_unmapped(bytes, vocab.text(id));
  }

  std::string_view operator[](int32_t id) const {
    const auto at = static_cast<size_t>(id);
    return std::string_view(bytes).substr(offsets[at], offsets[at + 1] - offsets[at]);
  }
};

}  // namespace

struct Tokenizer::State {
  Vocab vocab;
  Pieces pieces;
  SpecialMatcher specials;
  std::optional<SpmEncoder> spm;
  std::optional<BpeEncoder> bpe;
  int32_t mask = Vocab::kNoToken;  // swallows the white space before it

  explicit State(Vocab built) : vocab(std::move(built)), pieces(vocab), specials(vocab) {
    for (const std::string_view text : {"<mask>", "[MASK]"})
      if (mask == Vocab::kNoToken) mask = vocab.find(text);
  }

  /// Phi-3's rule: all special tokens but these.
  bool strips_right(int32_t id) const {
    if (!vocab.special_strips_right) return false;
    const std::string_view text = vocab.text(id);
    return text != "<unk>" && text != "<s>" && text != "<|endoftext|>";
  }
};

/// Where the trusted stretches of a text lie: neither empty nor touching each other.
struct Tokenizer::Trust {
  struct Stretch {
    size_t begin, end;
  };
  std::vector<Stretch> stretches;

  void add(size_t begin, size_t end) {
    if (begin == end) return;
    if (!stretches.empty() && stretches.back().end == begin)
      stretches.back().end = end;
    else
      stretches.push_back({begin, end});
  }
};

Tokenizer::Tokenizer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::make(const VocabSource& source) {
  auto vocab = Vocab::build(source);
  if (!vocab) return std::move(vocab).error();
  auto state = std::make_unique<State>(std::move(*vocab));
  if (state->vocab.kind == VocabKind::kSpm) {
    state->spm.emplace(state->vocab);
    return Tokenizer(std::move(state));
  }
  auto bpe = BpeEncoder::make(state->vocab, *find_pre_row(state->vocab.pre));
  if (!bpe) return std::move(bpe).error();
  state->bpe.emplace(std::move(*bpe));
  return Tokenizer(std::move(state));
}

const Vocab& Tokenizer::vocab() const { return state_->vocab; }

std::string_view Tokenizer::piece(int32_t id) const {
  return vocab().has(id) ? state_->pieces[id] : std::string_view();
}

namespace {

// The text between special tokens, handed to the vocabulary's algorithm.
struct Runs {
  const std::optional<SpmEncoder>& spm;
  const std::optional<BpeEncoder>& bpe;
  bool space_prefix;
  SpmEncoder::Scratch spm_scratch = {};
  BpeEncoder::Scratch bpe_scratch = {};
  std::vector<int32_t> ids = {};

  // Every run is the text's first or follows a special token, so each gets the space.
  Result<void> add(std::string_view run) {
    if (run.empty()) return {};
    if (bpe) return bpe->encode(run, bpe_scratch, ids);
    spm->encode(run, space_prefix, spm_scratch, ids);
    return {};
  }
};

}  // namespace

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, const Trust& trust,
                                               bool add_special) const {
  if (text.size() > kMaxTextBytes)
    return Error{ErrorCode::kTooLarge,
                 fmt::format("a text of {} bytes; the limit is {}", text.size(), kMaxTextBytes),
                 "shorten the text"};
  const Vocab& vocab = state_->vocab;
  Runs runs{state_->spm, state_->bpe, vocab.add_space_prefix};
  const bool bos = add_special && vocab.add_bos && vocab.bos != Vocab::kNoToken;
  if (bos) runs.ids.push_back(vocab.bos);

  size_t run = 0;  // where the present run begins
  auto stretch = trust.stretches.begin();
  for (size_t at = 0; at < text.size();) {
    if (!state_->specials.may_start(text[at])) {
      ++at;
      continue;
    }
    while (stretch != trust.stretches.end() && stretch->end <= at) ++stretch;
    const bool trusted = stretch != trust.stretches.end() && stretch->begin <= at;
    const auto match = state_->specials.longest(text.substr(at), trusted ? stretch->end - at : 0);
    if (match.length == 0) {
      ++at;
      continue;
    }
    std::string_view before = text.substr(run, at - run);
    if (match.id == state_->mask)
      before = before.substr(0, before.find_last_not_of(kLineSpace) + 1);
    if (auto done = runs.add(before); !done) return std::move(done).error();
    runs.ids.push_back(match.id);
    at += match.length;
    if (state_->strips_right(match.id))
      at = std::min(text.find_first_not_of(kLineSpace, at), text.size());
    run = at;
  }
  if (auto done = runs.add(text.substr(run)); !done) return std::move(done).error();

  std::vector<int32_t>& ids = runs.ids;
  if (bos && ids.size() > 1 && ids[1] == vocab.bos) ids.erase(ids.begin());
  if (add_special && vocab.add_eos && vocab.eos != Vocab::kNoToken) ids.push_back(vocab.eos);
  if (add_special && vocab.add_separator && vocab.separator != Vocab::kNoToken)
    ids.push_back(vocab.separator);
  return std::move(runs.ids);
}

Result<std::vector<int32_t>> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
  Trust trust;
  if (options.parse_special) trust.add(0, text.size());
  return encode(text, trust, options.add_special);
}

Result<std::vector<int32_t>> Tokenizer::encode_spans(std::span<const TextSpan> spans,
                                                     bool add_special) const {
  size_t bytes = 0;
  for (const TextSpan& span : spans) bytes += span.text.size();
  if (bytes > kMaxTextBytes)
    return Error{ErrorCode::kTooLarge,
                 fmt::format("a text of {} bytes; the limit is {}", bytes, kMaxTextBytes),
                 "shorten the text"};
  std::string text;
  text.reserve(bytes);
  Trust trust;
  for (const TextSpan& span : spans) {
    const size_t begin = text.size();
    text += span.text;
    if (span.trusted) trust.add(begin, text.size());
  }
  return encode(text, trust, add_special);
}

}  // namespace aictl
