// Opening the model a command names.
#pragma once

#include <memory>
#include <string>

#include "cmd/app.hpp"

namespace aictl {

/// The model called `reference`, opened by this program's own runtime. Errors: as resolve_model and
/// Runtime::open.
Result<std::unique_ptr<LocalModel>> open_model(App& app, const std::string& reference,
                                               const EngineSettings& settings);

/// Its text side alone. Errors: as resolve_model and Runtime::open_text.
Result<std::unique_ptr<LocalText>> open_text(App& app, const std::string& reference);

/// This program's own runtime.
std::unique_ptr<Runtime> own_runtime(App& app);

}  // namespace aictl
