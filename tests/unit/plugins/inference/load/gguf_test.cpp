#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>

#include <doctest/doctest.h>

#include "plugins/services/inference/load/gguf.hpp"
#include "plugins/services/inference/load/gguf_writer.hpp"
#include "plugins/services/inference/load/model.hpp"
#include "plugins/services/inference/load/random_model.hpp"

using namespace aictl;
using namespace aictl::inference;
namespace fs = std::filesystem;

namespace {

std::span<const std::byte> view(const std::string& bytes) {
  return std::as_bytes(std::span(bytes));
}

Result<Gguf> parse(const std::string& bytes) { return Gguf::parse(view(bytes), "x.gguf"); }

// The message of the refusal; empty when the bytes are taken.
std::string refusal(const std::string& bytes) {
  const auto file = parse(bytes);
  return file.ok() ? "" : file.error().message;
}

std::string refusal(const GgufWriter& writer) { return refusal(writer.bytes()); }

template <typename T>
std::string raw(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

GgufWriter small_file() {
  GgufWriter w;
  w.add_text("general.architecture", "llama");
  w.add_u32("n.u32", 7);
  w.add_u64("n.u64", 7);
  w.add_i32("n.i32", -7);
  w.add_raw("n.u8", 0, raw<uint8_t>(7));
  w.add_raw("n.i16", 3, raw<int16_t>(7));
  w.add_raw("n.f64", 12, raw<double>(0.5));
  w.add_f32("n.f32", 0.25f);
  w.add_bool("flag", true);
  const std::string words[] = {"a", "", "ccc"};
  w.add_texts("words", words);
  const int32_t same[] = {4, 4, 4};
  w.add_ints("same", same);
  const int32_t uneven[] = {4, 5};
  w.add_ints("uneven", uneven);
  const float values[64] = {1, 2, 3};
  w.add_tensor("vector", 0, 3, DType::kF32, values);
  w.add_tensor("matrix", 2, 32, DType::kQ8_0, values);
  return w;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (fs::temp_directory_path() / "aictl-gguf-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()));
    path = name;
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path path;
};

}  // namespace

TEST_CASE("gguf: what is written reads back, integers of any width alike") {
  const std::string bytes = small_file().bytes();
  auto file = parse(bytes);
  REQUIRE_MESSAGE(file.ok(), file.error().message);
  for (const char* key : {"n.u32", "n.u64", "n.u8", "n.i16"})
    CHECK_EQ(file->integer(key, 0, 10).value(), 7);
  CHECK_EQ(file->integer("n.i32", -10, 10).value(), -7);
  CHECK_EQ(file->number("n.f32").value(), 0.25);
  CHECK_EQ(file->number("n.f64").value(), 0.5);
  CHECK_EQ(file->number("n.u8").value(), 7);
  CHECK_EQ(file->boolean("flag").value(), true);
  CHECK_EQ(file->text("general.architecture").value(), "llama");
  CHECK(file->texts("words").value() == std::vector<std::string_view>{"a", "", "ccc"});
  CHECK_EQ(file->integer("same", 0, 10).value(), 4);
  CHECK(file->integers("uneven").value() == std::vector<int64_t>{4, 5});
  CHECK_EQ(file->count("words"), 3);
  REQUIRE_EQ(file->tensors().size(), 2);
  const FileTensor* matrix = file->tensor("matrix");
  REQUIRE(matrix);
  CHECK_EQ(matrix->dims[0], 32);
  CHECK_EQ(matrix->dims[1], 2);
  CHECK_EQ(matrix->bytes, 68);
  float row[32];
  dequant_row(DType::kQ8_0, matrix->data, row, 32);
  CHECK(std::fabs(row[1] - 2) < 0.02f);
  CHECK_EQ(file->tensor("nothing"), nullptr);
}

TEST_CASE("gguf: a getter that fails names file, key, what was found and what was expected") {
  const std::string bytes = small_file().bytes();
  auto file = parse(bytes);
  REQUIRE(file.ok());
  CHECK_EQ(file->integer("n.u32", 8, 9).error().message,
           "x.gguf: key 'n.u32': found u32 7, expected an integer in 8..9");
  CHECK_EQ(file->text("flag").error().message,
           "x.gguf: key 'flag': found bool true, expected a string");
  CHECK_EQ(file->texts("n.u32").error().message,
           "x.gguf: key 'n.u32': found u32 7, expected an array");
  CHECK_EQ(file->number("words").error().message,
           "x.gguf: key 'words': found array of 3 strings, expected a finite number");
  CHECK_EQ(file->integer("absent", 0, 1).error().message, "x.gguf: key 'absent' is missing");
  // The file is there and refused: "not found" is what a missing file says.
  CHECK_EQ(file->integer("absent", 0, 1).error().code, ErrorCode::kDataRefused);
  CHECK_EQ(file->texts("absent").error().code, ErrorCode::kDataRefused);
  CHECK_EQ(file->integer_or("absent", 5, 0, 1).value(), 5);
  CHECK_EQ(file->integer("uneven", 0, 9).error().message,
           "x.gguf: key 'uneven' differs from layer to layer");
}

TEST_CASE("gguf: bad magic, versions and counts are refused") {
  std::string bytes = small_file().bytes();
  CHECK_EQ(refusal(std::string()),
           "x.gguf: not a GGUF file: it does not start with the letters GGUF");
  CHECK_EQ(refusal("GGUX" + bytes.substr(4)),
           "x.gguf: not a GGUF file: it does not start with the letters GGUF");
  CHECK_EQ(refusal("GGUF" + raw<uint32_t>(1) + bytes.substr(8)),
           "x.gguf: GGUF version 1, expected 2 or 3");
  CHECK_EQ(refusal("GGUF" + raw<uint32_t>(0x03000000) + bytes.substr(8)),
           "x.gguf: a big-endian GGUF file");
  CHECK_EQ(refusal("GGUF" + raw<uint32_t>(2) + bytes.substr(8)), "");
  CHECK(refusal(bytes.substr(0, 8) + raw<uint64_t>(UINT64_MAX) + bytes.substr(16))
            .starts_with("x.gguf: claims 18446744073709551615 tensors, expected at most "));
  CHECK(refusal(bytes.substr(0, 16) + raw<uint64_t>(1ull << 60) + bytes.substr(24))
            .starts_with("x.gguf: claims 1152921504606846976 keys, expected at most "));
}

TEST_CASE("gguf: lying strings and arrays are refused before anything is allocated") {
  GgufWriter text;
  text.add_raw("t", 8, raw<uint64_t>(1ull << 62));
  CHECK(refusal(text).starts_with("x.gguf: key 't' claims 4611686018427387904 bytes of text"));
  for (uint32_t element : {0u, 4u, 8u, 9u, 12u}) {
    GgufWriter array;
    array.add_raw("a", 9,
                  raw<uint32_t>(element) + raw<uint64_t>(1ull << 61) + std::string(64, '\0'));
    CHECK(refusal(array).starts_with("x.gguf: key 'a' claims an array of 2305843009213693952 "));
  }
  GgufWriter type;
  type.add_raw("k", 77, "");
  CHECK_EQ(refusal(type), "x.gguf: key 'k' has value type 77, expected 0..12");
  GgufWriter element;
  element.add_raw("k", 9, raw<uint32_t>(13) + raw<uint64_t>(0));
  CHECK_EQ(refusal(element), "x.gguf: key 'k' has element type 13, expected 0..12");
  GgufWriter truth;
  truth.add_raw("k", 7, raw<uint8_t>(2));
  CHECK_EQ(refusal(truth), "x.gguf: key 'k': found bool 2, expected 0 or 1");
}

TEST_CASE("gguf: nested arrays are taken to a depth of four") {
  auto nested = [](int depth) {
    std::string payload = raw<uint32_t>(0) + raw<uint64_t>(1) + raw<uint8_t>(1);
    for (int i = 1; i < depth; ++i) payload = raw<uint32_t>(9) + raw<uint64_t>(1) + payload;
    GgufWriter w;
    w.add_raw("deep", 9, payload);
    return refusal(w);
  };
  CHECK_EQ(nested(4), "");
  CHECK_EQ(nested(5), "x.gguf: key 'deep' nests arrays deeper than 4 levels");
  CHECK_EQ(nested(500), "x.gguf: key 'deep' nests arrays deeper than 4 levels");
}

TEST_CASE("gguf: twins, odd names and odd alignments are refused") {
  GgufWriter keys;
  keys.add_u32("k", 1);
  keys.add_u32("k", 2);
  CHECK_EQ(refusal(keys), "x.gguf: key 'k' occurs twice");
  GgufWriter tensors;
  tensors.add_tensor("t", {1}, 0, std::string(4, 'x'));
  tensors.add_tensor("t", {1}, 0, std::string(4, 'x'));
  CHECK_EQ(refusal(tensors), "x.gguf: tensor 't' occurs twice");
  GgufWriter binary;
  binary.add_u32("a\nb", 1);
  CHECK_EQ(refusal(binary), "x.gguf: key 0 is 'a?b', expected printable ASCII");
  GgufWriter longer;
  longer.add_tensor(std::string(65, 't'), {1}, 0, std::string(4, 'x'));
  CHECK_EQ(refusal(longer), "x.gguf: tensor 0 has 65 bytes, expected at most 64");
  for (uint32_t alignment : {0u, 4u, 48u}) {
    GgufWriter w;
    w.add_u32("general.alignment", alignment);
    CHECK(refusal(w).starts_with("x.gguf: key 'general.alignment': found u32 "));
  }
  GgufWriter wide(4096);
  wide.add_tensor("a", {1}, 0, "1234");
  wide.add_tensor("b", {1}, 0, "1234");
  CHECK_EQ(refusal(wide), "");
}

TEST_CASE("gguf: tensors that cannot be are refused by name") {
  auto with = [](std::vector<uint64_t> dims, uint32_t type, size_t size) {
    GgufWriter w;
    w.add_tensor("w", std::move(dims), type, std::string(size, 'x'));
    return refusal(w);
  };
  CHECK_EQ(with({8}, 0, 32), "");
  CHECK_EQ(with({}, 0, 32), "x.gguf: tensor 'w' has 0 dimensions, expected 1..4");
  CHECK_EQ(with({1, 1, 1, 1, 1}, 0, 32), "x.gguf: tensor 'w' has 5 dimensions, expected 1..4");
  CHECK(with({8, 0}, 0, 32).starts_with("x.gguf: tensor 'w' has dimension 1 of 0"));
  CHECK(with({1ull << 40}, 0, 32).starts_with("x.gguf: tensor 'w' has dimension 0 of "));
  CHECK(with({1 << 30, 1 << 30, 1 << 30, 1 << 30}, 0, 32)
            .starts_with("x.gguf: tensor 'w' has dimension "));
  CHECK_EQ(with({8}, 4, 32), "x.gguf: tensor 'w' has type id 4, which no known tensor type has");
  CHECK_EQ(with({33, 2}, 8, 68),
           "x.gguf: tensor 'w' has rows of 33 elements, expected a multiple of Q8_0's block of 32");
  CHECK_EQ(with({16}, 0, 32),
           "x.gguf: tensor 'w' needs 64 bytes at offset 0, the file has 32 bytes of data");
  CHECK_EQ(with({256}, 20, 8 * 18 + 16), "");  // a type we know and cannot decode
}

TEST_CASE("gguf: tensors may not overlap, and offsets keep the alignment") {
  GgufWriter w;
  w.add_tensor("first", {8}, 0, std::string(32, 'x'));
  w.add_tensor("second", {8}, 0, std::string(32, 'x'));
  const std::string bytes = w.bytes();
  REQUIRE_EQ(refusal(bytes), "");
  const size_t at = bytes.find("second") + 6 + 4 + 8 + 4;  // dims count, one dim, type
  std::string cyclic = bytes, crooked = bytes, far = bytes;
  cyclic.replace(at, 8, raw<uint64_t>(0));
  CHECK_NE(refusal(cyclic).find("overlaps tensor"), std::string::npos);
  crooked.replace(at, 8, raw<uint64_t>(33));
  CHECK_EQ(refusal(crooked), "x.gguf: tensor 'second' is at offset 33, expected a multiple of 32");
  far.replace(at, 8, raw<uint64_t>(UINT64_MAX - 31));
  CHECK(refusal(far).starts_with("x.gguf: tensor 'second' needs 32 bytes at offset "));
}

TEST_CASE("gguf: a file cut at any byte is refused with a reason, or is whole") {
  RandomModelOptions options{
      .layers = 1, .hidden = 8, .heads = 1, .kv_heads = 1, .head_dim = 8, .ffn = 8, .vocab = 320};
  const std::string bytes = make_random_model(options).value();
  REQUIRE(Model::parse(view(bytes)).ok());
  size_t data = bytes.size();
  for (size_t length = 0; length < bytes.size(); ++length) {
    if (length > data && length % 97 != 0) continue;
    const std::string cut = bytes.substr(0, length);  // a copy: reads past its end are found
    const auto model = Model::parse(view(cut), "cut.gguf");
    REQUIRE_FALSE(model.ok());
    CHECK(model.error().message.starts_with("cut.gguf: "));
    if (model.error().message.find(" bytes of data") != std::string::npos)
      data = std::min(data, length);
  }
}

TEST_CASE("gguf: any byte of a header may flip without a crash") {
  RandomModelOptions options{.layers = 1,
                             .hidden = 8,
                             .heads = 1,
                             .kv_heads = 1,
                             .head_dim = 8,
                             .ffn = 8,
                             .vocab = 320,
                             .vocab_kind = RandomVocab::kSpm};
  const std::string bytes = make_random_model(options).value();
  const auto whole = Gguf::parse(view(bytes));
  REQUIRE(whole.ok());
  const size_t header = static_cast<size_t>(whole->tensors()[0].data -
                                            reinterpret_cast<const std::byte*>(bytes.data()));
  size_t refused = 0;
  std::string flipped = bytes;
  for (size_t at = 0; at < header; ++at) {
    for (int mask : {0xFF, 0x01, 0x80}) {
      flipped[at] = static_cast<char>(bytes[at] ^ mask);
      const auto model = Model::parse(view(flipped), "flipped.gguf");
      if (model.ok()) continue;
      ++refused;
      CHECK_FALSE(model.error().message.empty());
    }
    flipped[at] = bytes[at];
  }
  CHECK_GT(refused, 1000);
}

TEST_CASE("gguf: a model in parts opens from any of them, and a missing or foreign part is named") {
  TemporaryFolder folder;
  auto part = [&](int no, int count, const char* tensor, int total) {
    GgufWriter w;
    if (no == 0) w.add_text("general.architecture", "llama");
    w.add_raw("split.no", 2, raw<uint16_t>(static_cast<uint16_t>(no)));
    w.add_raw("split.count", 2, raw<uint16_t>(static_cast<uint16_t>(count)));
    w.add_i32("split.tensors.count", total);
    w.add_tensor(tensor, {8}, 0, std::string(32, static_cast<char>('a' + no)));
    return w;
  };
  const fs::path first = folder.path / "m-00001-of-00002.gguf",
                 second = folder.path / "m-00002-of-00002.gguf";
  REQUIRE(part(0, 2, "a", 2).write(first).ok());
  CHECK_EQ(Gguf::open(first).error().code, ErrorCode::kNotFound);
  REQUIRE(part(1, 2, "b", 2).write(second).ok());
  for (const fs::path& path : {first, second}) {
    auto file = Gguf::open(path);
    REQUIRE_MESSAGE(file.ok(), file.error().message);
    CHECK_EQ(file->tensors().size(), 2);
    CHECK_EQ(file->text("general.architecture").value(), "llama");
    CHECK_EQ(static_cast<char>(*file->tensor("b")->data), 'b');
  }
  REQUIRE(part(1, 2, "a", 2).write(second).ok());
  CHECK_EQ(Gguf::open(first).error().message, first.string() + ": tensor 'a' occurs twice");
  REQUIRE(part(0, 2, "b", 2).write(second).ok());
  CHECK_NE(Gguf::open(first).error().message.find("'split.no'"), std::string::npos);
  REQUIRE(part(0, 2, "a", 3).write(first).ok());
  REQUIRE(part(1, 2, "b", 3).write(second).ok());
  CHECK_NE(Gguf::open(first).error().message.find("'split.tensors.count' says 3"),
           std::string::npos);
  fs::copy_file(first, folder.path / "alone.gguf");
  CHECK_EQ(Gguf::open(folder.path / "alone.gguf").error().code, ErrorCode::kDataRefused);
}

TEST_CASE("gguf: what is no file says so") {
  TemporaryFolder folder;
  CHECK_EQ(Gguf::open(folder.path / "none.gguf").error().code, ErrorCode::kNotFound);
  CHECK_FALSE(Gguf::open(folder.path).ok());
  std::ofstream(folder.path / "empty.gguf").close();
  CHECK_EQ(Gguf::open(folder.path / "empty.gguf").error().message,
           (folder.path / "empty.gguf").string() +
               ": not a GGUF file: it does not start with the letters GGUF");
}
