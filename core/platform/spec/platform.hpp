// Platform: what `aictl.yaml` says, as plain data with every default filled in.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/value/yaml.hpp"

namespace aictl::platform {

using Seconds = std::chrono::seconds;

struct Slo {
  std::chrono::milliseconds ttft{0}, tpot{0};  // 0: none
};

struct Adapter {
  std::string name, source;
};

enum class ModelEngine : uint8_t { kAictl, kVllm };

enum class ModelDevice : uint8_t { kAuto, kGpu, kCpu };

/// models[]: a model that is served under its name.
struct ModelEntry {
  std::string name;    // what clients ask for, such as Qwen/Qwen2.5-7B; by default made from the
                       // source. Its workload's name is made from it: see names.hpp
  std::string source;  // ./file.gguf, a folder of safetensors, a name in the model folders,
                       // hf://org/model[/file.gguf][:revision], or a shape such as llama:8b
  std::string shape;   // what its weights are, where they cannot be read from here: llama:8b:q4_k_m
                       // or a path of its config.json
  std::string revision;  // of a hub's repository
  std::string checksum;  // sha256:... of the file, recorded in what is generated
  ModelEngine engine = ModelEngine::kAictl;
  ModelDevice device = ModelDevice::kAuto;
  std::string pool;                    // of placement.pools; empty: the first it fits in
  int replicas = 1, max_replicas = 0;  // 0: as replicas
  int64_t context = 0;                 // tokens a sequence; 0: 8192, or the trained one if less
  int concurrency = 8;                 // sequences in flight in a replica
  std::string quantisation;            // empty: the file's own
  std::string kv_type;                 // of the KV cache; empty: the engine's default
  int tensor_parallel = 0;             // 0: searched
  std::vector<Adapter> adapters;
  Slo slo;
  double cpus = 0;                // a process; 0: 2 + 1 a GPU, or all there are
  std::string secret;             // the hub's token under its key HF_TOKEN, by reference
  std::string image;              // empty: the target's
  std::vector<std::string> args;  // appended to the engine's command line as they are
  std::vector<std::string> needs;
};

struct Listener {
  std::string name = "http";
  int port = 8080;
  std::string hostname;     // empty: any
  std::string certificate;  // a secret's name; empty: no TLS
};

struct Budget {
  int64_t tokens = 0;  // in `window`; 0: none
  Seconds window{86400};
  int requests_per_minute = 0;
};

struct Provider {
  std::string name, kind = "openai", url;
  std::string secret, key = "token";  // the credential, by reference; empty: it asks for none
  std::vector<std::string> models;    // it serves; a pattern may end in *
};

struct Route {
  std::string model;                  // as clients ask for it
  std::vector<std::string> backends;  // models or providers, the first is tried first
  std::string policy = "least_loaded";
  int retries = 1;
  Seconds timeout{600};
};

struct Gateway {
  bool enabled = false;  // true when the section is there
  std::vector<Listener> listeners;
  std::vector<Route> routes;
  std::vector<Provider> providers;
  std::string keys_secret;  // keys of clients, by reference
  Budget budget;            // of one key
  int replicas = 2;
};

struct State {
  bool enabled = false;
  std::string store = "sqlite";  // sqlite, memory, redis, postgres, mysql
  Seconds ttl{0};                // 0: kept
  uint64_t size = uint64_t{10} << 30;
  std::string secret;  // the connection, by reference
};

struct Topic {
  std::string name;
  int partitions = 3;
  Seconds retention{604800};
};

struct Events {
  bool enabled = false;
  std::string broker = "sqlite";  // sqlite, kafka
  std::vector<Topic> topics;
  uint64_t size = uint64_t{100} << 30;
};

struct Queue {
  std::string name;
  int gpus = 0;  // quota; 0: what the platform's nodes have
  double cpus = 0;
  uint64_t memory = 0;
  int priority = 0;
  std::string cohort;
};

/// The value of a variable: a text, or a key of a secret.
struct EnvironmentValue {
  std::string value, secret, key;
  bool operator==(const EnvironmentValue&) const = default;
};

struct Job {
  std::string name, queue, image;
  std::vector<std::string> command;
  std::map<std::string, EnvironmentValue> env;
  std::string model;  // it asks, or runs
  int parallelism = 1, gpus = 0;
  double cpus = 1;
  uint64_t memory = uint64_t{1} << 30;
  int retries = 3;
  std::vector<std::string> needs;
};

/// agents[]: a container or a command with what it needs.
struct Agent {
  std::string name, image;
  std::vector<std::string> command;
  std::map<std::string, EnvironmentValue> env;
  std::vector<std::string> models;  // it may ask; their URLs come in the environment
  int port = 8080;
  std::string health = "/health";
  int replicas = 1, gpus = 0;
  double cpus = 1;
  uint64_t memory = uint64_t{512} << 20;
  bool state = false;               // uses the state store
  std::vector<std::string> topics;  // it is subscribed to
  std::vector<std::string> needs;
};

struct Telemetry {
  bool enabled = false;
  std::string otlp;      // endpoint; empty: the collector that is generated
  bool prompts = false;  // prompts and answers in traces: personal data
  double sample = 0.1;
};

struct Storage {
  std::string model_class, state_class;  // storage classes; empty: the cluster's default
  uint64_t models = 0;                   // room for weights; 0: what they need
  std::string bring = "claim";           // claim, image, node, download: how weights come to a pod
  uint64_t disk_rate = 0, network_rate = 0;  // bytes a second; 0: what the machine suggests
};

/// Nodes that are alike, by a capture of one of them or in words.
struct NodePool {
  std::string name;
  std::map<std::string, std::string> selector;
  int nodes = 1;
  std::string topology;  // a capture of one of them; else the words below describe it
  std::string gpu;       // "H100 SXM": a row of the table of GPUs
  int gpus = 0;          // of a node
  int cpus = 0;          // cores of a node; 0: 8, and 8 more a GPU
  uint64_t memory = 0;   // of a node; 0: 4 GiB a core, or twice its GPUs' if that is more
  int sockets = 0;       // 0: two from 4 GPUs or 32 cores on
};

struct Placement {
  std::string topology;  // a capture; empty: the pools, or else this machine
  int nodes = 1;         // machines like that capture; of pools each has its own
  std::map<std::string, std::string> selector;
  std::vector<NodePool> pools;
};

/// Everything a spec says. Made by read_platform, which fills every default and checks every rule;
/// immutable after that.
struct Platform {
  std::string name;   // a DNS label
  std::string space;  // the namespace; by default the name
  std::vector<ModelEntry> models;
  Gateway gateway;
  State state;
  Events events;
  std::vector<Queue> queues;
  std::vector<Job> jobs;
  std::vector<Agent> agents;
  Telemetry telemetry;
  Storage storage;
  Placement placement;
  std::map<std::string, Json> targets;  // by renderer: its few knobs

  std::string file;    // where it was read from, as it was named
  std::string digest;  // sha256 of its normal form: the same for any key order
  std::map<std::string, SourcePlace> places;  // by JSON pointer, of what the file says
};

}  // namespace aictl::platform
