// What there is and how it is: models, health, metrics, status.
#include "plugins/services/inference/api/api.hpp"

#include "plugins/services/inference/api/answer/engine_run.hpp"

namespace aictl::inference {
namespace {

void respond_json(http::Exchange& exchange, const Json& body) {
  exchange.respond(http::Response::json(200, dump_json(body)));
}

void alive(http::Exchange exchange, const http::PathParameters&) {
  respond_json(exchange, {{"status", "ok"}});
}

}  // namespace

void InferenceApi::add_state_routes() {
  router_.add("GET", "/livez", alive);
  router_.add("GET", "/ping", alive);
  for (const char* path : {"/readyz", "/health", "/v1/health"})
    router_.add("GET", path, [this](http::Exchange exchange, const auto&) { ready(exchange); });
  for (const char* path : {"/v1/models", "/models"})
    router_.add("GET", path,
                [this](http::Exchange exchange, const auto&) { list_models(exchange); });
  router_.add("GET", "/v1/models/{id...}",
              [this](http::Exchange exchange, const http::PathParameters& parameters) {
                show_model(exchange, parameters.get("id"));
              });
  router_.add("GET", "/v1/status",
              [this](http::Exchange exchange, const auto&) { status(exchange); });
  router_.add("GET", "/metrics", [this](http::Exchange exchange, const auto&) {
    http::Response response;
    response.headers.set("Content-Type", Metrics::kContentType);
    response.body = metrics_->expose();
    exchange.respond(std::move(response));
  });
}

// Whether a request would be taken now.
void InferenceApi::ready(http::Exchange exchange) const {
  if (!is_open_.load(std::memory_order_acquire)) return respond_error(exchange, loading());
  if (!draining()) return respond_json(exchange, {{"status", "ok"}});
  openai::ApiError error =
      openai::api_error(Error{ErrorCode::kUnavailable, "the server is draining", ""});
  error.code = "draining";
  respond_error(exchange, error);
}

void InferenceApi::list_models(http::Exchange exchange) const {
  std::vector<openai::ModelCard> cards;
  for (const ServedModel& model : served_.all()) cards.push_back(model.card);
  respond_json(exchange, openai::model_list_json(cards));
}

void InferenceApi::show_model(http::Exchange exchange, std::string_view id) const {
  const auto model = served_.find(id);
  if (!model) return respond_error(exchange, model.error());
  respond_json(exchange, openai::model_json((*model)->card));
}

void InferenceApi::status(http::Exchange exchange) const {
  const bool open = is_open_.load(std::memory_order_acquire);
  const Served none;
  Json models = Json::array();
  int waiting = 0, limit = 0, blocks = 0, used = 0;
  for (const ServedModel& model : (open ? served_ : none).all()) {
    const EngineStats stats = model.engine->stats();
    waiting += stats.waiting;
    limit += stats.waiting_limit;
    blocks += stats.kv_blocks;
    used += stats.kv_blocks_used;
    models.push_back({{"id", model.card.id},
                      {"state", model.card.status},
                      {"reason", nullptr},
                      {"bytes", model.card.bytes},
                      {"expires_at", nullptr},
                      {"pinned", true},
                      {"running", stats.running},
                      {"digest", model.digest}});
  }
  respond_json(exchange, {{"state", draining() ? "draining"
                                    : open     ? "ready"
                                               : "starting"},
                          {"since", started_},
                          {"models", std::move(models)},
                          {"queue", {{"depth", waiting}, {"limit", limit}}},
                          {"kv", {{"blocks", blocks}, {"used", used}, {"disk_bytes", 0}}},
                          {"version", options_.version}});
}

}  // namespace aictl::inference
