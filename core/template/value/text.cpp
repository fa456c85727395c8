// Runs of origins: slicing finds the first run by bisection, building merges equal neighbours.
#include "core/template/value/text.hpp"

#include <algorithm>

namespace aictl::jinja {
namespace {

size_t first_run_after(const std::vector<Run>& runs, size_t offset) {
  auto run = std::upper_bound(runs.begin(), runs.end(), offset,
                              [](size_t at, const Run& r) { return at < r.end; });
  return static_cast<size_t>(run - runs.begin());
}

}  // namespace

Text Text::slice(size_t begin, size_t end) const {
  Text part{bytes.substr(begin, end - begin), trusted};
  part.markup = markup;
  if (runs.empty() || begin >= end) {
    if (begin >= end) part.trusted = true;
    return part;
  }
  size_t i = first_run_after(runs, begin);
  part.trusted = runs[i].trusted;
  if (runs[i].end >= end) return part;
  for (; i < runs.size(); ++i) {
    part.runs.push_back({std::min(runs[i].end, end) - begin, runs[i].trusted});
    if (runs[i].end >= end) break;
  }
  return part;
}

void TextBuilder::append(std::string_view bytes, bool trusted) {
  if (bytes.empty()) return;
  bytes_.append(bytes);
  if (!runs_.empty() && runs_.back().trusted == trusted)
    runs_.back().end = bytes_.size();
  else
    runs_.push_back({bytes_.size(), trusted});
}

void TextBuilder::append(const Text& text, size_t begin, size_t end) {
  if (begin >= end) return;
  if (text.runs.empty()) return append(text.bytes.substr(begin, end - begin), text.trusted);
  for (size_t i = first_run_after(text.runs, begin); begin < end; ++i) {
    const size_t stop = std::min(text.runs[i].end, end);
    append(text.bytes.substr(begin, stop - begin), text.runs[i].trusted);
    begin = stop;
  }
}

bool OriginCursor::trusted_at(size_t offset) {
  if (text_.runs.empty()) return text_.trusted;
  while (run_ + 1 < text_.runs.size() && text_.runs[run_].end <= offset) ++run_;
  return text_.runs[run_].trusted;
}

}  // namespace aictl::jinja
