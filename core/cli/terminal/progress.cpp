#include "core/cli/terminal/progress.hpp"

#include <ostream>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/cli/terminal/table.hpp"

namespace aictl::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{1000};  // work that is over sooner shows nothing
constexpr milliseconds kRedraw{100};
constexpr std::string_view kEraseLine = "\r\x1b[K";

}  // namespace

Progress::Progress(Context& context, const Clock& clock, std::string label, uint64_t total,
                   bool unit_is_bytes)
    : context_(context),
      clock_(clock),
      label_(std::move(label)),
      total_(total),
      bytes_(unit_is_bytes),
      start_(clock.now()),
      next_draw_(start_ + kPatience) {}

Progress::~Progress() {
  if (shown_) context_.err() << kEraseLine << std::flush;
}

void Progress::update(uint64_t done) {
  done_ = done;
  const bool wanted = context_.streams().err_is_terminal && !context_.flags.quiet;
  if (!wanted || clock_.now() < next_draw_) return;
  next_draw_ = clock_.now() + kRedraw;
  shown_ = true;
  // A dumb terminal cannot erase to the end of the line; it gets the carriage return alone.
  const bool dumb = context_.environment()("TERM").value_or("") == "dumb";
  context_.err() << (dumb ? "\r" : kEraseLine) << line() << std::flush;
}

std::string Progress::line() const {
  const auto amount = [this](uint64_t n) { return bytes_ ? format_bytes(n) : std::to_string(n); };
  if (total_ == 0) return fmt::format("{}  {}", label_, amount(done_));
  const double share = std::min(1.0, static_cast<double>(done_) / static_cast<double>(total_));
  const std::string right =
      fmt::format(" {:3.0f}%  {} of {}", share * 100, amount(done_), amount(total_));
  const size_t used = display_width(label_) + display_width(right) + 5;
  const auto width = static_cast<size_t>(context_.streams().width);
  if (width < used + 10) return label_ + right;
  const size_t bar = std::min<size_t>(30, width - used);
  const auto full = static_cast<size_t>(share * static_cast<double>(bar));
  return fmt::format("{}  [{}{}]{}", label_, std::string(full, '='), std::string(bar - full, ' '),
                     right);
}

}  // namespace aictl::cli
