#include "core/cli/context.hpp"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/value/yaml.hpp"

namespace aictl::cli {
namespace {

constexpr int kNarrowest = 40, kWidest = 120;  // help stays readable between these

int terminal_width() {
  winsize size{};
  for (const int fd : {STDOUT_FILENO, STDERR_FILENO})
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
      return std::clamp<int>(size.ws_col, kNarrowest, kWidest);
  return 80;
}

}  // namespace

Streams Streams::of_process() {
  return {std::cin,
          std::cout,
          std::cerr,
          isatty(STDIN_FILENO) == 1,
          isatty(STDOUT_FILENO) == 1,
          isatty(STDERR_FILENO) == 1,
          terminal_width(),
          STDOUT_FILENO};
}

Context::Context(Streams streams, Environment environment)
    : streams_(streams), environment_(std::move(environment)) {}

bool Context::colors_allowed() const {
  return !flags.no_color && environment_("NO_COLOR").value_or("").empty() &&
         environment_("TERM").value_or("") != "dumb";
}

bool Context::reader_gone() const {
  pollfd out{streams_.out_fd, POLLOUT, 0};
  return streams_.out_fd >= 0 && poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

void Context::print_result(const Json& tree, const std::function<void(std::ostream&)>& as_table) {
  if (flags.output == "json")
    out() << dump_json(tree, 2) << '\n';
  else if (flags.output == "yaml")
    out() << dump_yaml(tree);
  else
    as_table(out());
  out().flush();
}

void Context::print_line(const Json& tree) { out() << dump_json(tree) << '\n' << std::flush; }

void Context::print_error(const Error& error) {
  const bool color = colors_err();
  err() << (color ? "\x1b[1;31merror:\x1b[0m " : "error: ") << error.message << '\n';
  std::string_view hint = error.hint;
  while (!hint.empty()) {
    const size_t end = std::min(hint.find('\n'), hint.size());
    err() << "  " << hint.substr(0, end) << '\n';
    hint.remove_prefix(std::min(end + 1, hint.size()));
  }
  err().flush();
}

void Context::warn(std::string_view message) {
  if (flags.quiet) return;
  err() << (colors_err() ? "\x1b[1;33mwarning:\x1b[0m " : "warning: ") << message << '\n'
        << std::flush;
}

void Context::note(std::string_view message) {
  if (!flags.quiet) err() << message << '\n' << std::flush;
}

void Context::detail(std::string_view message) {
  if (flags.verbose && !flags.quiet) err() << message << '\n' << std::flush;
}

}  // namespace aictl::cli
