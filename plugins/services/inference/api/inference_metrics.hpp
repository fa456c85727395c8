// The metrics of an inference server: our own names, and those dashboards of other servers read.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/http/server.hpp"
#include "core/plugin/generation.hpp"
#include "core/telemetry/metrics.hpp"
#include "plugins/services/inference/api/served.hpp"

namespace aictl::inference {

/// All functions are callable from any thread.
class InferenceMetrics {
 public:
  explicit InferenceMetrics(const Served& served);

  /// A choice has come to its end.
  void finished(const Finished& end, const std::string& model);
  /// A request ended in an error.
  void failed(const std::string& model);
  void inter_token(double seconds, const std::string& model);
  /// A request was answered; `route` is a pattern ("/v1/models/{id...}"), not what the client sent.
  void answered(std::string_view route, const http::Access& access);

  std::string expose() const { return metrics_.expose(); }

 private:
  /// The instruments of one model.
  struct PerModel {
    Counter stopped, cut, errors;
    Histogram first_token, inter_token, latency, queue, prefill, decode, prompt, generated;
  };
  /// Those whose values the engine keeps.
  struct Snapshot;

  PerModel make(const std::string& model);
  void watch(const ServedModel& model);
  const PerModel* of(const std::string& model) const;

  Metrics metrics_;
  std::map<std::string, PerModel> models_;  // filled at start, then only read
};

}  // namespace aictl::inference
