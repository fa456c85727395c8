#include "core/manifest/write.hpp"

namespace aictl::manifest {

std::string write_documents(std::span<const Written> documents, std::string_view header) {
  static const Notes kNone;
  std::string text = comment_lines(header);
  bool first = true;
  for (const Written& document : documents) {
    if (!first) text += "---\n";
    first = false;
    text += write_yaml(*document.object, document.notes != nullptr ? *document.notes : kNone);
  }
  return text;
}

}  // namespace aictl::manifest
