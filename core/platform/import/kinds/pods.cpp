#include "core/platform/import/kinds/pods.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace aictl::platform {
namespace {

constexpr std::string_view kGpuResources[] = {"nvidia.com/gpu", "amd.com/gpu"};

// What a kubelet would replace is written with a second dollar sign; here it is meant as it stands.
std::string plain_dollars(std::string text) {
  for (size_t at = 0; (at = text.find("$$(", at)) != text.npos; ++at) text.erase(at, 1);
  return text;
}

bool is_shell(std::string_view word) {
  const std::string_view name = word.substr(word.rfind('/') + 1);
  return name == "sh" || name == "bash" || name == "dash";
}

// `sh -c "exec vllm serve model"` is that server, whatever the shell does before it.
void open_shell(const Part& container, std::vector<std::string>& words) {
  if (words.size() < 3 || !is_shell(words[0])) return;
  for (size_t i = 1; i + 1 < words.size(); ++i) {
    if (words[i].empty() || words[i].front() != '-' || words[i].back() != 'c') continue;
    const std::string& script = words[i + 1];
    for (const char* server : {"vllm serve ", "aictl serve ", "vllm.entrypoints"}) {
      const size_t at = script.find(server);
      if (at == script.npos) continue;
      std::string_view line = std::string_view(script).substr(at);
      if (std::string_view(server).ends_with("entrypoints"))
        line = std::string_view(script).substr(
            script.rfind("python", at) == script.npos ? at : script.rfind("python", at));
      words = shell_words(line);
      const std::string before = script.substr(0, script.size() - line.size());
      if (before.find_first_not_of(" \n") != before.npos && before != "exec ")
        container["args"].leave("of the shell's words those before the server are left out");
      return;
    }
    return;
  }
}

void read_words(const Part& container, std::vector<std::string>& words) {
  for (const char* list : {"command", "args"})
    for (const Part& part : container[list].items()) {
      std::string word = part.text();
      const size_t at = word.find("$(");
      const bool refers = at != word.npos && (at == 0 || word[at - 1] != '$');
      words.push_back(plain_dollars(std::move(word)));
      if (refers && !is_shell(words.front()))
        part.leave("generate writes $(NAME) as it stands, and no variable's value");
    }
  open_shell(container, words);
}

Variable read_variable(const Part& part) {
  Variable variable;
  variable.part = part;
  variable.name = part["name"].text();
  variable.value = plain_dollars(part["value"].text());
  const Part secret = part["valueFrom"]["secretKeyRef"];
  variable.secret = secret["name"].text();
  variable.key = secret["key"].text();
  if (secret["optional"]) secret["optional"].take();
  if (part["valueFrom"] && !secret)
    part.leave("a variable of the spec is a text or a key of a secret");
  return variable;
}

void read_resources(const Part& resources, Process& process) {
  for (const char* side : {"limits", "requests"}) {  // a request says more than a limit
    const Part part = resources[side];
    if (part["cpu"]) process.cpus = part["cpu"].amount();
    if (part["memory"]) process.memory = part["memory"].amount();
    if (part["ephemeral-storage"]) part["ephemeral-storage"].take();
    for (const std::string_view name : kGpuResources)
      if (const double gpus = part[name].amount(); gpus > 0)
        process.gpus = int64_t(std::min(gpus, 1e6));
  }
  if (resources["claims"]) resources["claims"].take();
}

// Weights that an init container downloads or waits for, as aictl writes it.
bool is_wait_for_weights(Object& object, const Part& init, Draft& draft) {
  if (!object.ours() || !init["name"].text().starts_with("weights-")) return false;
  const std::vector<std::string> args = init["args"].texts();
  if (args.size() >= 5) {  // the script, its name, repository, file, revision
    const std::string source = "hf://" + args[2] + (args[3].empty() ? "" : "/" + args[3]);
    Fetch& fetch = draft.fetches[source];
    fetch.revision = args[4];
    for (const Part& variable : init["env"].items())
      if (variable["name"].text() == "HF_TOKEN")
        fetch.secret = variable["valueFrom"]["secretKeyRef"]["name"].text();
    draft.storage["bring"] = "download";
  }
  init.take();
  return true;
}

void read_volumes(Object& object, const Part& pod, Draft& draft, Entry& entry) {
  for (const Part& volume : pod["volumes"].items()) {
    volume["name"].take();
    if (const Part claim = volume["persistentVolumeClaim"]) {
      if (entry.weights.empty()) entry.weights = claim["claimName"].text();
      claim.take();
    } else if (volume["emptyDir"]) {
      volume.take();
    } else if (const std::string image = volume["image"]["reference"].text(); !image.empty()) {
      const size_t slash = image.rfind('/');
      draft.storage["bring"] = "image";
      if (slash != image.npos)
        draft.targets["kubernetes"]["weights_registry"] = image.substr(0, slash);
      volume.take();
    } else if ((volume["configMap"] || volume["secret"]) && object.ours()) {
      volume.take();
    } else {
      volume.leave("a pod of the spec gets its weights, a scratch folder and nothing else");
    }
  }
}

void read_affinity(const Part& affinity, Entry& entry) {
  const auto terms = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
                             ["nodeSelectorTerms"]
                                 .items();
  if (terms.size() != 1) return;  // either of several is more than a selector says
  for (const Part& rule : terms[0]["matchExpressions"].items()) {
    if (rule["operator"].text() != "In" || rule["values"].size() != 1) continue;
    entry.nodes[rule["key"].text()] = rule["values"].items()[0].text();
    rule.take();
  }
}

}  // namespace

std::vector<std::string> shell_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote)
        quote = 0;
      else if (c == '\\' && quote == '"' && i + 1 < text.size())
        word += text[++i];
      else
        word += c;
    } else if (c == '\'' || c == '"') {
      quote = c, open = true;
    } else if (c == '\\' && i + 1 < text.size()) {
      if (text[++i] != '\n') word += text[i], open = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == ';' || c == '&' || c == '|') {
      if (open || !word.empty()) words.push_back(std::move(word));
      word.clear(), open = false;
      if (c == ';' || c == '&' || c == '|') return words;  // another command follows
    } else {
      word += c;
    }
  }
  if (open || !word.empty()) words.push_back(std::move(word));
  return words;
}

Process read_process(const Part& container) {
  Process process;
  process.container = container;
  container["name"].take();
  process.image = container["image"].text();
  read_words(container, process.words);
  for (const Part& part : container["env"].items()) process.env.push_back(read_variable(part));
  for (const Part& part : container["ports"].items()) {
    process.ports.emplace_back(part["name"].text(), part["containerPort"].integer().value_or(0));
    if (part["protocol"].text() == "UDP") part.leave("ports of the spec are TCP");
  }
  for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"})
    if (process.health.empty()) process.health = container[probe]["httpGet"]["path"].text();
  read_resources(container["resources"], process);
  if (container["volumeMounts"]) container["volumeMounts"].take();  // the volumes tell
  return process;
}

Part main_container(const Part& pod) {
  const std::vector<Part> containers = pod["containers"].items();
  if (containers.empty()) return {};
  size_t main = 0;
  for (size_t i = 0; i < containers.size(); ++i)
    if (!program_of(read_process(containers[i])).empty()) {
      main = i;
      break;
    }
  for (size_t i = 0; i < containers.size(); ++i)
    if (i != main) containers[i].leave("a workload of the spec is one container");
  return containers[main];
}

void read_pod(Object& object, const Part& pod, Draft& draft, Entry& entry) {
  for (const auto& [key, value] : pod["nodeSelector"].labels())
    if (key != "kubernetes.io/os" || value != "linux") entry.nodes[key] = value;
  read_affinity(pod["affinity"], entry);
  for (const Part& claim : pod["resourceClaims"].items()) {
    const auto gpus = draft.claimed_gpus.find(claim["resourceClaimTemplateName"].text());
    if (gpus == draft.claimed_gpus.end()) continue;
    entry.gpus = gpus->second;
    claim.take();
  }
  for (const Part& init : pod["initContainers"].items())
    if (!is_wait_for_weights(object, init, draft))
      init.leave("the spec has no step before a process; `needs` waits for another workload");
  read_volumes(object, pod, draft, entry);
  const std::string scheduler = pod["schedulerName"].text();
  if (!scheduler.empty() && scheduler != "default-scheduler" && scheduler != "volcano")
    pod["schedulerName"].leave("the spec names no scheduler");
}

void read_environment(const Process& process, Draft& draft, Entry& entry) {
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(process.env, [&](const Variable& v) { return v.name == name; });
  };
  const auto list = [](const std::string& text) {
    Json items = Json::array();
    for (size_t from = 0; from < text.size();) {
      const size_t comma = std::min(text.find(',', from), text.size());
      if (comma > from) items.push_back(text.substr(from, comma - from));
      from = comma + 1;
    }
    return items;
  };
  const bool topics = has("AICTL_TOPICS");
  for (const Variable& v : process.env) {
    const bool port = !process.ports.empty() && v.name == "PORT" &&
                      v.value == fmt::format("{}", process.ports.front().second);
    if (port || (v.name.starts_with("AICTL_MODEL_") && v.name.ends_with("_URL"))) continue;
    if (v.name == "OPENAI_BASE_URL" && v.secret.empty()) {
      entry.url = v.value;
    } else if (v.name == "AICTL_MODEL_NAMES") {
      entry.fields["models"] = list(v.value);
    } else if (v.name == "AICTL_STATE_URL" && v.value.starts_with("http://state.")) {
      entry.fields["state"] = true;
    } else if (v.name == "AICTL_TOPICS") {
      entry.fields["topics"] = list(v.value);
    } else if (topics && v.name == "KAFKA_BOOTSTRAP_SERVERS") {
      section(draft.events)["broker"] = "kafka";
    } else if (topics && v.name == "AICTL_EVENTS_URL") {
      continue;
    } else if (!v.secret.empty()) {
      entry.fields["env"][v.name] = {{"secret", v.secret}, {"key", v.key}};
    } else if (!v.part["valueFrom"] && !v.name.empty()) {
      entry.fields["env"][v.name] = v.value;
    }
  }
}

}  // namespace aictl::platform
