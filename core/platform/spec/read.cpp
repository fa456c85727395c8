#include "core/platform/spec/read.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/base/nearest.hpp"
#include "core/base/units.hpp"
#include "core/platform/spec/check/reader.hpp"
#include "core/platform/spec/check/references.hpp"
#include "core/platform/spec/digest.hpp"
#include "core/platform/spec/fields/platform_fields.hpp"
#include "core/value/yaml_read.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kMaxNodes = 20'000;
constexpr std::string_view kApiVersion = "aictl.dev/v1", kKind = "Platform";

// A parser's error as a mistake: its message begins "line 3, column 7: ".
Mistake from_parser(const Error& error) {
  Mistake mistake{{0, 0}, ".", "spec/yaml", error.message, error.hint};
  int* numbers[] = {&mistake.place.line, &mistake.place.column};
  std::string_view rest = error.message;
  for (int i = 0; i < 2; ++i) {
    const std::string_view word = i == 0 ? "line " : ", column ";
    if (!rest.starts_with(word)) return mistake;
    rest.remove_prefix(word.size());
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), *numbers[i]);
    if (status != std::errc()) return mistake;
    rest.remove_prefix(size_t(end - rest.data()));
  }
  if (rest.starts_with(": ")) mistake.message = rest.substr(2);
  return mistake;
}

// Parsers stumble over tabs in many ways, and tell of none.
void tell_tab(std::string_view text, Mistake& mistake) {
  for (int line = 1; line < mistake.place.line; ++line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
  const size_t tab = text.find_first_not_of(' ');
  if (mistake.place.line == 0 || tab == text.npos || text[tab] != '\t') return;
  mistake.place.column = int(tab) + 1;
  mistake.message = "a tab does not indent";
  mistake.hint = "use spaces";
}

Mistake whole(std::string rule, std::string message, std::string hint) {
  return {{1, 1}, ".", std::move(rule), std::move(message), std::move(hint)};
}

// apiVersion and kind may be left out; what is there has to be ours. They are taken from `tree`.
void take_header(Json& tree, Mistakes& mistakes) {
  const Spot top{"", ""};
  for (const auto& [key, wanted] :
       {std::pair(std::string("apiVersion"), kApiVersion), std::pair(std::string("kind"), kKind)}) {
    const auto at = tree.find(key);
    if (at == tree.end()) continue;
    if (*at != wanted)
      mistakes.add(top.field(key), "spec/value",
                   fmt::format("{} {} is not {}", key, dump_json(*at), wanted),
                   fmt::format("write {}: {}, or leave it out", key, wanted));
    tree.erase(key);
  }
}

// Targets and their knobs, where it is known who reads them.
void check_targets(Platform& platform, const Plugins& plugins, Mistakes& mistakes) {
  std::vector<std::string> names;
  for (const auto& row : plugins.renderers.rows()) names.push_back(row.name);
  const std::vector<std::string_view> known(names.begin(), names.end());
  for (const auto& [name, knobs] : platform.targets) {
    const Spot spot = Spot{"", ""}.field("targets").field(name);
    auto found = plugins.renderers.find(name);
    if (!found) {
      std::string hint = did_you_mean(name, known);
      mistakes.add(spot, "spec/unknown-field", fmt::format("no target '{}'", name),
                   hint.empty() ? fmt::format("there are {}", fmt::join(known, ", ")) : hint);
      continue;
    }
    const auto renderer = (*found)->make();  // owns what the rows are bound to
    std::vector<Row> rows = renderer->rows();
    read_rows(rows, knobs, spot, mistakes);
  }
}

// "/models/0" as people write it: "models[0]".
Spot path_of(std::string_view pointer) {
  Spot spot;
  while (!pointer.empty()) {
    const size_t end = std::min(pointer.find('/', 1), pointer.size());
    const std::string_view word = pointer.substr(1, end - 1);
    size_t index = 0;
    const auto [last, status] = std::from_chars(word.data(), word.data() + word.size(), index);
    const bool number = status == std::errc() && last == word.data() + word.size();
    spot = number ? spot.item(index) : spot.field(word);
    pointer.remove_prefix(end);
  }
  return spot;
}

void note_repeated(const std::vector<OddKey>& repeated, std::vector<Mistake>& into) {
  for (const OddKey& key : repeated)
    if (into.size() < Mistakes::kMost)
      into.push_back({key.place, path_of(key.pointer).field(key.text).path, "spec/duplicate",
                      fmt::format("a second '{}' in the same mapping", key.text.substr(0, 80)),
                      "one of them would be lost"});
}

void sort_by_place(std::vector<Mistake>& mistakes) {
  std::ranges::stable_sort(mistakes, [](const Mistake& a, const Mistake& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
}

}  // namespace

SpecReading check_platform(std::string_view text, const std::string& file, const Plugins* plugins) {
  SpecReading reading;
  const auto refused = [&](Mistake mistake) {
    reading.mistakes.push_back(std::move(mistake));
    return std::move(reading);
  };
  if (text.size() > kMaxSpecBytes)
    return refused(whole("spec/size",
                         fmt::format("{} of text; a spec has {} at most", format_bytes(text.size()),
                                     format_bytes(kMaxSpecBytes)),
                         "is this the file you mean?"));
  std::vector<OddKey> repeated;
  YamlOptions options;
  options.max_nodes = kMaxNodes;
  options.repeated = &repeated;
  auto document = parse_yaml(text, options);
  if (!document) {
    reading.mistakes.push_back(from_parser(document.error()));
    tell_tab(text, reading.mistakes.back());
    note_repeated(repeated, reading.mistakes);
    sort_by_place(reading.mistakes);
    return reading;
  }
  if (document->tree.is_null())
    return refused(whole("spec/required", "an empty file", "aictl init writes one to start from"));
  Mistakes mistakes(document->places);
  Platform platform;
  if (document->tree.is_object()) take_header(document->tree, mistakes);
  Fields fields = platform_fields(platform);
  read_fields(fields, document->tree, {"", ""}, mistakes);
  if (document->tree.is_object()) {
    fill_defaults(platform);
    check_references(platform, mistakes);
    if (plugins) check_targets(platform, *plugins, mistakes);
  }
  reading.mistakes = std::move(mistakes).sorted();
  note_repeated(repeated, reading.mistakes);
  sort_by_place(reading.mistakes);
  if (!reading.mistakes.empty()) return reading;
  platform.file = file;
  platform.digest = sha256(dump_json(platform_tree(platform, true)));
  platform.places = std::move(document->places);
  reading.platform = std::move(platform);
  return reading;
}

std::string mistake_line(const Mistake& mistake, const std::string& file) {
  std::string line = file;
  if (mistake.place.line > 0)
    line += fmt::format(":{}:{}", mistake.place.line, mistake.place.column);
  line += ": ";
  if (mistake.path != ".") line += mistake.path + ": ";
  return line + mistake.message;
}

Result<Platform> read_platform(std::string_view text, const std::string& file,
                               const Plugins* plugins) {
  SpecReading reading = check_platform(text, file, plugins);
  if (reading.platform) return std::move(*reading.platform);
  const size_t count = reading.mistakes.size();
  if (count == 1)
    return Error{ErrorCode::kDataRefused, mistake_line(reading.mistakes[0], file),
                 reading.mistakes[0].hint};
  std::string message =
      fmt::format("{}: {}{} mistakes", file, count, count >= Mistakes::kMost ? " or more" : "");
  for (const Mistake& mistake : reading.mistakes) {
    message += "\n  " + mistake_line(mistake, file);
    if (!mistake.hint.empty()) message += fmt::format(" ({})", mistake.hint);
  }
  return Error{ErrorCode::kDataRefused, std::move(message), "man aictl-platform tells every field"};
}

Result<Platform> load_platform(const std::string& file, const Plugins* plugins) {
  auto text = file == "-" ? read_all(STDIN_FILENO, kMaxSpecBytes) : read_file(file, kMaxSpecBytes);
  if (!text) {
    Error error = std::move(text).error();
    if (error.code == ErrorCode::kNotFound && error.hint.empty())
      error.hint = "aictl init writes one to start from";
    if (error.code == ErrorCode::kTooLarge) error.code = ErrorCode::kDataRefused;
    return error;
  }
  return read_platform(*text, file == "-" ? "standard input" : file, plugins);
}

bool is_platform(const Json& document) {
  if (!document.is_object()) return false;
  const auto kind = document.find("kind"), version = document.find("apiVersion");
  if (kind == document.end() || *kind != kKind) return false;
  return version == document.end() ||
         (version->is_string() && version->get_ref<const std::string&>().starts_with("aictl."));
}

}  // namespace aictl::platform
