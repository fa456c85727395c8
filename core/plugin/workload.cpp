#include "core/plugin/workload.hpp"

namespace aictl {

std::string spell(const Word& word, const Workload& of, const AddressBook& book) {
  std::string text;
  for (const Piece& piece : word) {
    if (const auto* literal = std::get_if<std::string>(&piece))
      text += *literal;
    else
      text += book.resolve(of, std::get<Reference>(piece));
  }
  return text;
}

}  // namespace aictl
