// Pods: a container as a process, and what its words say: a server of ours, vLLM, or somebody
// else's program.
#pragma once

#include "core/platform/import/draft.hpp"
#include "core/platform/import/part.hpp"

namespace aictl::platform {

struct Variable {
  std::string name, value, secret, key;
  Part part;
};

/// A container as it was read.
struct Process {
  std::vector<std::string> words;  // command and args; a shell's text split into its words
  std::string image, health;
  std::vector<Variable> env;
  std::vector<std::pair<std::string, int64_t>> ports;
  int64_t gpus = 0;
  double cpus = 0, memory = 0;
  Part container;
};

Process read_process(const Part& container);

/// The container that is the work, the others told as not taken; nothing where there is none.
Part main_container(const Part& pod);

/// Nodes, GPUs by claim, the claim of weights and what waits for them.
void read_pod(Object& object, const Part& pod, Draft& draft, Entry& entry);

/// The words of a command line as a shell splits them.
std::vector<std::string> shell_words(std::string_view text);

/// Which program a process is: "vllm", "aictl serve", "aictl gateway", "aictl state",
/// "aictl events"; empty for others.
std::string_view program_of(const Process& process);

/// A model from the command line of its server. What the spec has no field for goes to `args`.
void read_server(const Process& process, Entry& entry);
/// One flag of vLLM with its value into the fields; false where no field has it.
bool take_vllm_flag(std::string flag, const std::string& value, Json& fields);
/// What the annotations of aictl add to a model: its name, source, revision, shape and nodes.
void read_annotations(Object& object, Entry& entry);
/// "meta-llama/Llama-3.1-8B" -> "hf://meta-llama/Llama-3.1-8B"; files and folders stay.
std::string source_of(std::string_view text);

/// Adds what a pod runs, whatever it is. `replicas` as the object says them.
void add_pod(Object& object, const Part& pod, const Part& pod_meta, int64_t replicas, Draft& draft);
/// The same for work that ends.
void add_work(Object& object, const Part& pod, const Part& pod_meta, int64_t parallelism,
              int64_t retries, Draft& draft);

/// The services of aictl: gateway, state and events, from their own command lines and files.
void add_own_service(Object& object, std::string_view program, const Process& process,
                     const Part& pod, int64_t replicas, Draft& draft);
/// What variables that aictl sets say: models, state, topics; the others become `env`.
void read_environment(const Process& process, Draft& draft, Entry& entry);

}  // namespace aictl::platform
