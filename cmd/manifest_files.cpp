#include "cmd/manifest_files.hpp"

#include <algorithm>
#include <istream>
#include <iterator>

#include <fmt/format.h>

#include "core/base/file.hpp"

namespace aictl {
namespace {

Result<std::string> read_stdin(std::istream& in) {
  std::string text;
  char block[1 << 16];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    text.append(block, size_t(in.gcount()));
    if (text.size() > manifest::kMaxManifestBytes)
      return Error{
          ErrorCode::kTooLarge,
          fmt::format("stdin: more than {} MB of text", manifest::kMaxManifestBytes / 1'000'000),
          "split the documents"};
  }
  return text;
}

}  // namespace

Result<void> read_manifest_files(
    const std::vector<std::string>& arguments, cli::Context& context,
    const std::function<void(std::string_view, const std::string&)>& take) {
  if (std::count(arguments.begin(), arguments.end(), "-") > 1)
    return Error{ErrorCode::kInvalidArgument, "stdin (-) is named twice", "name it once"};
  auto files = manifest::find_files(arguments);
  if (!files) return std::move(files).error();
  for (const std::string& file : *files) {
    auto text =
        file == "-" ? read_stdin(context.in()) : read_file(file, manifest::kMaxManifestBytes);
    if (!text) return std::move(text).error();
    take(*text, file);
  }
  return {};
}

Result<std::vector<manifest::Document>> read_manifests(const std::vector<std::string>& arguments,
                                                       cli::Context& context) {
  std::vector<manifest::Document> documents;
  std::optional<Error> failure;
  auto ok =
      read_manifest_files(arguments, context, [&](std::string_view text, const std::string& file) {
        auto read = manifest::read_documents(text, file);
        if (!read && !failure) failure = std::move(read).error();
        if (!read) return;
        std::move(read->begin(), read->end(), std::back_inserter(documents));
      });
  if (!ok) return std::move(ok).error();
  if (failure) return std::move(*failure);
  return documents;
}

}  // namespace aictl
