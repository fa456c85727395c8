// Routes against a live server: the router answers through exchanges.
#include "core/http/router.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/http/client.hpp"
#include "core/http/server.hpp"

namespace aictl::http {
namespace {

RouteHandler says(std::string name) {
  return [name = std::move(name)](Exchange exchange, const PathParameters& parameters) {
    exchange.respond(Response::text(200, name + ":" + std::string(parameters.get("id"))));
  };
}

Router make_router() {
  Router router([](int status, std::string_view message, const Request&) {
    return Response::json(status, "{\"error\":\"" + std::string(message) + "\"}");
  });
  router.add("GET", "/v1/models/{id...}", says("rest"));
  router.add("GET", "/v1/models", says("list"));
  router.add("POST", "/v1/models", says("create"));
  router.add("GET", "/v1/files/{id}", says("file"));
  router.add("GET", "/v1/files/{id}/content", says("content"));
  router.add("GET", "/v1/files/special", says("special"));
  return router;
}

TEST_CASE(
    "router: literals win over parameters, those over rests; unknown is 404, wrong method 405") {
  ServerOptions options;
  options.addresses = {"127.0.0.1:0"};
  auto server = Server::start(options, make_router());
  REQUIRE(server.ok());
  auto client = Client::open((*server)->url());
  REQUIRE(client.ok());
  const auto body = [&](std::string_view path) { return client->get(path).value().body; };
  CHECK(body("/v1/models") == "list:");
  CHECK(body("/v1/models/org/name:7b") == "rest:org/name:7b");
  CHECK(body("/v1/models/org%2Fname") == "rest:org/name");
  CHECK(body("/v1/files/7") == "file:7");
  CHECK(body("/v1/files/7/content") == "content:7");
  CHECK(body("/v1/files/special") == "special:");
  CHECK(client->get("/v1/files/").value().status == 404);
  CHECK(client->get("/v1/models/").value().status == 404);
  const auto missing = client->get("/nope").value();
  CHECK(missing.status == 404);
  CHECK(missing.body == "{\"error\":\"no such path: /nope\"}");
  const auto wrong = client->send("DELETE", "/v1/models").value();
  CHECK(wrong.status == 405);
  CHECK(wrong.headers.get("Allow") == "OPTIONS, GET, HEAD, POST");
  CHECK(client->send("HEAD", "/v1/models").value().status == 200);
}

TEST_CASE("router: CORS is closed unless a hook opens it") {
  for (const bool open : {false, true}) {
    CAPTURE(open);
    Router router = make_router();
    if (open)
      router.set_cors(
          [](Exchange& e) { e.set_response_header("Access-Control-Allow-Origin", "https://a"); });
    ServerOptions options;
    options.addresses = {"127.0.0.1:0"};
    auto server = Server::start(options, router);
    REQUIRE(server.ok());
    auto client = Client::open((*server)->url());
    const Headers origin{{"Origin", "https://a"}};
    const auto preflight = client->send("OPTIONS", "/v1/models", "", origin).value();
    CHECK(preflight.status == 204);
    CHECK(preflight.headers.has("Access-Control-Allow-Origin") == open);
    CHECK(client->get("/v1/models", origin).value().headers.has("Access-Control-Allow-Origin") ==
          open);
    CHECK_FALSE(client->get("/v1/models").value().headers.has("Access-Control-Allow-Origin"));
  }
}

TEST_CASE("router: the pattern that serves a path is known for metrics") {
  const Router router = make_router();
  CHECK(router.pattern_of("/v1/files/12") == "/v1/files/{id}");
  CHECK(router.pattern_of("/v1/models/a/b") == "/v1/models/{id...}");
  CHECK(router.pattern_of("/x").empty());
}

}  // namespace
}  // namespace aictl::http
