#include "plugins/services/inference/api/served.hpp"

#include <algorithm>

#include "core/base/nearest.hpp"

namespace aictl::inference {

openai::ApiResult<const ServedModel*> Served::find(std::string_view name) const {
  std::vector<std::string_view> names;
  for (const ServedModel& model : models_)
    if (model.card.id == name) return &model;
  for (const ServedModel& model : models_) {
    if (std::ranges::find(model.aliases, name) != model.aliases.end()) return &model;
    names.push_back(model.card.id);
    names.insert(names.end(), model.aliases.begin(), model.aliases.end());
  }
  const std::string_view shown = name.substr(0, 128);
  std::string hint = did_you_mean(shown, names);
  if (hint.empty()) hint = "GET /v1/models lists what is";
  return openai::model_not_found(shown, hint);
}

openai::ApiResult<const ServedModel*> Served::find_or_first(std::string_view name) const {
  if (name.empty() && !models_.empty()) return &models_.front();
  return find(name);
}

}  // namespace aictl::inference
