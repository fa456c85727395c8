// The server that is driven: what it serves, how it counts tokens, how a request to it reads.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "core/http/client.hpp"
#include "core/load/workload/prompts.hpp"
#include "core/value/json.hpp"

namespace aictl::load {

struct TargetOptions {
  std::string url, model, key;
  bool chat = true;         // chat completions, else completions
  bool ignore_eos = false;  // ask for answers of exactly the wanted length
  bool verify_tls = true;
  std::string ca_file;
  double timeout = 600;  // seconds
};

/// Asked before and after a run, never during it. One thread.
class Target {
 public:
  /// Asks for the models; takes the first when none is named. Errors: kUnavailable and
  /// kDeadlineExceeded when nobody answers; kUnauthorized; kNotFound for a model it does not serve;
  /// kDataRefused when what answers is no such server.
  static Result<Target> open(TargetOptions options);

  const TargetOptions& options() const { return options_; }
  /// url, model, models[], version and software where the server tells.
  const Json& facts() const { return facts_; }
  std::string path() const { return options_.chat ? "/v1/chat/completions" : "/v1/completions"; }
  http::Headers headers() const;

  /// The body of a request. `prompt`: a text, or an array of messages; `out_tokens` 0: not said.
  std::string body(const Json& prompt, int64_t out_tokens) const;

  /// Tokens of a text by POST /tokenize. Errors: kUnsupported when there is no such endpoint.
  Result<int64_t> count_tokens(const std::string& text);
  /// Words and their costs: by /tokenize if it exists, else by the usage of two short requests; the
  /// template's own tokens by the usage of one. These requests also load and warm what the server
  /// does once. Errors: of the requests.
  Result<Lexicon> lexicon();

 private:
  Target(TargetOptions options, http::Client client)
      : options_(std::move(options)), client_(std::move(client)) {}
  Result<void> read_models();
  /// The prompt_tokens a short answer to `prompt` reports; nullopt when the server does not say.
  Result<std::optional<int64_t>> prompt_tokens(const std::string& prompt);

  TargetOptions options_;
  http::Client client_;
  Json facts_;
  bool content_form_ = false;  // what /tokenize calls its text: content, or prompt
};

}  // namespace aictl::load
