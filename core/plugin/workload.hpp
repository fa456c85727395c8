// Workload: a process of a platform, described so that a supervisor can run it here and a renderer
// can write it down for a cluster. What differs between the two (an address, a path) is a
// Reference, which an AddressBook turns into text; nothing else may differ.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace aictl {

/// A text that depends on where the workload runs.
struct Reference {
  enum class Kind : uint8_t {
    kListen,  // "127.0.0.1:8000" here, "0.0.0.0:8000" there: where port `target` of this workload
              // listens
    kHost,    // "127.0.0.1" here, "0.0.0.0" there: the address alone, for programs that want it so
    kPort,    // the number of port `target` of this workload
    kUrl,     // "http://127.0.0.1:8001": how to reach workload `target` at its first port
    kPath,    // where mount `target` of this workload lies; a kModel's `file` is below it
  };
  Kind kind = Kind::kPath;
  std::string target;
  bool operator==(const Reference&) const = default;
};

/// A word of a command line or the value of a variable: its pieces joined.
using Piece = std::variant<std::string, Reference>;
using Word = std::vector<Piece>;

/// A variable of the environment: a value, or a key of a secret, which only its name tells.
struct EnvironmentVariable {
  std::string name;
  Word value;
  std::string secret, key;  // not both this and value
  bool optional = false;    // it starts without the secret too
};

struct Port {
  std::string name = "http";  // at most 15 characters, a letter among them
  int number = 8000;          // wished for; a supervisor may choose another
  bool tls = false;           // it answers HTTPS alone
};

/// Something the workload reads or writes as files.
struct Mount {
  enum class Kind : uint8_t {
    kModel,    // weights, read-only; `source` says whose
    kState,    // outlives the workload
    kScratch,  // gone with it
    kMemory,   // in memory, such as /dev/shm
    kConfig,   // one file, `file`, in the folder `path`; its text is `content`
    kSecret,   // the keys of the secret `source` as files, read-only
  };
  std::string name;  // a DNS label, unique in the workload
  Kind kind = Kind::kScratch;
  std::string path;    // in a container: "/models"
  std::string source;  // kModel: the model's reference as the spec has it; kSecret: its name
  std::string file;    // kModel: the file to open inside it; empty: the folder. kConfig: its name
  std::string found;   // kModel: the file or folder on this machine; empty: it is not here
  Word content;        // kConfig
  uint64_t bytes = 0;  // room it takes; 0: unknown
};

struct Resources {
  double cpus = 0;  // whole where threads are pinned
  uint64_t memory = 0, ephemeral = 0;
  int gpus = 0;             // of one process group on one node
  std::string gpu_product;  // "NVIDIA-H200"; empty: any
  bool operator==(const Resources&) const = default;
};

/// An HTTP GET that tells health. Times are seconds.
struct Probe {
  std::string path = "/health", port = "http";
  int period = 10, timeout = 5, failures = 3;
};

enum class Restart : uint8_t { kAlways, kOnFailure, kNever };

/// Which part of the platform it is.
enum class Component : uint8_t { kModel, kGateway, kState, kEvents, kAgent, kJob, kTelemetry };

struct Workload {
  std::string name;  // a DNS label of at most 52 characters, unique in the platform
  Component component = Component::kModel;
  std::string pool;     // of the plan's pools, by name: where it runs; empty: anywhere
  std::string service;  // the row of `aictl plugin list --kind service`; empty: a command of
                        // somebody else's
  std::string model;    // the model of the spec it serves or works for, by name; empty: none
  std::string image;    // of its container; without a digest it is not pinned
  std::vector<Word> argv;
  std::vector<EnvironmentVariable> environment;
  std::vector<Port> ports;
  Resources resources;
  std::vector<Mount> mounts;
  std::optional<Probe> startup, ready, live;
  int startup_seconds = 60;   // it may take to become ready
  int shutdown_seconds = 30;  // it may take to finish what runs after SIGTERM
  int linger_seconds = 10;    // between leaving the endpoints and SIGTERM
  int replicas = 1, max_replicas = 1;
  int nodes = 1;  // a replica spans; over 1 they start together or not at all
  Restart restart = Restart::kAlways;
  std::vector<std::string> needs;  // names of workloads that have to be ready before
  /// Where a number came from, by field ("resources.memory", "argv.--max-model-len"): the formula
  /// with its numbers, or the line of the spec.
  std::map<std::string, std::string> why;
};

/// How names become addresses and paths where a platform runs.
class AddressBook {
 public:
  virtual ~AddressBook() = default;
  /// Total: a workload refers only to what it or its platform has.
  virtual std::string resolve(const Workload& of, const Reference& reference) const = 0;
};

/// The word as text.
std::string spell(const Word& word, const Workload& of, const AddressBook& book);

}  // namespace aictl
