// Counters, gauges and histograms, and their text for Prometheus. Instruments are made once, at
// start; updating one takes no lock of the registry.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace aictl {

using Labels = std::map<std::string, std::string>;

// Handles. They live as long as their Metrics; updates are safe from any thread.
class Counter {
 public:
  void add(double by = 1) const;  // by >= 0
  double value() const;

 private:
  friend class Metrics;
  explicit Counter(prometheus::Counter& counter) : counter_(&counter) {}
  prometheus::Counter* counter_;
};

class Gauge {
 public:
  void set(double value) const;
  void add(double by) const;
  double value() const;

 private:
  friend class Metrics;
  explicit Gauge(prometheus::Gauge& gauge) : gauge_(&gauge) {}
  prometheus::Gauge* gauge_;
};

class Histogram {
 public:
  void observe(double value) const;

 private:
  friend class Metrics;
  explicit Histogram(prometheus::Histogram& histogram) : histogram_(&histogram) {}
  prometheus::Histogram* histogram_;
};

/// A registry. All functions are callable from any thread.
class Metrics {
 public:
  Metrics();
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// The instrument of that name and labels, made at the first call. A name keeps its first kind
  /// and help. Names and labels must be legal for Prometheus: they are written in the program,
  /// never taken from a client.
  Counter counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// `buckets`: upper bounds, ascending; +Inf is added.
  Histogram histogram(const std::string& name, const std::string& help,
                      const std::vector<double>& buckets, const Labels& labels = {});

  /// `update` runs before each exposition: for gauges whose value is kept elsewhere. It must not
  /// call expose().
  void before_exposition(std::function<void()> update);

  /// Text exposition format 0.0.4.
  std::string expose() const;
  /// Its Content-Type.
  static constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aictl
