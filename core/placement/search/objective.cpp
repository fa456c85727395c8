#include "core/placement/search/objective.hpp"

#include <algorithm>
#include <climits>
#include <cmath>

#include <fmt/format.h>

namespace aictl::placement {
namespace {

// Tenths of a token a second: less is no difference that a model of speed could tell.
double rounded(double goodput) { return std::round(goodput * 10) / 10; }

std::string link_word(const Option& o) {
  if (o.cut.tp * o.cut.pp < 2 || o.cpu) return "none: a replica is one GPU";
  return fmt::format("worst link {}", o.fabric.worst_word());
}

// The terms as numbers of which less is better, in kTerms' order; links is the worst one's rank.
std::array<double, kTerms.size()> numbers(const Option& o) {
  const int rank = o.score.worst_rank == INT_MAX ? 0 : o.score.worst_rank;
  const bool alone = o.cut.tp * o.cut.pp < 2;
  const double index = o.score.indexes.empty() ? 0 : o.score.indexes.front();
  return {o.slo_met ? 0.0 : 1.0,
          -rounded(o.goodput),
          double(o.devices_used()),
          alone ? -100.0 : -double(rank),
          o.score.fragmentation,
          double(o.score.domains),
          double(o.score.nic_distance + o.score.far_from_disk),
          index};
}

std::string distance_words(const GroupScore& score) {
  return fmt::format("NIC distance {} and {} far from the disk", score.nic_distance,
                     counted(score.far_from_disk, "GPU"));
}

std::string why(const Option& loser, const Option& winner, size_t term) {
  switch (term) {
    case 0:
      return fmt::format("misses the SLO: {}", slo_words(loser));
    case 1:
      return fmt::format("{:.1f} tokens/s < {:.1f} tokens/s", loser.goodput, winner.goodput);
    case 2:
      return fmt::format("{} GPUs > {}", loser.devices_used(), winner.devices_used());
    case 3:
      return fmt::format("{} against {}", link_word(loser), link_word(winner));
    case 4:
      return score_why(loser.score, winner.score, GroupTerm::kFragmentation);
    case 5:
      return score_why(loser.score, winner.score, GroupTerm::kNuma);
    case 6:
      return score_why(loser.score, winner.score, GroupTerm::kDistance);
    default:
      return score_why(loser.score, winner.score, GroupTerm::kIndex);
  }
}

std::string distance_reason(const Option& o, const Loading& loading) {
  const std::string nic = o.score.nic_distance > 0
                              ? fmt::format("{} to the nearest NICs", o.score.nic_distance)
                              : "no NIC known";
  const WeightSource& source = loading.source;
  if (source.in_memory) return fmt::format("distance: {}; the page cache holds the weights", nic);
  if (source.node < 0) return fmt::format("distance: {}; the disk's node is not known", nic);
  return fmt::format("distance: {}; {} far from {} on node {}", nic,
                     counted(o.score.far_from_disk, "GPU"), source.name, source.node);
}

}  // namespace

std::string score_why(const GroupScore& loser, const GroupScore& winner, GroupTerm term) {
  switch (term) {
    case GroupTerm::kFragmentation:
      return fmt::format("fragmentation {} > {}", loser.fragmentation, winner.fragmentation);
    case GroupTerm::kNuma:
      return fmt::format("{} NUMA domains > {}", loser.domains, winner.domains);
    case GroupTerm::kDistance:
      return fmt::format("{} > {}", distance_words(loser), distance_words(winner));
    default:
      return fmt::format("indexes {} > {}", fmt::join(loser.indexes, ","),
                         fmt::join(winner.indexes, ","));
  }
}

int Option::devices_used() const { return cut.ranks() * replicas / span; }

std::string Option::words() const {
  std::string text = fmt::format("tp={}", cut.tp);
  if (cut.pp > 1) text += fmt::format(" pp={}", cut.pp);
  text += fmt::format(" x{} {}{}", replicas, quant, cpu ? " on CPU" : "");
  if (span > 1) text += fmt::format(" over {} hosts", span);
  return text;
}

bool Plan::placed() const {
  return std::ranges::all_of(hosts, [](const HostPlan& host) {
    return std::ranges::all_of(host.models,
                               [](const ModelPlan& model) { return model.chosen.has_value(); });
  });
}

Decision compare(const Option& a, const Option& b) {
  const auto left = numbers(a), right = numbers(b);
  for (size_t term = 0; term < kTerms.size(); ++term) {
    if (left[term] == right[term]) continue;
    const bool first = left[term] < right[term];
    return {first ? -1 : 1, kTerms[term], why(first ? b : a, first ? a : b, term)};
  }
  const int rest = a.score.compare(b.score);
  return {rest, kTerms.back(), rest == 0 ? "equal in every term" : "higher indexes"};
}

std::string slo_words(const Option& o) {
  const std::string ttft =
      o.ttft() < 10 ? fmt::format("{:.0f} ms", o.ttft() * 1e3) : fmt::format("{:.1f} s", o.ttft());
  return fmt::format("TTFT {}, TPOT {:.1f} ms", ttft, o.tpot() * 1e3);
}

std::vector<double> weighed(std::span<const Option> options, const TermWeights& weights) {
  std::vector<double> sums(options.size(), 0.0);
  for (size_t term = 0; term < kTerms.size(); ++term) {
    double low = INFINITY, high = -INFINITY;
    for (const Option& option : options) {
      low = std::min(low, numbers(option)[term]);
      high = std::max(high, numbers(option)[term]);
    }
    for (size_t i = 0; i < options.size() && high > low; ++i)
      sums[i] += weights[term] * (numbers(options[i])[term] - low) / (high - low);
  }
  return sums;
}

size_t best_of(std::span<const Option> options, const std::optional<TermWeights>& weights) {
  const std::vector<double> sums =
      weights ? weighed(options, *weights) : std::vector<double>(options.size(), 0.0);
  size_t best = 0;
  for (size_t i = 1; i < options.size(); ++i) {
    const bool better =
        sums[i] != sums[best] ? sums[i] < sums[best] : compare(options[i], options[best]).order < 0;
    if (better) best = i;
  }
  return best;
}

std::vector<std::string> reasons(const Option& o, const Slo& slo, const Loading& loading) {
  std::vector<std::string> lines;
  const bool asked = slo.ttft || slo.tpot;
  lines.push_back(fmt::format("slo: {}: {}",
                              !asked      ? "none asked"
                              : o.slo_met ? "met"
                                          : "missed",
                              slo_words(o)));
  lines.push_back(fmt::format("goodput: {:.1f} tokens/s; a step of {} is {:.1f} ms, bound by {}",
                              o.goodput, counted(o.load.sequences, "sequence"), o.tpot() * 1e3,
                              o.decode.bound));
  if (o.cpu) {
    lines.push_back("gpus: none");
    return lines;
  }
  lines.push_back(fmt::format("gpus: {} on each host", o.devices_used()));
  if (o.cut.tp > 1)
    lines.push_back(
        fmt::format("links: {}, best ring {:.1f} GB/s", link_word(o), o.fabric.ring_gbs));
  else
    lines.push_back(fmt::format("links: {}", link_word(o)));
  lines.push_back(fmt::format("fragmentation: {} (2, 4 and 8 GPU groups lost, weighed 1, 3, 8)",
                              o.score.fragmentation));
  lines.push_back(fmt::format("numa: {} domain{} over {} replica{}", o.score.domains,
                              o.score.domains == 1 ? "" : "s", o.replicas,
                              o.replicas == 1 ? "" : "s"));
  lines.push_back(distance_reason(o, loading));
  lines.push_back(o.exact_groups ? "groups: all candidates compared"
                                 : "groups: grown from every seed, improved by swaps");
  return lines;
}

}  // namespace aictl::placement
