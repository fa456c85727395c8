// Any bytes as manifests: they are read or refused, checked by every rule, and what is written of
// them reads back to the same objects.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/manifest/compare/diff.hpp"
#include "core/manifest/validate/validate.hpp"
#include "core/manifest/write.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace aictl::manifest;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ValidateOptions options;
  options.references = options.lint = true;
  Validator validator(options);
  validator.add(text, "fuzz.yaml");
  (void)std::move(validator).finish();

  const Reading reading = read_text(text, "fuzz.yaml");
  for (const Document& document : reading.documents) {
    const Written written[] = {{&document.object}};
    const Reading back = read_text(write_documents(written), "back.yaml");
    const bool is_list =
        document.object.is_object() && document.object.value("kind", aictl::Json()) == "List";
    if (is_list) continue;
    if (!back.problems.empty() || back.documents.size() != 1 ||
        back.documents[0].object != document.object)
      std::abort();
    if (!diff_objects(reading.documents, reading.documents, Catalog::builtin()).empty())
      std::abort();
  }
  return 0;
}
