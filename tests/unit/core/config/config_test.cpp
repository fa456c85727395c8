// Rows and the layers of configuration.
#include <doctest/doctest.h>

#include <fstream>
#include <map>

#include <unistd.h>

#include "core/config/layers.hpp"
#include "core/config/schema.hpp"

using namespace aictl;

namespace {

enum class Policy { kFast, kSafe };

// A row's name and a text for it.
struct Case {
  const char *name, *text;
};

struct Options {
  bool cache = true;
  int64_t port = 8000;
  double share = 0.5;
  float temperature = 0.9f;
  std::string model = "tiny";
  std::vector<std::string> stop;
  std::vector<int32_t> tokens;
  std::chrono::milliseconds patience{1500};
  uint64_t memory = uint64_t{16} << 30;
  Policy policy = Policy::kSafe;
  std::string key;
  std::optional<int64_t> seed;
};

Schema schema(Options& o) {
  return Schema(
      "serve",
      {Row("cache", &o.cache, "keep prefixes"), Row("port", &o.port, "TCP port").range(0, 65535),
       Row("share", &o.share, "share of memory").range(0, 1),
       Row("temperature", &o.temperature, "randomness"), Row("model", &o.model, "name"),
       Row("stop", &o.stop, "strings that end"), Row("tokens", &o.tokens, "ids"),
       Row("patience", &o.patience, "how long"), Row("max-memory", &o.memory, "bytes"),
       Row("policy", &o.policy, "how", {{"fast", Policy::kFast}, {"safe", Policy::kSafe}}),
       Row("api-key", &o.key, "the key").secret(), Row("seed", &o.seed, "of the sampler")});
}

Row& row(Schema& schema, std::string_view name) {
  for (Row& r : schema.rows())
    if (r.name() == name) return r;
  FAIL("no such row");
  return schema.rows().front();
}

ConfigFile file_of(const std::string& text) {
  auto document = parse_yaml(text);
  REQUIRE(document.ok());
  return {"test.yaml", *document};
}

Environment environment_of(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

// A folder of its own for each test, gone at the end.
struct Scratch {
  Scratch() {
    char name[] = "/tmp/aictl_config_XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path = name;
  }
  ~Scratch() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

void write(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("schema: flag, variable and key follow from section and name") {
  Options o;
  Schema s = schema(o);
  CHECK(row(s, "max-memory").flag() == "--max-memory");
  CHECK(row(s, "max-memory").variable() == "AICTL_SERVE_MAX_MEMORY");
  CHECK(row(s, "max-memory").key() == "serve.max_memory");
  CHECK(row(s, "api-key").flag().empty());
  CHECK(row(s, "api-key").variable() == "AICTL_SERVE_API_KEY");
  const Schema flags = {Row("tokens", &o.tokens, "ids")};
  CHECK(flags.rows()[0].variable().empty());
  CHECK(flags.rows()[0].key().empty());
  Schema nested("bench.model", {Row("batch", &o.port, "sequences")});
  CHECK(nested.rows()[0].variable() == "AICTL_BENCH_MODEL_BATCH");
  CHECK(nested.rows()[0].key() == "bench.model.batch");
}

TEST_CASE("schema: text sets a field of every kind, and the value reads back the same") {
  const Case kCases[] = {
      {"cache", "false"},  {"port", "9000"},      {"share", "0.25"},  {"temperature", "0.7"},
      {"model", "llama"},  {"patience", "2m"},    {"policy", "fast"}, {"max-memory", "512Mi"},
      {"stop", "[\"a\"]"}, {"tokens", "[1,2,3]"}, {"seed", "7"}};
  for (const Case& c : kCases) {
    const std::string name = c.name, shown = c.text;
    CAPTURE(name);
    Options o;
    Schema s = schema(o);
    const std::string text = name == "stop" ? "a" : name == "tokens" ? "1,2,3" : shown;
    REQUIRE(row(s, name).set_text(text, Origin::kFlag, "here").ok());
    const Json value = row(s, name).load();
    CHECK((value.is_string() ? value.get<std::string>() : dump_json(value)) == shown);
    Options again;
    Schema other = schema(again);
    REQUIRE(row(other, name).set_json(value, Origin::kFile, "there").ok());
    CHECK(row(other, name).load() == value);
  }
}

TEST_CASE(
    "schema: a value out of range, of another kind or unknown is refused and changes nothing") {
  const Case kBad[] = {
      {"port", "70000"},  {"port", "-1"},      {"port", "8k"},     {"port", "99999999999999999999"},
      {"share", "1.5"},   {"share", "nan"},    {"cache", "maybe"}, {"patience", "30"},
      {"policy", "fats"}, {"max-memory", "x"}, {"tokens", "1,b"},  {"tokens", "3000000000"}};
  for (const Case& c : kBad) {
    const std::string name = c.name, text = c.text;
    CAPTURE(name);
    CAPTURE(text);
    Options o;
    Schema s = schema(o);
    const Json before = row(s, name).load();
    const auto result = row(s, name).set_text(text, Origin::kFlag, "--x");
    REQUIRE(!result.ok());
    CHECK(result.error().code == ErrorCode::kInvalidArgument);
    CHECK(row(s, name).load() == before);
    CHECK(row(s, name).origin() == Origin::kDefault);
  }
  Options o;
  Schema s = schema(o);
  CHECK(row(s, "port").set_text("70000", Origin::kFlag, "").error().message ==
        "port 70000 is not in 0..65535");
  CHECK(row(s, "policy").set_text("fats", Origin::kFlag, "").error().hint ==
        "did you mean 'fast'?");
}

TEST_CASE("schema: a word may stand for a number, in text and in a file") {
  int threads = 4;
  Row row = Row("threads", &threads, "").range(0, 8).spelled("auto", 0);
  CHECK(row.set_text("auto", Origin::kFlag, "").ok());
  CHECK_EQ(threads, 0);
  CHECK(row.set_text("3", Origin::kFlag, "").ok());
  CHECK(row.set_json("auto", Origin::kFile, "").ok());
  CHECK_EQ(threads, 0);
  CHECK_FALSE(row.set_text("many", Origin::kFlag, "").ok());
  CHECK_FALSE(row.set_text("9", Origin::kFlag, "").ok());
  CHECK_EQ(row.completions(), std::vector<std::string>{"auto"});
}

TEST_CASE("schema: exact texts of durations and sizes read back to the same value") {
  CHECK(exact_duration(std::chrono::milliseconds(1500)) == "1500ms");
  CHECK(exact_duration(std::chrono::hours(48)) == "2d");
  CHECK(exact_duration(std::chrono::nanoseconds(7)) == "7ns");
  CHECK(exact_bytes(uint64_t{16} << 30) == "16Gi");
  CHECK(exact_bytes(1000) == "1000");
  CHECK(exact_bytes(0) == "0");
}

TEST_CASE("layers: for every set of layers the last one wins and is named as the origin") {
  for (int set = 0; set < 8; ++set) {
    CAPTURE(set);
    Options o;
    Schema s = schema(o);
    int64_t expected = 8000;
    Origin origin = Origin::kDefault;
    std::string place;
    if ((set & 1) != 0) {
      REQUIRE(apply_file(s, file_of("serve:\n  model: x\n  port: 1\n")).ok());
      expected = 1, origin = Origin::kFile, place = "test.yaml:3";
    }
    if ((set & 2) != 0) {
      REQUIRE(apply_environment(s, environment_of({{"AICTL_SERVE_PORT", "2"}})).ok());
      expected = 2, origin = Origin::kEnvironment, place = "AICTL_SERVE_PORT";
    }
    if ((set & 4) != 0) {
      REQUIRE(row(s, "port").set_text("3", Origin::kFlag, "--port").ok());
      expected = 3, origin = Origin::kFlag, place = "--port";
    }
    CHECK(o.port == expected);
    CHECK(row(s, "port").origin() == origin);
    CHECK(row(s, "port").place() == place);
  }
}

TEST_CASE("layers: an unknown key is refused with its place and the nearest key") {
  Options o;
  const Schema s = schema(o);
  const auto check = [&](const char* text) { return check_keys(file_of(text), {&s}); };
  CHECK(check("serve:\n  max_memory: 1Gi\n").ok());
  CHECK(check("serve:\n").ok());
  auto key = check("serve:\n  cache: true\n  max_memry: 1Gi\n");
  REQUIRE(!key.ok());
  CHECK(key.error().code == ErrorCode::kDataRefused);
  CHECK(key.error().message == "test.yaml:3:3: unknown key 'serve.max_memry'");
  CHECK(key.error().hint.find("did you mean 'max_memory'?") == 0);
  auto section = check("srve:\n  cache: true\n");
  REQUIRE(!section.ok());
  CHECK(section.error().message == "test.yaml:1:1: unknown key 'srve'");
  CHECK(section.error().hint.find("did you mean 'serve'?") == 0);
  CHECK(!check("serve: 3\n").ok());
  CHECK(!check("serve:\n  max-memory: 1Gi\n").ok());
  CHECK(!check("serve.port: 1\n").ok());
  CHECK(!check("'': 1\n").ok());
}

TEST_CASE("layers: a bad value in a file or a variable is refused with its place") {
  Options o;
  Schema s = schema(o);
  auto file = apply_file(s, file_of("serve:\n  port: 70000\n"));
  REQUIRE(!file.ok());
  CHECK(file.error().code == ErrorCode::kDataRefused);
  CHECK(file.error().message == "test.yaml:2:3: port 70000 is not in 0..65535");
  CHECK(!apply_file(s, file_of("serve:\n  port: '80'\n")).ok());
  CHECK(!apply_file(s, file_of("serve:\n  model: [a]\n")).ok());
  CHECK(!apply_file(s, file_of("serve:\n  stop: a\n")).ok());
  auto variable = apply_environment(s, environment_of({{"AICTL_SERVE_PORT", "x"}}));
  REQUIRE(!variable.ok());
  CHECK(variable.error().message == "AICTL_SERVE_PORT: port 'x' is not a whole number");
  CHECK(apply_environment(s, environment_of({{"AICTL_SERVE_PORT", ""}})).ok());
}

TEST_CASE("layers: the file is the chosen one, else the user's, else none") {
  Scratch scratch;
  write(scratch.path / "xdg/aictl/config.yaml", "serve:\n  port: 1\n");
  write(scratch.path / "home/.config/aictl/config.yaml", "serve:\n  port: 2\n");
  write(scratch.path / "mine.yaml", "serve:\n  port: 3\n");
  const std::string xdg = scratch.path / "xdg", home = scratch.path / "home";
  const auto port_of = [](const Result<std::optional<ConfigFile>>& file) {
    REQUIRE(file.ok());
    REQUIRE(file->has_value());
    return (*file)->document.tree["serve"]["port"].get<int>();
  };
  const Environment both = environment_of({{"XDG_CONFIG_HOME", xdg}, {"HOME", home}});
  CHECK(port_of(find_config("", both)) == 1);
  CHECK(port_of(find_config("", environment_of({{"HOME", home}}))) == 2);
  CHECK(port_of(find_config(
            "", environment_of({{"XDG_CONFIG_HOME", "relative"}, {"HOME", home}}))) == 2);
  CHECK(port_of(find_config(scratch.path / "mine.yaml", both)) == 3);
  const auto missing = find_config(scratch.path / "absent.yaml", both);
  REQUIRE(!missing.ok());
  CHECK(missing.error().code == ErrorCode::kNotFound);
  write(scratch.path / "list.yaml", "- a\n");
  CHECK(find_config(scratch.path / "list.yaml", both).error().code == ErrorCode::kDataRefused);
}

TEST_CASE("rows: an empty item of a list is a slip, and told by its place") {
  std::vector<int32_t> tokens;
  Row row("tokens", &tokens, "ids");
  const auto error_of = [&](const std::string& text) {
    const auto ok = row.set_items({text}, true, Origin::kFlag, "--tokens");
    REQUIRE_FALSE(ok.ok());
    CHECK(ok.error().code == ErrorCode::kInvalidArgument);
    CHECK(row.set_text(text, Origin::kEnvironment, "").error().message == ok.error().message);
    return ok.error().message;
  };
  CHECK(error_of("1,2,") == "tokens: item 3 of '1,2,' is empty");
  CHECK(error_of(",1") == "tokens: item 1 of ',1' is empty");
  CHECK(error_of("1,,2") == "tokens: item 2 of '1,,2' is empty");
  CHECK(error_of(",") == "tokens: item 1 of ',' is empty");
  CHECK(row.set_items({"1,2", "3"}, true, Origin::kFlag, "--tokens").ok());
  CHECK(tokens == std::vector<int32_t>{1, 2, 3});
  CHECK(row.set_text("", Origin::kEnvironment, "").ok());
  CHECK(tokens.empty());
}
