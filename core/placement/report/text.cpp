#include "core/placement/report/text.hpp"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/placement/report/commands.hpp"

namespace aictl::placement {
namespace {

constexpr size_t kWidth = 80;

// Lines under a heading; long ones are broken at spaces.
void print_list(std::string_view heading, const std::vector<std::string>& lines,
                std::ostream& out) {
  if (lines.empty()) return;
  out << "  " << heading << '\n';
  for (const std::string& line : lines) {
    const auto pieces = cli::wrap(line, kWidth - 6);
    for (size_t i = 0; i < pieces.size(); ++i)
      out << (i == 0 ? "    " : "      ") << pieces[i] << '\n';
  }
}

std::string devices_text(const Replica& r) {
  if (r.gpus.empty()) return r.nodes.empty() ? "CPU" : "numa " + r.nodes.list();
  return fmt::format("gpu {}", fmt::join(r.gpus, ","));
}

std::string cores_text(const Replica& r) {
  if (r.cpus.empty()) return "unknown";
  const std::string cores = r.cores > 0 ? fmt::format("{} cores, ", r.cores) : "near: ";
  return fmt::format("{}CPUs {}{}", cores, r.cpus.list(),
                     r.nodes.empty() ? "" : fmt::format(", memory {}", r.nodes.list()));
}

void print_placed(const ModelPlan& m, int& port, const PlanRequest& request, bool explain,
                  std::ostream& out) {
  const Option& o = *m.chosen;
  out << fmt::format("{}: {} on {} ({})\n", m.shape.name, o.words(), o.device.model,
                     o.device.source);
  out << fmt::format("  memory   {}\n", m.verdict);
  out << fmt::format("  speed    {:.1f} tokens/s, TPOT {:.1f} ms, TTFT {:.0f} ms for {} tokens\n",
                     o.goodput, o.tpot() * 1e3, o.ttft() * 1e3,
                     std::min(request.prompt, o.load.context));
  out << fmt::format("  load     {} of {} tokens a replica; room for {} tokens\n",
                     counted(o.load.sequences, "sequence"), o.load.context, o.fit.token_capacity);
  for (size_t i = 0; i < m.replicas.size(); ++i)
    out << fmt::format("  #{:<7} {}; {}\n", i, devices_text(m.replicas[i]),
                       cores_text(m.replicas[i]));
  if (explain) {
    print_list("arithmetic", o.fit.arithmetic, out);
    print_list("reasons", m.reasons, out);
  }
  out << "  run\n";
  for (size_t i = 0; i < m.replicas.size(); ++i)
    out << "    " << commands(m, i, port++, request).run << '\n';
  if (request.engine == Engine::kAictl || m.replicas.empty()) return;
  const Commands first = commands(m, 0, port - int(m.replicas.size()), request);
  out << "  or       " << first.aictl << '\n';
}

void print_rejected(const ModelPlan& m, std::ostream& out) {
  if (m.rejected.empty()) return;
  out << "  rejected\n";
  cli::Table table({});
  for (const Rejected& one : m.rejected) table.row({"    " + one.option, one.term, one.why});
  table.print(out);
}

// Parts whose loss has one effect stand on one line.
void print_losses(const HostPlan& host, std::ostream& out) {
  if (host.losses.empty()) return;
  out << "if a part is lost\n";
  std::vector<std::pair<std::string, std::string>> effects;  // effect, parts
  for (const Loss& loss : host.losses) {
    const auto same =
        std::ranges::find(effects, loss.replan, &std::pair<std::string, std::string>::first);
    if (same == effects.end())
      effects.emplace_back(loss.replan, loss.part);
    else
      same->second += ", " + loss.part;
  }
  for (const auto& [effect, parts] : effects) {
    const auto pieces = cli::wrap(fmt::format("{}: {}", parts, effect), kWidth - 4);
    for (size_t i = 0; i < pieces.size(); ++i) out << (i == 0 ? "  " : "    ") << pieces[i] << '\n';
  }
}

}  // namespace

void print(const Plan& plan, const PlanRequest& request, bool explain, std::ostream& out) {
  for (const HostPlan& host : plan.hosts) {
    if (host.hosts > 1)
      out << fmt::format("on each of {} hosts{}\n", host.hosts,
                         host.hostname.empty() ? "" : " like " + host.hostname);
    int port = 0;
    for (const ModelPlan& model : host.models) {
      if (model.chosen)
        print_placed(model, port, request, explain, out);
      else
        out << fmt::format("{}: not placed\n  memory   {}\n", model.shape.name, model.verdict);
      if (explain) print_rejected(model, out);
      out << '\n';
    }
    if (!host.free_gpus.empty())
      out << fmt::format("free     gpu {}\n", fmt::join(host.free_gpus, ","));
    for (const std::string& note : host.notes) out << "note     " << note << '\n';
    if (explain) print_losses(host, out);
  }
}

}  // namespace aictl::placement
