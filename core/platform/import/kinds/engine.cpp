// The command line of a server as the fields of a model.
#include <algorithm>
#include <charconv>

#include "core/placement/model/formats.hpp"
#include "core/platform/import/kinds/pods.hpp"
#include "core/platform/plan/workloads/workloads.hpp"

namespace aictl::platform {
namespace {

enum class Meaning : uint8_t {
  kSource,
  kName,
  kRevision,
  kContext,
  kSequences,
  kQuant,
  kCache,
  kTensor,
  kAdapters,
  kOurs,    // with its value: generate writes it
  kSwitch,  // without one: the same
  kBackend,
  kMore,  // kept in args
};

struct Flag {
  std::string_view name;
  Meaning meaning;
};

constexpr Flag kVllm[] = {{"--model", Meaning::kSource},
                          {"--model-id", Meaning::kSource},
                          {"--served-model-name", Meaning::kName},
                          {"--model-name", Meaning::kName},
                          {"--revision", Meaning::kRevision},
                          {"--max-model-len", Meaning::kContext},
                          {"--max-length", Meaning::kContext},
                          {"--max-num-seqs", Meaning::kSequences},
                          {"--quantization", Meaning::kQuant},
                          {"-q", Meaning::kQuant},
                          {"--kv-cache-dtype", Meaning::kCache},
                          {"--tensor-parallel-size", Meaning::kTensor},
                          {"-tp", Meaning::kTensor},
                          {"--pipeline-parallel-size", Meaning::kOurs},
                          {"-pp", Meaning::kOurs},
                          {"--lora-modules", Meaning::kAdapters},
                          {"--enable-lora", Meaning::kSwitch},
                          {"--host", Meaning::kOurs},
                          {"--port", Meaning::kOurs},
                          {"--shutdown-timeout", Meaning::kOurs},
                          {"--disable-access-log-for-endpoints", Meaning::kOurs},
                          {"--distributed-executor-backend", Meaning::kOurs},
                          {"--nnodes", Meaning::kOurs},
                          {"--master-addr", Meaning::kOurs},
                          {"--node-rank", Meaning::kOurs},
                          {"--headless", Meaning::kSwitch}};

constexpr Flag kAictl[] = {{"--name", Meaning::kName},
                           {"--context", Meaning::kContext},
                           {"--concurrency", Meaning::kSequences},
                           {"--address", Meaning::kOurs},
                           {"--kv-memory", Meaning::kOurs},
                           {"--threads", Meaning::kOurs},
                           {"--drain-timeout", Meaning::kOurs},
                           {"--insecure", Meaning::kSwitch},
                           {"--backend", Meaning::kBackend}};

Meaning meaning_of(std::span<const Flag> flags, std::string_view name) {
  for (const Flag& each : flags)
    if (each.name == name) return each.meaning;
  return Meaning::kMore;
}

// 32768, 32k (of 1000), 32K (of 1024): as vLLM reads them.
std::optional<int64_t> tokens(std::string_view text) {
  int64_t scale = 1;
  if (text.ends_with('k')) scale = 1000;
  if (text.ends_with('K')) scale = 1024;
  if (text.ends_with('m')) scale = 1000000;
  if (text.ends_with('M')) scale = 1 << 20;
  if (scale > 1) text.remove_suffix(1);
  int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size() || value < 0 || value > (1 << 30))
    return std::nullopt;
  return value * scale;
}

bool take_number(const std::string& value, const char* key, Json& fields) {
  const auto number = tokens(value);
  if (number) fields[key] = *number;
  return number.has_value();
}

bool take_quant(const std::string& value, Json& fields) {
  const std::string quant = placement::canonical_quant(value);
  if (quant != "FP8" && quant != "AWQ" && quant != "GPTQ") return false;
  std::string low = quant;
  std::ranges::transform(low, low.begin(), [](char c) { return char(c | 0x20); });
  fields["quantisation"] = low;
  return true;
}

bool take_cache(const std::string& value, Json& fields) {
  if (value == "auto") return true;
  if (value != "fp8" && value != "fp8_e4m3") return false;
  fields["kv_type"] = "fp8";
  return true;
}

bool take_adapter(const std::string& value, Json& fields) {
  const size_t equals = value.find('=');
  if (equals == value.npos || value.starts_with('{')) return false;
  fields["adapters"].push_back(
      {{"name", value.substr(0, equals)}, {"source", source_of(value.substr(equals + 1))}});
  return true;
}

// Whether the fields have what the flag says.
bool take_meaning(Meaning meaning, const std::string& value, Entry& entry) {
  Json& fields = entry.fields;
  switch (meaning) {
    case Meaning::kSource:
      fields["source"] = source_of(value);
      if (!fields.contains("name")) fields["name"] = value;
      return true;
    case Meaning::kName:
      fields["name"] = value;
      return true;
    case Meaning::kRevision:
      fields["revision"] = value;
      return true;
    case Meaning::kContext:
      return take_number(value, "context", fields);
    case Meaning::kSequences:
      return take_number(value, "concurrency", fields);
    case Meaning::kQuant:
      return take_quant(value, fields);
    case Meaning::kCache:
      return take_cache(value, fields);
    case Meaning::kTensor:
      return take_number(value, "tensor_parallel", fields);
    case Meaning::kAdapters:
      return take_adapter(value, fields);
    case Meaning::kBackend:
      entry.on_cpu = value == "cpu";
      fields["device"] = value == "cpu" ? "cpu" : "gpu";
      return true;
    case Meaning::kOurs:
    case Meaning::kSwitch:
      return true;
    case Meaning::kMore:
      return false;
  }
  return false;
}

// A flag, its value and whether that stood apart from it.
struct Argument {
  std::string flag, value;
  std::vector<std::string> words;
};

std::string dashed(std::string flag) {
  if (flag.starts_with("--")) std::replace(flag.begin() + 2, flag.end(), '_', '-');
  return flag;
}

bool is_flag(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && (word[1] < '0' || word[1] > '9');
}

// The flags of a command line with what follows each.
std::vector<Argument> arguments_of(std::span<const std::string> words, std::span<const Flag> flags,
                                   std::vector<std::string>& places) {
  std::vector<Argument> list;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!is_flag(words[i])) {
      places.push_back(words[i]);
      continue;
    }
    const size_t equals = std::min(words[i].find('='), words[i].size());
    Argument argument{dashed(words[i].substr(0, equals)), "", {words[i]}};
    const Meaning meaning = meaning_of(flags, argument.flag);
    if (equals < words[i].size()) {
      argument.value = words[i].substr(equals + 1);
    } else if (meaning != Meaning::kSwitch && i + 1 < words.size() && !is_flag(words[i + 1])) {
      argument.value = words[++i];
      argument.words.push_back(words[i]);
    }
    const bool several = meaning == Meaning::kAdapters || meaning == Meaning::kName;
    list.push_back(argument);
    while (several && i + 1 < words.size() && !is_flag(words[i + 1]))
      list.push_back({argument.flag, words[i + 1], {argument.flag, words[i + 1]}}), ++i;
  }
  return list;
}

// What generate gives every vLLM.
bool is_ours(const Argument& argument) {
  return argument.flag == "--gpu-memory-utilization" &&
         (argument.value == "0.9" || argument.value == "0.90");
}

void read_flags(std::span<const std::string> words, std::span<const Flag> flags,
                const Process& process, Entry& entry) {
  std::vector<std::string> places;
  const std::vector<Argument> list = arguments_of(words, flags, places);
  if (!places.empty()) take_meaning(Meaning::kSource, places.front(), entry);
  bool named = false;
  for (const Argument& each : list) {
    const Meaning meaning = meaning_of(flags, each.flag);
    if (each.flag == "--api-key") {
      process.container["args"].leave("a key in clear; gateway.keys_secret names a secret");
    } else if (meaning == Meaning::kName && named) {
      process.container["args"].leave("a model of the spec has one name");
    } else if (!is_ours(each) && !take_meaning(meaning, each.value, entry)) {
      for (const std::string& word : each.words) entry.fields["args"].push_back(word);
    }
    named |= meaning == Meaning::kName;
  }
}

std::string_view base(std::string_view word) { return word.substr(word.rfind('/') + 1); }

constexpr size_t kNone = size_t(-1);

// Where the words after the program begin; nothing when it is another program.
size_t after_vllm(const Process& process) {
  const std::vector<std::string>& words = process.words;
  const bool of_vllm = process.image.find("vllm") != std::string::npos;
  if (words.empty()) return of_vllm && process.gpus > 0 ? 0 : kNone;
  if (base(words[0]) == "vllm") return words.size() > 1 && words[1] == "serve" ? 2 : kNone;
  for (size_t i = 0; i + 1 < words.size() && i < 4; ++i)
    if (words[i] == "-m" && (words[i + 1].starts_with("vllm.entrypoints.openai") ||
                             words[i + 1].starts_with("huggingfaceserver")))
      return i + 2;
  if (words[0] == "serve" && of_vllm) return 1;
  // The image's own entry point is the server.
  const bool flags = words[0].starts_with("--") || words[0].find('/') != words[0].npos;
  const bool command = process.container["command"].size() > 0;
  return of_vllm && flags && !command ? 0 : kNone;
}

}  // namespace

std::string source_of(std::string_view text) {
  if (text.find("://") != text.npos) return std::string(text);
  const size_t slash = text.find('/');
  const bool repository = slash != text.npos && slash > 0 && slash + 1 < text.size() &&
                          text.find('/', slash + 1) == text.npos && text[0] != '.' &&
                          text[0] != '~' && !text.ends_with(".gguf");
  return repository ? "hf://" + std::string(text) : std::string(text);
}

std::string_view program_of(const Process& process) {
  const std::vector<std::string>& words = process.words;
  if (words.size() > 1 && base(words[0]) == "aictl")
    for (const std::string_view name :
         {"aictl serve", "aictl gateway", "aictl state", "aictl events"})
      if (words[1] == name.substr(6)) return name;
  return after_vllm(process) != kNone ? "vllm" : "";
}

bool take_vllm_flag(std::string flag, const std::string& value, Json& fields) {
  Entry entry;
  entry.fields = fields;
  const Meaning meaning = meaning_of(kVllm, dashed(std::move(flag)));
  if (!take_meaning(meaning, value, entry)) return false;
  fields = std::move(entry.fields);
  return true;
}

void read_server(const Process& process, Entry& entry) {
  const bool vllm = program_of(process) == "vllm";
  const std::span<const std::string> words(process.words);
  if (vllm) {
    entry.fields["engine"] = "vllm";
    read_flags(words.subspan(after_vllm(process)), kVllm, process, entry);
  } else {
    read_flags(words.subspan(2), kAictl, process, entry);
  }
  const std::string_view standard = vllm ? kVllmImage : kAictlImage;
  if (!process.image.empty() && process.image != standard) entry.fields["image"] = process.image;
  entry.gpus = process.gpus;
  entry.cpus = process.cpus;
  entry.memory = process.memory;
  for (const Variable& v : process.env) {
    const bool token = v.name == "HF_TOKEN" || v.name == "HUGGING_FACE_HUB_TOKEN";
    const bool ours = v.name == "HOME" || v.name == "HF_HUB_OFFLINE" ||
                      v.name == "CUDA_DEVICE_ORDER" || v.name == "VLLM_LOGGING_LEVEL";
    if (token && !v.secret.empty()) {
      entry.fields["secret"] = v.secret;
      if (v.key != "HF_TOKEN") v.part.leave("the hub's token is the key HF_TOKEN of its secret");
    } else if (!ours) {
      v.part.leave("a model of the spec has no variables");
    }
  }
}

void read_annotations(Object& object, Entry& entry) {
  const auto take = [&](const char* annotation, const char* field) {
    const std::string value = object.annotation(std::string("aictl.dev/") + annotation);
    if (!value.empty()) entry.fields[field] = value;
  };
  take("source", "source");
  take("model", "name");
  take("revision", "revision");
  take("checksum", "checksum");
  take("shape", "shape");
  entry.pool = object.annotation("aictl.dev/pool");
}

}  // namespace aictl::platform
