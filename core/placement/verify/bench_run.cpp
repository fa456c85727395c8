#include "core/placement/verify/bench_run.hpp"

#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include <fmt/format.h>

#include "core/base/process.hpp"
#include "core/value/json.hpp"

namespace aictl::placement {
namespace {

constexpr size_t kMostOutput = size_t{1} << 20;

std::vector<std::string> own_environment() {
  std::vector<std::string> variables;
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  return variables;
}

/// What is there to read; false at the end.
bool drain(int fd, std::string& into) {
  std::array<char, 4096> buffer;
  const ssize_t n = read(fd, buffer.data(), buffer.size());
  if (n > 0 && into.size() < kMostOutput) into.append(buffer.data(), size_t(n));
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const size_t at = text.rfind('\n');
  return std::string(at == text.npos ? text : text.substr(at + 1));
}

}  // namespace

Result<double> bench_decode(const std::string& program, const std::vector<std::string>& words) {
  ProcessOptions options;
  options.program = program;
  options.argv = {"aictl"};
  options.argv.insert(options.argv.end(), words.begin(), words.end());
  options.environment = own_environment();
  auto process = Process::spawn(options);
  if (!process) return std::move(process).error();
  std::string output, errors;
  std::array<pollfd, 2> pipes{pollfd{process->output.get(), POLLIN, 0},
                              pollfd{process->errors.get(), POLLIN, 0}};
  while (pipes[0].fd >= 0 || pipes[1].fd >= 0) {
    if (poll(pipes.data(), pipes.size(), -1) < 0 && errno != EINTR) break;
    for (size_t i = 0; i < pipes.size(); ++i)
      if (pipes[i].fd >= 0 && pipes[i].revents != 0 &&
          !drain(pipes[i].fd, i == 0 ? output : errors))
        pipes[i].fd = -1;
  }
  int status = 0;
  while (waitpid(process->pid, &status, 0) < 0 && errno == EINTR) {
  }
  const ExitStatus end = ExitStatus::of_wait(status);
  if (!end.ok())
    return Error{ErrorCode::kUnavailable,
                 fmt::format("`aictl {}`: {}", fmt::join(words, " "), end.text()),
                 last_line(errors)};
  const auto tree = parse_json(output);
  const Json::json_pointer place("/decode/tokens_per_second");
  if (tree && tree->contains(place) && (*tree)[place].is_number())
    return (*tree)[place].get<double>();
  return Error{ErrorCode::kDataRefused,
               fmt::format("`aictl {}` printed no decode.tokens_per_second", fmt::join(words, " ")),
               "run it by hand"};
}

}  // namespace aictl::placement
