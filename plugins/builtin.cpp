#include "plugins/builtin.hpp"

#include "plugins/backends/cpu/cpu.hpp"
#include "plugins/backends/reference/reference.hpp"
#include "plugins/renderers/cluster/cluster.hpp"
#include "plugins/renderers/local/local.hpp"
#include "plugins/services/inference/local/local_model.hpp"
#include "plugins/services/inference/serve/service.hpp"
#include "plugins/sources/file/file.hpp"
#include "plugins/topology/hwloc/hwloc.hpp"
#include "plugins/topology/json/json.hpp"
#include "plugins/topology/nccl/nccl.hpp"
#include "plugins/topology/nvidia_smi/nvidia_smi.hpp"
#include "plugins/topology/nvml/nvml.hpp"
#include "plugins/topology/sysfs/sysfs.hpp"

namespace aictl {

void add_builtin(Plugins& plugins) {
  add_cpu_backend(plugins);
  add_reference_backend(plugins);
  add_file_source(plugins);
  add_aictl_runtime(plugins);
  add_inference_service(plugins);
  add_hwloc_topology(plugins);  // first: the others add to what it sees
  add_sysfs_topology(plugins);
  add_nvml_topology(plugins);
  add_nvidia_smi_topology(plugins);
  add_nccl_topology(plugins);
  add_json_topology(plugins);
  add_cluster_renderers(plugins);
  add_local_renderers(plugins);
}

}  // namespace aictl
