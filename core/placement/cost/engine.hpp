// What section 6 and 7 have to know of an engine: how it allocates and what a step costs beside the
// model.
#pragma once

#include <string_view>

#include "core/placement/model/shape.hpp"

namespace aictl::placement {

enum class Engine { kAictl, kVllm, kLlamaCpp };

struct EngineFacts {
  std::string_view name;
  int block = 16;             // tokens a KV block
  int step_tokens = 2048;     // most tokens of a step
  double activation = 2;      // bytes of an activation
  double context_bytes = 0;   // a process on a GPU: context and libraries
  double graph_bytes = 0;     // captured graphs
  double load_gbs = 1;        // 1e9 bytes a second it makes tensors of; assumed
  std::string_view kv_types;  // of its KV cache, blanks between them
  bool spans_hosts = false;   // a replica may
};

const EngineFacts& facts(Engine engine);

/// T_over: seconds a step takes beside the model; `cpu`: on a CPU nothing is launched.
double step_overhead(Engine engine, const ModelShape& shape, bool cpu);

}  // namespace aictl::placement
