// The public face: source to program, program and variables to text.
#include "core/template/template.hpp"

#include "core/template/interpreter.hpp"
#include "core/template/syntax/lexer.hpp"
#include "core/template/syntax/parser.hpp"

#include <fmt/format.h>

namespace aictl::jinja {

Result<Template> Template::parse(std::string_view source, const Options& options) {
  if (source.size() > options.max_source_bytes)
    return Error{ErrorCode::kTooLarge,
                 fmt::format("the template is {} bytes long, over the limit of {}", source.size(),
                             options.max_source_bytes),
                 {}};
  auto tokens = tokenize(source, options);
  if (!tokens) return std::move(tokens).error();
  auto program = Parser(std::move(*tokens), options).run();
  if (!program) return std::move(program).error();
  return Template(std::move(*program));
}

Result<Rendered> Template::render(const Json& variables, const RenderOptions& options) const {
  return Interpreter(*program_, options).run(variables);
}

}  // namespace aictl::jinja
