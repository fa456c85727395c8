#include "core/platform/run/local/prepare.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "core/base/process.hpp"
#include "core/platform/run/local/choose.hpp"

namespace aictl::platform {
namespace {

namespace fs = std::filesystem;

constexpr int kMostReplicas = 64;  // of a workload, on one machine

// Where relative paths of a spec start.
std::string folder_of(const std::string& file) {
  const bool named = !file.empty() && file != "-";
  const fs::path folder = named ? fs::absolute(file).parent_path() : fs::current_path();
  return folder.lexically_normal().string();
}

class Preparer {
 public:
  Preparer(const LocalRequest& request, const LocalMachine& machine, const StateFolder& folder)
      : request_(request), machine_(machine), folder_(folder) {}

  Result<Preparation> run() {
    LocalPlan& plan = result_.plan;
    plan.platform = request_.platform;
    plan.file = request_.file;
    plan.digest = request_.digest;
    plan.folder = folder_of(request_.file);
    auto choice =
        choose_workloads(request_.workloads, request_.names, request_.services, request_.dry_run);
    if (!choice) return std::move(choice).error();
    plan.left_out = std::move(choice->left_out);
    if (choice->kept.empty())
      return Error{ErrorCode::kUnsupported,
                   fmt::format("nothing of platform '{}' can run here", request_.platform),
                   plan.left_out.empty()
                       ? ""
                       : fmt::format("'{}': {}", plan.left_out[0].name, plan.left_out[0].why)};
    if (auto ok = make_instances(choice->kept); !ok) return std::move(ok).error();
    if (auto ok = choose_ports(instances_, request_.ports, machine_.ports, plan.notes); !ok)
      return std::move(ok).error();
    list_first_ports();
    for (const Instance& instance : instances_) {
      auto launch = make_launch(instance);
      if (!launch) return std::move(launch).error().within(instance.name);
      plan.launches.push_back(*std::move(launch));
    }
    return std::move(result_);
  }

 private:
  Result<void> make_instances(const std::vector<const Workload*>& kept) {
    for (const Workload* workload : kept) {
      const int replicas = local_replicas(*workload);
      if (replicas > kMostReplicas)
        return Error{ErrorCode::kDataRefused,
                     fmt::format("'{}' has {} replicas, and one machine runs {} at most",
                                 workload->name, replicas, kMostReplicas),
                     "fewer replicas, or a cluster: aictl generate kubernetes"};
      for (int i = 0; i < replicas; ++i)
        instances_.push_back(
            {replicas == 1 ? workload->name : fmt::format("{}-{}", workload->name, i),
             workload,
             {}});
    }
    return {};
  }

  // Where each workload of the plan answers, those that do not run here included: there they would.
  void list_first_ports() {
    for (const Workload& workload : request_.workloads)
      if (!workload.ports.empty()) first_ports_[workload.name] = workload.ports[0].number;
    for (auto it = instances_.rbegin(); it != instances_.rend(); ++it)  // the first one stays
      if (!it->ports.empty()) first_ports_[it->workload->name] = it->ports[0].second;
  }

  Result<Launch> make_launch(const Instance& instance) {
    const Workload& w = *instance.workload;
    Launch launch;
    launch.name = instance.name;
    launch.workload = w.name;
    launch.component = w.component;
    launch.ports = instance.ports;
    if (!launch.ports.empty()) launch.url = local_url(launch.ports[0].second);
    for (const Mount& mount : w.mounts) {
      auto path = place(instance.name, mount);
      if (!path) return std::move(path).error();
      launch.paths.emplace_back(mount.name, *std::move(path));
    }
    const LocalBook book(first_ports_, launch.ports, launch.paths);
    for (const Mount& mount : w.mounts)
      if (mount.kind == Mount::Kind::kConfig)
        result_.fixtures.push_back({Fixture::Kind::kFile,
                                    folder_.mount("config", instance.name, mount.name) / mount.file,
                                    spell(mount.content, w, book)});
    for (const Word& word : w.argv) launch.argv.push_back(spell(word, w, book));
    for (const EnvironmentVariable& variable : w.environment)
      if (auto ok = add_variable(variable, w, book, launch); !ok) return std::move(ok).error();
    if (auto ok = find(launch); !ok) return std::move(ok).error();
    add_rules(w, launch);
    note_absent_addresses(w);
    return launch;
  }

  Result<std::string> place(const std::string& instance, const Mount& mount) {
    using Kind = Mount::Kind;
    const auto folder = [&](std::string_view kind) {
      const fs::path path = folder_.mount(kind, instance, mount.name);
      result_.fixtures.push_back({Fixture::Kind::kFolder, path, ""});
      return path.string();
    };
    if (mount.kind == Kind::kModel) return place_model(instance, mount);
    if (mount.kind == Kind::kState) return folder("state");
    if (mount.kind == Kind::kSecret) return (machine_.secrets / mount.source).string();
    if (mount.kind == Kind::kMemory && mount.path == "/dev/shm") return mount.path;
    return folder(mount.kind == Kind::kConfig ? "config" : "scratch");
  }

  // The folder in which the model's file has the name that the command line says.
  Result<std::string> place_model(const std::string& instance, const Mount& mount) {
    auto file = mount.found.empty() ? find_model(mount.source) : fs::absolute(mount.found);
    if (!file) return std::move(file).error();
    std::error_code error;
    *file = file->lexically_normal();
    if (fs::is_directory(*file, error)) return file->string();
    if (mount.file.empty() || file->filename() == mount.file) return file->parent_path().string();
    const fs::path path = folder_.mount("models", instance, mount.name);
    result_.fixtures.push_back({Fixture::Kind::kLink, path / mount.file, file->string()});
    return path.string();
  }

  Result<fs::path> find_model(const std::string& source) {
    const fs::path beside = fs::path(result_.plan.folder) / source;
    std::error_code error;
    if (fs::exists(beside, error)) return beside.lexically_normal();
    auto file = machine_.model_file(source);
    const size_t slash = source.rfind('/');
    if (!file && source.find("://") != source.npos && source.ends_with(".gguf")) {
      // Of a hub, and fetched already: the file by its name, beside the spec or in a model folder.
      const std::string name = source.substr(slash + 1);
      if (fs::exists(fs::path(result_.plan.folder) / name, error))
        return fs::path(result_.plan.folder) / name;
      file = machine_.model_file(name);
      if (!file)
        return Error{ErrorCode::kNotFound, fmt::format("model '{}' is not on this machine", source),
                     fmt::format("put {} beside the spec or into a folder of $AICTL_MODELS", name)};
    }
    if (!file) return std::move(file).error().within("model");
    return fs::absolute(*file).lexically_normal();
  }

  Result<void> add_variable(const EnvironmentVariable& variable, const Workload& w,
                            const LocalBook& book, Launch& launch) {
    if (variable.secret.empty()) {
      launch.environment.emplace_back(variable.name, spell(variable.value, w, book));
      return {};
    }
    SecretVariable secret{variable.name, variable.secret, variable.key, "", ""};
    const fs::path file = machine_.secrets / variable.secret / variable.key;
    if (auto value = machine_.environment(variable.name); value && !value->empty()) {
      secret.origin = "environment";
      secret.value = *std::move(value);
    } else if (auto text = read_file(file, size_t{1} << 20)) {
      while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
      secret.origin = file.string();
      secret.value = *std::move(text);
    } else if (!variable.optional) {
      return Error{
          ErrorCode::kNotFound,
          fmt::format("key '{}' of secret '{}' is nowhere", variable.key, variable.secret),
          fmt::format("set the variable {}, or write it to {}", variable.name, file.string())};
    }
    launch.secrets.push_back(std::move(secret));
    return {};
  }

  Result<void> find(Launch& launch) {
    const std::string& name = launch.argv[0];
    if (name == "aictl") {
      launch.program = machine_.own_program;
      return {};
    }
    std::string path = machine_.environment("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
    for (const auto& [variable, value] : launch.environment)
      if (variable == "PATH") path = value;
    launch.program = find_program(name, path, result_.plan.folder);
    if (!launch.program.empty()) return {};
    return Error{ErrorCode::kNotFound, fmt::format("no program '{}'", name),
                 name.find('/') == name.npos ? "it is in no folder of PATH"
                                             : "the path has to be that of an executable file"};
  }

  void add_rules(const Workload& w, Launch& launch) {
    const auto check = [&](const std::optional<Probe>& probe) -> std::optional<HealthCheck> {
      if (!probe) return std::nullopt;
      for (const auto& [name, port] : launch.ports)
        if (name == probe->port)
          return HealthCheck{local_url(port), probe->path, probe->period, probe->timeout,
                             probe->failures};
      return std::nullopt;
    };
    launch.startup = check(w.startup ? w.startup : w.ready ? w.ready : w.live);
    launch.live = check(w.live);
    launch.restart = w.restart;
    launch.startup_seconds = w.startup_seconds;
    launch.shutdown_seconds = w.shutdown_seconds;
    // Instances stand in the plan's order, so a need's are listed already.
    for (size_t i = 0; i < instances_.size(); ++i)
      if (std::find(w.needs.begin(), w.needs.end(), instances_[i].workload->name) != w.needs.end())
        launch.needs.push_back(i);
  }

  // An address of what does not run here leads nowhere, which is better known before.
  void note_absent_addresses(const Workload& w) {
    const auto look = [&](const Word& word) {
      for (const Piece& piece : word) {
        const auto* reference = std::get_if<Reference>(&piece);
        if (!reference || reference->kind != Reference::Kind::kUrl) continue;
        for (const LeftOut& left : result_.plan.left_out)
          if (left.name == reference->target)
            result_.plan.notes.push_back(
                fmt::format("'{}' asks '{}', which is left out", w.name, left.name));
      }
    };
    for (const Word& word : w.argv) look(word);
    for (const EnvironmentVariable& variable : w.environment) look(variable.value);
  }

  const LocalRequest& request_;
  const LocalMachine& machine_;
  const StateFolder& folder_;
  std::vector<Instance> instances_;
  std::map<std::string, int> first_ports_;
  Preparation result_;
};

}  // namespace

Result<Preparation> prepare(const LocalRequest& request, const LocalMachine& machine,
                            const StateFolder& folder) {
  return Preparer(request, machine, folder).run();
}

Result<void> make_fixtures(const std::vector<Fixture>& fixtures) {
  for (const Fixture& fixture : fixtures) {
    std::error_code error;
    const bool folder = fixture.kind == Fixture::Kind::kFolder;
    fs::create_directories(folder ? fixture.path : fixture.path.parent_path(), error);
    if (fixture.kind == Fixture::Kind::kFile) {
      if (auto ok = write_file_atomically(fixture.path, fixture.content); !ok) return ok;
    } else if (fixture.kind == Fixture::Kind::kLink) {
      fs::remove(fixture.path, error);
      fs::create_symlink(fixture.content, fixture.path, error);
    }
    if (error) return errno_error(fixture.path.string(), error.value());
  }
  return {};
}

}  // namespace aictl::platform
