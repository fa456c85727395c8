// What stands behind the objects of an hwloc XML: distances, memory attributes, sorts of cores.
#pragma once

#include <string>

#include "plugins/topology/hwloc/xml/objects.hpp"

namespace aictl::hwloc {

/// `value` as text of an attribute.
void append_escaped(std::string& out, std::string_view value);
/// <info name value/> of the element, if it has both.
void append_info(const XmlDocument& document, const XmlElement& element, std::string& out);

/// Version 1: <distances> in the machine object. Errors: kDataRefused.
Result<void> append_distances1(const XmlDocument& document, const XmlElement& element,
                               std::string& out);

/// Version 2: the elements after the machine object, those that are known. Errors: kDataRefused.
Result<void> append_tail(const XmlDocument& document, int root, std::string& out);

}  // namespace aictl::hwloc
