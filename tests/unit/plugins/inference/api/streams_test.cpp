// Streams: the order of chunks, errors within, readers that leave or lag, many at once.
#include "tests/unit/plugins/inference/api/test_server.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "core/base/file.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

Json streamed(Json body, bool usage = false) {
  body["stream"] = true;
  if (usage) body["stream_options"] = {{"include_usage", true}};
  return body;
}

// Text, finish reason and token ids by choice, from either form.
std::string summary(TestServer& server, const std::string& path, const Json& body) {
  std::map<int, std::string> texts, ends;
  const auto add = [&](const Json& choice, std::string_view text_field) {
    const int index = choice["index"].get<int>();
    const Json& holder = text_field == "text" ? choice : choice[std::string(text_field)];
    const std::string field = text_field == "text" ? "text" : "content";
    if (holder.contains(field)) texts[index] += holder[field].get<std::string>();
    if (choice["finish_reason"].is_string()) ends[index] = choice["finish_reason"];
  };
  const bool chat = path.find("chat") != std::string::npos;
  if (body.value("stream", false)) {
    for (const std::string& data : server.events(path, body)) {
      if (data == "[DONE]") continue;
      const Json chunk = tree(data);
      for (const Json& choice : chunk["choices"]) add(choice, chat ? "delta" : "text");
    }
  } else {
    const Json answer = tree(server.post(path, body).body);
    REQUIRE_MESSAGE(answer.contains("choices"), dump_json(answer));
    for (const Json& choice : answer["choices"]) add(choice, chat ? "message" : "text");
  }
  std::string out;
  for (const auto& [index, text] : texts)
    out += std::to_string(index) + ":" + ends[index] + ":" + text + "\n";
  return out;
}

// A client that connects over a Unix socket, whose buffers are small, and reads when told to.
class RawClient {
 public:
  RawClient(const std::string& path, const std::string& request) {
    fd_ = Fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
            0);
    REQUIRE(::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(request.size()));
  }
  std::string read_to_end() { return *read_all(fd_.get()); }

 private:
  Fd fd_;
};

}  // namespace

TEST_CASE("stream: role first, then text, finish, usage, DONE; all with one head") {
  TestServer server;
  const auto events = server.events("/v1/chat/completions", streamed(chat_body("hello", 12), true));
  REQUIRE(events.size() >= 4);
  CHECK(events.back() == "[DONE]");
  const Json first = tree(events.front());
  CHECK(first["choices"][0]["delta"] == Json{{"role", "assistant"}, {"content", ""}});
  const Json usage = tree(events[events.size() - 2]);
  CHECK(usage["choices"] == Json::array());
  CHECK(usage["usage"]["completion_tokens"] == 12);
  const Json finish = tree(events[events.size() - 3]);
  CHECK(finish["choices"][0]["delta"] == Json::object());
  CHECK(finish["choices"][0]["finish_reason"] == "length");
  for (size_t i = 0; i + 1 < events.size(); ++i) {
    const Json chunk = tree(events[i]);
    CHECK(chunk["object"] == "chat.completion.chunk");
    for (const char* field : {"id", "created", "model", "system_fingerprint"})
      CHECK(chunk[field] == first[field]);
    if (i + 2 < events.size()) CHECK(chunk.at("usage").is_null());
    if (i > 0 && i + 3 < events.size()) {
      CHECK_FALSE(chunk["choices"][0]["delta"].contains("role"));
      CHECK(chunk["choices"][0]["finish_reason"].is_null());
    }
  }
}

TEST_CASE("stream: without include_usage no chunk speaks of usage") {
  TestServer server;
  for (const std::string& data :
       server.events("/v1/chat/completions", streamed(chat_body("hello", 4)))) {
    if (data != "[DONE]") CHECK_FALSE(tree(data).contains("usage"));
  }
}

TEST_CASE("stream: the pieces are the whole answer, also with stops and several choices") {
  TestServer server;
  Json chat = chat_body("hello", 20);
  chat["n"] = 3;
  chat["temperature"] = 1.2;
  chat["seed"] = 5;
  chat["stop"] = {"e", "qu"};
  Json completion = completion_body("hello", 20);
  completion["prompt"] = {"hello", "abc"};
  completion["n"] = 2;
  completion["echo"] = true;
  CHECK(summary(server, "/v1/chat/completions", chat) ==
        summary(server, "/v1/chat/completions", streamed(chat)));
  CHECK(summary(server, "/v1/completions", completion) ==
        summary(server, "/v1/completions", streamed(completion)));
}

TEST_CASE("stream: an answer that a stop string ends has finished, and was not cancelled") {
  TestServer server;
  Json body = completion_body("hello", 400);
  const std::string text = tree(server.post("/v1/completions", body).body)["choices"][0]["text"];
  body["stop"] = text.substr(text.size() / 4, 3);
  const Json choice = tree(server.post("/v1/completions", body).body)["choices"][0];
  CHECK(choice["finish_reason"] == "stop");
  CHECK(choice["text"].get<std::string>().size() < text.size() / 2);
  const std::string metrics = server.get("/metrics").body;
  CHECK(metrics.find("aictl_requests_cancelled_total{model_name=\"org/tiny\"} 0\n") !=
        std::string::npos);
  CHECK(metrics.find("vllm:request_success_total{finished_reason=\"stop\",model_name=\"org/tiny\"} "
                     "1\n") != std::string::npos);
}

TEST_CASE("stream: logprobs and token ids of all tokens come along, in order") {
  TestServer server;
  Json body = chat_body("hello", 16);
  body["logprobs"] = true;
  body["return_token_ids"] = true;
  const Json whole = tree(server.post("/v1/chat/completions", body).body)["choices"][0];
  Json scores = Json::array(), ids = Json::array();
  for (const std::string& data : server.events("/v1/chat/completions", streamed(body))) {
    if (data == "[DONE]") continue;
    const Json choice = tree(data)["choices"][0];
    if (choice["logprobs"].is_object())
      for (const Json& token : choice["logprobs"]["content"]) scores.push_back(token);
    if (choice.contains("token_ids"))
      for (const Json& id : choice["token_ids"]) ids.push_back(id);
  }
  CHECK(scores == whole["logprobs"]["content"]);
  CHECK(ids == whole["token_ids"]);
}

TEST_CASE("stream: an error after the head is an event, and no DONE follows") {
  std::atomic<int> steps{0};
  TestSetup setup;
  setup.hooks.begin = [&](const StepBatch&) {
    if (++steps < 4) return;
    const Time later = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < later) std::this_thread::yield();
  };
  TestServer server(std::move(setup));
  std::vector<std::string> events;
  http::sse::Parser parser;
  auto answer = server.client().stream(
      "POST", "/v1/chat/completions", dump_json(streamed(chat_body("x", 2000))),
      {{"Content-Type", "application/json"}, {"x-aictl-deadline-ms", "100"}},
      [](int, const http::Headers&) { return true; },
      [&](std::string_view bytes) {
        return parser.feed(bytes, [&](const auto& event) { events.push_back(event.data); });
      });
  REQUIRE(answer.ok());
  REQUIRE_FALSE(events.empty());
  const Json last = tree(events.back());
  REQUIRE_MESSAGE(last.contains("error"), events.back());
  CHECK(last["error"]["code"] == "deadline_exceeded");
}

TEST_CASE("stream: a server that stops ends an answer with an error, and no DONE follows") {
  Gate gate(4);
  TestSetup setup;
  setup.hooks = gate.hooks();
  TestServer server(std::move(setup));
  std::thread opener([&] {
    eventually([&] { return gate.holds(); });
    server.stop_runs();
    gate.open();
  });
  const auto events = server.events("/v1/chat/completions", streamed(chat_body("x", 2000)));
  opener.join();
  REQUIRE_FALSE(events.empty());
  const Json error = tree(events.back())["error"];
  CHECK(error["code"] == "draining");
  CHECK(error["type"] == "unavailable_error");
  CHECK(events.size() < 2000);  // not the whole answer: the word to stop and the gate race
}

TEST_CASE("stream: comments keep a silent one alive") {
  Gate gate(0);
  TestSetup setup;
  setup.hooks = gate.hooks();
  setup.api.keep_alive = std::chrono::milliseconds(5);
  TestServer server(std::move(setup));
  std::string seen;
  auto answer = server.client().stream(
      "POST", "/v1/chat/completions", dump_json(streamed(chat_body("x", 2))),
      {{"Content-Type", "application/json"}},
      [](int status, const http::Headers& headers) {
        return status == 200 && headers.get("content-type") == "text/event-stream";
      },
      [&](std::string_view bytes) {
        seen += bytes;
        if (seen.find(": ping\n\n: ping\n\n") != std::string::npos) gate.open();
        return true;
      });
  REQUIRE(answer.ok());
  CHECK(seen.starts_with(": ping\n\n"));
  CHECK(seen.ends_with("data: [DONE]\n\n"));
}

TEST_CASE("stream: a client that leaves frees its place at once") {
  for (const bool stream : {true, false}) {
    Gate gate(stream ? 6 : 0);
    TestSetup setup;
    setup.hooks = gate.hooks();
    TestServer server(std::move(setup));
    Json body = chat_body("hello", 1500);
    body["n"] = 2;
    body["stream"] = stream;
    http::Client client = server.client();
    std::thread asking([&] {
      auto answer = client.stream(
          "POST", "/v1/chat/completions", dump_json(body), {{"Content-Type", "application/json"}},
          [](int, const http::Headers&) { return true; }, [](std::string_view) { return true; });
      CHECK_FALSE(answer.ok());
    });
    CHECK(eventually([&] { return gate.holds(); }));
    client.cancel();
    asking.join();
    CHECK(eventually([&] { return server.server().stats().exchanges == 0; }));
    gate.open();
    CHECK(eventually([&] {
      const EngineStats stats = server.engine().stats();
      return stats.running == 0 && stats.kv_blocks_used == 0 && stats.cancelled > 0;
    }));
    CHECK(server.engine().stats().generated_tokens < 100);
    CHECK(server.post("/v1/chat/completions", chat_body("hello")).status == 200);
  }
}

TEST_CASE("stream: a slow reader holds up nobody and loses nothing") {
  const std::filesystem::path socket =
      std::filesystem::temp_directory_path() / ("aictl-api-" + std::to_string(::getpid()));
  TestSetup setup;
  setup.server.addresses = {"127.0.0.1:0", "unix:" + socket.string()};
  setup.server.output_high_water = 16 << 10;
  setup.server.output_limit = 128 << 10;  // far less than the stream: only pausing can pass
  TestServer server(std::move(setup));
  Json body = streamed(chat_body("hello", 1500));
  body["logprobs"] = true;
  body["top_logprobs"] = 5;
  const std::string text = dump_json(body);
  RawClient slow(socket.string(),
                 "POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\n"
                 "Content-Length: " +
                     std::to_string(text.size()) + "\r\n\r\n" + text);
  // Everything was generated although nobody read it, and others are answered meanwhile.
  CHECK(server.post("/v1/chat/completions", chat_body("hello")).status == 200);
  CHECK(eventually([&] { return server.engine().stats().generated_tokens >= 1508; }));
  CHECK(server.server().stats().exchanges >= 1);
  const std::string all = slow.read_to_end();
  CHECK(all.size() > 400'000);
  int tokens = 0;
  http::sse::Parser parser;
  parser.feed(all.substr(all.find("\r\n\r\n") + 4), [&](const http::sse::Event& event) {
    if (event.data == "[DONE]") return;
    const Json chunk = tree(event.data);
    REQUIRE_MESSAGE(chunk.contains("choices"), event.data);
    const Json& logprobs = chunk["choices"][0]["logprobs"];
    if (logprobs.is_object()) tokens += static_cast<int>(logprobs["content"].size());
  });
  CHECK(tokens == 1500);
  CHECK(all.ends_with("data: [DONE]\n\n"));
}

TEST_CASE("many: sixty-four mixed requests at once answer as each does alone") {
  TestServer server;
  std::vector<std::pair<std::string, Json>> requests;
  for (int i = 0; i < 64; ++i) {
    const bool chat = i % 2 == 0;
    const std::string text = std::string(static_cast<size_t>(1 + i * 7 % 150), 'a' + i % 26);
    Json body = chat ? chat_body(text, 4 + i % 24) : completion_body(text, 4 + i % 24);
    body["seed"] = i;
    body["temperature"] = i % 3 == 0 ? 0 : 0.5 + 0.02 * i;
    if (i % 4 == 1) body["top_k"] = 40;
    if (i % 5 == 2) body["repetition_penalty"] = 1.2;
    if (i % 6 == 3) body["n"] = 2;
    if (i % 7 == 4) body["stop"] = "th";
    if (i % 8 >= 4) body["stream"] = true;
    requests.emplace_back(chat ? "/v1/chat/completions" : "/v1/completions", std::move(body));
  }
  std::vector<std::string> alone, together(requests.size());
  for (const auto& [path, body] : requests) alone.push_back(summary(server, path, body));
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < requests.size(); ++i)
      threads.emplace_back(
          [&, i] { together[i] = summary(server, requests[i].first, requests[i].second); });
  }
  for (size_t i = 0; i < requests.size(); ++i) {
    CAPTURE(i);
    CHECK_FALSE(alone[i].empty());
    CHECK(together[i] == alone[i]);
  }
}
