#include "core/value/yaml.hpp"

#include "core/value/yaml_read.hpp"
#include "core/value/yaml_write.hpp"

namespace aictl {

Result<YamlDocument> parse_yaml(std::string_view text) { return parse_yaml(text, YamlOptions{}); }

std::string dump_yaml(const Json& tree) { return write_yaml(tree); }

}  // namespace aictl
