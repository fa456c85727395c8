#include "core/placement/report/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <ostream>
#include <utility>

#include <fmt/format.h>

#include "core/base/units.hpp"
#include "core/cli/terminal/table.hpp"
#include "core/placement/report/commands.hpp"
#include "core/placement/search/objective.hpp"

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

// "on CPU" is in the option's words.
std::string device_text(const Option& o) {
  if (!o.cpu) return " on " + o.device.model;
  return o.device.model == "CPU" ? "" : " " + o.device.model;
}

std::string source_text(const std::string& source) {
  if (source == "table") return "by the table";
  return source == "driver" ? "by its driver" : source;
}

std::string cores_text(const Replica& r) {
  if (r.cpus.empty()) return "unknown";
  const std::string cores = r.cores > 0 ? fmt::format("{}, ", counted(r.cores, "core")) : "near: ";
  return fmt::format("{}CPUs {}{}{}", cores, r.cpus.list(),
                     r.nodes.empty() ? "" : fmt::format(", memory {}", r.nodes.list()),
                     r.pin ? "" : "; not pinned");
}

std::string seconds_text(double seconds) {
  return seconds < 100 ? fmt::format("{:.1f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string loading_text(const ModelPlan& m) {
  const Loading& l = m.loading;
  const std::string node = l.source.node < 0 ? "" : fmt::format(", node {}", l.source.node);
  std::string text =
      fmt::format("{} {} {} (assumed {:.1f} GB/s{})", seconds_text(l.cold),
                  l.source.known ? "from" : "if from", l.source.name, l.source.gbs, node);
  if (l.warm > 0)
    text += fmt::format(", {} from the page cache{}", seconds_text(l.warm),
                        l.source.in_memory ? ", which holds it" : "");
  return text;
}

std::string verified_text(const Verified& v) {
  return fmt::format(
      "pinned {:.1f} tokens/s, left alone {:.1f}: {:+.1f} %, p = {:.3f}: the pin is {}. The plan "
      "foresaw {:.1f}",
      v.pinned, v.left_alone, (v.left_alone > 0 ? v.pinned / v.left_alone - 1 : 0) * 100, v.chance,
      v.kept ? "kept" : "left out", v.predicted);
}

// The first replica with the engines that the plan is not for.
void print_others(const Commands& c, std::ostream& out) {
  for (const std::string* line : {&c.vllm, &c.llama_cpp, &c.aictl})
    if (!line->empty() && !c.run.ends_with(*line)) out << "  or       " << *line << '\n';
}

void print_placed(const ModelPlan& m, int& port, const PlanRequest& request, bool explain,
                  std::ostream& out) {
  const Option& o = *m.chosen;
  out << fmt::format("{}: {}{}, its speed {}\n", m.shape.name, o.words(), device_text(o),
                     source_text(o.device.source));
  out << fmt::format("  memory   {}\n", m.verdict);
  out << fmt::format("  speed    {:.1f} tokens/s; {}; prompts of {} tokens\n", o.goodput,
                     slo_words(o), std::min(request.prompt, o.load.context));
  out << fmt::format("  load     {} of {} tokens a replica; room for {} tokens\n",
                     counted(o.load.sequences, "sequence"), o.load.context, o.fit.token_capacity);
  out << fmt::format("  start    {}\n", loading_text(m));
  for (size_t i = 0; i < m.replicas.size(); ++i)
    out << fmt::format("  #{:<7} {}; {}\n", i, devices_text(m.replicas[i]),
                       cores_text(m.replicas[i]));
  if (m.verified) print_list("verified", {verified_text(*m.verified)}, out);
  if (explain) {
    print_list("arithmetic", o.fit.arithmetic, out);
    print_list("reasons", m.reasons, out);
  }
  out << "  run\n";
  const int first = port;
  for (size_t i = 0; i < m.replicas.size(); ++i)
    out << "    " << commands(m, i, port++, request).run << '\n';
  if (!m.replicas.empty()) print_others(commands(m, 0, first, request), out);
  print_list("note", before_commands(m, request), out);
}

void print_not_placed(const ModelPlan& m, bool explain, std::ostream& out) {
  out << fmt::format("{}: not placed\n  memory   {}\n", m.shape.name, m.verdict);
  if (explain && m.nearest) print_list("arithmetic", m.nearest->arithmetic, out);
}

void print_rejected(const ModelPlan& m, std::ostream& out) {
  if (m.rejected.empty()) return;
  out << "  rejected\n";
  cli::Table table({});
  for (const Rejected& one : m.rejected) table.row({"    " + one.option, one.term, one.why});
  table.print(out);
}

// "gpu0", "gpu1", "gpu2", "host" become "gpu0-2, host"; many switches their number.
std::string fold_parts(const std::vector<std::string>& parts) {
  constexpr ptrdiff_t kManySwitches = 3;
  const auto is_switch = [](const std::string& part) { return part.starts_with("switch "); };
  const ptrdiff_t switches = std::ranges::count_if(parts, is_switch);
  std::string text;
  bool counted_switches = false;
  for (size_t i = 0; i < parts.size(); ++i) {
    std::string word = parts[i];
    if (is_switch(word) && switches > kManySwitches) {
      if (std::exchange(counted_switches, true)) continue;
      word = fmt::format("{} switches", switches);
    }
    const size_t digits = word.find_first_of("0123456789");
    if (digits != word.npos && !is_switch(word) && !counted_switches) {
      const std::string kind = word.substr(0, digits);
      int last = std::atoi(word.c_str() + digits), more = 0;
      while (i + 1 < parts.size() && parts[i + 1] == fmt::format("{}{}", kind, last + 1))
        ++i, ++last, ++more;
      if (more > 0) word += fmt::format("-{}", last);
    }
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

// Parts whose loss has one effect stand on one line.
void print_losses(const HostPlan& host, std::ostream& out) {
  if (host.losses.empty()) return;
  out << "if a part is lost\n";
  using Effect = std::pair<std::string, std::vector<std::string>>;  // what happens, to which parts
  std::vector<Effect> effects;
  for (const Loss& loss : host.losses) {
    const auto same = std::ranges::find(effects, loss.replan, &Effect::first);
    if (same == effects.end())
      effects.push_back({loss.replan, {loss.part}});
    else
      same->second.push_back(loss.part);
  }
  for (const auto& [effect, parts] : effects) {
    const auto pieces = cli::wrap(fmt::format("{}: {}", fold_parts(parts), effect), kWidth - 4);
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
        print_not_placed(model, explain, out);
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
