#include "core/platform/run/display.hpp"

#include <pthread.h>

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "core/base/units.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kMostWaiting = 8192;  // lines, before some are dropped
constexpr std::string_view kOwnName = "aictl";
constexpr size_t kNoColour = static_cast<size_t>(-1);

// On a terminal nothing that a process prints may move the cursor or worse.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text)
    out += (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f ? '?' : c;
  return out;
}

std::string text_of(const Json& event, const char* key) {
  const auto found = event.find(key);
  return found != event.end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

Display::Display(cli::Context& context, std::vector<std::string> names, bool with_lines)
    : context_(context),
      names_(std::move(names)),
      json_(context.flags.output == "json"),
      with_lines_(with_lines && !context.flags.quiet),
      width_(kOwnName.size()) {
  for (const std::string& name : names_) width_ = std::max(width_, name.size());
  writer_ = std::jthread([this] { write(); });
}

Display::~Display() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  filled_.notify_one();
}

std::string Display::prefix(std::string_view name, size_t colour, bool coloured) const {
  constexpr int kColours[] = {36, 33, 32, 35, 34, 96, 93, 92, 95, 94};
  const std::string text = fmt::format("{:<{}} |", name, width_);
  if (!coloured) return text;
  if (colour == kNoColour) return fmt::format("\x1b[2m{}\x1b[0m", text);
  return fmt::format("\x1b[{}m{}\x1b[0m", kColours[colour % std::size(kColours)], text);
}

void Display::line(size_t process, std::string_view text) {
  if (!with_lines_) return;
  const bool coloured = json_ ? context_.colors_err() : context_.colors_out();
  const bool terminal =
      json_ ? context_.streams().err_is_terminal : context_.streams().out_is_terminal;
  put({!json_, fmt::format("{} {}\n", prefix(names_[process], process, coloured),
                           terminal ? printable(text) : std::string(text))},
      true);
}

void Display::note(std::string_view text) {
  if (context_.flags.quiet) return;
  put({false, fmt::format("{} {}\n", prefix(kOwnName, kNoColour, context_.colors_err()), text)},
      false);
}

void Display::show_ready(const Json& urls) {
  std::string text = "ready\n";
  for (const auto& [name, url] : urls.items())
    text += fmt::format("  {:<{}}  {}\n", name, width_, url.get<std::string>());
  put({true, std::move(text)}, false);
}

void Display::event(const Json& event) {
  if (json_) return put({true, dump_json(event) + "\n"}, false);
  const std::string what = text_of(event, "event"), name = text_of(event, "name");
  if (what == "started" && context_.flags.verbose) {
    note(fmt::format("{} started as pid {}", name, event["pid"].get<int>()));
  } else if (what == "healthy") {
    const std::string url = text_of(event, "url");
    note(fmt::format("{} is up{}{}", name, url.empty() ? "" : " at ", url));
  } else if (what == "unhealthy") {
    note(fmt::format("{} does not answer as it should: it is ended and started again", name));
  } else if (what == "exited") {
    const std::string ended = text_of(event, "ended");
    if (const Json& delay = event["restart_ms"]; delay.is_number())
      note(fmt::format("{}: {}; it starts again in {}", name, ended,
                       format_duration(std::chrono::milliseconds(delay.get<int64_t>()))));
    else
      note(stopping_ ? fmt::format("{} has stopped ({})", name, ended)
                     : fmt::format("{}: {}", name, ended));
  } else if (what == "failed" || what == "warning") {
    note(text_of(event, "message"));
  } else if (what == "stopping") {
    const bool again = stopping_ || (event.contains("at_once") && event["at_once"] == true);
    stopping_ = true;
    note(again ? "stopping at once" : "stopping; once more stops at once");
  } else if (what == "ready") {
    show_ready(event["urls"]);
  }
}

void Display::put(Entry entry, bool may_drop) {
  {
    const std::lock_guard lock(mutex_);
    if (may_drop && queue_.size() >= kMostWaiting) {
      ++dropped_;
      return;
    }
    if (dropped_ > 0)
      queue_.push_back({entry.to_out, fmt::format("{:<{}} | {} lines are only in the logs\n",
                                                  kOwnName, width_, dropped_)});
    dropped_ = 0;
    queue_.push_back(std::move(entry));
  }
  filled_.notify_one();
}

void Display::write() {
  ::pthread_setname_np(::pthread_self(), "display");
  std::unique_lock lock(mutex_);
  while (true) {
    filled_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::deque<Entry> entries;
    entries.swap(queue_);
    lock.unlock();
    for (const Entry& entry : entries)
      (entry.to_out ? context_.out() : context_.err()) << entry.text;
    context_.out().flush();
    context_.err().flush();
    lock.lock();
  }
}

}  // namespace aictl::platform
