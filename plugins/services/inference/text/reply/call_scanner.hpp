// One tool call as models write it, `{"name": "f", "arguments": {...}}`, read a byte at a time: it
// is known for a call as soon as its name and the beginning of its arguments are there, and from
// then on the arguments are passed on as they come.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace aictl {

class CallScanner {
 public:
  enum class Verdict : uint8_t {
    kUndecided,  // the byte is held
    kStarted,    // it is a call: name() and the arguments so far
    kGoingOn,    // more of it
    kDone,       // the byte closed the object
    kRefused,    // no call: held() is text, and the byte was not taken
    kBroken,     // a call whose object goes wrong here: held() is text, the byte was not taken
  };

  /// `names` limits what may be called, and lets no members in but those of a call; empty: anything
  /// goes. It must outlive the scanner.
  explicit CallScanner(std::span<const std::string> names = {}) : names_(names) {}

  /// Takes a byte, the object's `{` first. Appends to `arguments` what is certain of them.
  Verdict push(char byte, std::string& arguments);

  const std::string& name() const { return name_; }
  bool started() const { return started_; }
  /// What was taken and not passed on: all of it before the start, then what follows the arguments.
  const std::string& held() const { return held_; }

 private:
  enum class At : uint8_t {
    kOpen,
    kFirstKey,
    kNextKey,
    kKey,
    kColon,
    kValue,
    kName,
    kArguments,
    kArgumentText,
    kText,    // of a member that is nothing to us
    kNested,  // the same
    kWord,    // a number, true, false or null
    kComma,
  };
  enum class Member : uint8_t { kName, kArguments, kOther };

  bool take(char byte, std::string& arguments);
  bool take_value(char byte, std::string& arguments);
  bool take_name();
  bool take_arguments(std::string_view bytes, std::string& arguments);
  bool in_string(char byte);
  bool in_nested(char byte);
  bool end_key();
  bool end_object(std::string& arguments);

  std::span<const std::string> names_;
  At at_ = At::kOpen;
  Member member_ = Member::kOther;
  std::string held_;
  std::string raw_;  // the string or word being read
  std::string name_;
  std::string early_;  // arguments that came before the name
  int depth_ = 0;      // of the value being read
  bool quoted_ = false, escaped_ = false;
  bool has_arguments_ = false, started_ = false, done_ = false;
};

}  // namespace aictl
