#include "cmd/generation_flags.hpp"

#include <algorithm>
#include <random>

namespace aictl {
namespace {

// A parameter of the sampler, in the range that requests have.
template <typename Number>
Row number(std::string name, Number* field, std::string_view help) {
  std::string spelled = name;
  std::ranges::replace(spelled, '-', '_');
  const SamplingRange& range = sampling_range(spelled);
  return Row(std::move(name), field, std::string(help)).range(range.least, range.most);
}

}  // namespace

std::vector<Row> generation_rows(GenerationFlags& f) {
  SamplingParams& s = f.sampling;
  std::vector<Row> rows;
  rows.push_back(Row("max-tokens", &f.max_tokens,
                     "tokens to make; 0: until the model ends, or the context is full")
                     .range(0, 1 << 24)
                     .letter('n'));
  rows.push_back(
      number("temperature", &s.temperature, "0 always takes the likeliest token; higher is freer"));
  rows.push_back(
      Row("seed", &f.seed, "the same seed gives the same answer; -1: a new one each time"));
  rows.push_back(number("top-k", &s.top_k, "choose among the K likeliest tokens; 0: all"));
  rows.push_back(
      number("top-p", &s.top_p, "choose among the likeliest tokens that make up this probability"));
  rows.push_back(
      number("min-p", &s.min_p, "drop tokens less likely than this share of the likeliest"));
  rows.push_back(number("typical-p", &s.typical_p, "locally typical sampling; 1: off"));
  rows.push_back(number("top-n-sigma", &s.top_n_sigma,
                        "keep logits within N standard deviations of the best; 0: off"));
  rows.push_back(number("repetition-penalty", &s.repetition_penalty,
                        "above 1 discourages tokens seen before"));
  rows.push_back(number("repeat-last-n", &s.repeat_last_n, "tokens it looks back on; -1: all"));
  rows.push_back(
      number("frequency-penalty", &s.frequency_penalty, "for each time a token was made"));
  rows.push_back(
      number("presence-penalty", &s.presence_penalty, "once for each token that was made"));
  rows.push_back(
      number("dry-multiplier", &s.dry_multiplier, "discourages repeating sequences; 0: off"));
  rows.push_back(number("dry-base", &s.dry_base, "how fast that grows with their length"));
  rows.push_back(
      number("dry-allowed-length", &s.dry_allowed_length, "longest sequence that may repeat"));
  rows.push_back(number("xtc-probability", &s.xtc_probability,
                        "how often the likeliest choices are left out"));
  rows.push_back(number("xtc-threshold", &s.xtc_threshold, "what counts as likely for that"));
  rows.push_back(
      number("mirostat", &s.mirostat, "1 or 2: steer towards a constant surprise; 0: off"));
  rows.push_back(number("mirostat-tau", &s.mirostat_tau, "that surprise, in bits"));
  rows.push_back(number("mirostat-eta", &s.mirostat_eta, "how fast it steers"));
  rows.push_back(Row("ignore-eos", &f.ignore_eos, "go on where the model would end"));
  rows.push_back(
      Row("stop", &f.stop, "text that ends the answer; may be repeated").verbatim().value("TEXT"));
  for (Row& row : engine_rows(f.engine))
    if (row.name() != "concurrency" && row.name() != "max-queue") rows.push_back(std::move(row));
  return rows;
}

GenerateRequest generate_request(const GenerationFlags& flags, std::vector<int32_t> prompt) {
  GenerateRequest request;
  request.prompt = std::move(prompt);
  request.sampling = flags.sampling;
  request.sampling.seed =
      flags.seed >= 0 ? static_cast<uint64_t>(flags.seed) : std::random_device()();
  request.max_tokens = flags.max_tokens;
  request.ignore_eos = flags.ignore_eos;
  return request;
}

Json answer_tree(const Answer& answer) {
  return {{"tokens", answer.tokens},
          {"text", answer.text},
          {"finish_reason", answer.end.reason == FinishReason::kLength ? "length" : "stop"},
          {"prompt_tokens", answer.end.timings.prompt_tokens}};
}

}  // namespace aictl
