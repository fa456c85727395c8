#include "plugins/services/inference/serve/service.hpp"

#include <atomic>
#include <csignal>
#include <deque>
#include <future>
#include <set>

#include <fmt/format.h>

#include "core/base/signals.hpp"
#include "core/base/units.hpp"
#include "core/telemetry/log.hpp"
#include "plugins/services/inference/local/loaded_model.hpp"
#include "plugins/services/inference/local/local_model.hpp"
#include "plugins/services/inference/serve/settings.hpp"
#include "plugins/services/inference/serve/socket_file.hpp"

namespace aictl::inference {
namespace {

// After the second signal, for the errors that say why an answer ends.
constexpr std::chrono::milliseconds kFarewell{500};

// A model that is served, in the order things are needed and, backwards, let go.
struct Member {
  std::string id;
  std::filesystem::path path;
  TextModel opened;
  RunningModel running;
};

// Port 0 is a free one, known once it is bound: the ready line tells it.
bool has_open_port(std::string_view address) {
  const size_t before = address.find_last_not_of('0');
  return before != address.npos && before + 1 < address.size() && address[before] == ':' &&
         !address.starts_with("unix:");
}

// What clients will ask, as far as it is known before listening.
std::vector<std::string> urls(const ServeSettings& settings) {
  const std::string_view scheme = settings.tls_certificate.empty() ? "http" : "https";
  std::vector<std::string> urls;
  for (const std::string& address : settings.addresses)
    if (!has_open_port(address))
      urls.push_back(address.starts_with("unix:") ? address
                                                  : fmt::format("{}://{}", scheme, address));
  return urls;
}

Json plan_json(const std::deque<Member>& members, const ServeSettings& settings,
               const std::optional<DiskCacheOptions>& disk) {
  Json plan = Json::object();
  for (size_t i = 0; i < members.size(); ++i) {
    const Member& m = members[i];
    // One model needs no number.
    const std::string nth = members.size() > 1 ? fmt::format(" {}", i + 1) : "";
    const EnginePlan& p = m.running.plan;
    const BackendInfo info = m.running.backend->info();
    plan["model" + nth] =
        fmt::format("{} ({}, {})", m.id, m.opened.model.spec().arch, m.path.filename().string());
    plan["memory" + nth] = fmt::format("{} = weights {} + KV cache {} + workspace {}; {} free",
                                       format_bytes(p.total_bytes()), format_bytes(p.weight_bytes),
                                       format_bytes(p.kv_bytes), format_bytes(p.workspace_bytes),
                                       format_bytes(p.available));
    plan["threads" + nth] = fmt::format("{} on {} ({})", info.threads, info.device, info.isa);
    if (!info.placement.empty()) plan["placement" + nth] = info.placement;
    plan["context" + nth] = fmt::format("{} tokens", p.context);
    plan["concurrency" + nth] =
        fmt::format("{} sequences, {} more may wait", p.concurrency, p.max_queue);
  }
  plan["kv cache"] =
      disk ? fmt::format("{}, at most {}", disk->folder.string(), format_bytes(disk->cap))
           : std::string("in memory only");
  if (const auto known = urls(settings); !known.empty())
    plan["url"] = fmt::format("{}", fmt::join(known, ", "));
  return plan;
}

// The element type that most bytes have: what people call the quantisation of a file.
std::string main_type(const Json& types) {
  std::string main;
  int64_t most = -1;
  for (const auto& [name, row] : types.items())
    if (row["bytes"].get<int64_t>() > most) main = name, most = row["bytes"].get<int64_t>();
  return main;
}

openai::ModelCard card_of(const Member& m, int64_t now) {
  const ModelSpec& spec = m.opened.model.spec();
  openai::ModelCard card;
  card.id = m.id;
  card.created = now;
  card.context_trained = spec.max_positions;
  card.context = m.running.plan.context;
  card.parameters = static_cast<int64_t>(m.opened.model.parameters());
  card.bytes = static_cast<int64_t>(m.running.plan.weight_bytes);
  card.quantization = main_type(m.opened.model.describe()["types"]);
  card.capabilities = {"completion", "embedding"};
  if (m.opened.text.chat_template) card.capabilities.push_back("chat");
  if (m.opened.text.reply.calls) card.capabilities.push_back("tools");
  if (m.opened.text.reply.thinking) card.capabilities.push_back("thinking");
  return card;
}

class InferenceService final : public Service {
 public:
  explicit InferenceService(const Plugins& plugins) : plugins_(plugins) {}

  std::vector<Row> rows() override { return serve_rows(settings_); }
  std::vector<Row> arguments() override {
    std::vector<Row> rows;
    rows.push_back(
        Row("MODEL", &settings_.models, "a .gguf file, a folder with one, or a name").file());
    return rows;
  }

  Result<void> run(const ServiceEvents& events) override {
    const Signals signals{SIGTERM, SIGINT};
    auto server = server_options(settings_);
    if (!server) return std::move(server).error();
    auto api = api_options(settings_);
    if (!api) return std::move(api).error();
    // What would keep the server from starting is told in the words of its flags.
    if (auto ok = http::Server::check(*server); !ok) return ok;
    for (const std::string& address : settings_.addresses)
      if (auto ok = check_socket_file(address); !ok) return ok;
    if (auto disk = disk_cache(); !disk) return std::move(disk).error();
    std::deque<Member> members;
    return serve(members, std::move(*server), std::move(*api), signals, events);
  }

 private:
  // Opens, plans and starts the models, while the server already says that it lives.
  Result<void> load(std::deque<Member>& members, const ServiceEvents& events) {
    if (auto opened = open_members(members, events); !opened) return opened;
    auto disk = disk_cache();
    if (!disk) return std::move(disk).error();
    events.planned(plan_json(members, settings_, *disk));
    for (Member& m : members)
      if (auto started =
              start_model(m.opened.model, m.opened.text.tokenizer.vocab(), m.running, *disk);
          !started)
        return started;
    return {};
  }

  // Nothing is kept of prompts that nobody may reuse.
  Result<std::optional<DiskCacheOptions>> disk_cache() const {
    if (!settings_.engine.prefix_cache) return std::optional<DiskCacheOptions>();
    return prepare_disk_cache(settings_.kv_cache);
  }

  Result<void> open_members(std::deque<Member>& members, const ServiceEvents& events) {
    std::vector<std::filesystem::path> paths;
    for (const std::string& reference : settings_.models) {
      auto path = resolve_model(plugins_, reference);
      if (!path) return std::move(path).error();
      paths.push_back(std::move(*path));
    }
    if (paths.empty()) {
      auto path = builtin_model();
      if (!path) return std::move(path).error();
      events.progress("no model was named: serving a tiny random one, which speaks nonsense");
      paths.push_back(std::move(*path));
    }
    std::set<std::string> ids;
    uint64_t reserved = 0;  // by the models before
    for (const auto& path : paths) {
      auto opened = open_text_model(path);
      if (!opened) return std::move(opened).error();
      const bool named = members.empty() && !settings_.name.empty();
      std::string id = named ? settings_.name : default_id(opened->model, path);
      if (!ids.insert(id).second)
        return Error{ErrorCode::kInvalidArgument, fmt::format("two models are called '{}'", id),
                     "rename a file, or use --name for the first"};
      auto running = plan_model(opened->model, settings_.engine, plugins_, reserved);
      if (!running) return std::move(running).error().within(path.string());
      reserved += running->plan.total_bytes();
      members.push_back({std::move(id), path, std::move(*opened), std::move(*running)});
    }
    return {};
  }

  Served served(std::deque<Member>& members) {
    Served all;
    for (Member& m : members) {
      ServedModel model;
      model.card = card_of(m, Clock().unix_seconds());
      model.aliases = {m.path.stem().string(), m.path.filename().string()};
      model.digest = m.opened.model.fingerprint();
      model.engine = m.running.engine.get();
      model.tokenizer = &m.opened.text.tokenizer;
      model.chat_template = m.opened.text.template_or_null();
      model.reply = m.opened.text.reply;
      model.stopping = &stopping_;
      all.add(std::move(model));
    }
    return all;
  }

  Result<void> serve(std::deque<Member>& members, http::ServerOptions options,
                     ApiOptions api_options, const Signals& signals, const ServiceEvents& events) {
    InferenceApi api(std::move(api_options));
    options.render_error = InferenceApi::render_error;
    options.on_access = [&api](const http::Access& access) { api.on_access(access); };
    api.take_bodies(options);
    auto server = http::Server::start(std::move(options),
                                      [&api](http::Exchange e) { api.handle(std::move(e)); });
    if (!server) return std::move(server).error();
    if (auto loaded = load(members, events); !loaded) return loaded;
    api.open(served(members));
    Json ids = Json::array();
    for (const Member& m : members) ids.push_back(m.id);
    events.ready({{"event", "ready"}, {"url", (*server)->url()}, {"models", ids}});

    signals.wait(0);
    api.begin_drain();
    log::info("draining", {{"connections", (*server)->stats().connections},
                           {"limit", format_duration(settings_.drain_timeout)}});
    // The promise outlives the server, whose loop may fulfil it as late as in stop().
    const auto drained =
        std::make_shared<std::promise<void>>();  // shared by the callback and this wait
    auto done = drained->get_future();
    const auto since = std::chrono::steady_clock::now();
    (*server)->drain(settings_.drain_timeout + kFarewell, [drained] { drained->set_value(); });
    while (done.wait_for(std::chrono::milliseconds(20)) != std::future_status::ready &&
           signals.count() < 2 &&
           std::chrono::steady_clock::now() - since < settings_.drain_timeout) {
    }
    stopping_ = true;  // what still runs sees it at its next token
    done.wait_for(kFarewell);
    (*server)->stop();
    log::info("stopped");
    return {};
  }

  const Plugins& plugins_;
  ServeSettings settings_;
  std::atomic<bool> stopping_{false};
};

}  // namespace
}  // namespace aictl::inference

namespace aictl {

void add_inference_service(Plugins& plugins) {
  plugins.services.add("inference", "local models behind the OpenAI API", [](const Plugins& all) {
    return std::make_unique<inference::InferenceService>(all);
  });
}

}  // namespace aictl
