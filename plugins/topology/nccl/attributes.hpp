// Attributes of NCCL's elements as numbers and addresses, each refused with its line and value.
#pragma once

#include <string>
#include <string_view>

#include "core/topology/topology.hpp"
#include "plugins/topology/nccl/xml.hpp"

namespace aictl::nccl {

/// kDataRefused with the line.
Error refused(int line, std::string what);

/// The start of a value, for a message.
std::string shown(const std::string& value);

/// An attribute as a number, with or without 0x; `otherwise` when it is not there or empty. Errors:
/// kDataRefused when it does not read or is not in low..high.
Result<long> number(const Element& element, std::string_view key, long otherwise, long low,
                    long high);

/// The number a text such as "16.0 GT/s PCIe" starts with; 0: none.
double leading_number(const std::string& text);

/// Identity and link of a <pci>. Errors: kDataRefused.
Result<topology::PciFacts> read_facts(const Element& pci);

}  // namespace aictl::nccl
