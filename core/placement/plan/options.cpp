#include "core/placement/plan/options.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "core/base/units.hpp"

namespace aictl::placement {
namespace {

constexpr int kMaxStages = 4;
constexpr int64_t kDefaultContext = 8192;

// Why the model cannot be cut so; empty: it can.
std::string uncuttable(const ModelShape& s, int tp, int pp) {
  if (s.heads % tp != 0) return fmt::format("{} heads are not a multiple of {}", s.heads, tp);
  if (s.kv_heads > 0 && s.kv_heads % tp != 0 && tp % s.kv_heads != 0)
    return fmt::format("{} kv heads and {} ranks: neither divides the other", s.kv_heads, tp);
  const int64_t ffn = s.experts > 0 ? s.expert_ffn : s.ffn;
  if (tp > 1 && (ffn % tp != 0 || uint64_t(ffn / tp) % std::max<uint64_t>(s.quant_group, 1) != 0))
    return fmt::format("feed-forward {} / {} is not a multiple of {}'s block of {}", ffn, tp,
                       s.quant, s.quant_group);
  if (s.layers < pp) return fmt::format("{} layers in {} stages", s.layers, pp);
  return "";
}

std::vector<ModelShape> shapes_of(const PlanRequest& request, const ModelShape& shape) {
  if (request.quants.empty()) return {shape};
  std::vector<ModelShape> shapes;
  for (const std::string& quant : request.quants) shapes.push_back(with_quant(shape, quant));
  return shapes;
}

// Fills what speed and memory say; false when it does not fit, and then `rejected` knows why.
bool price(Option& o, const PlanRequest& request, const ModelShape& shape, int hosts,
           int concurrency, Options& into) {
  const int everywhere = std::max(1, o.replicas * hosts / o.span);
  o.load = {planned_context(request, shape), (concurrency + everywhere - 1) / everywhere,
            request.kv_element};
  const double utilisation = o.cpu ? 0.9 : request.devices.utilisation;
  o.fit = fit_memory(shape, o.cut, o.load, request.engine, o.device, utilisation);
  if (!o.fit.fits) {
    into.rejected.push_back({o.words(), "memory",
                             verdict(shape, o.cut, o.load, request.engine, o.device, utilisation),
                             std::move(o.fit)});
    return false;
  }
  const Ground ground{o.device, o.fabric, 12.5, request.engine};
  o.decode = decode_step(shape, o.cut, ground, o.load.sequences, double(o.load.context) / 2,
                         request.kv_element);
  o.prefill = prefill(shape, o.cut, ground, std::min(request.prompt, o.load.context));
  o.goodput = concurrency / o.decode.seconds();
  o.slo_met = (!request.slo.ttft || o.ttft() <= *request.slo.ttft) &&
              (!request.slo.tpot || o.tpot() <= *request.slo.tpot);
  return true;
}

// The slowest of the groups' fabrics; stages of a pipeline are cut from a group in order.
Fabric slowest_fabric(const Host& host, const std::vector<GpuMask>& groups, const Cut& cut) {
  Fabric slowest;
  for (GpuMask group : groups) {
    const std::vector<int> gpus = gpus_of(group);
    for (int stage = 0; stage < cut.pp; ++stage) {
      const auto first = gpus.begin() + stage * cut.tp;
      const Fabric fabric = host.links.fabric(mask_of({first, first + cut.tp}));
      if (cut.tp > 1 && (slowest.ring_gbs == 0 || fabric.ring_gbs < slowest.ring_gbs))
        slowest = fabric;
    }
  }
  return slowest;
}

// Replicas that are tried: as many as are asked for, else all there is room for, and fewer by
// halves.
std::vector<int> replica_counts(int most, int asked) {
  std::vector<int> counts;
  if (asked > 0) return asked <= most ? std::vector<int>{asked} : counts;
  for (int count = most; count > 0; count /= 2) counts.push_back(count);
  return counts;
}

struct Frame {
  Host& host;
  const PlanRequest& request;
  const ModelShape& shape;  // with the quant that is tried
  const std::vector<int>& kind;
  int quota, concurrency;
  GpuMask far;  // GPUs that are far from the weights' disk
  Options& into;
};

void try_cut(const Frame& f, const Cut& cut) {
  GpuMask free = mask_of(f.kind) & f.host.free;
  const int most = std::min(f.quota, std::popcount(free)) / cut.ranks();
  if (most == 0 || most < f.request.replicas) return;
  const std::string forbidden = uncuttable(f.shape, cut.tp, cut.pp);
  Option option;
  option.quant = f.shape.quant;
  option.cut = cut;
  option.device = f.host.gpus[size_t(f.kind.front())];
  if (!forbidden.empty()) {
    f.into.rejected.push_back({option.words(), "shape", forbidden});
    return;
  }
  for (int replicas : replica_counts(most, f.request.replicas)) {
    Option one = option;
    one.replicas = replicas;
    const GroupChoice& choice = f.host.search.choose(free, cut.ranks(), replicas, f.far);
    if (choice.groups.empty()) continue;
    one.groups = choice.groups;
    one.score = choice.score;
    one.exact_groups = choice.exact;
    one.fabric = slowest_fabric(f.host, choice.groups, cut);
    if (!price(one, f.request, f.shape, f.host.count, f.concurrency, f.into)) continue;
    f.into.fitting.push_back(std::move(one));
  }
}

// A pipeline over hosts: one stage a host, for models no host holds.
void try_hosts(const Frame& f) {
  const GpuMask free = mask_of(f.kind) & f.host.free;
  for (int tp = std::min(f.quota, std::popcount(free)); tp > 0; --tp) {
    if (f.request.tp > 0 && tp != f.request.tp) continue;
    for (int span = 2; span <= f.host.count; span *= 2) {
      if (!uncuttable(f.shape, tp, span).empty()) continue;
      Option option;
      option.quant = f.shape.quant;
      option.cut = {tp, span};
      option.span = span;
      option.device = f.host.gpus[size_t(f.kind.front())];
      const GroupChoice& choice = f.host.search.choose(free, tp, 1, f.far);
      if (choice.groups.empty()) continue;
      option.groups = choice.groups;
      option.score = choice.score;
      option.exact_groups = choice.exact;
      option.fabric = f.host.links.fabric(choice.groups.front());
      if (!price(option, f.request, f.shape, f.host.count, f.concurrency, f.into)) continue;
      f.into.fitting.push_back(std::move(option));
      return;
    }
  }
}

}  // namespace

int64_t planned_context(const PlanRequest& request, const ModelShape& shape) {
  const int64_t wanted = request.context > 0 ? request.context : kDefaultContext;
  return shape.max_context > 0 ? std::min(wanted, shape.max_context) : wanted;
}

Options gpu_options(Host& host, const PlanRequest& request, const ModelShape& shape, int quota,
                    int concurrency) {
  Options options;
  if (request.cpu_only) return options;
  const GpuMask far = host.far_from_disk(shape);
  for (const ModelShape& quant : shapes_of(request, shape))
    for (const std::vector<int>& kind : host.kinds) {
      const Frame frame{host, request, quant, kind, quota, concurrency, far, options};
      for (int tp = 1; tp <= int(kind.size()); ++tp) {
        // Odd numbers of ranks are worth a line only where the heads allow them.
        const bool power = std::has_single_bit(unsigned(tp));
        if (request.tp > 0 ? tp != request.tp : !power && quant.heads % tp != 0) continue;
        for (int pp = 1; pp <= kMaxStages; ++pp) try_cut(frame, {tp, pp});
      }
      if (options.fitting.empty() && host.count > 1 && facts(request.engine).spans_hosts)
        try_hosts(frame);
    }
  return options;
}

int least_gpus(Host& host, const PlanRequest& request, const ModelShape& shape, int concurrency) {
  const Options options = gpu_options(host, request, shape, std::popcount(host.free), concurrency);
  int least = 0;
  for (const Option& option : options.fitting)
    least = least == 0 ? option.devices_used() : std::min(least, option.devices_used());
  return least;
}

Options cpu_options(const Host& host, const PlanRequest& request, const ModelShape& shape,
                    int concurrency) {
  Options options;
  std::vector<int> nodes;  // with most room first: models share them
  for (size_t i = 0; i < host.nodes.size(); ++i) nodes.push_back(int(i));
  std::ranges::stable_sort(nodes, [&](int a, int b) {
    const auto left = [&](int i) {
      return host.nodes[size_t(i)].memory - host.nodes[size_t(i)].taken;
    };
    return left(a) > left(b);
  });
  for (const ModelShape& quant : shapes_of(request, shape)) {
    for (int count : replica_counts(int(nodes.size()), request.replicas)) {
      Option option;
      option.cpu = true;
      option.quant = quant.quant;
      option.replicas = count;
      option.nodes = {nodes.begin(), nodes.begin() + count};
      option.device = host.nodes[size_t(option.nodes.back())];  // the one with least room
      if (price(option, request, quant, host.count, concurrency, options))
        options.fitting.push_back(std::move(option));
    }
    if (!options.fitting.empty() || nodes.size() < 2) continue;
    Option split;
    split.cpu = true;
    split.quant = quant.quant;
    split.cut = {1, int(std::min<int64_t>(int64_t(nodes.size()), quant.layers))};
    split.nodes = {nodes.begin(), nodes.begin() + split.cut.pp};
    split.device = host.nodes[size_t(split.nodes.back())];
    if (price(split, request, quant, host.count, concurrency, options))
      options.fitting.push_back(std::move(split));
  }
  return options;
}

}  // namespace aictl::placement
