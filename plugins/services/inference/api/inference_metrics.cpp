#include "plugins/services/inference/api/inference_metrics.hpp"

#include <utility>
#include <vector>

#include <fmt/format.h>

namespace aictl::inference {
namespace {

using Buckets = std::vector<double>;

const Buckets kFirstToken{0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75,
                          1,     2.5,   5,    7.5,  10,   20,   40,   80,  160,  640, 2560};
const Buckets kInterToken{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3,
                          0.4,   0.5,    0.75,  1,    2.5,   5,    7.5,   10,  20,   40,  80};
const Buckets kLatency{0.01, 0.05, 0.1, 0.3, 0.5, 0.8, 1,   1.5, 2,   2.5, 5,    10,
                       15,   20,   30,  40,  50,  60,  120, 240, 480, 960, 1920, 7680};
const Buckets kTokens{1,    2,    5,    10,    20,    50,    100,    200,    500,
                      1000, 2000, 5000, 10000, 20000, 50000, 100000, 200000, 500000};

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

// Brings a counter up to a total that somebody else counts.
void raise_to(const Counter& counter, double total) {
  const double behind = total - counter.value();
  if (behind > 0) counter.add(behind);
}

// Of the KV cache on disk; all zero without one.
struct DiskSnapshot {
  DiskSnapshot(Metrics& m, const Labels& l)
      : files(m.gauge("aictl_kv_disk_files", "Files of KV blocks, of all models.", l)),
        bytes(m.gauge("aictl_kv_disk_bytes", "Bytes of them.", l)),
        lookups(m.counter("aictl_kv_disk_lookups_total", "Prompts looked up on disk.", l)),
        hits(m.counter("aictl_kv_disk_hits_total", "Prompts begun from disk.", l)),
        promoted(m.counter("aictl_kv_disk_promoted_tokens_total", "Tokens read from disk.", l)),
        read(m.counter("aictl_kv_disk_read_bytes_total", "Bytes read of KV blocks.", l)),
        written(m.counter("aictl_kv_disk_written_bytes_total", "Bytes of files written.", l)),
        evicted(m.counter("aictl_kv_disk_evicted_total", "Files removed to make room.", l)),
        dropped(m.counter("aictl_kv_disk_dropped_blocks_total",
                          "Blocks that gave way before they were written.", l)),
        unwritten(m.counter("aictl_kv_disk_unwritten_total", "Runs that were not written.", l)),
        discarded{{&DiskCacheStats::damaged, discards(m, l, "damaged")},
                  {&DiskCacheStats::foreign, discards(m, l, "foreign")},
                  {&DiskCacheStats::unsafe, discards(m, l, "unsafe")},
                  {&DiskCacheStats::gone, discards(m, l, "gone")},
                  {&DiskCacheStats::unreadable, discards(m, l, "unreadable")}} {}

  static Counter discards(Metrics& m, Labels labels, const char* reason) {
    labels["reason"] = reason;
    return m.counter("aictl_kv_disk_discarded_total", "Files ignored, by reason.", labels);
  }

  void update(const DiskCacheStats& s) const {
    files.set(static_cast<double>(s.files));
    bytes.set(static_cast<double>(s.bytes));
    raise_to(lookups, static_cast<double>(s.lookups));
    raise_to(hits, static_cast<double>(s.hits));
    raise_to(promoted, static_cast<double>(s.promoted_tokens));
    raise_to(read, static_cast<double>(s.read_bytes));
    raise_to(written, static_cast<double>(s.written_bytes));
    raise_to(evicted, static_cast<double>(s.evicted));
    raise_to(dropped, static_cast<double>(s.dropped));
    raise_to(unwritten, static_cast<double>(s.unwritten));
    for (const auto& [field, counter] : discarded) raise_to(counter, static_cast<double>(s.*field));
  }

  Gauge files, bytes;
  Counter lookups, hits, promoted, read, written, evicted, dropped, unwritten;
  std::vector<std::pair<uint64_t DiskCacheStats::*, Counter>> discarded;
};

}  // namespace

struct InferenceMetrics::Snapshot {
  Snapshot(Metrics& m, const Labels& l)
      : running(m.gauge("vllm:num_requests_running", "Sequences being computed.", l)),
        waiting(m.gauge("vllm:num_requests_waiting", "Sequences waiting to be computed.", l)),
        kv_share(m.gauge("vllm:kv_cache_usage_perc", "Share of the KV blocks in use, 0..1.", l)),
        prefix_queries(m.counter("vllm:prefix_cache_queries", "Tokens looked up in a cache.", l)),
        prefix_hits(m.counter("vllm:prefix_cache_hits", "Tokens found in a cache.", l)),
        prompt(m.counter("vllm:prompt_tokens_total", "Prompt tokens computed.", l)),
        generated(m.counter("vllm:generation_tokens_total", "Tokens generated.", l)),
        kv_used(m.gauge("aictl_kv_blocks_used", "KV blocks in use.", l)),
        kv_blocks(m.gauge("aictl_kv_blocks", "KV blocks there are.", l)),
        queue_limit(m.gauge("aictl_queue_limit", "Requests that may wait.", l)),
        refused(m.counter("aictl_requests_refused_total", "Turned away: the queue was full.", l)),
        cancelled(m.counter("aictl_requests_cancelled_total", "Cancelled before their end.", l)),
        parkings(m.counter("aictl_parkings_total", "Sequences that gave up their memory.", l)),
        recomputed(m.counter("aictl_recomputed_tokens_total", "Tokens computed once more.", l)),
        drafted(m.counter("vllm:spec_decode_num_draft_tokens_total",
                          "Tokens guessed ahead and checked.", l)),
        accepted(m.counter("vllm:spec_decode_num_accepted_tokens_total",
                           "Tokens guessed ahead that were right.", l)),
        steps(m.counter("aictl_steps_total", "Steps of the engine.", l)),
        forward(m.counter("aictl_forward_seconds_total", "Time in the forward pass.", l)),
        sample(m.counter("aictl_sample_seconds_total", "Time spent sampling.", l)),
        schedule(m.counter("aictl_schedule_seconds_total", "Time spent planning steps.", l)),
        disk(m, l) {}

  void update(const EngineStats& s) const {
    running.set(s.running);
    waiting.set(s.waiting);
    kv_share.set(s.kv_blocks > 0 ? static_cast<double>(s.kv_blocks_used) / s.kv_blocks : 0);
    raise_to(prefix_queries, static_cast<double>(s.prompt_tokens));
    raise_to(prefix_hits, static_cast<double>(s.reused_tokens));
    raise_to(prompt, static_cast<double>(s.prompt_tokens));
    raise_to(generated, static_cast<double>(s.generated_tokens));
    kv_used.set(s.kv_blocks_used);
    kv_blocks.set(s.kv_blocks);
    queue_limit.set(s.waiting_limit);
    raise_to(refused, static_cast<double>(s.refused));
    raise_to(cancelled, static_cast<double>(s.cancelled));
    raise_to(parkings, static_cast<double>(s.parkings));
    raise_to(recomputed, static_cast<double>(s.recomputed_tokens));
    raise_to(drafted, static_cast<double>(s.drafted_tokens));
    raise_to(accepted, static_cast<double>(s.accepted_tokens));
    raise_to(steps, static_cast<double>(s.steps));
    raise_to(forward, seconds(s.forward));
    raise_to(sample, seconds(s.sample));
    raise_to(schedule, seconds(s.schedule));
    disk.update(s.disk);
  }

  Gauge running, waiting, kv_share;
  Counter prefix_queries, prefix_hits, prompt, generated;
  Gauge kv_used, kv_blocks, queue_limit;
  Counter refused, cancelled, parkings, recomputed, drafted, accepted, steps, forward, sample,
      schedule;
  DiskSnapshot disk;
};

InferenceMetrics::InferenceMetrics(const Served& served) {
  for (const ServedModel& model : served.all()) {
    models_.emplace(model.card.id, make(model.card.id));
    watch(model);
  }
}

InferenceMetrics::PerModel InferenceMetrics::make(const std::string& model) {
  const Labels labels{{"model_name", model}};
  const auto ends = [&](const char* reason) {
    return metrics_.counter("vllm:request_success_total", "Choices that came to their end.",
                            {{"model_name", model}, {"finished_reason", reason}});
  };
  const auto histogram = [&](const char* name, const char* help, const Buckets& buckets) {
    return metrics_.histogram(name, help, buckets, labels);
  };
  return {
      ends("stop"),
      ends("length"),
      metrics_.counter("aictl_requests_failed_total", "Requests that ended in an error.", labels),
      histogram("vllm:time_to_first_token_seconds", "Submission to first token.", kFirstToken),
      histogram("vllm:inter_token_latency_seconds", "Between tokens.", kInterToken),
      histogram("vllm:e2e_request_latency_seconds", "Submission to last token.", kLatency),
      histogram("vllm:request_queue_time_seconds", "Waiting to be scheduled.", kLatency),
      histogram("vllm:request_prefill_time_seconds", "Computing the prompt.", kLatency),
      histogram("vllm:request_decode_time_seconds", "First token to last.", kLatency),
      histogram("vllm:request_prompt_tokens", "Prompt tokens a request.", kTokens),
      histogram("vllm:request_generation_tokens", "Generated tokens a choice.", kTokens),
  };
}

void InferenceMetrics::watch(const ServedModel& model) {
  const Snapshot snapshot(metrics_, {{"model_name", model.card.id}});
  metrics_.before_exposition(
      [snapshot, engine = model.engine] { snapshot.update(engine->stats()); });
}

const InferenceMetrics::PerModel* InferenceMetrics::of(const std::string& model) const {
  const auto found = models_.find(model);
  return found == models_.end() ? nullptr : &found->second;
}

void InferenceMetrics::finished(const Finished& end, const std::string& model) {
  const PerModel* m = of(model);
  if (m == nullptr) return;
  const GenerationTimings& t = end.timings;
  (end.reason == FinishReason::kLength ? m->cut : m->stopped).add();
  m->queue.observe(seconds(t.queued));
  m->prefill.observe(seconds(t.prefill));
  if (t.generated_tokens > 0) m->first_token.observe(seconds(t.first_token));
  m->decode.observe(seconds(t.decode));
  m->latency.observe(seconds(t.queued + t.prefill + t.decode));
  m->prompt.observe(t.prompt_tokens);
  m->generated.observe(t.generated_tokens);
}

void InferenceMetrics::failed(const std::string& model) {
  if (const PerModel* m = of(model)) m->errors.add();
}

void InferenceMetrics::inter_token(double each, const std::string& model) {
  if (const PerModel* m = of(model)) m->inter_token.observe(each);
}

void InferenceMetrics::answered(std::string_view route, const http::Access& access) {
  metrics_
      .histogram("aictl_request_seconds", "Requests by route and status.", kLatency,
                 {{"route", route.empty() ? "other" : std::string(route)},
                  {"status", std::to_string(access.status)}})
      .observe(std::chrono::duration<double>(access.duration).count());
}

}  // namespace aictl::inference
