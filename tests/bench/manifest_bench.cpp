// How long checking 1,000 manifests takes, everything on, from text to findings (goal: 1 s).
// manifest_bench [FOLDER]: the documents to repeat. Prints, never fails.
#include <chrono>

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/manifest/validate/validate.hpp"

using namespace aictl;
using namespace aictl::manifest;

namespace {

constexpr size_t kDocuments = 1000;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

int main(int argc, char** argv) {
  const auto files = find_files({argc > 1 ? argv[1] : AICTL_TEST_DATA "/manifests/skeletons"});
  if (!files || files->empty()) return fmt::print(stderr, "no manifests\n"), 1;
  std::string once;
  for (const std::string& file : *files) once += read_file(file).value() + "\n---\n";
  const size_t each = read_text(once, "once").documents.size();
  std::string text;
  for (size_t i = 0; i < kDocuments; i += each) text += once;

  const auto start = std::chrono::steady_clock::now();
  ValidateOptions options;
  options.references = options.lint = true;
  Validator validator(options);
  validator.add(text, "bench.yaml");
  const double read = seconds_since(start);
  const Outcome outcome = std::move(validator).finish();
  const double all = seconds_since(start);
  const double goal = double(outcome.documents) / kDocuments;  // a second for a thousand
  fmt::print("{} documents, {} kB: read {:.0f} ms; {:.0f} ms of {:.0f} ms allowed ({:.2f})\n",
             outcome.documents, text.size() / 1000, read * 1e3, all * 1e3, goal * 1e3, all / goal);
  return 0;
}
