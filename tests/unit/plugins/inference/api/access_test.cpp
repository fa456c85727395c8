// Keys, origins and request ids.
#include "tests/unit/plugins/inference/api/test_server.hpp"

using namespace aictl;
using namespace aictl::inference;

namespace {

TestSetup with_keys() {
  TestSetup setup;
  setup.api.keys = *ApiKeys::parse("# operators\nfirst-key-123\n\n  second-key-456  \n");
  return setup;
}

}  // namespace

TEST_CASE("keys: one a line, with comments; what is no key is refused by its line") {
  const auto keys = ApiKeys::parse("# comment\r\nabcdefgh\r\nsecond-key\n");
  REQUIRE(keys.ok());
  CHECK(keys->find("abcdefgh") == 0);
  CHECK(keys->find("second-key") == 1);
  CHECK_FALSE(keys->find("").has_value());
  CHECK_FALSE(keys->find("abcdefg").has_value());
  CHECK_FALSE(keys->find("abcdefghi").has_value());
  CHECK_FALSE(keys->find("abcdefghabcdefgh").has_value());
  CHECK_FALSE(keys->find("# comment").has_value());
  CHECK_FALSE(ApiKeys::parse("# nothing\n").ok());
  const auto two_words = ApiKeys::parse("long-enough\nsecret words\n");
  REQUIRE_FALSE(two_words.ok());
  CHECK(two_words.error().message.find("line 2") != std::string::npos);
  CHECK(two_words.error().message.find("secret") == std::string::npos);
  CHECK(ApiKeys::load("/no/such/file").error().code == ErrorCode::kNotFound);
}

TEST_CASE("keys: both headers are read, health needs none") {
  TestServer server(with_keys());
  const http::Response none = server.get("/v1/models");
  CHECK(none.status == 401);
  CHECK(tree(none.body)["error"]["code"] == "invalid_api_key");
  CHECK(none.headers.has("x-request-id"));
  CHECK(server.get("/v1/models", {{"Authorization", "Bearer wrong-key-000"}}).status == 401);
  CHECK(server.get("/v1/models", {{"Authorization", "Basic first-key-123"}}).status == 401);
  CHECK(server.get("/v1/models", {{"Authorization", "bearer first-key-123"}}).status == 200);
  CHECK(server.get("/v1/models", {{"x-api-key", "second-key-456"}}).status == 200);
  CHECK(server.get("/metrics").status == 401);
  CHECK(server.get("/no/such/path").status == 401);
  for (const char* path : {"/livez", "/readyz", "/health", "/ping"})
    CHECK(server.get(path).status == 200);
  CHECK(server.post("/v1/chat/completions", chat_body("x")).status == 401);
  CHECK(
      server
          .post("/v1/chat/completions", chat_body("x"), {{"Authorization", "Bearer first-key-123"}})
          .status == 200);
}

TEST_CASE("origins: none is allowed unless it is listed") {
  TestServer closed;
  CHECK_FALSE(closed.get("/v1/models", {{"Origin", "https://a.example"}})
                  .headers.has("access-control-allow-origin"));
  TestSetup setup = with_keys();
  setup.api.cors.origins = {"https://a.example"};
  TestServer open(std::move(setup));
  const http::Response refused = open.get("/v1/models", {{"Origin", "https://a.example"}});
  CHECK(refused.status == 401);
  CHECK(refused.headers.get("access-control-allow-origin") == "https://a.example");
  CHECK_FALSE(open.get("/livez", {{"Origin", "https://b.example"}})
                  .headers.has("access-control-allow-origin"));
}

TEST_CASE("origins: a browser's question is answered without a key") {
  TestSetup setup = with_keys();
  setup.api.cors.origins = {"*"};
  TestServer server(std::move(setup));
  auto answer =
      server.client().send("OPTIONS", "/v1/chat/completions", "",
                           {{"Origin", "https://a.example"},
                            {"Access-Control-Request-Method", "POST"},
                            {"Access-Control-Request-Headers", "authorization, x-stainless-os"}});
  REQUIRE(answer.ok());
  CHECK(answer->status == 204);
  CHECK(answer->headers.get("access-control-allow-origin") == "https://a.example");
  CHECK(answer->headers.get("access-control-allow-headers") == "authorization, x-stainless-os");
  CHECK(answer->headers.get("access-control-allow-methods")->find("POST") != std::string::npos);
}

TEST_CASE("request ids: the client's own, its trace's, or a new one") {
  TestServer server;
  CHECK(server.get("/livez", {{"X-Request-Id", "abc-1"}}).headers.get("x-request-id") == "abc-1");
  const http::Headers trace{
      {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
  CHECK(server.get("/livez", trace).headers.get("request-id") ==
        "0af7651916cd43dd8448eb211c80319c");
  const std::string made(*server.get("/livez").headers.get("x-request-id"));
  CHECK(made.starts_with("req_"));
  CHECK(server.get("/livez").headers.get("x-request-id") != made);
  CHECK(server.get("/livez", {{"X-Request-Id", std::string(200, 'x')}})
            .headers.get("x-request-id")
            ->starts_with("req_"));
}
