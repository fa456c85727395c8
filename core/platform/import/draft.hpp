// Draft: a spec while it is gathered from manifests: what each object added, and what is needed to
// fit the pieces together once all have been read.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/plugin/plugins.hpp"
#include "core/value/json.hpp"

namespace aictl::platform {

class Object;

/// Something of the manifests that the spec does not have, or not wholly.
struct Untaken {
  std::string object;  // "Deployment/space/name"
  std::string path;    // "spec.template.spec.hostNetwork"; "." is all of it
  std::string why;
};

using Labels = std::map<std::string, std::string>;

/// An item of models, agents or jobs, and where it came from.
struct Entry {
  Json fields = Json::object();  // as the spec has them
  std::string object;            // its name in the manifests
  std::string label;             // "Deployment/space/name"
  Labels labels;                 // of its pods
  Labels nodes;                  // that its pods are sent to
  std::string pool;              // the nodes it was planned for, as aictl wrote them
  std::string queue;             // it waits in
  std::string weights;           // the claim its weights lie in
  std::string url;               // it was told to ask for models
  std::string gpu;               // the model of GPU it asks for, in its own words
  int64_t gpus = 0, hosts = 1;   // of a replica
  double cpus = 0, memory = 0;
  bool on_cpu = false;  // it was started for processors
};

struct Scale {
  int64_t least = 1, most = 0;
};

/// Weights that are brought by a job.
struct Fetch {
  std::string revision, secret, checksum;
};

struct Claim {
  double bytes = 0;
  std::string storage_class, label;
};

/// A backend of a gateway: one of our models by its address, or a provider.
struct Backend {
  std::string label, schema = "OpenAI", prefix, refers, secret, key;
};

struct Quota {
  double gpus = 0, cpus = 0, memory = 0;
  std::string cohort;
  int64_t priority = 0;
};

struct Draft {
  std::vector<Entry> models, agents, jobs;
  Json gateway, state, events, telemetry;  // null: none was seen
  Json storage = Json::object(), targets = Json::object();
  bool without_kafka = false;  // a component of ours carries events by other means
  bool gateway_file = false;   // the gateway's own file was read: it wins over what others say
  // Of objects of a gateway; backends by their objects' names.
  Json listeners = Json::array(), routes = Json::array(), budget = Json::object();
  int64_t retries = -1;         // -1: nobody says
  bool gateway_is_ours = true;  // whether aictl wrote them

  std::vector<std::string> names, spaces;  // the platform's, best first
  std::vector<std::string> order;          // of workloads, as the spec had them

  std::map<std::string, Scale> scales;                           // by the object that is scaled
  std::map<std::string, Fetch> fetches;                          // by source
  std::map<std::string, Claim> claims;                           // by name
  std::map<std::string, Json> texts;                             // data of ConfigMaps by name
  std::map<std::string, Labels> services;                        // selectors by name
  std::map<std::string, std::set<std::string>> reaches;          // workloads by workload
  std::map<std::string, int64_t> claimed_gpus;                   // by the template of a claim
  std::map<std::string, double> first_token;                     // seconds, by workload
  std::map<std::string, std::vector<std::string>> subscribed;    // topics by workload
  std::map<std::string, Object*> runtimes;                       // of KServe by name
  std::map<std::string, Backend> backends;                       // by AIServiceBackend
  std::map<std::string, std::pair<std::string, int64_t>> hosts;  // and ports, by Backend
  std::map<std::string, Quota> quotas;  // of ClusterQueues and of queues by name
  std::vector<std::pair<std::string, std::string>> queues;  // name -> quota
  std::string first_queue;                                  // that models wait in
  std::map<std::string, Labels> flavors;                    // labels of nodes by ResourceFlavor
  std::set<std::string> classes;                            // storage classes for weights

  std::vector<Untaken> untaken;
  void leave(std::string object, std::string path, std::string why) {
    untaken.push_back({std::move(object), std::move(path), std::move(why)});
  }
};

/// Sets a field where there is something to say.
void set_text(Json& fields, const char* key, const std::string& value);
/// A section that was null becomes a mapping.
Json& section(Json& part);
/// "16Gi".
std::string bytes_text(double bytes);

/// Fits the pieces together and gives the spec as a tree that its reader takes, without what it
/// would say by default. What does not fit goes to `draft.untaken`.
Json finish(Draft& draft);

/// Takes away what the reader refuses, telling why. Null when nothing is left to run.
Json readable(Json spec, Draft& draft, const Plugins* plugins);

}  // namespace aictl::platform
