// From text to documents, and from the words of a command line to files.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "core/manifest/document.hpp"
#include "core/value/yaml_read.hpp"

namespace aictl::manifest {
namespace {

namespace fs = std::filesystem;

// Where the next document begins: a line with `---`, as Kubernetes' own reader splits a stream.
size_t next_document(std::string_view text, size_t from) {
  for (size_t at = from;;) {
    const size_t line_end = text.find('\n', at);
    if (line_end == text.npos || line_end + 1 >= text.size()) return text.size();
    at = line_end + 1;
    const std::string_view line = text.substr(at, 4);
    if (line.starts_with("---") &&
        (line.size() == 3 || std::string_view(" \t\r\n").find(line[3]) != std::string_view::npos))
      return at;
  }
}

// "line 3, column 7: why" taken apart again, for outputs that have a column for each.
Problem problem_of(const Error& error, const std::string& file, int first_line) {
  Problem problem{file,   first_line,    1,         "-", ".", Severity::kError,
                  "yaml", error.message, error.hint};
  std::string_view rest = error.message;
  const auto number = [&rest](std::string_view word, int& out) {
    if (!rest.starts_with(word)) return false;
    rest.remove_prefix(word.size());
    const auto [end, status] = std::from_chars(rest.data(), rest.data() + rest.size(), out);
    rest.remove_prefix(size_t(end - rest.data()));
    return status == std::errc();
  };
  int line = 0, column = 0;
  if (number("line ", line) && number(", column ", column) && rest.starts_with(": ")) {
    problem.line = line, problem.column = column;
    problem.message = rest.substr(2);
  }
  problem.message = "not YAML: " + problem.message;
  return problem;
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Reading read(std::string_view text) {
    int line = 1;
    for (size_t at = 0; at < text.size();) {
      const size_t end = next_document(text, at);
      read_chunk(text.substr(at, end - at), line);
      line += int(std::count(text.begin() + long(at), text.begin() + long(end), '\n'));
      at = end;
    }
    return std::move(reading_);
  }

 private:
  // JSON is YAML but for a few escapes, and as YAML it has places.
  Result<YamlDocument> read_json(std::string_view text, int line) {
    auto document = read_yaml(text, line);
    if (document) return document;
    auto tree = parse_json(text);
    return tree ? YamlDocument{std::move(*tree), {}} : std::move(document);
  }

  Result<YamlDocument> read_yaml(std::string_view text, int line) {
    odd_keys_.clear();
    return parse_yaml(text, {.dialect = YamlDialect::kKubernetes,
                             .max_depth = 200,
                             .first_line = line,
                             .odd_keys = &odd_keys_});
  }

  void read_chunk(std::string_view text, int line) {
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return;
    const bool json = text[first] == '{' || text[first] == '[';
    auto parsed = json ? read_json(text, line) : read_yaml(text, line);
    if (!parsed) {
      reading_.problems.push_back(problem_of(parsed.error(), file_, line));
      return;
    }
    add(std::move(*parsed));
  }

  void add(YamlDocument parsed) {
    if (parsed.tree.is_null()) return;
    const bool list = parsed.tree.is_object() && parsed.tree.contains("items") &&
                      parsed.tree.value("kind", Json()) == "List";
    if (!list) return add_document(std::move(parsed.tree), std::move(parsed.places), "");
    Json& items = parsed.tree["items"];
    if (!items.is_array()) return;
    for (size_t i = 0; i < items.size(); ++i) {
      const std::string prefix = fmt::format("/items/{}", i);
      std::map<std::string, SourcePlace> places;
      for (auto at = parsed.places.lower_bound(prefix);
           at != parsed.places.end() && at->first.starts_with(prefix); ++at)
        if (at->first.size() == prefix.size() || at->first[prefix.size()] == '/')
          places.emplace_hint(places.end(), at->first.substr(prefix.size()), at->second);
      add_document(std::move(items[i]), std::move(places), prefix);
    }
  }

  void add_document(Json object, std::map<std::string, SourcePlace> places,
                    const std::string& prefix) {
    if (object.is_null()) return;
    Document document{std::move(object), file_, ++count_, std::move(places)};
    for (const OddKey& key : odd_keys_)
      if (key.pointer.starts_with(prefix)) report_odd_key(document, key, prefix.size());
    reading_.documents.push_back(std::move(document));
  }

  void report_odd_key(const Document& document, const OddKey& key, size_t prefix) {
    reading_.problems.push_back(
        {file_, key.place.line, key.place.column, document.label(),
         display_path(document.object, std::string_view(key.pointer).substr(prefix)),
         Severity::kError, "schema/key", fmt::format("key {} is not a string", key.text),
         fmt::format("write \"{}\"", key.text)});
  }

  // "/spec/ports/0" as "spec.ports[0]".
  static std::string display_path(const Json& root, std::string_view pointer) {
    std::string path;
    const Json* value = &root;
    while (!pointer.empty()) {
      const size_t end = std::min(pointer.find('/', 1), pointer.size());
      std::string key(pointer.substr(1, end - 1));
      for (size_t at = 0; (at = key.find('~', at)) != key.npos; ++at)
        key.replace(at, 2, key[at + 1] == '1' ? "/" : "~");
      pointer.remove_prefix(end);
      const bool list = value != nullptr && value->is_array();
      path += list ? fmt::format("[{}]", key) : (path.empty() ? "" : ".") + key;
      if (value == nullptr) continue;
      if (list)
        value = size_t(std::stoul(key)) < value->size() ? &(*value)[std::stoul(key)] : nullptr;
      else
        value = value->is_object() && value->contains(key) ? &(*value)[key] : nullptr;
    }
    return path.empty() ? "." : path;
  }

  std::string file_;
  Reading reading_;
  std::vector<OddKey> odd_keys_;
  int count_ = 0;
};

bool is_manifest(const fs::path& path) {
  const fs::path extension = path.extension();
  return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

// Files of a folder by name, then its folders by name.
Result<void> walk(const fs::path& folder, int depth, std::vector<std::string>& files) {
  if (depth > 64)
    return Error{ErrorCode::kIo, fmt::format("{}: nested too deep", folder.string()), ""};
  std::error_code error;
  std::vector<fs::path> names, folders;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (at->is_directory(ignored) && !at->is_symlink(ignored))
      folders.push_back(at->path());
    else if (is_manifest(at->path()))
      names.push_back(at->path());
  }
  if (error)
    return Error{ErrorCode::kIo, fmt::format("{}: {}", folder.string(), error.message()), ""};
  std::sort(names.begin(), names.end());
  std::sort(folders.begin(), folders.end());
  for (const fs::path& name : names) files.push_back(name.string());
  for (const fs::path& inner : folders)
    if (auto ok = walk(inner, depth + 1, files); !ok) return ok;
  return {};
}

}  // namespace

Reading read_text(std::string_view text, const std::string& file) {
  if (text.size() > kMaxManifestBytes) {
    Reading reading;
    reading.problems.push_back({file, 0, 0, "-", ".", Severity::kError, "yaml",
                                fmt::format("{} MB of text, at most {} are read",
                                            text.size() / 1'000'000, kMaxManifestBytes / 1'000'000),
                                "split the file"});
    return reading;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(file).read(text);
}

Result<std::vector<Document>> read_documents(std::string_view text, const std::string& file) {
  Reading reading = read_text(text, file);
  if (reading.problems.empty()) return std::move(reading.documents);
  const Problem& problem = reading.problems.front();
  return Error{text.size() > kMaxManifestBytes ? ErrorCode::kTooLarge : ErrorCode::kDataRefused,
               problem.line == 0 ? fmt::format("{}: {}", file, problem.message)
                                 : fmt::format("{}:{}:{}: {}", file, problem.line, problem.column,
                                               problem.message),
               problem.hint};
}

Result<std::vector<std::string>> find_files(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (argument == "-") {
      files.push_back(argument);
    } else if (fs::is_directory(argument, error)) {
      if (auto ok = walk(argument, 0, files); !ok) return std::move(ok).error();
    } else if (fs::exists(argument, error)) {
      files.push_back(argument);
    } else {
      return Error{ErrorCode::kNotFound, fmt::format("{}: no such file or folder", argument), ""};
    }
  }
  return files;
}

}  // namespace aictl::manifest
