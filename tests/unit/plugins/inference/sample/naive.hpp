// The naive sampler the tests compare with: everything sorted, nothing kept, a line a rule.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <set>
#include <vector>

#include "plugins/services/inference/sample/philox.hpp"
#include "plugins/services/inference/sample/sampler.hpp"

namespace naive {

using namespace aictl;
using namespace aictl::inference;

struct Item {
  float logit;
  int32_t id;
};
using Items = std::vector<Item>;

inline void sort(Items& items) {
  std::sort(items.begin(), items.end(), [](const Item& a, const Item& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.id < b.id);
  });
}

// Sorted items only.
inline std::vector<double> weights(const Items& items) {
  std::vector<double> out;
  for (const Item& i : items) out.push_back(std::exp(i.logit - items[0].logit));
  return out;
}
inline double sum(const std::vector<double>& values) {
  double s = 0;
  for (double v : values) s += v;
  return s;
}
inline double log_probability(const Items& items, size_t i, double total) {
  return static_cast<double>(items[i].logit) - items[0].logit - std::log(total);
}
inline double entropy(const Items& items) {
  const auto w = weights(items);
  const double total = sum(w);
  double h = 0;
  for (size_t i = 0; i < items.size(); ++i)
    if (w[i] > 0) h -= w[i] / total * log_probability(items, i, total);
  return h;
}

inline std::vector<float> penalised(std::vector<float> x, const SampleSettings& settings,
                                    const std::vector<int32_t>& tokens, int prompt) {
  const SamplingParams& p = settings.params;
  const float inf = std::numeric_limits<float>::infinity();
  for (auto [id, bias] : p.logit_bias) x[id] = bias <= -100 ? -inf : x[id] + bias;
  const int n = static_cast<int>(tokens.size());
  if (n - prompt < settings.min_tokens)
    for (int id : settings.end_tokens) x[id] = -inf;

  const int from = p.repeat_last_n < 0 ? 0 : std::max(0, n - p.repeat_last_n);
  for (int id : std::set<int32_t>(tokens.begin() + from, tokens.end()))
    if (p.repetition_penalty != 1)
      x[id] = x[id] > 0 ? x[id] / p.repetition_penalty : x[id] * p.repetition_penalty;
  std::map<int32_t, int> counts;
  for (int i = prompt; i < n; ++i) ++counts[tokens[i]];
  for (auto [id, count] : counts)
    x[id] -= p.frequency_penalty * static_cast<float>(count) + p.presence_penalty;

  if (p.dry_multiplier == 0) return x;
  const int start = p.dry_penalty_last_n < 0 ? 0 : std::max(0, n - p.dry_penalty_last_n);
  std::map<int32_t, int> longest;
  for (int next = start + 1; next < n; ++next) {  // the token that followed an earlier occurrence
    int length = 0;
    while (next - 1 - length >= start && tokens[next - 1 - length] == tokens[n - 1 - length] &&
           std::count(settings.dry_breakers.begin(), settings.dry_breakers.end(),
                      tokens[n - 1 - length]) == 0)
      ++length;
    longest[tokens[next]] = std::max(longest[tokens[next]], length);
  }
  for (auto [id, length] : longest)
    if (length >= p.dry_allowed_length)
      x[id] -= p.dry_multiplier *
               std::pow(p.dry_base, static_cast<float>(length - p.dry_allowed_length));
  return x;
}

inline void keep(Items& items, double target, const std::vector<double>& w) {
  double s = 0;
  for (size_t i = 0; i < items.size(); ++i)
    if ((s += w[i]) >= target) return items.resize(i + 1);
}

inline void temperature(Items& items, const SamplingParams& p) {
  float t = p.temperature;
  if (p.dynatemp_range > 0) {
    const float low = std::max(0.0f, t - p.dynatemp_range), high = t + p.dynatemp_range;
    const double most = std::log(static_cast<double>(items.size()));
    const double share = most > 0 ? std::min(1.0, std::max(0.0, entropy(items) / most)) : 0;
    t = low + (high - low) * static_cast<float>(std::pow(share, double{p.dynatemp_exponent}));
  }
  if (t <= 0) return items.resize(1);
  const float largest = items[0].logit;
  for (Item& i : items)
    i.logit = std::max((i.logit - largest) / t, -std::numeric_limits<float>::max());
  sort(items);
}

inline void typical(Items& items, float p) {
  const double h = entropy(items);
  const auto w = weights(items);
  const double total = sum(w);
  std::vector<std::pair<double, size_t>> order;  // items are in order, so the index breaks ties
  for (size_t i = 0; i < items.size(); ++i)
    order.emplace_back(std::abs(-log_probability(items, i, total) - h), i);
  std::sort(order.begin(), order.end());
  Items kept;
  double s = 0;
  for (auto [distance, i] : order) {
    kept.push_back(items[i]);
    if ((s += w[i]) >= static_cast<double>(p) * total) break;
  }
  items = kept;
  sort(items);
}

inline void narrow(Items& items, SamplerKind kind, const SamplingParams& p, uint64_t position,
                   int choice) {
  const auto w = weights(items);
  const double total = sum(w);
  switch (kind) {
    case SamplerKind::kTemperature:
      if (p.temperature != 1 || p.dynatemp_range > 0) temperature(items, p);
      break;
    case SamplerKind::kTopK:
      if (p.top_k > 0 && items.size() > static_cast<size_t>(p.top_k)) items.resize(p.top_k);
      break;
    case SamplerKind::kTypical:
      if (p.typical_p < 1) typical(items, p.typical_p);
      break;
    case SamplerKind::kTopP:
      if (p.top_p < 1) keep(items, static_cast<double>(p.top_p) * total, w);
      break;
    case SamplerKind::kMinP: {
      const float bar = items[0].logit + std::log(p.min_p);
      if (p.min_p > 0) std::erase_if(items, [&](const Item& i) { return i.logit < bar; });
      break;
    }
    case SamplerKind::kTopNSigma: {
      if (p.top_n_sigma <= 0) break;
      double mean = 0, variance = 0;
      for (const Item& i : items) mean += i.logit / static_cast<double>(items.size());
      for (const Item& i : items)
        variance += (i.logit - mean) * (i.logit - mean) / static_cast<double>(items.size());
      const auto bar = static_cast<float>(items[0].logit - p.top_n_sigma * std::sqrt(variance));
      std::erase_if(items, [&](const Item& i) { return i.logit < bar; });
      break;
    }
    case SamplerKind::kXtc: {
      if (uniform(p.seed, position, Draw::kXtc, choice) >= p.xtc_probability) break;
      const auto above = std::count_if(w.begin(), w.end(), [&](double v) {
        return v >= static_cast<double>(p.xtc_threshold) * total;
      });
      if (above >= 2) items.erase(items.begin(), items.begin() + above - 1);
    }
  }
}

/// -1 when there is nothing to choose.
inline int32_t choose(const std::vector<float>& logits, const SampleSettings& settings,
                      const std::vector<int32_t>& tokens, int prompt, int choice) {
  const SamplingParams& p = settings.params;
  const auto x = penalised(logits, settings, tokens, prompt);
  Items items;
  for (size_t i = 0; i < x.size(); ++i)
    if (x[i] > -std::numeric_limits<float>::infinity())
      items.push_back({std::min(x[i], std::numeric_limits<float>::max()), static_cast<int>(i)});
  if (items.empty()) return -1;
  sort(items);
  if (p.temperature == 0) return items[0].id;
  const float largest = items[0].logit;
  for (Item& i : items) i.logit = std::max(i.logit - largest, -std::numeric_limits<float>::max());
  sort(items);
  const uint64_t position = tokens.size();
  for (SamplerKind kind : p.order) narrow(items, kind, p, position, choice);
  const auto w = weights(items);
  const double target = uniform(p.seed, position, Draw::kToken, choice) * sum(w);
  double s = 0;
  for (size_t i = 0; i < items.size(); ++i)
    if ((s += w[i]) > target) return items[i].id;
  return items.back().id;
}

}  // namespace naive
