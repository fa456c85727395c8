#include "core/placement/plan/sockets.hpp"

#include <fmt/format.h>

namespace aictl::placement {
namespace {

bool crosses(const Option& option) {
  return !option.cpu && option.cut.tp > 1 && option.fabric.worst == topology::Level::kSys;
}

// The widest one inside a socket; of equals the first, which has most replicas.
const Option* widest_inside(const std::vector<Option>& fitting, const Option& across) {
  const Option* widest = nullptr;
  for (const Option& option : fitting)
    if (!crosses(option) && !option.cpu && option.quant == across.quant && option.cut.pp == 1 &&
        option.cut.tp < across.cut.tp && (!widest || option.cut.tp > widest->cut.tp))
      widest = &option;
  return widest;
}

// Why a step that is worth it does not cross: what is said of an SLO is about the two of them.
std::string not_needed(const PlanRequest& request, int inside_tp) {
  const bool asked = request.slo.ttft || request.slo.tpot;
  return asked ? fmt::format(", and tp={} meets the SLO as it is", inside_tp)
               : ", and no SLO needs it";
}

}  // namespace

std::optional<Rejected> stays_in_socket(const std::vector<Option>& fitting, const Option& option,
                                        const ModelShape& shape, const PlanRequest& request) {
  const Option* inside = crosses(option) ? widest_inside(fitting, option) : nullptr;
  // The best misses the SLO: nobody meets it, and the faster one comes nearest.
  if (!inside || !option.slo_met) return std::nullopt;
  const Ground near{inside->device, inside->fabric, 12.5, request.engine};
  const Ground far{option.device, option.fabric, 12.5, request.engine};
  const AcrossSockets change =
      across_sockets(shape, near, inside->cut.tp, far, option.cut.tp, option.load.sequences,
                     double(option.load.context) / 2, request.kv_element);
  if (change.worth() && !inside->slo_met) return std::nullopt;
  const std::string numbers = fmt::format(
      "against tp={} in one socket a step reads {:.1f} ms less and agrees {:.1f} ms "
      "longer",
      inside->cut.tp, change.gain * 1e3, change.loss * 1e3);
  return Rejected{
      option.words(), "sockets",
      numbers + (change.worth() ? not_needed(request, inside->cut.tp) : ", which is not worth it")};
}

}  // namespace aictl::placement
