// The table of `nvidia-smi topo -m`: a header, a row a device, a legend. Reads it out of whatever
// stands around it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace aictl::nvidia_smi {

struct Row {
  int line = 0;
  std::string name;
  std::vector<std::string> cells;  // one for each device of the header; empty: not told
  size_t reach = 0;                // cells up to the last one told
  std::vector<std::string> facts;  // one for each heading after the devices; empty: not told
};

struct Table {
  std::vector<std::string> devices;   // GPUs and NICs, in the order of the columns
  std::vector<std::string> headings;  // "CPU Affinity", "NUMA Affinity", "GPU NUMA ID"
  std::vector<Row> rows;
  std::map<std::string, std::string> legend;  // "NIC0" -> "mlx5_0"
  std::string cut;  // how the last row shows that the text was cut off; empty: it does not
};

/// Whether a name of the header is a GPU's: "GPU0".
bool is_gpu(std::string_view name);
/// Whether a cell is a word for a link: "X", "NV12", "PIX", "SOC".
bool is_link(std::string_view cell);

/// Whether `text` has the header of such a table, or a row of it.
bool has_table(std::string_view text);

/// Errors: kDataRefused naming the line.
Result<Table> read_table(std::string_view text);

}  // namespace aictl::nvidia_smi
