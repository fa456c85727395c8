#include "core/platform/generate/render/templates.hpp"

#include <fmt/format.h>

#include "core/base/file.hpp"
#include "core/platform/generate/explain/trace.hpp"
#include "core/platform/generate/render/comments.hpp"
#include "core/template/template.hpp"
#include "core/value/yaml_read.hpp"

namespace aictl::platform {
namespace {

constexpr size_t kMaxTemplateBytes = size_t{1} << 20;

// The text of a template, and what messages call it.
struct Source {
  std::string text, name;
};

Result<Source> find_template(const std::filesystem::path& overrides, std::string_view path) {
  if (!overrides.empty()) {
    const std::filesystem::path file = overrides / path;
    std::error_code unreadable;
    if (std::filesystem::is_regular_file(file, unreadable)) {
      auto text = read_file(file, kMaxTemplateBytes);
      if (!text) return std::move(text).error();
      return Source{*std::move(text), file.string()};
    }
  }
  for (const BuiltinTemplate& each : builtin_templates())
    if (each.path == path) return Source{std::string(each.text), fmt::format("templates/{}", path)};
  return Error{ErrorCode::kNotFound, fmt::format("no template '{}'", path), ""};
}

// A text, and where it came from when somebody asks.
struct Text {
  std::string text;
  std::vector<Mark> marks;
};

Result<Text> render(const Source& source, const Json& variables, Trace* trace) {
  jinja::Options options;
  options.undefined = jinja::UndefinedPolicy::kStrict;
  options.keep_trailing_newline = true;
  auto parsed = jinja::Template::parse(source.text, options);
  if (!parsed) return std::move(parsed).error().within(source.name);
  jinja::RenderOptions limits;
  limits.untrusted.clear();
  auto rendered = parsed->render(variables, limits);
  if (!rendered) return std::move(rendered).error().within(source.name);
  Text result{std::move(rendered->text), {}};
  if (!trace) return result;
  auto marks = trace->marks_of(*parsed, variables);
  if (!marks) return std::move(marks).error().within(source.name);
  result.marks = *std::move(marks);
  return result;
}

// Calls visit(document, its first byte and line) for each document of `text`.
template <typename Visit>
Result<void> for_each_document(std::string_view text, Visit visit) {
  size_t begin = 0;
  int line = 1, first = 1;
  for (size_t at = 0; at <= text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const bool mark = text.substr(at, end - at) == "---", last = end == text.size();
    if (mark || last) {
      const size_t stop = mark ? at : end;
      if (auto done = visit(text.substr(begin, stop - begin), begin, first); !done) return done;
      begin = end + 1;
      first = line + 1;
    }
    at = end + 1;
    ++line;
  }
  return {};
}

Result<std::vector<RenderedObject>> objects_of(const Text& text, std::string_view name,
                                               const Trace* trace) {
  std::vector<RenderedObject> objects;
  const auto add = [&](std::string_view document, size_t begin, int first) -> Result<void> {
    YamlOptions options;
    options.dialect = YamlDialect::kKubernetes;
    options.first_line = first;
    auto parsed = parse_yaml(document, options);
    if (!parsed) return std::move(parsed).error().within(fmt::format("what {} gives", name));
    if (parsed->tree.is_null()) return {};
    RenderedObject object;
    object.comments = trailing_comments(document, first, *parsed);
    if (trace) object.variables = trace->fields(document, begin, first, *parsed, text.marks);
    object.object = std::move(parsed->tree);
    objects.push_back(std::move(object));
    return {};
  };
  if (auto read = for_each_document(text.text, add); !read) return std::move(read).error();
  return objects;
}

}  // namespace

Result<std::string> render_template(const std::filesystem::path& overrides, std::string_view path,
                                    const Json& variables, Trace* trace, const std::string& as) {
  auto source = find_template(overrides, path);
  if (!source) return std::move(source).error();
  auto rendered = render(*source, variables, trace);
  if (!rendered) return std::move(rendered).error();
  if (trace) trace->keep(as, std::move(rendered->marks), source->name);
  return std::move(rendered->text);
}

Result<std::vector<RenderedObject>> read_objects(std::string_view text, std::string_view name) {
  return objects_of({std::string(text), {}}, name, nullptr);
}

Result<std::vector<RenderedObject>> render_objects(const std::filesystem::path& overrides,
                                                   std::string_view path, const Json& variables,
                                                   Trace* trace) {
  auto source = find_template(overrides, path);
  if (!source) return std::move(source).error();
  auto text = render(*source, variables, trace);
  if (!text) return std::move(text).error();
  auto objects = objects_of(*text, source->name, trace);
  if (objects)
    for (RenderedObject& each : *objects) each.comments[""] = source->name;
  return objects;
}

}  // namespace aictl::platform
