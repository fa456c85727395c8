#include "plugins/services/inference/load/model.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>
#include <xxhash.h>

#include "plugins/services/inference/load/gguf_parse.hpp"
#include "plugins/services/inference/spec/arch.hpp"
#include "plugins/services/inference/spec/vocab_source.hpp"

namespace aictl::inference {
namespace {

constexpr size_t kLongestTemplate = size_t{1} << 20;
constexpr size_t kSample = 4096;
constexpr size_t kMaxTemplates = 64;

Result<void> read_vocab(const Gguf& file, const ModelSpec& spec, VocabSource& into) {
  const auto kind = file.text_or("tokenizer.ggml.model", "none");
  if (!kind) return Error(kind.error());
  if (*kind == "none" || *kind == "no_vocab") return {};
  auto vocab = read_vocab_source(file);
  if (!vocab) return std::move(vocab).error();
  if (vocab->tokens.size() > static_cast<size_t>(spec.vocab))
    return Error{
        ErrorCode::kDataRefused,
        fmt::format("{}: key 'tokenizer.ggml.tokens' has {} elements, expected at most the "
                    "{} rows of tensor 'token_embd.weight'",
                    file.place(), vocab->tokens.size(), spec.vocab),
        ""};
  into = std::move(*vocab);
  return {};
}

std::string canonical(const ModelSpec& s) {
  std::string text = fmt::format("{} {} {} {} {} {} {} {} {} {:a} {:a} {} {} {} {} {} {:a} {}",
                                 s.arch, s.n_layers, s.hidden, s.n_heads, s.n_kv_heads, s.head_dim,
                                 s.ffn, s.vocab, s.max_positions, s.norm_eps, s.attn_scale,
                                 s.qk_norm, s.qkv_bias, s.tied_head, static_cast<int>(s.rope.style),
                                 s.rope.dims, s.rope.amplitude, static_cast<int>(s.pooling));
  for (double f : s.rope.inv_freq) text += fmt::format(" {:a}", f);
  return text;
}

std::string fingerprint_of(const ModelSpec& spec, const Gguf& file) {
  std::vector<const FileTensor*> tensors;
  for (const FileTensor& tensor : file.tensors()) tensors.push_back(&tensor);
  std::sort(tensors.begin(), tensors.end(),
            [](const FileTensor* a, const FileTensor* b) { return a->name < b->name; });
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> hash(XXH3_createState(),
                                                                      XXH3_freeState);
  XXH3_128bits_reset(hash.get());
  const std::string head = canonical(spec);
  XXH3_128bits_update(hash.get(), head.data(), head.size());
  for (const FileTensor* tensor : tensors) {
    const std::string row =
        fmt::format("\n{} {} {}", tensor->name, tensor->gguf_type, fmt::join(tensor->dims, ","));
    XXH3_128bits_update(hash.get(), row.data(), row.size());
    const size_t size = std::min(kSample, tensor->bytes);
    for (size_t at : {size_t{0}, (tensor->bytes - size) / 2, tensor->bytes - size})
      XXH3_128bits_update(hash.get(), tensor->data + at, size);
  }
  const XXH128_hash_t digest = XXH3_128bits_digest(hash.get());
  return fmt::format("{:016x}{:016x}", digest.high64, digest.low64);
}

Json describe_types(const Gguf& file) {
  std::map<std::string_view, std::pair<uint64_t, uint64_t>> types;  // name -> tensors, bytes
  for (const FileTensor& tensor : file.tensors()) {
    auto& row = types[gguf_type_name(tensor.gguf_type)];
    row.first += 1;
    row.second += tensor.bytes;
  }
  Json out = Json::object();
  for (const auto& [name, row] : types)
    out[std::string(name)] = {{"tensors", row.first}, {"bytes", row.second}};
  return out;
}

}  // namespace

Result<std::vector<std::pair<std::string, std::string>>> read_templates(const Gguf& file) {
  std::vector<std::pair<std::string, std::string>> into;
  constexpr std::string_view kKey = "tokenizer.chat_template";
  for (const GgufEntry& entry : file.entries()) {
    if (!entry.key.starts_with(kKey)) continue;
    std::string_view name = entry.key.substr(kKey.size());
    if (!name.empty() && name[0] != '.') continue;  // tokenizer.chat_templates: the list of names
    if (!name.empty()) name.remove_prefix(1);
    auto text = file.text(entry.key);
    if (!text) return std::move(text).error();
    if (text->size() > kLongestTemplate || into.size() == kMaxTemplates)
      return Error{ErrorCode::kTooLarge,
                   fmt::format("{}: key {}: found {} bytes, expected at most {} and {} templates",
                               file.place(), quoted(entry.key), text->size(), kLongestTemplate,
                               kMaxTemplates),
                   ""};
    into.emplace_back(name, *text);
  }
  std::stable_sort(into.begin(), into.end(), [](const auto& a, const auto& b) {
    return a.first.empty() && !b.first.empty();
  });
  return into;
}

Result<Model> Model::open(const std::filesystem::path& path) {
  auto file = Gguf::open(path);
  if (!file) return std::move(file).error();
  return understand(std::move(*file));
}

Result<Model> Model::parse(std::span<const std::byte> bytes, std::string_view place) {
  auto file = Gguf::parse(bytes, place);
  if (!file) return std::move(file).error();
  return understand(std::move(*file));
}

Result<Model> Model::understand(Gguf opened) {
  auto state = std::make_unique<State>(std::move(opened));
  auto spec = read_spec(state->file);
  if (!spec) return std::move(spec).error();
  auto table = bind_tensors(state->file, *spec);
  if (!table) return std::move(table).error();
  state->spec = std::move(*spec);
  state->table = std::move(*table);
  if (state->table.get({Slot::kQ, 0}).type == DType::kF32) state->spec.kv_type = DType::kF32;
  if (auto done = read_vocab(state->file, state->spec, state->vocab); !done)
    return std::move(done).error();
  auto templates = read_templates(state->file);
  if (!templates) return std::move(templates).error();
  state->templates = std::move(*templates);
  state->fingerprint = fingerprint_of(state->spec, state->file);
  return Model(std::move(state));
}

Json Model::describe() const {
  const ModelSpec& s = spec();
  Json names = Json::array();
  for (const auto& [name, text] : chat_templates())
    names.push_back(name.empty() ? "default" : name);
  Json out = {{"name", s.name},
              {"architecture", s.arch},
              {"parameters", parameters()},
              {"weight_bytes", weight_bytes()},
              {"file_bytes", file().file_bytes()},
              {"file", file().place()},
              {"format", fmt::format("GGUF v{}", file().version())},
              {"fingerprint", fingerprint()},
              {"context_length", s.max_positions},
              {"layers", s.n_layers},
              {"hidden", s.hidden},
              {"heads", s.n_heads},
              {"kv_heads", s.n_kv_heads},
              {"head_dim", s.head_dim},
              {"ffn", s.ffn},
              {"vocab", s.vocab},
              {"tied_head", s.tied_head},
              {"qkv_bias", s.qkv_bias},
              {"qk_norm", s.qk_norm},
              {"norm_eps", s.norm_eps}};
  out["kv_bytes_per_token"] =
      int64_t{s.n_layers} * 2 * static_cast<int64_t>(row_bytes(s.kv_type, s.kv_dim()));
  out["rope"] = {{"style", s.rope.style == RopeStyle::kPair ? "pair" : "half"},
                 {"dims", s.rope.dims},
                 {"amplitude", s.rope.amplitude}};
  out["types"] = describe_types(file());
  out["tokenizer"] = vocab().tokens.empty() ? Json(nullptr)
                                            : Json{{"model", vocab().model},
                                                   {"pre", vocab().pre.value_or("default")},
                                                   {"tokens", vocab().tokens.size()},
                                                   {"merges", vocab().merges.size()}};
  out["chat_templates"] = std::move(names);
  for (const char* key : {"license", "author", "organization", "size_label", "finetune"}) {
    const auto text = file().text_or(fmt::format("general.{}", key), "");
    if (text && !text->empty()) out[key] = std::string(text->substr(0, 256));
  }
  return out;
}

Result<void> Model::verify() const {
  std::vector<float> row;
  for (TensorId id : tensors_of(spec())) {
    const TensorView view = tensors().get(id);
    row.resize(static_cast<size_t>(view.cols));
    for (int64_t r = 0; r < view.rows; ++r) {
      dequant_row(view.type, view.data + static_cast<size_t>(r) * view.row_bytes, row.data(),
                  view.cols);
      for (int64_t c = 0; c < view.cols; ++c)
        if (!std::isfinite(row[static_cast<size_t>(c)]))
          return Error{
              ErrorCode::kDataRefused,
              fmt::format("{}: tensor '{}' has {} at row {}, column {}, expected a finite "
                          "number",
                          file().place(), tensor_name(id), row[static_cast<size_t>(c)], r, c),
              "the file is damaged; fetch it again"};
    }
  }
  return {};
}

}  // namespace aictl::inference
