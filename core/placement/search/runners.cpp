#include "core/placement/search/runners.hpp"

#include <functional>
#include <map>

#include <fmt/format.h>

#include "core/placement/search/objective.hpp"

namespace aictl::placement {
namespace {

struct PairCount {
  std::string word;  // of the link
  int count = 0;
};

// Pairs that work together by the rank of their link, the nearest first.
using PairCounts = std::map<int, PairCount, std::greater<>>;

PairCounts pairs_of(const LinkTable& links, const std::vector<GpuMask>& groups) {
  PairCounts pairs;
  for (const GpuMask group : groups) {
    const std::vector<int> gpus = gpus_of(group);
    for (size_t i = 0; i < gpus.size(); ++i)
      for (size_t j = i + 1; j < gpus.size(); ++j) {
        PairCount& pair = pairs[links.at(gpus[i], gpus[j]).rank];
        if (pair.count++ == 0) pair.word = links.fabric(mask_of({gpus[i], gpus[j]})).worst_word();
      }
  }
  return pairs;
}

// "4 NV2, 2 NV1".
std::string pair_words(const LinkTable& links, const std::vector<GpuMask>& groups) {
  std::string text;
  for (const auto& [rank, pair] : pairs_of(links, groups))
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", pair.count, pair.word);
  return text;
}

std::string worst_word(const LinkTable& links, const std::vector<GpuMask>& groups) {
  const PairCounts pairs = pairs_of(links, groups);
  return pairs.empty() ? "none" : pairs.rbegin()->second.word;
}

std::string why(const GroupRunner& loser, const GroupChoice& winner, const LinkTable& links) {
  switch (loser.term) {
    case GroupTerm::kWorstLink:
      return fmt::format("worst link {} against {}", worst_word(links, loser.groups),
                         worst_word(links, winner.groups));
    case GroupTerm::kLinks:
      return fmt::format("links {} against {}", pair_words(links, loser.groups),
                         pair_words(links, winner.groups));
    default:
      return score_why(loser.score, winner.score, loser.term);
  }
}

std::string words(const std::vector<GpuMask>& groups) {
  std::string text = "gpu ";
  for (size_t i = 0; i < groups.size(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : " | ", fmt::join(gpus_of(groups[i]), ","));
  return text;
}

// The word of kTerms.
std::string_view word_of(GroupTerm term) {
  switch (term) {
    case GroupTerm::kWorstLink:
    case GroupTerm::kLinks:
      return kTerms[3];
    case GroupTerm::kFragmentation:
      return kTerms[4];
    case GroupTerm::kNuma:
      return kTerms[5];
    case GroupTerm::kDistance:
      return kTerms[6];
    default:
      return kTerms[7];
  }
}

}  // namespace

std::vector<Rejected> rejected_groups(const std::vector<GroupRunner>& runners,
                                      const GroupChoice& winner, const LinkTable& links) {
  std::vector<Rejected> rejected;
  for (const GroupRunner& one : runners)
    rejected.push_back(
        {words(one.groups), std::string(word_of(one.term)), why(one, winner, links)});
  return rejected;
}

}  // namespace aictl::placement
