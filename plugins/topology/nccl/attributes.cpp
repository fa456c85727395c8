#include "plugins/topology/nccl/attributes.hpp"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/topology/bandwidth.hpp"

namespace aictl::nccl {

using topology::PciAddress;
using topology::PciFacts;

Error refused(int line, std::string what) {
  return {ErrorCode::kDataRefused, fmt::format("line {}: {}", line, what),
          "expected the XML of NCCL_TOPO_DUMP_FILE"};
}

std::string shown(const std::string& value) { return value.substr(0, 40); }

Result<long> number(const Element& element, std::string_view key, long otherwise, long low,
                    long high) {
  const auto text = element.attribute(key);
  if (!text || text->empty()) return otherwise;
  std::string_view digits = *text;
  const bool hex = digits.starts_with("0x");
  if (hex) digits.remove_prefix(2);
  long value = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || value < low || value > high)
    return refused(element.line, fmt::format("{}=\"{}\" of <{}> is not in {}..{}", key,
                                             shown(*text), element.name, low, high));
  return value;
}

double leading_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && value > 0 && value < 1e9 ? value : 0;
}

Result<PciFacts> read_facts(const Element& pci) {
  PciFacts facts;
  const std::string busid = pci.attribute("busid").value_or("");
  const auto address = PciAddress::parse(busid);
  if (!address)
    return refused(pci.line, fmt::format("busid=\"{}\" is no PCI address", shown(busid)));
  facts.address = *address;
  const auto kind = number(pci, "class", 0, 0, 0xffffff);
  if (!kind) return std::move(kind).error();
  facts.class_id = uint16_t(*kind >> 8);
  for (const auto& [key, field] :
       {std::pair{"vendor", &facts.vendor}, std::pair{"device", &facts.device},
        std::pair{"subsystem_vendor", &facts.subvendor},
        std::pair{"subsystem_device", &facts.subdevice}}) {
    const auto value = number(pci, key, 0, 0, 0xffff);
    if (!value) return std::move(value).error();
    *field = uint16_t(*value);
  }
  const auto width = number(pci, "link_width", 0, 0, 255);
  if (!width) return std::move(width).error();
  const double speed = leading_number(pci.attribute("link_speed").value_or(""));
  if (*width > 0) facts.link_width = int(*width);  // 0 and "" mean unknown
  if (speed > 0) facts.link_gts = speed;
  if (*width > 0)
    facts.link_gbs = topology::pcie_gbs(topology::pcie_generation(speed), int(*width)).value_or(0);
  return facts;
}

}  // namespace aictl::nccl
