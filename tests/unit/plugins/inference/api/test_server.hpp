// A live server on a loopback port over a tiny random model: what the tests of this folder ask.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/http/client.hpp"
#include "core/http/server.hpp"
#include "core/http/sse.hpp"
#include "core/value/json.hpp"
#include "plugins/services/inference/api/api.hpp"
#include "tests/unit/plugins/inference/engine/tiny_engine.hpp"

namespace aictl::inference {

struct TestSetup {
  ApiOptions api;
  EngineOptions engine = tiny_options();
  Hooks hooks;
  http::ServerOptions server;
  bool with_template = true;
  bool open = true;  // false: as while a model loads
  std::string chat_template = tiny_model().chat_templates().at(0).second;
};

class TestServer {
 public:
  explicit TestServer(TestSetup setup = {})
      : tokenizer_(*Tokenizer::make(tiny_model().vocab())),
        template_(*jinja::Template::parse(setup.chat_template)) {
    setup.engine.end_tokens = tokenizer_.vocab().end_ids;
    setup.engine.vocab_tokens = tokenizer_.vocab().size();
    engine_ = start_tiny(setup.engine, setup.hooks);
    Served served;
    ServedModel model;
    model.card.id = "org/tiny";
    model.card.created = 1000;
    model.aliases = {"tiny"};
    model.digest = tiny_model().fingerprint();
    model.engine = engine_.get();
    model.tokenizer = &tokenizer_;
    if (setup.with_template) model.chat_template = &template_;
    model.reply = reply_format_of(setup.chat_template);
    model.stopping = &stopping_;
    served.add(std::move(model));
    setup.api.random_seed = 7;
    api_ = std::make_unique<InferenceApi>(std::move(setup.api));
    if (setup.open) api_->open(std::move(served));
    if (setup.server.addresses == http::ServerOptions{}.addresses)
      setup.server.addresses = {"127.0.0.1:0"};
    setup.server.render_error = InferenceApi::render_error;
    setup.server.on_access = [this](const http::Access& access) { api_->on_access(access); };
    api_->take_bodies(setup.server);
    auto server = http::Server::start(
        setup.server, [this](http::Exchange exchange) { api_->handle(std::move(exchange)); });
    REQUIRE_MESSAGE(server.ok(), (server.ok() ? "" : server.error().message));
    server_ = std::move(*server);
  }
  ~TestServer() { server_->stop(); }

  Engine& engine() { return *engine_; }
  void stop_runs() { stopping_ = true; }
  InferenceApi& api() { return *api_; }
  http::Server& server() { return *server_; }
  const Tokenizer& tokenizer() const { return tokenizer_; }

  http::Client client() const {
    auto made = http::Client::open(server_->url());
    REQUIRE(made.ok());
    return std::move(*made);
  }

  http::Response post(std::string_view path, const Json& body, const http::Headers& headers = {}) {
    return post_text(path, dump_json(body), headers);
  }
  http::Response post_text(std::string_view path, std::string body,
                           const http::Headers& headers = {},
                           std::string_view type = "application/json") {
    auto answer = client().post(path, std::move(body), type, headers);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.error().message));
    return std::move(*answer);
  }
  http::Response get(std::string_view path, const http::Headers& headers = {}) {
    auto answer = client().get(path, headers);
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.error().message));
    return std::move(*answer);
  }

  /// The data of every event of a stream.
  std::vector<std::string> events(std::string_view path, const Json& body) {
    std::vector<std::string> out;
    http::sse::Parser parser;
    auto answer = client().stream(
        "POST", path, dump_json(body), {{"Content-Type", "application/json"}},
        [](int status, const http::Headers&) { return status == 200; },
        [&](std::string_view bytes) {
          return parser.feed(bytes,
                             [&](const http::sse::Event& event) { out.push_back(event.data); });
        });
    REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.error().message));
    return out;
  }

 private:
  std::atomic<bool> stopping_{false};
  Tokenizer tokenizer_;
  jinja::Template template_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<InferenceApi> api_;
  std::unique_ptr<http::Server> server_;
};

inline Json tree(const std::string& text) {
  auto parsed = parse_json(text);
  REQUIRE_MESSAGE(parsed.ok(), text);
  return std::move(*parsed);
}

inline Json chat_body(std::string_view text, int max_tokens = 8) {
  return {{"model", "tiny"},
          {"messages", {{{"role", "user"}, {"content", text}}}},
          {"max_tokens", max_tokens},
          {"temperature", 0},
          {"ignore_eos", true}};
}

inline Json completion_body(std::string_view prompt, int max_tokens = 8) {
  return {{"model", "tiny"},
          {"prompt", prompt},
          {"max_tokens", max_tokens},
          {"temperature", 0},
          {"ignore_eos", true}};
}

/// Waits until `ready`, looking again and again; false after a time no healthy test needs.
inline bool eventually(const std::function<bool()>& ready) {
  const Time until = soon();
  while (!ready()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

/// Holds the engine's steps until it is opened.
class Gate {
 public:
  /// Lets `free` steps pass, then holds.
  explicit Gate(int free) : free_(free) {}
  void pass() {
    if (free_.fetch_sub(1) > 0) return;
    held_ = true;
    open_.wait(false);
  }
  void open() {
    open_ = true;
    open_.notify_all();
  }
  bool holds() const { return held_; }
  Hooks hooks() {
    return {.begin = [this](const StepBatch&) { pass(); }, .logits = {}};
  }

 private:
  std::atomic<int> free_;
  std::atomic<bool> open_{false}, held_{false};
};

}  // namespace aictl::inference
