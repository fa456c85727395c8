// What python3-jinja2 makes of the same templates and variables, byte for byte. The expected texts
// are data, written by tests/support/render_with_jinja2.py --update.
#include "core/base/file.hpp"
#include "core/template/template.hpp"

#include <filesystem>
#include <string>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace fs = std::filesystem;
using aictl::Json;
using aictl::jinja::Options;
using aictl::jinja::RenderOptions;
using aictl::jinja::Template;

namespace {

constexpr int64_t kNow = 1795305600;  // 2026-11-22

const fs::path kData = fs::path(AICTL_TEST_DATA) / "templates";
const fs::path kShared = fs::path(AICTL_SHARED) / "models/templates";

std::string read(const fs::path& path) {
  auto text = aictl::read_file(path);
  REQUIRE_MESSAGE(text.ok(), path.string());
  return std::move(*text);
}

Json read_json(const fs::path& path) {
  auto tree = aictl::parse_json(read(path));
  REQUIRE_MESSAGE(tree.ok(), path.string());
  return std::move(*tree);
}

const Json& conversations() {
  static const Json tree = read_json(kData / "conversations.json");
  return tree;
}

Options options_of(const Json& test) {
  Options options;
  const Json switches = test.value("options", Json::object());
  options.trim_blocks = switches.value("trim_blocks", true);
  options.lstrip_blocks = switches.value("lstrip_blocks", true);
  options.keep_trailing_newline = switches.value("keep_trailing_newline", false);
  return options;
}

// Spans in order, without gaps, over the whole text.
bool cover(const aictl::jinja::Rendered& rendered) {
  size_t end = 0;
  for (const auto& span : rendered.spans) {
    if (span.begin != end || span.end <= span.begin) return false;
    end = span.end;
  }
  return end == rendered.text.size();
}

void check_case(const std::string& source, const Json& test) {
  const Json named = test.value("vars", Json::object());
  const Json& variables = named.is_string() ? conversations().at(named.get<std::string>()) : named;
  INFO("vars: " << (named.is_string() ? named.get<std::string>() : aictl::dump_json(named)));
  RenderOptions limits;
  limits.now = kNow;
  const auto parsed = Template::parse(source, options_of(test));
  if (test.contains("error")) {
    const auto rendered = parsed ? parsed->render(variables, limits)
                                 : aictl::Result<aictl::jinja::Rendered>(parsed.error());
    REQUIRE_MESSAGE(!rendered.ok(), "expected " << test["error"].get<std::string>());
    const bool raised = rendered.error().code == aictl::ErrorCode::kInvalidArgument;
    CHECK(raised == test.value("raised", false));
    if (raised)
      CHECK(rendered.error().message == test["error"].get<std::string>());
    else
      CHECK(rendered.error().message.starts_with("line "));
    return;
  }
  REQUIRE_MESSAGE(parsed.ok(), parsed.error().message);
  const auto rendered = parsed->render(variables, limits);
  REQUIRE_MESSAGE(rendered.ok(), rendered.error().message);
  CHECK(rendered->text == test["expected"].get<std::string>());
  CHECK(cover(*rendered));
}

// Runs a data file; false if the template it is for is not here.
bool check_file(const fs::path& path) {
  const Json data = read_json(path);
  std::string whole;
  if (data.contains("shared")) {
    const fs::path template_path = kShared / data["shared"].get<std::string>();
    if (!fs::exists(template_path)) return false;
    whole = read(template_path);
  } else if (data.contains("template")) {
    whole = read(kData / data["template"].get<std::string>());
  }
  INFO("file: " << path.filename().string());
  for (const Json& test : data["cases"]) {
    const std::string source =
        test.contains("template") ? test["template"].get<std::string>() : whole;
    if (test.contains("template")) {
      INFO("template: " << source);
      check_case(source, test);
    } else {
      check_case(source, test);
    }
  }
  return true;
}

}  // namespace

TEST_CASE("chat templates render like jinja2 does, byte for byte") {
  for (const char* name : {"llama-3.1", "llama-3.2", "llama-3.3", "qwen2.5", "qwen3",
                           "mistral-nemo", "phi-3.5", "gemma-2"})
    CHECK(check_file(kData / fmt::format("{}.json", name)));
}

TEST_CASE("tricky expressions, statements and blanks render like jinja2 does") {
  CHECK(check_file(kData / "expressions.json"));
  CHECK(check_file(kData / "statements.json"));
}

TEST_CASE("the other published templates render like jinja2 does") {
  int skipped = 0;
  for (const auto& entry : fs::directory_iterator(kData / "others"))
    if (!check_file(entry.path())) ++skipped;
  if (skipped > 0) MESSAGE(skipped << " templates skipped: ../shared/models/templates is not here");
}

TEST_CASE("every published template parses") {
  if (!fs::exists(kShared)) {
    MESSAGE("skipped: ../shared/models/templates is not here");
    return;
  }
  for (const auto& entry : fs::directory_iterator(kShared)) {
    const auto parsed = Template::parse(read(entry.path()));
    CHECK_MESSAGE(parsed.ok(), entry.path().filename().string()
                                   << ": " << (parsed ? "" : parsed.error().message));
  }
}
