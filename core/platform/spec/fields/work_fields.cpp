// queues, jobs, agents, placement: who asks the models, and where all of it runs.
#include "core/platform/spec/fields/platform_fields.hpp"

namespace aictl::platform {
namespace {

Fields pool_fields(NodePool& p) {
  Fields f;
  f.add(Row("name", &p.name, "its name")).rule(kLabelRule).required();
  f.map("selector", &p.selector, "labels its nodes have", selector_fields).rule(kSelectorKeyRule);
  f.add(Row("nodes", &p.nodes, "how many there are")).range(1, 10000);
  f.add(Row("topology", &p.topology,
            "a capture of one of them, such as `aictl topo -o json` prints; else these words say "
            "what a node has"))
      .rule(kTextRule);
  f.add(Row("gpu", &p.gpu, "model of its GPUs, such as H100 SXM")).rule(kGpuRule);
  f.add(Row("gpus", &p.gpus, "GPUs of a node")).range(0, 64).derived("1 where a model is named");
  f.add(Row("cpus", &p.cpus, "cores of a node"))
      .range(0, 1024)
      .derived("8, and 8 more for each GPU");
  f.add(Row("memory", &p.memory, "memory of a node"))
      .range(0, 1e14)
      .derived("4Gi a core, or twice what its GPUs have");
  f.add(Row("sockets", &p.sockets, "processors of a node"))
      .range(0, 16)
      .derived("2 from 4 GPUs or 32 cores on, else 1");
  return f;
}

template <typename T>
void add_process(Fields& f, T& t, const char* what) {
  f.add(Row("name", &t.name, "its name")).rule(kServiceLabelRule).required();
  f.add(Row("image", &t.image, what)).rule(kImageRule);
  f.add(Row("command", &t.command, "its command line, a word an item")).rule(kTextRule);
  f.map("env", &t.env, "its variables; a credential is {secret: NAME, key: KEY}",
        environment_fields)
      .rule(kVariableRule);
}

template <typename T>
void add_resources(Fields& f, T& t) {
  f.add(Row("gpus", &t.gpus, "GPUs of one of them")).range(0, 64);
  f.add(Row("cpus", &t.cpus, "processors of one of them")).range(0.01, 4096);
  f.add(Row("memory", &t.memory, "memory of one of them")).range(1 << 20, 1e14);
}

}  // namespace

Fields selector_fields(std::string& value) {
  Fields f;
  f.add(Row("value", &value, "the label's value")).rule(kSelectorValueRule);
  return f.shorthand("value", true);
}

Fields environment_fields(EnvironmentValue& v) {
  Fields f;
  f.add(Row("value", &v.value, "the value as text"));
  f.add(Row("secret", &v.secret, "a secret that has it")).rule(kSubdomainRule);
  f.add(Row("key", &v.key, "its key in that secret")).rule(kSecretKeyRule);
  return f.shorthand("value");
}

Fields queue_fields(Queue& q) {
  Fields f;
  f.add(Row("name", &q.name, "its name")).rule(kServiceLabelRule).required();
  f.add(Row("gpus", &q.gpus, "GPUs its jobs may have together"))
      .range(0, 1e6)
      .derived("what the nodes have");
  f.add(Row("cpus", &q.cpus, "processors its jobs may have together"))
      .range(0, 1e7)
      .derived("what the nodes have");
  f.add(Row("memory", &q.memory, "memory its jobs may have together"))
      .range(0, 1e16)
      .derived("what the nodes have");
  f.add(Row("priority", &q.priority, "more goes first")).range(-1000, 1000);
  f.add(Row("cohort", &q.cohort, "queues of one cohort lend each other what they do not use"))
      .rule(kSubdomainRule);
  return f;
}

Fields job_fields(Job& j) {
  Fields f;
  add_process(f, j, "container image; without a command its own entry point runs");
  f.add(Row("queue", &j.queue, "one of queues")).rule(kServiceLabelRule).derived("none");
  f.add(Row("model", &j.model, "the model it asks")).rule(kModelNameRule);
  f.add(Row("parallelism", &j.parallelism, "how many run at once")).range(1, 10000);
  add_resources(f, j);
  f.add(Row("retries", &j.retries, "how often a failed one is started again")).range(0, 100);
  f.add(Row("needs", &j.needs, "what has to be ready before it, by name")).rule(kTextRule);
  return f;
}

Fields agent_fields(Agent& a) {
  Fields f;
  add_process(f, a, "container image; without a command its own entry point runs");
  f.add(Row("models", &a.models,
            "models it asks: their address comes as OPENAI_BASE_URL, their names as AICTL_MODEL_NAMES"))
      .rule(kModelNameRule);
  f.add(Row("port", &a.port, "TCP port it answers at")).range(1, 65535);
  f.add(Row("health", &a.health, "path that answers 200 while it is well; empty: none"));
  f.add(Row("replicas", &a.replicas, "how many there are")).range(0, 1000);
  add_resources(f, a);
  f.add(Row("state", &a.state, "uses the state store: its address comes as AICTL_STATE_URL"));
  f.add(Row("topics", &a.topics,
            "topics it listens to: the broker's address comes as AICTL_EVENTS_URL"))
      .rule(kTopicRule);
  f.add(Row("needs", &a.needs, "what has to be ready before it, by name")).rule(kTextRule);
  return f;
}

Fields placement_fields(Placement& p) {
  Fields f;
  f.add(Row("topology", &p.topology,
            "a capture of the machine, such as `aictl topo -o json` or lstopo writes"))
      .rule(kTextRule)
      .derived("this machine");
  f.add(Row("nodes", &p.nodes, "machines like that capture; pools say theirs")).range(1, 10000);
  f.map("selector", &p.selector, "labels that nodes need", selector_fields).rule(kSelectorKeyRule);
  f.list("pools", &p.pools, "nodes that are alike", pool_fields);
  return f;
}

}  // namespace aictl::platform
