// Safetensors headers: read, and refused when anything does not hold.
#include "core/placement/model/safetensors.hpp"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

using namespace aictl;
using namespace aictl::placement;
namespace fs = std::filesystem;

namespace {

std::string file_of(const std::string& header, size_t data) {
  std::string bytes(8, '\0');
  const uint64_t length = header.size();
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes + header + std::string(data, '\0');
}

Result<std::vector<StoredTensor>> parse(const std::string& bytes) {
  return parse_safetensors(std::as_bytes(std::span(bytes)), bytes.size(), "m.safetensors");
}

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "aictl-safetensors-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path); }
  void write(const char* name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
  }
};

constexpr const char* kConfig = R"({"model_type":"llama","num_hidden_layers":1,"hidden_size":4,
  "num_attention_heads":2,"vocab_size":8,"torch_dtype":"bfloat16"})";

}  // namespace

TEST_CASE("safetensors: names, types, shapes and sizes are read") {
  const auto tensors = parse(file_of(
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]},
      "b":{"dtype":"F8_E4M3","shape":[],"data_offsets":[12,13]}})",
      13));
  REQUIRE_MESSAGE(tensors.ok(), (tensors.ok() ? "" : tensors.error().message));
  REQUIRE_EQ(tensors->size(), 2);
  CHECK_EQ((*tensors)[0].name, "a");
  CHECK_EQ((*tensors)[0].dims, std::vector<uint64_t>{2, 3});
  CHECK_EQ((*tensors)[0].bytes, 12);
  CHECK_EQ((*tensors)[1].elements, 1);
}

TEST_CASE("safetensors: what does not hold is refused with the tensor and the numbers") {
  const auto row = [](const char* fields) {
    return file_of("{\"t\":" + std::string(fields) + "}", 8);
  };
  const std::string bad[] = {
      "",
      "short",
      std::string(8, '\xff'),
      file_of("[]", 0),
      file_of("{", 0),
      file_of("{}{}", 0),
      row("1"),
      row(R"({"shape":[4],"data_offsets":[0,8]})"),
      row(R"({"dtype":"F99","shape":[4],"data_offsets":[0,8]})"),
      row(R"({"dtype":"F16","shape":[-4],"data_offsets":[0,8]})"),
      row(R"({"dtype":"F16","shape":[4],"data_offsets":[0,9]})"),
      row(R"({"dtype":"F16","shape":[4],"data_offsets":[8,0]})"),
      row(R"({"dtype":"F16","shape":[4],"data_offsets":[0,6]})"),
      row(R"({"dtype":"F16","shape":[4294967296,4294967296,2],"data_offsets":[0,8]})"),
      row(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})"),
      row(R"({"dtype":"F16","shape":[4],"data_offsets":[0.5,8]})"),
      file_of(R"({"a":{"dtype":"F16","shape":[4],"data_offsets":[0,8]},
              "b":{"dtype":"F16","shape":[4],"data_offsets":[6,14]}})",
              14)};
  for (const std::string& bytes : bad) {
    const auto tensors = parse(bytes);
    REQUIRE_MESSAGE(!tensors.ok(), bytes);
    CHECK_EQ(tensors.error().code, ErrorCode::kDataRefused);
    CHECK(tensors.error().message.starts_with("m.safetensors: "));
  }
}

TEST_CASE("safetensors: a header longer than the file or the limit is not read") {
  std::string bytes = file_of("{}", 0);
  const uint64_t lengths[] = {3, kMaxSafetensorsHeader + 1, UINT64_MAX};
  for (const uint64_t length : lengths) {
    std::memcpy(bytes.data(), &length, sizeof length);
    CHECK_FALSE(parse(bytes).ok());
  }
}

TEST_CASE("safetensors: a folder of parts is one model of exact bytes") {
  const Folder folder;
  folder.write("config.json", kConfig);
  folder.write("model-00001-of-00002.safetensors",
               file_of(R"({"model.embed_tokens.weight":{"dtype":"BF16","shape":[8,4],
                       "data_offsets":[0,64]}})",
                       64));
  folder.write("model-00002-of-00002.safetensors",
               file_of(R"({"lm_head.weight":{"dtype":"BF16","shape":[8,4],"data_offsets":[0,64]},
                       "model.norm.weight":{"dtype":"F32","shape":[4],"data_offsets":[64,80]}})",
                       80));
  for (const fs::path& path : {folder.path, folder.path / "model-00002-of-00002.safetensors"}) {
    const auto shape = shape_from_safetensors(path, "");
    REQUIRE_MESSAGE(shape.ok(), (shape.ok() ? "" : shape.error().message));
    CHECK_EQ(shape->weight_bytes, 144);
    CHECK_EQ(shape->lookup_bytes, 64);
    CHECK_EQ(shape->replicated_bytes, 16);
    CHECK_EQ(shape->parameters, 68);
    CHECK_EQ(shape->quant, "BF16");
    CHECK(shape->exact);
    CHECK_FALSE(shape->tied_head);
  }
}

TEST_CASE("safetensors: without config.json the hint names --config") {
  const Folder folder;
  folder.write("m.safetensors", file_of("{}", 0));
  const auto shape = shape_from_safetensors(folder.path / "m.safetensors", "");
  REQUIRE_FALSE(shape.ok());
  CHECK_EQ(shape.error().code, ErrorCode::kNotFound);
  CHECK(shape.error().hint.find("--config") != std::string::npos);
}
