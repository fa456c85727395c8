// What is asked of the planner and what it answers, as plain data.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/placement/cost/loading.hpp"
#include "core/placement/cost/roofline.hpp"
#include "core/placement/search/groups.hpp"

namespace aictl::placement {

struct Slo {
  std::optional<double> ttft, tpot;  // seconds
};

/// Weights of the scalar form, by term; nullopt: the terms are compared in order.
inline constexpr std::array<std::string_view, 8> kTerms = {
    "slo", "goodput", "gpus", "links", "fragmentation", "numa", "distance", "index"};
using TermWeights = std::array<double, kTerms.size()>;

/// What one model asks for itself; zero or unset: what the request says.
struct ModelWish {
  int64_t context = 0;
  int concurrency = 0, tp = 0, replicas = 0;
  Slo slo;
};

struct PlanRequest {
  std::vector<ModelShape> models;
  std::vector<ModelWish> wishes;    // one a model, or none
  std::vector<std::string> quants;  // to choose from; empty: the model's own
  Slo slo;
  int64_t context = 0;    // tokens a sequence; 0: 8192, or the trained one if that is less
  int64_t prompt = 1024;  // tokens of a prompt, for TTFT
  int concurrency = 8;    // sequences in flight, all replicas of a model together
  Engine engine = Engine::kVllm;
  std::string kv_type = "f16";
  double kv_element = 2;
  DeviceWishes devices;
  int tp = 0;                         // ranks a replica must have; 0: searched
  int replicas = 0;                   // that a model has; 0: as many as bring something
  bool cpu_only = false;              // leave GPUs alone
  std::vector<std::string> backends;  // of this build of aictl: what its command may name
  std::optional<TermWeights> weights;
};

/// The request as it is for one of its models.
PlanRequest request_of(const PlanRequest& request, size_t model);

/// One way to place a model on a host, priced.
struct Option {
  std::string quant;
  Cut cut;
  int replicas = 1;  // on one host
  int span = 1;      // hosts a replica spans: stages of a pipeline
  bool cpu = false;
  std::vector<GpuMask> groups;  // of GPUs, one a replica
  std::vector<int> nodes;       // of memory, one a replica (all of one replica's under pp)
  Device device;                // one of them: they are alike
  Fabric fabric;                // of the slowest group
  GroupScore score;
  Load load;
  Fit fit;
  DecodeStep decode;
  Prefill prefill;
  double goodput = 0;  // tokens a second, all replicas on all hosts
  bool slo_met = true;
  bool exact_groups = true;

  double ttft() const { return prefill.seconds(); }
  double tpot() const { return decode.seconds(); }
  int devices_used() const;
  /// "tp=4 pp=1 x2 Q4_K_M on gpus".
  std::string words() const;
};

struct Rejected {
  std::string option;  // as Option::words, or the groups of the chosen one: "gpu 0,1 | 4,5"
  std::string term;    // what it lost on: "memory", "shape", "sockets", or a word of kTerms
  std::string why;     // with numbers
  std::optional<Fit> fit = std::nullopt;  // what it would need, where it lost on memory
};

/// One replica of a model on a host.
struct Replica {
  std::vector<int> gpus;
  std::vector<std::string> uuids;  // as CUDA_VISIBLE_DEVICES takes them; see device_words
  topology::Bitset cpus, nodes;    // cores and memory nodes it is bound to; empty: unknown
  int cores = 0;                   // of its own; 0: it shares them
  bool pin = true;                 // bind it: false where a measurement says that it does not help
};

/// What losing a part of the host does, and the way back.
struct Loss {
  std::string part;              // "gpu3", "numa1", "switch 0000:3b:00.0", "host"
  std::vector<std::string> hit;  // replicas that stop: "llama:8b #0"
  std::string replan;            // the fewest moves that bring them back
  double reload_bytes = 0;
};

/// A pin that was tried on this machine; speeds in tokens a second.
struct Verified {
  double pinned = 0, left_alone = 0;
  double chance = 1;     // that no difference looks like that
  double predicted = 0;  // of the same step, by the planner
  int rounds = 0;
  bool kept = false;
};

struct ModelPlan {
  ModelShape shape;
  std::optional<Option> chosen;      // nullopt: it could not be placed
  std::string verdict;               // of the memory fit
  std::optional<Fit> nearest;        // of the option that nearly fits, where it could not be placed
  Loading loading;                   // of one replica
  std::vector<std::string> reasons;  // a line a term of the objective
  std::vector<Rejected> rejected;
  std::vector<Replica> replicas;  // on one host
  std::optional<Verified> verified;
};

/// The plan of hosts that are alike.
struct HostPlan {
  std::string hostname;
  int hosts = 1;
  std::vector<ModelPlan> models;  // as asked for
  std::vector<Loss> losses;
  std::vector<int> free_gpus;
  std::vector<std::string> notes;
};

struct Plan {
  std::vector<HostPlan> hosts;  // one a kind of host
  bool placed() const;          // every model is somewhere
};

}  // namespace aictl::placement
