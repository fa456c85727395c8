#include "plugins/builtin.hpp"

#include "plugins/sources/file/file.hpp"

namespace aictl {

void add_builtin(Plugins& plugins) { add_file_source(plugins); }

}  // namespace aictl
