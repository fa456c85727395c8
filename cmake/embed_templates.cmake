# Writes the templates into one C++ file: cmake -DOUT=... -DROOT=... "-DFILES=a;b" -P embed_templates.cmake
set(text "// Made from templates/ by cmake/embed_templates.cmake.\n#include \"core/platform/generate/render/templates.hpp\"\n\nnamespace aictl::platform {\nnamespace {\nconstexpr BuiltinTemplate kTemplates[] = {\n")
foreach(file ${FILES})
  file(READ ${ROOT}/${file} content)
  string(APPEND text "    {\"${file}\", R\"=template=(${content})=template=\"},\n")
endforeach()
string(APPEND text "};\n}  // namespace\n\nstd::span<const BuiltinTemplate> builtin_templates() { return kTemplates; }\n\n}  // namespace aictl::platform\n")
file(CONFIGURE OUTPUT ${OUT} CONTENT "@text@" @ONLY)
