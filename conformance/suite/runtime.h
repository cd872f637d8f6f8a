#pragma once

#include <string>

namespace hull::conformance {

// A program under test.
struct Runtime {
  std::string name;     // "runc"
  std::string path;     // "/usr/sbin/runc"
  std::string version;  // the first line of --version: "runc 1.1.5"
};

// Of a word of the command line: [NAME=]PATH.
Runtime runtime_of(const std::string& word);

// The path of a program in the directory of the one that runs.
std::string beside_this_program(const std::string& name);

}  // namespace hull::conformance
