#include "core/topology/bandwidth.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>
#include <vector>

namespace aictl::topology {
namespace {

/// GT/s of a lane, and the share of its bits that is data, by generation.
struct Generation {
  double gigatransfers, encoding;
};
constexpr std::array<Generation, 6> kGenerations = {{{2.5, 8.0 / 10},
                                                     {5.0, 8.0 / 10},
                                                     {8.0, 128.0 / 130},
                                                     {16.0, 128.0 / 130},
                                                     {32.0, 128.0 / 130},
                                                     {64.0, 242.0 / 256}}};

/// A row, and the words a product name has in this order when it is meant.
struct Row {
  std::string_view pattern;
  GpuSpec spec;
};

// Reference section 5. Of two rows that match the first counts, so the narrower one stands first.
// The last figure of each row is what NCCL reckons with for one link.
constexpr Row kRows[] = {
    {"H200", {"H200", 141, 4800, 989, 1979, 18, 25, 20.6, false}},
    {"H100 NVL", {"H100 NVL", 94, 3900, 835, 1671, 12, 25, 20.6, false}},
    {"H100 PCIE", {"H100 PCIe", 80, 2039, 756, 1513, 12, 25, 20.6, false}},
    {"H100", {"H100 SXM", 80, 3352, 989, 1979, 18, 25, 20.6, false}},
    {"H800", {"H800", 80, 3352, 989, 1979, 8, 25, 20.6, false}},
    {"H20", {"H20", 96, 4000, 148, 296, 18, 25, 20.6, false}},
    {"A100 40", {"A100 40 GB", 40, 1555, 312, 0, 12, 25, 20, false}},
    {"A100", {"A100 80 GB", 80, 2039, 312, 0, 12, 25, 20, false}},
    {"A800", {"A800", 80, 2039, 312, 0, 8, 25, 20, false}},
    {"A10G", {"A10G", 24, 600, 70, 0, 0, 0, 0, false}},
    {"A10", {"A10", 24, 600, 125, 0, 0, 0, 0, false}},
    {"L40S", {"L40S", 48, 864, 362, 733, 0, 0, 0, false}},
    {"L4", {"L4", 24, 300, 121, 242, 0, 0, 0, false}},
    {"V100 PCIE", {"V100 PCIe", 32, 900, 112, 0, 0, 0, 0, false}},
    {"V100", {"V100 SXM", 32, 900, 125, 0, 6, 25, 20, false}},
    {"P100 PCIE", {"P100 PCIe", 16, 732, 18.7, 0, 0, 0, 0, false}},
    {"P100", {"P100 SXM", 16, 732, 21.2, 0, 4, 20, 18, false}},
    {"T4", {"T4", 16, 320, 65, 0, 0, 0, 0, false}},
    {"RTX A6000", {"RTX A6000", 48, 768, 155, 0, 4, 14.0625, 12, false}},
    {"RTX 3090", {"RTX 3090", 24, 936, 71, 0, 4, 14.0625, 12, true}},
    {"RTX 4090", {"RTX 4090", 24, 1008, 165, 330, 0, 0, 0, true}},
    {"RTX 5090", {"RTX 5090", 32, 1792, 209, 419, 0, 0, 0, true}},
    {"MI300X", {"MI300X", 192, 5300, 1307, 2615, 0, 0, 0, false}},
    {"MI250X", {"MI250X GCD", 64, 1638, 191, 0, 0, 0, 0, false}},
    {"MI200", {"MI250X GCD", 64, 1638, 191, 0, 0, 0, 0, false}},
    // Last: "GB" and a number is how memory is written, too.
    {"GB300", {"GB300", 270, 8000, 2250, 4500, 18, 50, 40.1, false}},
    {"B300", {"B300", 270, 8000, 2250, 4500, 18, 50, 40.1, false}},
    {"GB200", {"GB200", 180, 8000, 2250, 4500, 18, 50, 40.1, false}},
    {"B200", {"B200", 180, 8000, 2250, 4500, 18, 50, 40.1, false}},
    {"GH200", {"GH200", 144, 4900, 989, 1979, 18, 25, 20.6, false}},
    {"GB10", {"GB10", 128, 273, 125, 250, 0, 0, 0, true}},
};

/// The runs of letters and digits, in upper case: "A100-SXM4-80GB" -> A100, SXM4, 80GB.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (unsigned char c : text) {
    if (std::isalnum(c))
      words.back() += char(std::toupper(c));
    else if (!words.back().empty())
      words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

/// A run of letters, or one of digits: "RTX4090" has two.
struct Token {
  std::string text;
  bool begins_word = false;
};

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (const std::string& word : words_of(text))
    for (size_t i = 0; i < word.size(); ++i) {
      const bool digit = std::isdigit(static_cast<unsigned char>(word[i])) != 0;
      if (i == 0 || digit != (std::isdigit(static_cast<unsigned char>(word[i - 1])) != 0))
        tokens.push_back({"", i == 0});
      tokens.back().text += word[i];
    }
  return tokens;
}

/// The place behind the first `word` at or after `from`; 0: it is not there. Its letters and digits
/// may stand apart ("H 100"); what begins in the middle of a word is none ("80GB 200W" is no
/// GB200), unless it is one token ("RTX4090", "H100PCIe").
size_t find_word(const std::vector<Token>& text, size_t from, const std::vector<Token>& word) {
  for (size_t at = from; at + word.size() <= text.size(); ++at) {
    if (word.size() > 1 && !text[at].begins_word) continue;
    size_t same = 0;
    while (same < word.size() && text[at + same].text == word[same].text) ++same;
    if (same == word.size()) return at + same;
  }
  return 0;
}

bool matches(const std::vector<Token>& text, std::string_view pattern) {
  size_t at = 0;
  for (const std::string& word : words_of(pattern)) {
    at = find_word(text, at, tokens_of(word));
    if (at == 0) return false;
  }
  return true;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// What NCCL gives the link between two sockets.
constexpr double kQpi = 6, kUpi = 10, kSapphireRapids = 22, kEmeraldRapids = 40;
constexpr double kInfinityFabric = 16, kPower9 = 32, kOther = 6;

/// Xeon Scalable has its generation in the second digit of the number: 8174 is the first.
double xeon_gbs(std::string_view model) {
  for (const std::string& word : words_of(model)) {
    const bool four = word.size() >= 4 && std::isdigit(static_cast<unsigned char>(word[3])) != 0;
    if (!four || word.find_first_not_of("0123456789") < 4 || word[0] < '3') continue;
    if (word[0] == '6' && (word[1] == '7' || word[1] == '9')) return kEmeraldRapids;  // Xeon 6
    switch (word[1]) {
      case '1':
      case '2':
      case '3':
        return kUpi;
      case '4':
        return kSapphireRapids;
      case '5':
        return kEmeraldRapids;
      default:
        break;
    }
  }
  return kQpi;
}

}  // namespace

std::optional<double> pcie_gbs(int generation, int width) {
  if (generation < 1 || generation > int(kGenerations.size())) return std::nullopt;
  if (width < 1 || width > 32) return std::nullopt;
  const Generation& lane = kGenerations[generation - 1];
  return lane.gigatransfers * lane.encoding / 8 * width;
}

int pcie_generation(double gigatransfers) {
  for (size_t i = 0; i < kGenerations.size(); ++i)
    if (std::abs(kGenerations[i].gigatransfers - gigatransfers) < 0.1) return int(i) + 1;
  return 0;
}

const GpuSpec* gpu_spec(std::string_view model) {
  const std::vector<Token> tokens = tokens_of(model);
  for (const Row& row : kRows)
    if (matches(tokens, row.pattern)) return &row.spec;
  return nullptr;
}

std::vector<std::string_view> gpu_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows)
    if (std::find(names.begin(), names.end(), row.spec.name) == names.end())
      names.push_back(row.spec.name);
  std::sort(names.begin(), names.end());
  return names;
}

double socket_gbs(std::string_view cpu_model) {
  if (contains(cpu_model, "AMD") || contains(cpu_model, "EPYC")) return kInfinityFabric;
  if (contains(cpu_model, "POWER9")) return kPower9;
  if (contains(cpu_model, "Xeon")) return xeon_gbs(cpu_model);
  return kOther;
}

double socket_gbs(std::string_view vendor, int family, int model) {
  if (vendor == "AuthenticAMD") return kInfinityFabric;
  if (vendor != "GenuineIntel" || family != 6) return kOther;
  if (model == 207) return kEmeraldRapids;
  if (model == 143) return kSapphireRapids;
  return model == 85 || model == 106 ? kUpi : kQpi;
}

}  // namespace aictl::topology
