#include "plugins/builtin.hpp"

#include "plugins/backends/cpu/cpu.hpp"
#include "plugins/backends/reference/reference.hpp"
#include "plugins/services/inference/local/local_model.hpp"
#include "plugins/services/inference/serve/service.hpp"
#include "plugins/sources/file/file.hpp"

namespace aictl {

void add_builtin(Plugins& plugins) {
  add_cpu_backend(plugins);
  add_reference_backend(plugins);
  add_file_source(plugins);
  add_aictl_runtime(plugins);
  add_inference_service(plugins);
}

}  // namespace aictl
