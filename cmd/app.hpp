// App: what the commands of this program share. Lives as long as the command tree.
#pragma once

#include "core/plugin/plugins.hpp"

namespace aictl {

struct App {
  Plugins plugins;
};

}  // namespace aictl
