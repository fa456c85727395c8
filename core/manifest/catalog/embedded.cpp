// The bytes of schemas/catalog.zst, in the binary.
#include "core/manifest/catalog/embedded.hpp"

asm(R"(
  .pushsection .rodata
  .balign 16
  .global aictl_schema_catalog
aictl_schema_catalog:
  .incbin ")" AICTL_SCHEMA_CATALOG R"("
  .global aictl_schema_catalog_end
aictl_schema_catalog_end:
  .byte 0
  .popsection
)");

extern "C" {
extern const char aictl_schema_catalog[];
extern const char aictl_schema_catalog_end[];
}

namespace aictl::manifest {

std::string_view embedded_catalog() {
  return {aictl_schema_catalog, size_t(aictl_schema_catalog_end - aictl_schema_catalog)};
}

}  // namespace aictl::manifest
