// Where the results of load tests go: a terminal, and files.
#pragma once

#include <string>
#include <vector>

#include "core/cli/context.hpp"
#include "core/load/drive/record.hpp"

namespace aictl {

/// Files to write beside what is printed; empty: not.
struct BenchFiles {
  std::string html, csv, requests;
};

/// --html and --csv; `files` outlives the rows.
std::vector<Row> file_rows(BenchFiles& files);

/// `run` may be null: then there are no requests to write. Errors: of writing.
Result<void> write_files(const BenchFiles& files, const Json& result, const load::Run* run);

/// The result as a tree, or as tables for people.
void print_load_result(cli::Context& context, const Json& result);

}  // namespace aictl
