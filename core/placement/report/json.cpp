#include "core/placement/report/json.hpp"

#include <cmath>

#include "core/placement/report/commands.hpp"

namespace aictl::placement {
namespace {

uint64_t bytes(double value) { return whole(value); }

// Six significant digits: the same text wherever sums are taken in the same order.
double digits(double value) {
  if (value == 0 || !std::isfinite(value)) return 0;
  const double scale = std::pow(10, 5 - std::floor(std::log10(std::abs(value))));
  return std::round(value * scale) / scale;
}

Json shape_json(const ModelShape& s, double kv_element) {
  return {{"name", s.name},
          {"architecture", s.architecture},
          {"source", s.source},
          {"quant", s.quant},
          {"parameters", s.parameters},
          {"active_parameters", bytes(s.active_parameters())},
          {"layers", s.layers},
          {"hidden", s.hidden},
          {"heads", s.heads},
          {"kv_heads", s.kv_heads},
          {"head_dim", s.head_dim},
          {"experts", s.experts},
          {"weight_bytes", s.weight_bytes},
          {"weight_bytes_exact", s.exact},
          {"kv_bytes_per_token", bytes(kv_bytes_per_token(s, kv_element))},
          {"kv_formula", kv_formula(s, kv_element)}};
}

Json option_json(const Option& o) {
  return {{"tp", o.cut.tp},
          {"pp", o.cut.pp},
          {"replicas_per_host", o.replicas},
          {"hosts_per_replica", o.span},
          {"quant", o.quant},
          {"device", o.device.model},
          {"device_source", o.device.source},
          {"on_cpu", o.cpu},
          {"context", o.load.context},
          {"sequences_per_replica", o.load.sequences}};
}

Json memory_json(const Fit& f, const std::string& verdict) {
  return {{"verdict", verdict},
          {"weights_bytes", bytes(f.weights)},
          {"kv_bytes", bytes(f.kv)},
          {"activations_bytes", bytes(f.activations)},
          {"fixed_bytes", bytes(f.fixed)},
          {"need_bytes", bytes(f.need())},
          {"usable_bytes", bytes(f.usable)},
          {"max_context", f.max_context},
          {"max_sequences", f.max_sequences},
          {"token_capacity", f.token_capacity},
          {"arithmetic", f.arithmetic}};
}

Json speed_json(const Option& o) {
  return {{"goodput_tokens_per_second", digits(o.goodput)},
          {"ttft_ms", digits(o.ttft() * 1e3)},
          {"tpot_ms", digits(o.tpot() * 1e3)},
          {"bound", o.decode.bound},
          {"decode_ms",
           {{"read", digits(o.decode.read * 1e3)},
            {"compute", digits(o.decode.compute * 1e3)},
            {"communication", digits(o.decode.communication * 1e3)},
            {"hops", digits(o.decode.hops * 1e3)},
            {"overhead", digits(o.decode.overhead * 1e3)}}},
          {"prefill_ms",
           {{"compute", digits(o.prefill.compute * 1e3)},
            {"read", digits(o.prefill.read * 1e3)},
            {"communication", digits(o.prefill.communication * 1e3)}}},
          {"worst_link", o.cut.tp > 1 && !o.cpu ? Json(o.fabric.worst_word()) : Json(nullptr)},
          {"ring_gbs", digits(o.fabric.ring_gbs)},
          {"slo_met", o.slo_met}};
}

Json word_or_null(const std::string& word) { return word.empty() ? Json(nullptr) : Json(word); }

Json loading_json(const Loading& l) {
  return {{"source", l.source.name},
          {"source_known", l.source.known},
          {"source_node", l.source.node < 0 ? Json(nullptr) : Json(l.source.node)},
          {"source_gbs", digits(l.source.gbs)},
          {"far", l.far},
          {"in_page_cache", l.source.in_memory},
          {"cold_seconds", digits(l.cold)},
          {"warm_seconds", l.warm > 0 ? Json(digits(l.warm)) : Json(nullptr)},
          {"limit", l.limit}};
}

Json verified_json(const Verified& v) {
  return {{"pinned_tokens_per_second", digits(v.pinned)},
          {"unpinned_tokens_per_second", digits(v.left_alone)},
          {"predicted_tokens_per_second", digits(v.predicted)},
          {"chance", digits(v.chance)},
          {"rounds", v.rounds},
          {"kept", v.kept}};
}

Json replica_json(const ModelPlan& m, size_t index, int port, const PlanRequest& request) {
  const Replica& r = m.replicas[index];
  const Commands c = commands(m, index, port, request);
  return {{"gpus", r.gpus},
          {"devices", r.uuids},
          {"cpus", r.cpus.list()},
          {"memory_nodes", r.nodes.list()},
          {"cores", r.cores},
          {"commands",
           {{"environment", c.environment},
            {"numactl", c.numactl},
            {"cpuset", c.cpuset},
            {"aictl", word_or_null(c.aictl)},
            {"vllm", word_or_null(c.vllm)},
            {"llama.cpp", word_or_null(c.llama_cpp)},
            {"run", c.run}}}};
}

Json model_json(const ModelPlan& m, int& port, const PlanRequest& request, bool explain) {
  Json out = {{"model", shape_json(m.shape, request.kv_element)}, {"placed", m.chosen.has_value()}};
  if (m.chosen) {
    out["placement"] = option_json(*m.chosen);
    out["memory"] = memory_json(m.chosen->fit, m.verdict);
    out["speed"] = speed_json(*m.chosen);
    out["loading"] = loading_json(m.loading);
    out["reasons"] = m.reasons;
    if (m.verified) out["verified"] = verified_json(*m.verified);
    out["notes"] = before_commands(m, request);
    out["replicas"] = Json::array();
    for (size_t i = 0; i < m.replicas.size(); ++i)
      out["replicas"].push_back(replica_json(m, i, port++, request));
  } else {
    out["verdict"] = m.verdict;
    if (m.nearest) out["memory"] = memory_json(*m.nearest, m.verdict);
  }
  if (!explain) return out;
  out["rejected"] = Json::array();
  for (const Rejected& one : m.rejected)
    out["rejected"].push_back({{"option", one.option}, {"term", one.term}, {"why", one.why}});
  return out;
}

Json losses_json(const std::vector<Loss>& losses) {
  Json out = Json::array();
  for (const Loss& loss : losses)
    out.push_back({{"part", loss.part},
                   {"stops", loss.hit},
                   {"replan", loss.replan},
                   {"reload_bytes", bytes(loss.reload_bytes)}});
  return out;
}

}  // namespace

Json to_json(const Plan& plan, const PlanRequest& request, bool explain) {
  Json hosts = Json::array();
  for (const HostPlan& host : plan.hosts) {
    Json models = Json::array();
    int port = 0;
    for (const ModelPlan& model : host.models)
      models.push_back(model_json(model, port, request, explain));
    hosts.push_back({{"host", host.hostname},
                     {"hosts", host.hosts},
                     {"models", std::move(models)},
                     {"free_gpus", host.free_gpus},
                     {"losses", losses_json(host.losses)},
                     {"notes", host.notes}});
  }
  return {{"placed", plan.placed()},
          {"engine", facts(request.engine).name},
          {"concurrency", request.concurrency},
          {"hosts", std::move(hosts)}};
}

}  // namespace aictl::placement
