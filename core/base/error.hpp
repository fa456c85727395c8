// Errors as values: a code for machines, a message and a hint for people. One table turns a code
// into an exit status, an HTTP status and an API error type (see error.cpp), so a failure reads the
// same everywhere.
#pragma once

#include <string>
#include <string_view>

namespace aictl {

enum class ErrorCode {
  kInvalidArgument,    // the caller asked for something that makes no sense
  kNotFound,           // the named thing does not exist
  kDataRefused,        // the input data is malformed
  kUnsupported,        // well-formed, but this build, model or device cannot do it
  kUnauthorized,       // no key, or a wrong one
  kForbidden,          // the key does not allow it
  kConflict,           // contradicts the present state
  kTooLarge,           // over a limit on size
  kResourceExhausted,  // a queue or quota is full; try again later
  kUnavailable,        // something needed is not there (yet)
  kDeadlineExceeded,   // ran out of time
  kCancelled,          // the asker went away or pressed Ctrl-C
  kIo,                 // the operating system refused
  kInternal,           // a bug of ours
};

/// What went wrong. `message` is lower case without a full stop and carries the offending value;
/// `hint` names the next step and may be empty.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
  std::string hint;

  /// Puts a line of context in front: "opening model.gguf: <message>".
  Error within(std::string_view context) &&;
  Error within(std::string_view context) const&;
};

/// One row of the table that gives a code its faces.
struct ErrorFaces {
  ErrorCode code;
  std::string_view name;      // stable word for -o json
  int exit_status;            // of the process
  int http_status;            // of a response
  std::string_view api_type;  // OpenAI's error.type
};

/// The row of `code`. Never fails: every code has a row.
const ErrorFaces& faces(ErrorCode code);

/// Error from errno after a failed system call: "<what>: <strerror>". ENOENT becomes kNotFound.
Error errno_error(std::string_view what, int saved_errno);

}  // namespace aictl
