#include "core/platform/generate/explain/trace.hpp"

#include <algorithm>
#include <bit>
#include <set>
#include <unordered_map>

#include <fmt/format.h>

#include "core/platform/generate/explain/leaves.hpp"
#include "core/platform/generate/explain/scalar.hpp"

namespace aictl::platform {
namespace {

constexpr uint32_t kSeveral = UINT32_MAX;  // mixed within a number: nobody's

// Numbers of which as many bits are set, so that two of them mixed are a third kind: at least
// `count` of them, and the bits they take.
std::pair<std::vector<uint32_t>, int> codes_for(size_t count) {
  for (int bits = 2;; bits += 2) {
    std::vector<uint32_t> codes;
    for (uint32_t code = 0; code < (uint32_t{1} << bits) && codes.size() < count; ++code)
      if (std::popcount(code) == bits / 2) codes.push_back(code);
    if (codes.size() >= count || bits >= 24) return {std::move(codes), bits};
  }
}

using Marked = std::unordered_map<const Json*, std::vector<jinja::Span>>;

// One rendering's answer, a bit of each byte.
void add_bit(const std::vector<jinja::Span>& spans, uint32_t bit, std::vector<uint32_t>& codes) {
  for (const jinja::Span& span : spans)
    if (!span.trusted)
      for (size_t at = span.begin; at < span.end && at < codes.size(); ++at) codes[at] |= bit;
}

}  // namespace

std::string Trace::resolved(const std::string& pointer) const {
  std::string begin = pointer;
  while (!begin.empty()) {
    if (const auto found = aliases_.find(begin); found != aliases_.end())
      return found->second + pointer.substr(begin.size());
    begin.resize(begin.rfind('/'));
  }
  return pointer;
}

uint32_t Trace::id_of(const std::string& name) {
  const auto [id, fresh] = ids_.emplace(name, uint32_t(names_.size()));
  if (fresh) names_.push_back(name);
  return id->second;
}

void Trace::collect(const Json& value, const std::string& pointer, std::vector<Leaf>& leaves) {
  for_each_leaf(value, pointer, [&](const std::string& at, const Json& leaf) {
    if (leaf.is_null()) return;
    const std::string name = resolved(at);
    const uint32_t id = id_of(name);
    const auto kept = kept_.find(name);
    leaves.push_back({&leaf, id, kept == kept_.end() ? nullptr : &kept->second});
  });
}

Result<std::vector<Mark>> Trace::marks_of(const jinja::Template& parsed, const Json& variables) {
  std::vector<Leaf> leaves;
  collect(variables, "", leaves);
  std::map<uint32_t, uint32_t> code_of;  // by id; of this rendering alone, to need few bits
  for (const Leaf& leaf : leaves) {
    code_of.emplace(leaf.id, 0);
    if (leaf.marks)
      for (const Mark& mark : *leaf.marks) code_of.emplace(mark.id, 0);
  }
  const auto [codes, bits] = codes_for(code_of.size());
  std::unordered_map<uint32_t, uint32_t> id_of;
  size_t next = 0;
  for (auto& [id, code] : code_of) {
    if (id == 0 || id == kSeveral || next == codes.size()) continue;
    code = codes[next++];
    id_of[code] = id;
  }
  std::vector<uint32_t> of_byte;
  for (int i = 0; i < bits; ++i) {
    const uint32_t bit = uint32_t{1} << i;
    Marked marked;
    for (const Leaf& leaf : leaves) {
      auto& spans = marked[leaf.value];
      const std::vector<Mark> whole{{SIZE_MAX, leaf.id}};
      size_t begin = 0;
      for (const Mark& mark : leaf.marks ? *leaf.marks : whole) {
        spans.push_back({begin, mark.end, (code_of[mark.id] & bit) == 0});
        begin = mark.end;
      }
    }
    jinja::RenderOptions options;
    options.untrusted.clear();
    options.marked = &marked;
    auto rendered = parsed.render(variables, options);
    if (!rendered) return std::move(rendered).error();
    of_byte.resize(rendered->text.size());
    add_bit(rendered->spans, bit, of_byte);
  }
  std::vector<Mark> marks;
  for (size_t at = 0; at < of_byte.size(); ++at) {
    const auto found = id_of.find(of_byte[at]);
    const uint32_t id = found != id_of.end() ? found->second : of_byte[at] == 0 ? 0 : kSeveral;
    if (!marks.empty() && marks.back().id == id)
      marks.back().end = at + 1;
    else
      marks.push_back({at + 1, id});
  }
  return marks;
}

void Trace::keep(const std::string& pointer, std::vector<Mark> marks, const std::string& source) {
  const uint32_t own = id_of("=" + source);
  for (Mark& mark : marks)
    if (mark.id == 0) mark.id = own;
  kept_[resolved(pointer)] = std::move(marks);
}

std::map<std::string, std::vector<std::string>> Trace::fields(
    std::string_view text, size_t begin, int first_line, const YamlDocument& document,
    const std::vector<Mark>& marks) const {
  std::map<std::string, std::vector<std::string>> fields;
  std::vector<size_t> lines{0};
  for (size_t at = 0; (at = text.find('\n', at)) != text.npos;) lines.push_back(++at);
  for_each_leaf(document.tree, "", [&](const std::string& pointer, const Json& leaf) {
    const auto place = document.places.find(pointer);
    if (place == document.places.end()) return;
    const size_t line = size_t(std::max(0, place->second.line - first_line));
    if (line >= lines.size()) return;
    const Json::json_pointer at(pointer);
    const bool keyed = !at.empty() && document.tree[at.parent_pointer()].is_object();
    const auto [from, to] =
        scalar_extent(text, lines[line], size_t(place->second.column) - 1, keyed, leaf);
    std::set<uint32_t> ids;
    auto mark = std::upper_bound(marks.begin(), marks.end(), begin + from,
                                 [](size_t offset, const Mark& m) { return offset < m.end; });
    for (; mark != marks.end() && from < to; ++mark) {
      ids.insert(mark->id);
      if (mark->end >= begin + to) break;
    }
    auto& names = fields[pointer];
    for (const uint32_t id : ids)
      if (id != kSeveral) names.push_back(names_[id]);
  });
  return fields;
}

}  // namespace aictl::platform
