// What others refer to: files, addresses, claims, numbers of replicas, who may reach whom.
#include <algorithm>
#include <charconv>

#include "core/platform/import/kinds/kinds.hpp"

namespace aictl::platform {

void add_config_map(Object& object, Draft& draft) {
  const Part data = object["data"];
  draft.texts[object.name()] = data.tree();
  if (!object.label_value("grafana_dashboard").empty()) draft.targets["monitoring"];
  const bool of_knative = object.space() == "knative-serving";  // the features that it needs
  if (object.ours() || of_knative) return object.take("");
  object.leave("/data", "the spec has no files for pods, but those of its gateway and broker");
}

void add_service(Object& object, Draft& draft) {
  Labels& selector = draft.services[object.name()];
  for (const auto& [key, value] : object["spec"]["selector"].labels()) selector[key] = value;
  object.take("");
}

void add_claim(Object& object, Draft& draft) {
  Claim& claim = draft.claims[object.name()];
  const Part spec = object["spec"];
  claim.label = object.label();
  claim.bytes = spec["resources"]["requests"]["storage"].amount();
  claim.storage_class = spec["storageClassName"].text();
  object.take("");
}

void add_storage_class(Object& object, Draft& draft) {
  if (object["provisioner"].text().ends_with(".cephfs.csi.ceph.com"))
    draft.classes.insert(object.name());
  object.take("");
}

void add_scaler(Object& object, Draft& draft) {
  const Part spec = object["spec"];
  const bool keda = object.kind() == "ScaledObject";
  const std::string target = spec["scaleTargetRef"]["name"].text();
  Scale& scale = draft.scales[target];
  scale.least = spec[keda ? "minReplicaCount" : "minReplicas"].integer().value_or(keda ? 0 : 1);
  scale.most = spec[keda ? "maxReplicaCount" : "maxReplicas"].integer().value_or(keda ? 100 : 0);
  spec["scaleTargetRef"].take();
  if (!keda) draft.targets["kubernetes"]["autoscale"] = "hpa";
  for (const Part& metric : spec[keda ? "triggers" : "metrics"].items()) {
    const bool waiting = dump_json(metric.tree()).find("num_requests_waiting") != std::string::npos;
    const Part threshold =
        keda ? metric["metadata"]["threshold"] : metric["pods"]["target"]["averageValue"];
    if (const auto most = threshold.integer(); waiting && most)
      draft.targets["kubernetes"]["waiting"] = *most;
    if (const std::string server = metric["metadata"]["serverAddress"].text(); !server.empty())
      draft.targets["kubernetes"]["prometheus"] = server;
    if (!waiting) metric.leave("generate scales by the requests that wait");
  }
  for (const char* key : {"behavior", "pollingInterval", "advanced"})
    if (object.ours() && spec[key]) spec[key].take();
}

void add_policy(Object& object, Draft& draft) {
  if (object.ours())
    for (const Part& rule : object["spec"]["egress"].items())
      for (const Part& peer : rule["to"].items()) {
        const Part labels = peer["podSelector"]["matchLabels"];
        for (const char* key : {"app.kubernetes.io/instance", "serving.knative.dev/service",
                                "serving.kserve.io/inferenceservice"})
          if (const std::string to = labels[key].text(); !to.empty())
            draft.reaches[object.name()].insert(to);
      }
  object.take("");
}

void add_alerts(Object& object, Draft& draft) {
  for (const Part& group : object["spec"]["groups"].items())
    for (const Part& rule : group["rules"].items()) {
      if (!object.ours() || rule["alert"].text() != "AictlFirstTokenLate") continue;
      const std::string model = rule["labels"]["model"].text(), text = rule["expr"].text();
      draft.order.push_back(model);
      double seconds = 0;
      const size_t at = text.rfind('>');
      if (at == text.npos) continue;
      const size_t first = text.find_first_not_of(' ', at + 1);
      if (first == text.npos) continue;
      std::from_chars(text.data() + first, text.data() + text.size(), seconds);
      // "2" is watched where no SLO says so; one that does is "2.0".
      if (text.find('.', first) != text.npos) draft.first_token[model] = seconds;
    }
  if (object.ours()) return object.take("");
  object.leave("/spec", "alerts are those that generate writes");
}

void add_claim_template(Object& object, Draft& draft) {
  int64_t gpus = 0;
  for (const Part& request : object["spec"]["spec"]["devices"]["requests"].items())
    gpus += std::clamp<int64_t>(request["exactly"]["count"].integer().value_or(1), 0, 1 << 20);
  draft.claimed_gpus[object.name()] = std::min<int64_t>(gpus, 1 << 20);
  object.take("");
}

void add_implied(Object& object, Draft&) { object.take(""); }

}  // namespace aictl::platform
